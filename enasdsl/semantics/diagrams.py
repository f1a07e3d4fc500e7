"""Functions of what is picked, as decision diagrams: equal functions are equal diagrams.

A diagram is a plain value, or a Node that asks for one atom of the architecture and goes on along
one of its branches. Atoms come in the order of their decisions, each at most once along a path.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from operator import is_
from typing import Any, NamedTuple

Picked = tuple[int, ...] | None
Diagram = Any
"""A Node, or the value of a function that is the same for all architectures."""


class Atom(NamedTuple):
    """What a Node asks of a decision.

    With `slot` >= 0 which index was picked in that slot, the last branch standing for none; else
    whether index `member` was picked: no, yes. A decision that is not live has picked none.
    """

    decision: int
    slot: int
    member: int = -1

    def branch(self, picks: Picked, size: int) -> int:
        """Which of `size` branches is taken."""
        picks = picks or ()
        if self.slot < 0:
            return int(self.member in picks)
        return picks[self.slot] if self.slot < len(picks) else size - 1


class Node:
    """A function that depends on `atom`; `low` and `high` are its extremes where it has numbers."""

    __slots__ = ("_hash", "atom", "branches", "high", "low")

    def __init__(self, atom: Atom, branches: tuple[Diagram, ...]) -> None:
        self.atom = atom
        self.branches = branches
        self._hash = hash((atom, branches))
        ends = [extremes(b) for b in branches]
        self.low = min((e[0] for e in ends if e), default=0)
        self.high = max((e[1] for e in ends if e), default=0)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Node) or self._hash != other._hash:
            return False
        return (self.atom, self.branches) == (other.atom, other.branches)


class TooManyNodes(Exception):
    """Diagrams grow beyond what was allowed."""


class Diagrams:
    """Makes diagrams, at most `limit` steps of work in all; raises TooManyNodes beyond."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self._nodes: dict[tuple[Atom, tuple[Diagram, ...]], Node] = {}
        self._known: dict[tuple[Hashable, ...], Diagram] = {}

    def node(self, atom: Atom, branches: tuple[Diagram, ...]) -> Diagram:
        """The diagram that asks for `atom`, unless all branches are one."""
        if _alike(branches):
            return branches[0]
        key = (atom, branches)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = Node(atom, branches)
        return found

    def combine(self, function: Callable[..., Hashable], *operands: Diagram) -> Diagram:
        """The diagram of `function` over the values of other diagrams."""
        values = list(operands)
        places = [n for n, operand in enumerate(operands) if isinstance(operand, Node)]
        known: dict[tuple[Diagram, ...], Diagram] = {}

        def found(varying: tuple[Diagram, ...]) -> Diagram:
            top = min((o.atom for o in varying if isinstance(o, Node)), default=None)
            if top is None:
                for place, value in zip(places, varying, strict=True):
                    values[place] = value
                return function(*values)
            if varying not in known:
                self._work()
                known[varying] = self.node(top, tuple(map(found, _below(varying, top))))
            return known[varying]

        return found(tuple(operands[place] for place in places))

    def both(self, first: Diagram, second: Diagram) -> Diagram:
        """Whether two truths hold."""
        if not isinstance(first, Node):
            return second if first else False
        if not isinstance(second, Node):
            return first if second else False
        return self._remembered("both", lambda a, b: a and b, first, second)

    def either(self, first: Diagram, second: Diagram) -> Diagram:
        """Whether one of two truths holds."""
        if not isinstance(first, Node):
            return True if first else second
        if not isinstance(second, Node):
            return True if second else first
        return self._remembered("either", lambda a, b: a or b, first, second)

    def negated(self, truth: Diagram) -> Diagram:
        """Whether a truth does not hold."""
        return self._remembered("not", lambda a: not a, truth)

    def where(self, truth: Diagram, value: Diagram, other: Diagram) -> Diagram:
        """`value` where a truth holds, and `other` elsewhere."""
        if not isinstance(truth, Node):
            return value if truth else other
        return self._remembered("where", lambda t, a, b: a if t else b, truth, value, other)

    def _remembered(
        self, name: str, function: Callable[..., Hashable], *operands: Diagram
    ) -> Diagram:
        key = (name, *operands)
        if key not in self._known:
            self._known[key] = self.combine(function, *operands)
        return self._known[key]

    def _work(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooManyNodes


Answer = Callable[[Atom, int], int | None]
"""Which of so many branches an atom takes, None where that is not known."""


def restricted(diagram: Diagram, answer: Answer) -> Diagram:
    """What is left of a diagram once some atoms are known."""
    known: dict[Node, Diagram] = {}

    def found(diagram: Diagram) -> Diagram:
        while isinstance(diagram, Node):
            place = answer(diagram.atom, len(diagram.branches))
            if place is None:
                break
            diagram = diagram.branches[place]
        else:
            return diagram
        if diagram not in known:
            branches = tuple(map(found, diagram.branches))
            if all(map(is_, branches, diagram.branches)):
                known[diagram] = diagram
            else:
                known[diagram] = branches[0] if _alike(branches) else Node(diagram.atom, branches)
        return known[diagram]

    return found(diagram)


def support(diagram: Diagram) -> frozenset[Atom]:
    """What a diagram depends on."""
    return frozenset(node.atom for node in nodes(diagram))


def nodes(diagram: Diagram) -> Iterator[Node]:
    """The different nodes of a diagram."""
    seen: set[Node] = set()
    pending = [diagram]
    while pending:
        found = pending.pop()
        if isinstance(found, Node) and found not in seen:
            seen.add(found)
            pending.extend(found.branches)
            yield found


def extremes(diagram: Diagram) -> tuple[float, float] | None:
    """The least and the greatest number of a diagram; None where it has another value."""
    if isinstance(diagram, Node):
        return diagram.low, diagram.high
    return (diagram, diagram) if isinstance(diagram, int | float) else None


def _alike(branches: tuple[Diagram, ...]) -> bool:
    first = branches[0]
    return all(b is first or b == first for b in branches)


def _below(operands: tuple[Diagram, ...], top: Atom) -> Iterator[tuple[Diagram, ...]]:
    """The operands behind each branch of `top`."""
    asked = [isinstance(o, Node) and o.atom == top for o in operands]
    size = len(operands[asked.index(True)].branches)
    for place in range(size):
        yield tuple(o.branches[place] if a else o for o, a in zip(operands, asked, strict=True))
