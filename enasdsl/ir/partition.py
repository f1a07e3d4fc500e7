"""A space in parts that decide by themselves, so that the picks of each are found only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from enasdsl.ir.dependence import Plan
from enasdsl.semantics.symbols import Picks

REMEMBERED = 256
"""Picks are remembered of parts that can be decided in up to so many ways."""


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring trees of variables that settle `decisions` by themselves, in `size` ways.

    `numbers` are their variables, `known` the picks that were found before, by index.
    """

    roots: tuple[int, ...]
    numbers: tuple[int, ...]
    decisions: tuple[int, ...]
    size: int
    known: dict[int, tuple[Picks, ...]] = field(default_factory=dict)


def parts(plan: Plan, sizes: Sequence[int]) -> Iterator[Part]:
    """The trees in order, with so many ways each; as many together as are remembered."""
    trees = _trees(plan)[: len(sizes)]
    decisions = [{plan.variables[n].decision for n in tree} for tree in trees]
    last = {decision: at for at, own in enumerate(decisions) for decision in own}
    start, size, reach = 0, 1, 0
    for at, own in enumerate(decisions):
        size *= sizes[at]
        reach = max(reach, *(last[decision] for decision in own))
        ended = at + 1 == len(trees)
        if ended or (reach == at and size * sizes[at + 1] > REMEMBERED):
            numbers = sorted(n for tree in trees[start : at + 1] for n in tree)
            settled = sorted(set().union(*decisions[start : at + 1]))
            yield Part(plan.roots[start : at + 1], tuple(numbers), tuple(settled), size)
            start, size = at + 1, 1


def _trees(plan: Plan) -> list[list[int]]:
    """The variables of each tree; a variable stands behind its parent."""
    tree = {root: at for at, root in enumerate(plan.roots)}
    found: list[list[int]] = [[] for _ in plan.roots]
    for number, children in enumerate(plan.children):
        found[tree[number]].append(number)
        tree.update(dict.fromkeys(children, tree[number]))
    return found


def order(parts: Sequence[Part]) -> list[int] | None:
    """Where each decision stands among those of all parts in turn; None where it is in order."""
    decisions = [decision for part in parts for decision in part.decisions]
    if decisions == sorted(decisions):
        return None
    return sorted(range(len(decisions)), key=decisions.__getitem__)
