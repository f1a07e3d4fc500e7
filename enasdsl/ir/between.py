"""What stands where a number has one value or another, which several decisions may settle."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from enasdsl.ir.cases import Split, Tree, by_pick, leaves, regions
from enasdsl.ir.context import Context
from enasdsl.ir.graph import Select
from enasdsl.ir.joining import agreed, combine, settle, side_by_side
from enasdsl.ir.values import ByCase, Item, Listing, Lowered, Operation, Tensor
from enasdsl.semantics.symbols import NUMBERS, Num, Scalar
from enasdsl.source import Span

Values = Mapping[Scalar, Lowered]


def by_case(
    found: Tree, body: Callable[[Scalar, Context], Lowered], ctx: Context, *, span: Span
) -> Lowered:
    """One value that is what `body` gives for the value that decisions give to `found`.

    Each is evaluated once, where its value holds.
    """
    cases = regions(found, ctx, span=span).items()
    values = {value: body(value, ctx.under(there)) for value, there in cases}
    return between(found, values, ctx, span=span)


def between(found: Tree, values: Values, ctx: Context, *, span: Span) -> Lowered:
    """The one of `values` that `found` says."""
    if not isinstance(found, Split):
        return values[found]
    if not any(isinstance(branch, Split) for branch in found.branches):
        return _single(found, values, ctx, span)
    if all(isinstance(value, NUMBERS) for value in values.values()):
        return _number(found, values)  # type: ignore[arg-type]
    if all(isinstance(value, Operation) for value in values.values()):
        return ByCase(found, tuple(values.items()), span)  # type: ignore[arg-type]
    rows = side_by_side(values.values())
    if rows:
        settled = (
            between(found, dict(zip(values, row, strict=True)), ctx, span=span) for row in rows
        )
        return Listing(tuple(map(Item, settled)), side_by_side=True)
    return selected(
        found, {v: settle(x, ctx, span=span) for v, x in values.items()}, ctx, span=span
    )


def _single(found: Split, values: Values, ctx: Context, span: Span) -> Lowered:
    """A value that one decision settles."""
    order = list(leaves(found))
    table = tuple(order.index(b) for b in found.branches)  # type: ignore[arg-type]
    name = ctx.ledger.decisions[found.decision].path.rpartition(".")[2]
    several = tuple(values[v] for v in order)
    if all(isinstance(v, NUMBERS) for v in several):
        return _number(found, values)  # type: ignore[arg-type]
    labels = tuple(str(v).lower() for v in order)
    if _of_many_widths(several):
        return selected(found, values, ctx, span=span)  # type: ignore[arg-type]
    return combine(
        several, found.decision, found.slot, table, ctx, name=name, labels=labels, span=span,
        guarded=True,
    )  # fmt: skip


def _of_many_widths(values: tuple[Lowered, ...]) -> bool:
    """Whether these are values of the body, each of a known width, and not all of one."""
    widths = [value.shape.channels for value in values if isinstance(value, Tensor)]
    known = len(widths) == len(values) and all(isinstance(width, NUMBERS) for width in widths)
    return known and any(width != widths[0] for width in widths)


def _number(found: Tree, values: Mapping[Scalar, Num]) -> Num:
    """Values that stand under a test have one, too, where it fails: nothing reads it there."""
    if not isinstance(found, Split):
        return values[found]
    return by_pick(found.decision, found.slot, tuple(_number(b, values) for b in found.branches))


def selected(found: Tree, values: Mapping[Scalar, Tensor], ctx: Context, *, span: Span) -> Tensor:
    """The value of the body that `found` says, all of one shape but for their widths."""
    if not isinstance(found, Split):
        return values[found]
    branches = [selected(branch, values, ctx, span=span) for branch in found.branches]
    shape = agreed(branches, found.decision, found.slot, guarded=True, span=span)
    refs = tuple(branch.ref for branch in branches)
    ref = ctx.builder.add(Select(found.decision, found.slot, refs, False, shape))
    return Tensor(ref, shape, branches[0].stride, span)
