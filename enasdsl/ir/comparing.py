"""Comparisons: of numbers and texts, and of what choices pick among operations and values."""

from __future__ import annotations

from dataclasses import dataclass

from enasdsl.ir.build import mistake
from enasdsl.ir.context import Context
from enasdsl.ir.space import Source
from enasdsl.ir.typed import describe
from enasdsl.ir.values import ChosenOp, Lowered, Operation, Picked, Tensor
from enasdsl.semantics.symbols import Chosen, Computed, Num, compute
from enasdsl.source import Span

ORDERS = ("<", "<=", ">", ">=")
COMPARISONS = ("==", "!=", *ORDERS)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: its value, its text, and where it stands."""

    value: Lowered
    label: str
    span: Span


def compare(operator: str, left: Side, right: Side, ctx: Context) -> Num:
    """Whether two things compare; operations and values are the same or not, nothing else."""
    if operator in ("==", "!="):
        pair = _picked_ops(left, right, ctx) or _picked_values(left, right)
        if pair is not None:
            return compute(operator, *pair)
    for side in (left, right):
        if not isinstance(side.value, int | float | str | Chosen | Computed):
            raise mistake(
                "E0208",
                f"`{operator}` cannot compare these",
                side.span,
                f"this is {describe(side.value)}",
            )
    return arithmetic(operator, left, right)


def arithmetic(operator: str, *sides: Side) -> Num:
    """An operator over numbers or texts that it can join, whatever is chosen."""
    numbers: list[Num] = [side.value for side in sides]  # type: ignore[misc]
    found = {kind for number in numbers for kind in kinds(number)}
    sensible = operator in ("==", "!=") or "text" not in found
    if not sensible and not (operator in ORDERS and found == {"text"}):
        odd = next(s for s, n in zip(sides, numbers, strict=True) if "text" in kinds(n))
        raise mistake(
            "E0208", f"`{operator}` cannot join these", odd.span, f"this is {_told(odd.value)}"
        )
    return compute(operator, *numbers)


def _told(value: Lowered) -> str:
    return "a chosen text" if isinstance(value, Chosen | Computed) else describe(value)


def kinds(num: Num) -> set[str]:
    """Whether a number is one, or a text, or now one and now the other."""
    match num:
        case str():
            return {"text"}
        case Chosen(values=values):
            return {"text" if isinstance(v, str) else "number" for v in values}
        case Computed("min" | "max" | "when" as operator, operands):
            shown = operands[1:] if operator == "when" else operands
            return {kind for operand in shown for kind in kinds(operand)}
        case _:
            return {"number"}


# ------------------------------------------------------- operations and values


def _picked_ops(left: Side, right: Side, ctx: Context) -> tuple[Num, Num] | None:
    """Two operations by the texts of their alternatives, where one of them is chosen."""
    sides = (left, right)
    if not all(isinstance(side.value, Operation) for side in sides):
        return None
    chosen = [side for side in sides if isinstance(side.value, ChosenOp)]
    if not chosen:
        return None
    texts = [_texts(side, ctx) for side in sides]
    for side, (text, other) in zip(sides, zip(texts, reversed(texts), strict=True), strict=True):
        if not isinstance(side.value, ChosenOp) and text[0] not in other:
            raise mistake(
                "E0403",
                f"`{side.label}` is none of the alternatives",
                side.span,
                f"they are {', '.join(f'`{t}`' for t in dict.fromkeys(other))}",
                help="alternatives are compared by their text in the list",
            )
    return tuple(  # type: ignore[return-value]
        Chosen(side.value.decision, side.value.slot, text)
        if isinstance(side.value, ChosenOp)
        else text[0]
        for side, text in zip(sides, texts, strict=True)
    )


def _texts(side: Side, ctx: Context) -> tuple[str, ...]:
    """The text of each alternative of a chosen operation, or of an operation itself."""
    op = side.value
    if not isinstance(op, ChosenOp):
        return (side.label,)
    decision = ctx.ledger.decisions[op.decision]
    if decision.source is not Source.OPERATION or decision.labels != op.labels:
        raise mistake(
            "E0208",
            "only what a `choose` picks can be compared",
            side.span,
            "a guard settles this operation",
            help="compare what the guard reads",
        )
    return tuple(op.labels[i] for i in op.table)


def _picked_values(left: Side, right: Side) -> tuple[Num, Num] | None:
    """Two values by which they are, numbered in the order of their mention."""
    sides = (left.value, right.value)
    if not all(isinstance(value, Tensor | Picked) for value in sides):
        return None
    refs = [
        [b.ref for b in v.branches] if isinstance(v, Picked) else [v.ref]  # type: ignore[union-attr]
        for v in sides
    ]
    places = {ref: n for n, ref in enumerate(dict.fromkeys(refs[0] + refs[1]))}
    return tuple(  # type: ignore[return-value]
        Chosen(v.decision, v.slot, tuple(places[r] for r in own))
        if isinstance(v, Picked)
        else places[own[0]]
        for v, own in zip(sides, refs, strict=True)
    )
