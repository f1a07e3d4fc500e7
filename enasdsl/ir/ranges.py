"""The members of a range: whole or real numbers, whose ends decisions may settle."""

from __future__ import annotations

from collections.abc import Iterator

from enasdsl.ir.build import mistake
from enasdsl.ir.cases import leaves, named, tree, truths
from enasdsl.ir.context import Context
from enasdsl.ir.typed import number, span_of, whole
from enasdsl.ir.values import Item
from enasdsl.semantics.constants import Interval
from enasdsl.semantics.symbols import Chosen, Computed, Num, compute
from enasdsl.syntax import ast


def ranged(expr: ast.Range, ctx: Context) -> Iterator[Item]:
    """The members in order, each with the condition under which it is there."""
    ends = (number(expr.low, ctx), number(expr.high, ctx))
    step = 1 if expr.step is None else number(expr.step, ctx)
    if any(isinstance(n, Chosen | Computed) for n in ends):
        yield from _chosen(expr, *ends, ctx)
    elif any(isinstance(n, float) for n in (*ends, step)):
        yield from (Item(n, label=f"{n:g}") for n in _real(expr, *ends, step))
    else:
        yield from (Item(n, label=str(n)) for n in span_of(expr, ctx))


def _chosen(expr: ast.Range, low: Num, high: Num, ctx: Context) -> Iterator[Item]:
    if expr.step is not None:
        raise mistake(
            "E0208",
            "a range with a step needs fixed ends",
            expr.span,
            "an end depends on a choice",
            help="leave the step out, and compute with the members: `2 * i for i in 1..n`",
        )
    first, last = (
        [whole(n, end.span) for n in leaves(tree(num, span=end.span))]
        for num, end in ((low, expr.low), (high, expr.high))
    )
    ctx.program.budget.spend(max(0, max(last) - min(first)), expr.span)
    for n in range(min(first), max(last) + 1):
        inside = compute("and", compute("<=", low, n), compute(">=", high, n))
        found = truths(inside, span=expr.span)
        there = named(found, lambda holds: holds is True, ctx, span=expr.span)
        if found is not False:
            yield Item(n, there, str(n))


def _real(expr: ast.Range, low: Num, high: Num, step: Num) -> list[float]:
    """Real numbers, rounded as they are written: 0.3 and not 0.30000000000000004."""
    known = [n for n in (low, high, step) if isinstance(n, int | float)]
    if expr.step is None or len(known) < 3 or known[2] <= 0:
        raise mistake(
            "E0402",
            "a range of real numbers needs a positive step",
            expr.span,
            "which numbers lie between is not said",
            help="write `0.1..0.5 step 0.1`, or a list",
        )
    return [round(n, 12) for n in Interval(*known)]
