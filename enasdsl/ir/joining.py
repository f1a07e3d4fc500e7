"""Several values as one: chosen inputs settled, alternatives selected, mismatches reported."""

from __future__ import annotations

from enasdsl.diagnostics import Label
from enasdsl.ir.build import Mistake, mistake
from enasdsl.ir.context import Context
from enasdsl.ir.graph import Select
from enasdsl.ir.space import Kind
from enasdsl.ir.typed import describe
from enasdsl.ir.values import ChosenOp, Listing, Lowered, Operation, Picked, Tensor
from enasdsl.semantics.symbols import Chosen
from enasdsl.source import Span


def settle(value: Lowered, ctx: Context, *, span: Span) -> Tensor:
    """A single value of the body: a chosen input becomes a Select over its alternatives."""
    match value:
        case Tensor():
            return value
        case Picked(decision, slot, branches):
            table = tuple(range(len(branches)))
            return select(list(branches), decision, slot, table, ctx, source=True, span=span)
        case Listing(items=(only,)) if not only.condition:
            return settle(only.value, ctx, span=span)
        case Listing():
            raise mistake(
                "E0303",
                "a list where one value is needed",
                span,
                "this reads one value",
                help="join the list first, with `sum`, `concat`, `mean` or `product`",
            )
        case _:
            raise mistake(
                "E0303",
                f"{describe(value)} where a value is needed",
                span,
                "data flows through here",
            )


def combine(
    values: tuple[Lowered, ...],
    decision: int,
    slot: int,
    table: tuple[int, ...],
    ctx: Context,
    *,
    name: str,
    labels: tuple[str, ...],
    span: Span,
) -> Lowered:
    """One value that is `values[table[i]]` where alternative i is picked."""
    scalar = int | float | str
    if all(isinstance(v, scalar) for v in values):
        return Chosen(decision, slot, tuple(values[i] for i in table))  # type: ignore[misc]
    if all(isinstance(v, Operation) for v in values):
        alone = ctx.ledger.decisions[decision].domain.kind is Kind.ONE
        return ChosenOp(decision, slot, name, values, labels, table, alone)  # type: ignore[arg-type]
    if all(isinstance(v, Tensor) for v in values):
        branches = tuple(values[i] for i in table)
        return Picked(decision, slot, branches, tuple(labels[i] for i in table))  # type: ignore[arg-type]
    settled = [settle(v, ctx, span=span) for v in values]
    return select(settled, decision, slot, table, ctx, source=False, span=span)


def select(
    values: list[Tensor],
    decision: int,
    slot: int,
    table: tuple[int, ...],
    ctx: Context,
    *,
    source: bool,
    span: Span,
) -> Tensor:
    """The value that a decision picks, once all alternatives have the same shape."""
    first = values[0]
    for other in values[1:]:
        check_same(first, other, "a choice between values", span=span)
    branches = tuple(values[i].ref for i in table)
    ref = ctx.builder.add(Select(decision, slot, branches, source, first.shape))
    return Tensor(ref, first.shape, first.stride, span)


def check_same(first: Tensor, other: Tensor, what: str, *, span: Span) -> None:
    """Raises a mistake that labels both origins where two values differ in shape or stride."""
    if first.shape == other.shape and first.stride == other.stride:
        return
    raise mismatch(f"{what} joins values of one shape", first, other, span=span)


def mismatch(what: str, first: Tensor, other: Tensor, *, span: Span) -> Mistake:
    """A mistake that labels where two values come from that do not fit each other."""
    return mistake(
        "E0301",
        what,
        span,
        "joined here",
        Label(first.origin, f"this is {_size(first)}"),
        Label(other.origin, f"this is {_size(other)}"),
        help="give the cell an `align` operation, or mend one of them in its own flow",
    )


def _size(x: Tensor) -> str:
    waiting = f", its stride of {x.stride} not taken yet" if x.stride != 1 else ""
    return f"{x.shape}{waiting}"
