"""The one fold behind counting, ranking and sampling: dynamic programming over the variables.

The variables form a forest in which every guard and every constraint reads variables of a single
path: the elimination tree of their dependences. Below a variable its children are independent
given the facts that they share with what lies above, and trees are independent of one another, so
a count is a product over trees and a sum over the branches of each variable. States are found
from the roots down and summed from the leaves up, without recursion.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import prod

from enasdsl.ir.dependence import plan
from enasdsl.ir.memory import REFUSED, Fact, Value
from enasdsl.ir.space import Decision, Space
from enasdsl.ir.variables import Branch, TooManyStates
from enasdsl.semantics.symbols import Picks

LIMIT = 200_000
"""The most states in which the variables of one space may be met."""

State = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A branch that a state allows, None for a decision that is not live, and the states below."""

    branch: Branch | None
    states: tuple[State, ...]


@dataclass(slots=True)
class Row:
    """What can follow a state: the moves, the index at which each one starts, and all its ways."""

    moves: tuple[Move, ...] = ()
    starts: tuple[int, ...] = ()
    total: int = 0

    def find(self, index: int) -> tuple[Move, int]:
        """The move to which `index` belongs, and where it starts."""
        if len(self.moves) == 1:
            return self.moves[0], 0
        place = bisect_right(self.starts, index) - 1
        return self.moves[place], self.starts[place]

    def take(self, branch: Branch | None) -> tuple[Move, int]:
        """The move along `branch`, and where it starts."""
        place = next(i for i, move in enumerate(self.moves) if move.branch is branch)
        return self.moves[place], self.starts[place]


class Counter:
    """The architectures of a space, numbered: `count` of them, and a bijection to 0..count-1.

    Where nothing is guarded or required, the numbers follow the decisions lexicographically.
    """

    def __init__(self, space: Space, *, limit: int = LIMIT) -> None:
        """Find and count the states; raises TooManyStates where there are more than `limit`."""
        self.space = space
        self.plan = plan(space)
        self.rows: list[dict[State, Row]] = [{} for _ in self.plan.variables]
        self._find(limit)
        self._sum()
        ways = prod(self.suffix(root, ()) for root in self.plan.roots)
        self.count = ways if self.plan.feasible else 0

    def suffix(self, variable: int, state: State) -> int:
        """In how many ways `variable` and those below it can be decided from `state`."""
        return self.rows[variable][state].total

    def unrank(self, index: int) -> tuple[Picks, ...]:
        """The picks of architecture `index`; raises ValueError where there is none."""
        if not 0 <= index < self.count:
            raise ValueError(f"index {index} is not below {self.count}, the size of the space")
        picks: list[Picks] = [None] * len(self.space.decisions)
        indices = [0] * len(self.plan.variables)
        states: list[State] = [()] * len(self.plan.variables)
        self._deal(index, self.plan.roots, (), states, indices)
        for number, variable in enumerate(self.plan.variables):
            row = self.rows[number][states[number]]
            move, start = row.find(indices[number])
            place = indices[number] - start
            if move.states:
                children = self.plan.children[number]
                place = self._deal(place, children, move.states, states, indices)
            if move.branch is not None:
                part = variable.pick(move.branch, place)
                before = picks[variable.decision]
                picks[variable.decision] = tuple(sorted(before + part)) if before else part
        return tuple(picks)

    def rank(self, picks: Sequence[Picks]) -> int:
        """The index of an architecture of the space, the inverse of `unrank`."""
        states: list[State] = [()] * len(self.plan.variables)
        moves: list[tuple[Move, int]] = []
        indices: list[int] = []
        for number, variable in enumerate(self.plan.variables):
            taken = picks[variable.decision]
            branch, place = (None, 0) if taken is None else variable.locate(taken)
            move, start = self.rows[number][states[number]].take(branch)
            for child, state in zip(self.plan.children[number], move.states, strict=True):
                states[child] = state
            moves.append((move, start))
            indices.append(place)
        for number in reversed(range(len(indices))):
            move, start = moves[number]
            children = self.plan.children[number]
            indices[number] = start + self._gather(indices[number], children, states, indices)
        return self._gather(0, self.plan.roots, states, indices)

    def _deal(
        self,
        index: int,
        children: Sequence[int],
        found: Sequence[State],
        states: list[State],
        indices: list[int],
    ) -> int:
        """Split `index` into one index for each child, the last the fastest, and what is left."""
        for child, state in zip(children, found, strict=False):
            states[child] = state
        for child in reversed(children):
            index, indices[child] = divmod(index, self.rows[child][states[child]].total)
        return index

    def _gather(
        self, index: int, children: Sequence[int], states: list[State], indices: list[int]
    ) -> int:
        for child in children:
            index = index * self.rows[child][states[child]].total + indices[child]
        return index

    def _find(self, limit: int) -> None:
        """The states of every variable, from the roots down."""
        for root in self.plan.roots:
            self.rows[root][()] = Row()
        met = len(self.plan.roots)
        for number in range(len(self.plan.variables)):
            children = self.plan.children[number]
            for state, row in self.rows[number].items():
                row.moves = tuple(self._moves(number, state))
                for move in row.moves:
                    for child, below in zip(children, move.states, strict=True):
                        if below not in self.rows[child]:
                            self.rows[child][below] = Row()
                            met += 1
                if met > limit:
                    raise TooManyStates(self._remembered(number), limit)

    def _moves(self, number: int, state: State) -> Iterator[Move]:
        """What `number` may do in `state`, each with the states in which it leaves its children."""
        variable = self.plan.variables[number]
        values = dict(zip(self.plan.facts[number], state, strict=True))
        live = all(values[member] for member in self.plan.guards[number])
        for branch in variable.branches if live else (None,):
            after = self._after(number, branch, values)
            if after is not None:
                states = tuple(
                    tuple(after[fact] for fact in self.plan.facts[child])
                    for child in self.plan.children[number]
                )
                yield Move(branch, states)

    def _after(
        self, number: int, branch: Branch | None, before: dict[Fact, Value]
    ) -> dict[Fact, Value] | None:
        """The values behind `number`, or None where a constraint refuses them."""
        values = before.copy()
        for fact in self.plan.steps[number]:
            values.setdefault(fact, fact.start)
            values[fact] = fact.step(number, branch, values)
            if values[fact] is REFUSED:
                return None
        return values

    def _sum(self) -> None:
        """The number of ways of every state, from the leaves up."""
        for number in reversed(range(len(self.plan.variables))):
            children = self.plan.children[number]
            for row in self.rows[number].values():
                ways = (
                    (move.branch.size if move.branch else 1)
                    * prod(map(self.suffix, children, move.states))
                    for move in row.moves
                )
                row.starts = tuple(accumulate(ways, initial=0))
                row.total = row.starts[-1]

    def _remembered(self, number: int) -> tuple[Decision, ...]:
        """The decisions of which the children of `number` remember something."""
        decisions = {
            self.plan.variables[read].decision
            for child in self.plan.children[number]
            for fact in self.plan.facts[child]
            for read in fact.scope
            if read <= number
        }
        return tuple(self.space.decisions[d] for d in sorted(decisions))


@lru_cache(maxsize=16)
def counter(space: Space) -> Counter:
    """The counter of `space`, made once; raises TooManyStates."""
    return Counter(space)
