"""Expressions of which a certain kind of value is wanted, and how values are called."""

from __future__ import annotations

from enasdsl.diagnostics.wording import several
from enasdsl.ir.build import Mistake, mistake
from enasdsl.ir.context import Context
from enasdsl.ir.values import (
    Absent,
    ChosenOp,
    Item,
    Listing,
    Lowered,
    Operation,
    Picked,
    Tensor,
)
from enasdsl.semantics.constants import spell
from enasdsl.semantics.symbols import (
    NUMBERS,
    Chosen,
    Computed,
    Condition,
    Counted,
    Either,
    Num,
    Scalar,
    Test,
    Unread,
)
from enasdsl.source import Span
from enasdsl.syntax import ast

RANGE_LIMIT = 100_000
"""How many members a range may have."""


def label(expr: ast.Expr) -> str:
    """How an alternative is called: its own text, without spaces."""
    return "".join(expr.span.text.split())


def items_of(value: Lowered, span: Span) -> tuple[Item, ...]:
    """The members of a list; what `choose 1 from` gives is a list of one."""
    match value:
        case Listing():
            return value.items
        case Picked() | ChosenOp() | Chosen():
            return (Item(value),)
    raise mistake("E0209", "a list is needed here", span, f"this is {describe(value)}")


def number(expr: ast.Expr, ctx: Context, *, role: str = "") -> Num:
    value = ctx.evaluate(expr, role=role)
    if isinstance(value, int | float | Chosen | Computed):
        return value
    raise mistake("E0208", "a number is needed here", expr.span, f"this is {describe(value)}")


def integer(expr: ast.Expr, ctx: Context) -> int:
    """A whole number that no decision settles."""
    value = number(expr, ctx)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    what = "depends on a choice" if isinstance(value, Chosen | Computed) else f"is {value}"
    raise mistake("E0208", "a fixed whole number is needed here", expr.span, f"this {what}")


def describe(value: Lowered) -> str:
    """What a value is, in words, for messages."""
    match value:
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {spell(value)}"
        case str():
            return f"the text {value!r}"
        case Chosen() | Counted() | Computed():
            return "a chosen number"
        case Tensor(shape=shape):
            return f"a value of shape {shape}"
        case Picked():
            return "a chosen input"
        case Listing():
            return "a list"
        case Absent():
            return "absent here"
        case _:
            return "an operation"


def operation(expr: ast.Expr, ctx: Context, *, role: str = "") -> Operation:
    value = ctx.evaluate(expr, role=role)
    if isinstance(value, Operation):
        return value
    raise mistake("E0206", "an operation is needed here", expr.span, f"this is {describe(value)}")


def truth(expr: ast.Expr, ctx: Context) -> bool:
    """A condition that no decision settles."""
    value = ctx.evaluate(expr)
    if isinstance(value, bool):
        return value
    raise mistake(
        "E0208",
        "a fixed condition is needed here",
        expr.span,
        f"this is {describe(value)}",
    )


def span_of(expr: ast.Range, ctx: Context) -> range:
    """The whole numbers of a range whose ends do not depend on a decision."""
    low, high = integer(expr.low, ctx), integer(expr.high, ctx)
    step = 1 if expr.step is None else integer(expr.step, ctx)
    if step < 1:
        raise mistake("E0402", "a range needs a positive step", expr.span, f"the step is {step}")
    if (high - low) // step >= RANGE_LIMIT:
        raise mistake(
            "E0501",
            f"a range of more than {RANGE_LIMIT:,} members",
            expr.span,
            "the limit is passed here",
            help="make the param that counts nodes, layers or repeats smaller",
        )
    members = range(low, high + 1, step)
    ctx.program.budget.spend(len(members) // 8, expr.span)
    return members


def whole(value: Scalar, span: Span) -> int:
    """A number that must be whole, as one of the values that decisions give it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise mistake("E0208", "a whole number is needed here", span, f"this can be {describe(value)}")


def miscounted(name: str, wanted: int, got: int, span: Span) -> Mistake:
    """The mistake of an operation that gets another number of values than it reads."""
    together = "values go in side by side, `a, b -> f`, which in a list needs parentheses"
    return mistake(
        "E0302",
        f"`{name}` reads {several(wanted, 'value')} and gets {got}",
        span,
        "here",
        help=f"{together}, `[(a, b -> f)]`" if got < wanted else None,
    )


def stride_of(value: Lowered, span: Span) -> int:
    """A stride: a whole number of at least 1 that no decision settles."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    if isinstance(value, Chosen | Computed):
        raise mistake(
            "E0305",
            "a stride cannot be chosen",
            span,
            "the height and width of all that follows would depend on it",
            help="choose among operations of one stride, `choose [conv(3, stride: 2), "
            "max_pool(3, stride: 2)]`, or where it is taken, `choose [(conv(3, stride: 2) -> "
            "conv(3)), (conv(3) -> conv(3, stride: 2))]`",
        )
    raise mistake(
        "E0305",
        "a stride is a fixed whole number of at least 1",
        span,
        f"this is {describe(value)}",
    )


def surely(condition: Condition, guard: Condition | None) -> bool:
    """Whether `condition` holds wherever `guard` does: node 3 is there wherever node 4 is."""
    known = guard or ()
    return all(test in known or any(_implies(each, test) for each in known) for test in condition)


def _implies(first: Test | Unread | Either, second: Test | Unread | Either) -> bool:
    if not isinstance(first, Test) or not isinstance(second, Test):
        return False
    return first.decision == second.decision and first.allowed <= second.allowed


def always(item: Item, ctx: Context, *, span: Span) -> Lowered:
    """The value of a member that is there in every architecture that gets here."""
    if surely(item.condition, ctx.guard):
        return item.value
    which = f"member {item.label}" if item.label.isdigit() else f"`{item.label}`"
    values = "ask the whole list, as in `sorted(w)`, `max(w)` or `sum(w)`"
    nodes = "join the list, as in `sum(nodes)` or `concat(loose)`"
    raise mistake(
        "E0405",
        f"{which if item.label else 'this member'} is not always there",
        span,
        "a choice can leave it out",
        help=f"{values if isinstance(item.value, NUMBERS) else nodes}: what is absent is left out",
    )
