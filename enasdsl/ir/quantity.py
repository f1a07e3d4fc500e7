"""How many members a choice takes, which may itself be chosen, and in which ways."""

from __future__ import annotations

from enasdsl.diagnostics.wording import several
from enasdsl.ir.build import mistake
from enasdsl.ir.context import Context
from enasdsl.ir.space import Constraint, Domain, Kind
from enasdsl.ir.typed import integer, number, whole
from enasdsl.semantics.symbols import Chosen, Computed, Counted, compute, extremes
from enasdsl.syntax import ast


def domain_of(expr: ast.Choose, size: int, ctx: Context) -> Domain:
    """What a choice from `size` alternatives may pick."""
    least, most = _bounds(expr.quantity, size, ctx)
    if expr.quantity is None:
        kind = Kind.ONE
    elif expr.repeats:
        kind = Kind.SEQUENCE if expr.ordered else Kind.MULTISET
    elif expr.ordered:
        kind = Kind.ARRANGEMENT
    else:
        kind = Kind.SET
    if size == 0 and most > 0:
        raise mistake("E0402", "nothing to choose from", expr.domain.span, "this is empty")
    if kind in (Kind.SEQUENCE, Kind.ARRANGEMENT) and least != most:
        raise mistake(
            "E0406",
            "an ordered choice takes a fixed number",
            expr.span,
            f"from {least} to {most} here",
            help="leave out `in order`, or choose among lists of each length by guards",
        )
    if not expr.repeats and most > size:
        raise mistake(
            "E0401",
            f"cannot choose {most} from {size} without repeats",
            expr.span,
            f"this has {several(size, 'alternative')}",
            help="write `with repeats`, or choose fewer",
        )
    if expr.quantity is not None and kind in (Kind.SET, Kind.MULTISET) and (least, most) == (1, 1):
        kind = Kind.ONE
    return Domain(kind, size, least, most)


def limit(expr: ast.Choose, decision: int, domain: Domain, ctx: Context) -> None:
    """Requires as many members as other decisions say, where the number is itself chosen."""
    match expr.quantity:
        case None | ast.Reference(name="any"):
            return
        case ast.Range(low=low, high=high):
            bounds = [(">=", low), ("<=", high)]
        case quantity:
            bounds = [("==", quantity)]
    picked = Counted(decision, frozenset(range(domain.size)), domain.most)
    for operator, bound in bounds:
        wanted = number(bound, ctx)
        if isinstance(wanted, Chosen | Computed):
            value = compute(operator, picked, wanted)
            constraint = Constraint(value, ctx.guard or (), expr.span.text, bound.span)
            ctx.ledger.constraints.setdefault(constraint, ctx.scope.home)


def _bounds(quantity: ast.Expr | None, size: int, ctx: Context) -> tuple[int, int]:
    match quantity:
        case None:
            return 1, 1
        case ast.Reference(name="any"):
            return 0, size
        case ast.Range():
            least, _ = _counts(quantity.low, ctx)
            _, most = _counts(quantity.high, ctx)
            if least > most:
                raise mistake("E0401", "a quantity from more to less", quantity.span, "here")
            return least, most
        case _:
            return _counts(quantity, ctx)


def _counts(expr: ast.Expr, ctx: Context) -> tuple[int, int]:
    """The least and the greatest number that a quantity may be."""
    found = number(expr, ctx)
    if not isinstance(found, Chosen | Computed):
        count = count_of(expr, ctx)
        return count, count
    least, most = (whole(end, expr.span) for end in extremes(found))
    if least < 0:
        raise mistake("E0401", f"cannot choose {least}", expr.span, "this can be negative")
    return least, most


def count_of(expr: ast.Expr, ctx: Context) -> int:
    """A number of members that no decision settles."""
    found = integer(expr, ctx)
    if found < 0:
        raise mistake("E0401", f"cannot choose {found}", expr.span, "a negative number")
    return found
