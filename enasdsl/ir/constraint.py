"""Constraints on one architecture, and the clauses of which one must hold in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from enasdsl.ir.folding import MIRRORED, folded
from enasdsl.ir.space import Constraint
from enasdsl.semantics.symbols import (
    Chosen,
    Computed,
    Condition,
    Counted,
    Either,
    Num,
    Picks,
    Reading,
    Test,
    compute,
    resolve,
)

Clause = tuple[Num, ...]
"""Folded truths of which at least one must hold."""


def reads(num: Num) -> Iterator[Chosen | Counted]:
    """The chosen scalars and the counts of picks in `num`."""
    match num:
        case Chosen() | Counted():
            yield num
        case Computed(_, operands):
            for operand in operands:
                yield from reads(operand)


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
    """Whether there is a value for what `chosen` reads; a count needs no pick."""
    return isinstance(chosen, Counted) or chosen.of(picks) is not None


def parts(num: Num) -> Iterator[Num]:
    """The truths that must hold together for `num` to hold."""
    match num:
        case Computed("and", operands):
            for operand in operands:
                yield from parts(operand)
        case _:
            yield num


def masked(num: Num) -> Num:
    """`num` with some value also where a pick is missing, for what asks first whether it is."""
    return mapped(
        num,
        lambda leaf: (
            replace(leaf, missing=leaf.values[0])
            if isinstance(leaf, Chosen) and leaf.missing is None
            else leaf
        ),
    )


def mapped(num: Num, change: Callable[[Chosen | Counted], Num]) -> Num:
    """`num` with each of its parts that a decision settles replaced."""
    match num:
        case Chosen() | Counted():
            return change(num)
        case Computed(operator, operands):
            return Computed(operator, tuple(mapped(o, change) for o in operands))
        case _:
            return num


def clauses(constraint: Constraint, missing: Callable[[Chosen], bool]) -> Iterator[Clause]:
    """What must hold for `constraint` to be met, over parts that always have a value.

    `missing` tells whether there are architectures without the pick that a scalar reads.
    """
    unmade = {
        (leaf.decision, leaf.slot): Chosen(leaf.decision, leaf.slot, (False,) * n, True)
        for leaf in reads(constraint.value)
        if isinstance(leaf, Chosen) and leaf.missing is None and missing(leaf)
        if (n := len(leaf.values))
    }
    escapes = (*_fails(constraint.guard), *unmade.values())
    for part in parts(folded(masked(constraint.value))):
        for each in _eased(part):
            yield (*escapes, *_alternatives(each))


def _fails(guard: Condition) -> Iterator[Num]:
    for test in guard:
        match test:
            case Test():
                yield compute("<=", _hits(test), 0)
            case Either(options):
                yield compute("not", compute("or", False, *map(_all, options)))


def _all(option: tuple[Test, ...]) -> Num:
    return compute("and", True, *(compute(">=", _hits(test), 1) for test in option))


def _hits(test: Test) -> Counted:
    return Counted(test.decision, test.allowed, len(test.allowed))


def tests(condition: Condition) -> Iterator[Test]:
    """The tests in a guard; raises ValueError for one that no decision settles."""
    for test in condition:
        match test:
            case Test():
                yield test
            case Either(options):
                yield from (each for option in options for each in option)
            case _:
                raise ValueError(f"{test} cannot guard a decision or a constraint")


def _eased(num: Num) -> Iterator[Num]:
    """A bound on a maximum or a minimum as bounds on each of its members, where it is one."""
    match num:
        case Computed(comparison, (left, Computed("min" | "max") as right)):
            if comparison in MIRRORED and not isinstance(left, Computed):
                yield from _eased(Computed(MIRRORED[comparison], (right, left)))
                return
        case Computed("<=" | "<" as below, (Computed("max", members), right)):
            yield from (folded(Computed(below, (m, right))) for m in members)
            return
        case Computed(">=" | ">" as above, (Computed("min", members), right)):
            yield from (folded(Computed(above, (m, right))) for m in members)
            return
    yield num


def _alternatives(num: Num) -> Iterator[Num]:
    match num:
        case Computed("or", operands):
            for operand in operands:
                yield from _alternatives(operand)
        case _:
            yield num
