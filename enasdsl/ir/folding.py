"""Numbers folded as their decisions are taken, into the forms in which equal ones look equal.

Exact sums become one flat sum with one constant, so do `min` and `max`, and a truth is settled as
soon as the bounds of its operands settle it: this keeps few states apart while a space is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from math import prod
from operator import is_

from enasdsl.semantics.symbols import OPERATORS, Chosen, Computed, Counted, Num, Scalar, compute

FLIPPED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", "<=": ">", ">": "<="}
"""What each comparison is where it does not hold."""
MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
"""What each comparison is with its sides exchanged."""
TRUTHS = frozenset({*FLIPPED, "and", "or", "not"})
BOUNDED = frozenset({"+", "-", "*", "neg", "abs", "min", "max", "when"})
"""The arithmetic of which bounds are known where those of its operands are."""

Bounds = tuple[int | float, int | float]


def settled(num: Num) -> bool:
    """Whether nothing in `num` is still to be decided."""
    return not isinstance(num, Chosen | Counted | Computed)


def settle(num: Num, value: Callable[[Chosen | Counted], Scalar | None]) -> Num:
    """`num`, a folded one, with what `value` knows of its parts put in, and folded again."""
    match num:
        case Chosen() | Counted():
            known = value(num)
            return num if known is None else known
        case Computed(operator, operands):
            found = tuple(settle(o, value) for o in operands)
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
    """An operation over folded numbers, folded."""
    if operator in _JOINED:
        return _JOINED[operator](operator, operands)
    if all(settled(o) for o in operands):
        return OPERATORS[operator](*operands)
    if operator in _APART:
        return _APART[operator](*operands)
    if operator in FLIPPED:
        return _comparison(operator, operands)
    return Computed(operator, operands)


def _flat(operator: str, operands: tuple[Num, ...]) -> list[Num]:
    """The operands, and in the place of those that are the same operation theirs."""
    parts: list[Num] = []
    for operand in operands:
        match operand:
            case Computed(inner, more) if inner == operator:
                parts.extend(more)
            case _:
                parts.append(operand)
    return parts


def _sum(operator: str, operands: tuple[Num, ...]) -> Num:
    terms = _flat(operator, operands)
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


def _product(operator: str, operands: tuple[Num, ...]) -> Num:
    factors = _flat(operator, operands)
    if not all(exact(factor) for factor in factors):
        return reduce(lambda a, b: compute(operator, a, b), operands)
    constant = prod(f for f in factors if isinstance(f, int))
    unknown = [f for f in factors if not isinstance(f, int)]
    if not unknown or constant == 0:
        return constant
    if len(unknown) == 1:
        return compute(operator, *unknown, constant)
    return Computed(operator, (*unknown, constant))


def _extreme(operator: str, operands: tuple[Num, ...]) -> Num:
    parts = _flat(operator, operands)
    unknown = [part for part in parts if not settled(part)]
    known = [part for part in parts if settled(part)]
    best = known[:1] if len(known) < 2 else [OPERATORS[operator](*known)]
    if not unknown:
        return best[0]
    return Computed(operator, (*unknown, *best)) if len(unknown) + len(best) > 1 else unknown[0]


def _negated(num: Num) -> Num:
    match num:
        case Computed("+", terms) if all(exact(t) for t in terms):
            return fold("+", tuple(fold("neg", (t,)) for t in terms))
        case Computed("*", factors) if all(exact(f) for f in factors):
            return fold("*", (num, -1))
        case _:
            return compute("neg", num)


def opposite(num: Num) -> Num:
    """What holds where `num` does not."""
    match num:
        case Computed("not", (inner,)) if is_truth(inner):
            return inner
        case Computed("and" | "or" as junction, operands):
            other = "or" if junction == "and" else "and"
            return _junction(other, tuple(map(opposite, operands)))
        case Computed(comparison, (left, right)) if comparison in FLIPPED:
            return Computed(FLIPPED[comparison], (left, right))
        case _:
            return compute("not", num)


def _junction(operator: str, operands: tuple[Num, ...]) -> Num:
    ends = operator == "or"
    known = [bool(o) for o in operands if settled(o)]
    if ends in known:
        return ends
    unknown = [o for o in operands if not settled(o)]
    return Computed(operator, (*unknown, *known[:1])) if unknown else not ends


def _case(condition: Num, value: Num, other: Num) -> Num:
    if settled(condition):
        return value if condition else other
    if settled(value) and settled(other) and value == other and type(value) is type(other):
        return value
    return compute("when", condition, value, other)


def _comparison(operator: str, operands: tuple[Num, ...]) -> Num:
    left, right = (bounds(o) for o in operands)
    truth = decided(operator, left, right) if left and right else None
    return Computed(operator, operands) if truth is None else truth


def decided(operator: str, left: Bounds, right: Bounds) -> bool | None:
    """What a comparison of any numbers within the bounds gives, or None where it may differ."""
    match operator:
        case ">":
            return decided("<", right, left)
        case "<=":
            return decided(">=", right, left)
        case "<" | ">=":
            below = left[1] < right[0]
            certain = below or left[0] >= right[1]
            return below == (operator == "<") if certain else None
        case _:
            apart = left[1] < right[0] or right[1] < left[0]
            return operator == "!=" if apart else None


_JOINED: Mapping[str, Callable[[str, tuple[Num, ...]], Num]] = {
    "+": _sum,
    "*": _product,
    "min": _extreme,
    "max": _extreme,
    "and": _junction,
    "or": _junction,
}
_APART: Mapping[str, Callable[..., Num]] = {
    "-": lambda left, right: fold("+", (left, fold("neg", (right,)))),
    "neg": _negated,
    "not": opposite,
    "when": _case,
}

# ---------------------------------------------------------------------- bounds


def bounds(num: Num) -> Bounds | None:
    """Numbers between which `num` lies, or None where none are known."""
    match num:
        case Chosen(values=values, missing=missing):
            every = values if missing is None else (*values, missing)
            return None if str in set(map(type, every)) else (min(every), max(every))  # type: ignore[return-value]
        case Counted(most=most):
            return 0, most
        case Computed(operator) if operator in TRUTHS:
            return 0, 1
        case Computed(operator, operands):
            known = operator in BOUNDED
            return _computed_bounds(operator, [bounds(o) for o in operands]) if known else None
        case str():
            return None
        case _:
            return num, num


_WHOLE = {int, bool}
_RISING: Mapping[str, Callable[[list[int | float]], int | float]] = {
    "+": sum,
    "min": min,
    "max": max,
}


def _computed_bounds(operator: str, parts: list[Bounds | None]) -> Bounds | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    lows, highs = [low for low, _ in known], [high for _, high in known]
    if operator in _RISING:
        return _RISING[operator](lows), _RISING[operator](highs)
    match operator:
        case "-":
            return lows[0] - highs[1], highs[0] - lows[1]
        case "neg":
            return -highs[0], -lows[0]
        case "*":
            return reduce(_times, known)
        case "when":
            return min(lows[1:]), max(highs[1:])
        case "abs":
            return max(lows[0], -highs[0], 0), max(-lows[0], highs[0])
        case _:
            return None


def _times(first: Bounds, second: Bounds) -> Bounds:
    corners = [a * b for a in first for b in second]
    return min(corners), max(corners)


def is_truth(num: Num) -> bool:
    """Whether `num` is true or false whatever is decided."""
    match num:
        case Chosen(values=values):
            return all(isinstance(v, bool) for v in values)
        case Computed(operator):
            return operator in TRUTHS
        case _:
            return isinstance(num, bool)


def exact(num: Num) -> bool:
    """Whether `num` is an integer whatever is decided, so that sums of it may be reordered."""
    match num:
        case Chosen(values=values, missing=missing):
            return set(map(type, values)) <= _WHOLE and isinstance(missing, int | None)
        case Counted():
            return True
        case Computed(operator, operands):
            if operator in TRUTHS:
                return True
            if operator == "when":
                operands = operands[1:]
            exactly = operator in {"+", "-", "*", "neg", "abs", "when", "min", "max"}
            return exactly and all(exact(o) for o in operands)
        case _:
            return isinstance(num, int)
