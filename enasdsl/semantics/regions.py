"""Unions of conditions: what is reached in several ways, said as shortly as it easily can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

from enasdsl.semantics.symbols import Condition, Either, Test, Unread

Key = int | tuple[int, frozenset[int]]
Box = dict[Key, Test]
"""Tests that hold together: one for each decision that picks one alternative, and others."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What has to be known of decisions: the number of alternatives of one that picks one.

    It is 0 for a decision that may pick several, or none.
    """

    of: Callable[[int], int]

    def key(self, test: Test) -> Key:
        return test.decision if self.of(test.decision) else (test.decision, test.allowed)

    def boxes(self, condition: Condition) -> Iterator[Box]:
        """The ways in which a condition holds; what asks for loose ends is left out."""
        ways = [
            [(test,)] if isinstance(test, Test) else list(test.options)
            for test in condition
            if not isinstance(test, Unread)
        ]
        for way in product(*ways):
            found: Box = {}
            for test in (test for option in way for test in option):
                known = found.get(self.key(test), test)
                found[self.key(test)] = Test(test.decision, known.allowed & test.allowed)
            if all(test.allowed for test in found.values()):
                yield {k: t for k, t in found.items() if len(t.allowed) != self.of(t.decision)}


def union(conditions: Iterable[Condition], sizes: Sizes) -> Condition:
    """A condition that holds where one of several does.

    A test that any pick of its decision passes is left out: a condition is asked only where all
    decisions that it reads are taken.
    """
    found = _merged([box for c in conditions for box in sizes.boxes(c)], sizes)
    if not found or any(not box for box in found):
        return ()
    if len(found) == 1:
        return tuple(found[0].values())
    common = {k: t for k, t in found[0].items() if all(box.get(k) == t for box in found)}
    rest = (tuple(t for k, t in box.items() if k not in common) for box in found)
    return (*common.values(), Either(tuple(rest)))


def _merged(found: list[Box], sizes: Sizes) -> list[Box]:
    """The boxes, those joined that differ in one decision, and those dropped that lie in others."""
    for first, second in combinations(found, 2):
        joined = _joined(first, second, sizes)
        if joined is not None:
            rest = [box for box in found if box is not first and box is not second]
            return _merged([joined, *rest], sizes)
    return found


def _joined(first: Box, second: Box, sizes: Sizes) -> Box | None:
    """One box for two, where there is one."""
    if _within(first, second):
        return second
    if _within(second, first):
        return first
    if first.keys() != second.keys():
        return None
    differ = [k for k in first if first[k] != second[k]]
    if len(differ) != 1:
        return None
    (key,) = differ
    allowed = first[key].allowed | second[key].allowed
    decision = first[key].decision
    if len(allowed) == sizes.of(decision):
        return {k: t for k, t in first.items() if k != key}
    return {**first, key: Test(decision, allowed)}


def _within(inner: Box, outer: Box) -> bool:
    return all(k in inner and inner[k].allowed <= t.allowed for k, t in outer.items())
