"""Constraints on one architecture, and what is left of them while its decisions are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import is_

from enasdsl.ir.space import Constraint
from enasdsl.semantics.symbols import (
    OPERATORS,
    Chosen,
    Computed,
    Counted,
    Num,
    Picks,
    Reading,
    compute,
    resolve,
)

TRUTHS = frozenset({"==", "!=", "<", "<=", ">", ">=", "and", "or", "not"})


def reads(num: Num) -> Iterator[Chosen | Counted]:
    """The chosen scalars and the counts of picks in `num`."""
    match num:
        case Chosen() | Counted():
            yield num
        case Computed(_, operands):
            for operand in operands:
                yield from reads(operand)


def settled(num: Num) -> bool:
    """Whether nothing in `num` is still to be decided."""
    return not isinstance(num, Chosen | Counted | Computed)


def satisfied(constraint: Constraint, picks: Sequence[Picks]) -> bool:
    """Whether an architecture meets `constraint`.

    It does where the guard fails, and where the constraint reads a pick that was not made.
    """
    reading = Reading(tuple(picks))
    if not reading.holds(constraint.guard):
        return True
    if not all(made(chosen, picks[chosen.decision]) for chosen in reads(constraint.value)):
        return True
    return bool(resolve(constraint.value, reading))


def made(chosen: Chosen | Counted, picks: Picks) -> bool:
    """Whether `picks` of its decision hold the pick that `chosen` reads; a count needs none."""
    return isinstance(chosen, Counted) or (picks is not None and chosen.slot < len(picks))


def settle(num: Num, decision: int, picks: tuple[int, ...]) -> Num:
    """`num`, a folded one, with the picks of one decision put in and folded again."""
    match num:
        case Chosen(read, slot, values):
            return values[picks[slot]] if read == decision else num
        case Counted(read, allowed):
            return sum(p in allowed for p in picks) if read == decision else num
        case Computed(operator, operands):
            found = tuple(settle(o, decision, picks) for o in operands)
            return num if all(map(is_, found, operands)) else fold(operator, found)
        case _:
            return num


def folded(num: Num) -> Num:
    """`num` folded as far as that goes before anything is decided."""
    match num:
        case Computed(operator, operands):
            return fold(operator, tuple(map(folded, operands)))
        case _:
            return num


def fold(operator: str, operands: tuple[Num, ...]) -> Num:
    """An operation in the form in which equal remainders look equal.

    Exact sums become one flat sum with one constant, and a truth is settled as soon as the bounds
    of its operands settle it: this keeps few states apart while a space is counted.
    """
    if operator == "+":
        return _sum(operands)
    if all(settled(o) for o in operands):
        return OPERATORS[operator](*operands)
    match operator:
        case "-":
            return _sum((operands[0], fold("neg", operands[1:])))
        case "neg":
            return _negated(operands[0])
        case "and" | "or":
            return _junction(operator, operands)
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            return _comparison(operator, operands)
        case "*":
            return compute(operator, *operands)
        case _:
            return Computed(operator, operands)


def _sum(operands: tuple[Num, ...]) -> Num:
    terms: list[Num] = []
    for operand in operands:
        match operand:
            case Computed("+", inner):
                terms.extend(inner)
            case _:
                terms.append(operand)
    if not all(exact(term) for term in terms):
        return _in_order(operands)
    constant = sum(t for t in terms if isinstance(t, int))
    unknown = [t for t in terms if not isinstance(t, int)]
    if not unknown:
        return constant
    return Computed("+", (*unknown, constant))


def _in_order(operands: tuple[Num, ...]) -> Num:
    """A sum of floats, whose rounding depends on the order of its terms."""
    total, *rest = operands
    for term in rest:
        if settled(total) and settled(term):
            total = OPERATORS["+"](total, term)
        else:
            total = Computed("+", (total, term))
    return total


def _negated(num: Num) -> Num:
    match num:
        case Computed("+", terms) if all(exact(t) for t in terms):
            return _sum(tuple(fold("neg", (t,)) for t in terms))
        case _:
            return compute("neg", num)


def _junction(operator: str, operands: tuple[Num, ...]) -> Num:
    ends = operator == "or"
    known = [bool(o) for o in operands if settled(o)]
    if ends in known:
        return ends
    return Computed(operator, (*(o for o in operands if not settled(o)), *known[:1]))


def _comparison(operator: str, operands: tuple[Num, ...]) -> Num:
    left, right = (bounds(o) for o in operands)
    truth = _decided(operator, left, right) if left and right else None
    return Computed(operator, operands) if truth is None else truth


def _decided(operator: str, left: Bounds, right: Bounds) -> bool | None:
    """What a comparison of any numbers within the bounds gives, or None where it may differ."""
    match operator:
        case ">":
            return _decided("<", right, left)
        case "<=":
            return _decided(">=", right, left)
        case "<" | ">=":
            below = left[1] < right[0]
            decided = below or left[0] >= right[1]
            return below == (operator == "<") if decided else None
        case _:
            apart = left[1] < right[0] or right[1] < left[0]
            return operator == "!=" if apart else None


Bounds = tuple[int | float, int | float]


def bounds(num: Num) -> Bounds | None:
    """Numbers between which `num` lies, or None where none are known."""
    match num:
        case Chosen(values=values):
            numbers = [v for v in values if not isinstance(v, str)]
            return (min(numbers), max(numbers)) if len(numbers) == len(values) else None
        case Counted(most=most):
            return 0, most
        case Computed(operator, operands):
            return _computed_bounds(operator, [bounds(o) for o in operands])
        case str():
            return None
        case _:
            return num, num


def _computed_bounds(operator: str, parts: list[Bounds | None]) -> Bounds | None:
    if operator in TRUTHS:
        return 0, 1
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    match operator:
        case "+":
            return sum(low for low, _ in known), sum(high for _, high in known)
        case "-":
            return known[0][0] - known[1][1], known[0][1] - known[1][0]
        case "neg":
            return -known[0][1], -known[0][0]
        case "*":
            corners = [a * b for a in known[0] for b in known[1]]
            return min(corners), max(corners)
        case _:
            return None


def exact(num: Num) -> bool:
    """Whether `num` is an integer whatever is decided, so that sums of it may be reordered."""
    match num:
        case Chosen(values=values):
            return all(isinstance(v, int) for v in values)
        case Counted():
            return True
        case Computed(operator, operands):
            if operator in TRUTHS:
                return True
            return operator in {"+", "-", "*", "neg"} and all(exact(o) for o in operands)
        case _:
            return isinstance(num, int)
