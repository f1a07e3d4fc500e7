"""The exact number of architectures of a space, whole and by its parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from enasdsl.ir.counter import Counter, counter
from enasdsl.ir.space import Space
from enasdsl.ir.variables import TooManyStates

__all__ = ["Breakdown", "TooManyStates", "breakdown", "count"]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One factor of a count: the product of its `parts`, where it has any.

    `scopes` are the scopes that it covers: one, or several that a guard or a constraint ties
    together. The scope of the whole space is the empty path.
    """

    scopes: tuple[str, ...]
    count: int
    decisions: int
    parts: tuple[Breakdown, ...] = ()


Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Tree:
    """A factor that cannot be divided, the decisions in it, and the paths of their scopes."""

    count: int
    decisions: frozenset[int]
    scopes: tuple[Path, ...]


@dataclass(slots=True)
class _Tied:
    """Scopes directly below one scope, or that scope itself, which trees tie together."""

    heads: dict[Path, None]
    trees: list[_Tree]


def count(space: Space) -> int:
    """The number of different architectures, exactly; raises TooManyStates."""
    return counter(space).count


def breakdown(space: Space) -> Breakdown:
    """The count as a tree of factors by cell and node; raises TooManyStates."""
    found = counter(space)
    if not found.plan.feasible:
        return Breakdown(("",), 0, len(space.decisions))
    return _entry((), list(_trees(found)))


def _trees(found: Counter) -> Iterator[_Tree]:
    decisions: defaultdict[int, dict[int, None]] = defaultdict(dict)
    root_of = {root: root for root in found.plan.roots}
    for number, variable in enumerate(found.plan.variables):
        root_of.update(dict.fromkeys(found.plan.children[number], root_of[number]))
        decisions[root_of[number]][variable.decision] = None
    for root, taken in decisions.items():
        scopes = dict.fromkeys(found.space.decisions[d].scope for d in taken)
        paths = (tuple(scope.split(".")) if scope else () for scope in scopes)
        yield _Tree(found.tree(root), frozenset(taken), tuple(paths))


def _entry(prefix: Path, trees: Sequence[_Tree]) -> Breakdown:
    """The factor of the scope `prefix`, within which all scopes of `trees` lie."""
    groups = _tied(len(prefix), trees)
    if len(groups) == 1 and prefix in groups[0].heads:
        groups = []
    return _factor((prefix,), trees, tuple(_part(prefix, group) for group in groups))


def _part(prefix: Path, group: _Tied) -> Breakdown:
    heads = tuple(group.heads)
    if len(heads) == 1 and heads[0] != prefix:
        return _entry(heads[0], group.trees)
    return _factor(heads, group.trees, ())


def _factor(
    scopes: tuple[Path, ...], trees: Sequence[_Tree], parts: tuple[Breakdown, ...]
) -> Breakdown:
    decisions = frozenset[int]().union(*(tree.decisions for tree in trees))
    total = prod(tree.count for tree in trees)
    return Breakdown(tuple(map(".".join, scopes)), total, len(decisions), parts)


def _tied(depth: int, trees: Sequence[_Tree]) -> list[_Tied]:
    group_of: dict[Path, _Tied] = {}
    for tree in trees:
        heads = dict.fromkeys(path[: depth + 1] for path in tree.scopes)
        group = _Tied(heads, [tree])
        known = {id(group_of[head]): group_of[head] for head in heads if head in group_of}
        for other in known.values():
            group = _Tied(other.heads | group.heads, other.trees + group.trees)
        group_of.update(dict.fromkeys(group.heads, group))
    return list({id(group): group for group in group_of.values()}.values())
