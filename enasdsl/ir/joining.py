"""Several values as one: chosen inputs settled, alternatives selected, mismatches reported."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from enasdsl.diagnostics import Label
from enasdsl.ir.build import Mistake, mistake
from enasdsl.ir.cases import by_pick, put
from enasdsl.ir.context import Context
from enasdsl.ir.graph import Select
from enasdsl.ir.space import Kind
from enasdsl.ir.typed import describe
from enasdsl.ir.values import ChosenOp, Item, Listing, Lowered, Operation, Picked, Tensor
from enasdsl.semantics.symbols import Chosen, Parts, Shape
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
        case Listing(items=(Item(label="?"),)):
            raise mistake(
                "E0405",
                "this value is not always there",
                span,
                "a choice can leave it out",
                help="say what stands here instead, `... when ... else ...`",
            )
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
    guarded: bool = False,
) -> Lowered:
    """One value that is `values[table[i]]` where alternative i is picked."""
    scalar = int | float | str
    if all(isinstance(v, scalar) for v in values):
        return Chosen(decision, slot, tuple(values[i] for i in table))  # type: ignore[misc]
    if all(isinstance(v, Operation) for v in values):
        alone = ctx.ledger.decisions[decision].domain.kind is Kind.ONE
        return ChosenOp(decision, slot, name, values, labels, table, alone, guarded)  # type: ignore[arg-type]
    if all(isinstance(v, Tensor) for v in values):
        branches = tuple(values[i] for i in table)
        return Picked(decision, slot, branches, tuple(labels[i] for i in table))  # type: ignore[arg-type]
    rows = side_by_side(values)
    if rows:
        each = partial(
            combine, decision=decision, slot=slot, table=table, ctx=ctx, name=name, labels=labels,
            span=span, guarded=guarded,
        )  # fmt: skip
        return Listing(tuple(Item(each(row)) for row in rows), side_by_side=True)
    settled = [settle(v, ctx, span=span) for v in values]
    return select(settled, decision, slot, table, ctx, source=False, guarded=guarded, span=span)


def side_by_side(values: Collection[Lowered]) -> list[tuple[Lowered, ...]]:
    """The first ones of several tuples of as many values, then the second ones, and so on."""
    lists = [
        [item.value for item in v.items]
        for v in values
        if isinstance(v, Listing) and v.side_by_side and not any(i.condition for i in v.items)
    ]
    alike = len(lists) == len(values) and len({len(found) for found in lists}) == 1
    return list(zip(*lists, strict=True)) if alike else []


def select(
    values: list[Tensor],
    decision: int,
    slot: int,
    table: tuple[int, ...],
    ctx: Context,
    *,
    source: bool,
    span: Span,
    guarded: bool = False,
) -> Tensor:
    """The value that a decision picks: all of one shape, but under a guard for their widths."""
    branches = [values[i] for i in table]
    shape = agreed(branches, decision, slot, guarded=guarded, source=source, span=span)
    refs = tuple(branch.ref for branch in branches)
    ref = ctx.builder.add(Select(decision, slot, refs, source, shape))
    origin = next((b.origin for b in branches if b.shape == shape), span)
    return Tensor(ref, shape, branches[0].stride, origin)


def agreed(
    branches: Sequence[Tensor],
    decision: int,
    slot: int,
    *,
    guarded: bool = False,
    source: bool = False,
    span: Span,
) -> Shape:
    """The one shape of what a decision picks, or a width that each has where it is picked.

    Where `guarded`, each may have its own width, and the width is what the decision says. `source`
    says that they are inputs, which `align` could mend.
    """
    for candidate in branches:
        if all(_fits(b, candidate, decision, slot, n) for n, b in enumerate(branches)):
            return candidate.shape
    if guarded and _differ_in_width_alone(branches):
        widths = tuple(branch.shape.channels for branch in branches)
        return replace(branches[0].shape, channels=by_pick(decision, slot, widths))  # type: ignore[arg-type]
    for other in branches[1:]:
        check_same(branches[0], other, "a choice between values", inputs=source, span=span)
    return branches[0].shape


def _differ_in_width_alone(branches: Sequence[Tensor]) -> bool:
    kinds = {(b.shape.space, b.shape.tokens, b.stride) for b in branches}
    return len(kinds) == 1 and not any(isinstance(b.shape.channels, Parts) for b in branches)


def _fits(branch: Tensor, wanted: Tensor, decision: int, slot: int, pick: int) -> bool:
    if branch.shape == wanted.shape and branch.stride == wanted.stride:
        return True
    sizes = branch.shape.channels, wanted.shape.channels
    alike = (branch.shape.space, branch.stride) == (wanted.shape.space, wanted.stride)
    if not alike or any(isinstance(size, Parts) for size in sizes):
        return False
    first, second = (put(size, decision, slot, pick) for size in sizes)  # type: ignore[arg-type]
    return first == second


def check_same(first: Tensor, other: Tensor, what: str, *, inputs: bool = True, span: Span) -> None:
    """Raises a mistake that labels both origins where two values differ in shape or stride."""
    if first.shape == other.shape and first.stride == other.stride:
        return
    help = _ALIGN if inputs else _ONE_SIZE
    if not inputs and first.shape.space == other.shape.space and first.stride == other.stride:
        help = _ONE_WIDTH
    raise mismatch(f"{what} joins values of one shape", first, other, help=help, span=span)


_ALIGN = "give the cell an `align` operation, or mend one of them in its own flow"
_ONE_WIDTH = (
    "bring both to one width first, as by `-> conv(1)` or `-> linear`; or choose the width itself, "
    "as in `conv(1, filters: choose [8, 16])`; or let a guard tell the sides apart, `... when wide "
    "else ...`: they may differ in width"
)
_ONE_SIZE = (
    "alternatives end in one height and width: let each take the stride somewhere, or hold all "
    "that follows, up to `global_avg_pool`"
)


def mismatch(what: str, first: Tensor, other: Tensor, *, help: str = _ALIGN, span: Span) -> Mistake:
    """A mistake that labels where two values come from that do not fit each other."""
    return mistake(
        "E0301",
        what,
        span,
        "joined here",
        Label(first.origin, f"this is {_size(first)}"),
        Label(other.origin, f"this is {_size(other)}"),
        help=help,
    )


def _size(x: Tensor) -> str:
    waiting = f", its stride of {x.stride} not taken yet" if x.stride != 1 else ""
    return f"{x.shape}{waiting}"
