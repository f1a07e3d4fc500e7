"""The one fold behind counting, ranking and sampling: dynamic programming over the variables.

The variables form a forest in which every guard and every constraint reads variables of a single
path: the elimination tree of their dependences. Below a variable its children are independent
given the facts that they share with what lies above, and trees are independent of one another, so
a count is a product over trees and a sum over the outcomes of each variable. States are found
from the roots down and summed from the leaves up, without recursion.

A constraint that ends at a variable only selects among its outcomes. So a state is two things: the
facts that live on, of which each combination has a row with the ways of every outcome, and those
that end here, which say what of the row is allowed. Neighbours in order are then a row and an
interval of it for each value of the one before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from math import prod
from typing import NamedTuple

from enasdsl.ir.dependence import plan
from enasdsl.ir.memory import REFUSED, Demand, Fact, Quota, Value
from enasdsl.ir.partition import REMEMBERED, Part, order, parts
from enasdsl.ir.space import Space
from enasdsl.ir.variables import TooManyStates
from enasdsl.semantics.symbols import Picks

LIMIT = 4_000_000
"""The most outcomes of variables that are looked at to count one space, over all states."""

KEPT = 4
"""What it is worth to remember one more state, in outcomes that are looked at."""

Values = tuple[Value, ...]
Interval = tuple[int, int]


class State(NamedTuple):
    """What is known when a variable is reached: the facts that live on, and those that end."""

    lasting: Values
    ending: Values


ROOT = State((), ())


@dataclass(slots=True)
class Row:
    """The ways of every outcome of a variable, where the facts that live on have certain values.

    `wanted` are the outcomes that some state allows, as bits; `starts` has the number of ways of
    all outcomes before each one, and at its end that of all.
    """

    wanted: int = 0
    starts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Stage:
    """One variable in the order of counting: its facts sorted, and its rows.

    `lasting` and `ending` are the facts that are remembered when it is reached. `moved` are those
    that it changes and that do not end here.
    """

    number: int
    lasting: tuple[Fact, ...]
    ending: tuple[Fact, ...]
    moved: tuple[Fact, ...]
    guards: tuple[int, ...]  # places among the lasting facts
    children: tuple[int, ...]
    rows: dict[Values, Row] = field(default_factory=dict)

    @property
    def effort(self) -> int:
        """How dear an outcome is: the more facts there are, the more is to be copied."""
        return 1 + (len(self.lasting) + len(self.ending) + len(self.moved)) // 4


class Counter:
    """The architectures of a space, numbered: `count` of them, and a bijection to 0..count-1.

    Where nothing is guarded or required, the numbers follow the decisions lexicographically.
    """

    def __init__(self, space: Space, *, limit: int = LIMIT) -> None:
        """Find and count the states; raises TooManyStates where that is more than `limit` work."""
        self.space = space
        self.plan = plan(space)
        self.limit = limit
        self._left = limit
        self._columns: dict[tuple[int, Fact, Value], tuple[list[Value], int]] = {}
        self._selected: dict[tuple[int, Values], tuple[int, tuple[Interval, ...]]] = {}
        self.stages = [self._stage(number) for number in range(len(self.plan.variables))]
        if self.plan.feasible:
            self._find()
            self._sum()
        self.count = prod(map(self.tree, self.plan.roots)) if self.plan.feasible else 0
        sizes = list(map(self.tree, self.plan.roots)) if self.count else []
        self._backwards = tuple(parts(self.plan, sizes))[::-1]
        self._order = order(self._backwards[::-1])

    def tree(self, root: int) -> int:
        """In how many ways the variables of one tree can be decided."""
        return self._ways(root, ROOT)

    def unrank(self, index: int) -> tuple[Picks, ...]:
        """The picks of architecture `index`; raises ValueError where there is none."""
        if not 0 <= index < self.count:
            raise ValueError(f"index {index} is not below {self.count}, the size of the space")
        found: list[tuple[Picks, ...]] = []
        for part in self._backwards:
            index, own = divmod(index, part.size)
            found.append(part.known.get(own) or self._decide(part, own))
        found.reverse()
        picks = [own for decided in found for own in decided]
        return tuple(picks if self._order is None else [picks[at] for at in self._order])

    def _decide(self, part: Part, index: int) -> tuple[Picks, ...]:
        """The picks of a part's decisions, remembered where there are few."""
        picks: dict[int, Picks] = dict.fromkeys(part.decisions)
        indices = [0] * len(self.stages)
        states = [ROOT] * len(self.stages)
        self._deal(index, part.roots, states, indices)
        for number in part.numbers:
            variable = self.plan.variables[number]
            place, left = self._locate(number, states[number], indices[number])
            for child, state in self.below(number, states[number].lasting, place):
                states[child] = state
            left = self._deal(left, self.plan.children[number], states, indices)
            branch = variable.outcomes[place]
            if branch is not None:
                before = picks[variable.decision] or ()
                joined = before + variable.pick(branch, left)
                picks[variable.decision] = joined if variable.members is None else _sorted(joined)
        found = tuple(picks.values())
        if part.size <= REMEMBERED:
            part.known[index] = found
        return found

    def rank(self, picks: Sequence[Picks]) -> int:
        """The index of an architecture of the space, the inverse of `unrank`."""
        states = [ROOT] * len(self.stages)
        starts: list[int] = []
        indices: list[int] = []
        for number, variable in enumerate(self.plan.variables):
            outcome, index = variable.locate(picks[variable.decision])
            starts.append(self._start(number, states[number], outcome))
            indices.append(index)
            for child, state in self.below(number, states[number].lasting, outcome):
                states[child] = state
        for number in reversed(range(len(indices))):
            children = self.plan.children[number]
            gathered = self._gather(indices[number], children, states, indices)
            indices[number] = starts[number] + gathered
        return self._gather(0, self.plan.roots, states, indices)

    def open(self, number: int, state: State, outcome: int) -> bool:
        """Whether an architecture follows where a variable in a state has this outcome."""
        starts = self.stages[number].rows[state.lasting].starts
        allowed = self._select(number, state.ending)[0]
        return bool(allowed >> outcome & 1) and starts[outcome + 1] > starts[outcome]

    def below(self, number: int, lasting: Values, outcome: int) -> Iterator[tuple[int, State]]:
        """The children of a variable, each in the state that an outcome leads to."""
        for child, keys, ends in self._following(self.stages[number], lasting):
            yield child, State(keys[outcome], ends[outcome])

    # ----------------------------------------------------------------- numbers

    def _deal(
        self, index: int, children: Sequence[int], states: list[State], indices: list[int]
    ) -> int:
        """Split `index` into one index for each child, the last the fastest, and what is left."""
        for child in reversed(children):
            index, indices[child] = divmod(index, self._ways(child, states[child]))
        return index

    def _gather(
        self, index: int, children: Sequence[int], states: list[State], indices: list[int]
    ) -> int:
        for child in children:
            index = index * self._ways(child, states[child]) + indices[child]
        return index

    def _ways(self, number: int, state: State) -> int:
        starts = self.stages[number].rows[state.lasting].starts
        return sum(
            starts[high] - starts[low] for low, high in self._select(number, state.ending)[1]
        )

    def _locate(self, number: int, state: State, index: int) -> tuple[int, int]:
        """The outcome to which the index of a state belongs, and the index within it."""
        starts = self.stages[number].rows[state.lasting].starts
        for low, high in self._select(number, state.ending)[1]:
            if index < starts[high] - starts[low]:
                place = bisect_right(starts, starts[low] + index) - 1
                return place, starts[low] + index - starts[place]
            index -= starts[high] - starts[low]
        raise ValueError(f"no outcome of variable {number} has this index")

    def _start(self, number: int, state: State, outcome: int) -> int:
        """The index of a state at which those of an outcome start."""
        starts = self.stages[number].rows[state.lasting].starts
        before = 0
        for low, high in self._select(number, state.ending)[1]:
            if low <= outcome < high:
                return before + starts[outcome] - starts[low]
            before += starts[high] - starts[low]
        raise ValueError(f"variable {number} does not allow this outcome")

    # ------------------------------------------------------------------ states

    def _stage(self, number: int) -> Stage:
        facts, steps = self.plan.facts[number], self.plan.steps[number]
        ending = tuple(f for f in facts if _selects(f, number))
        lasting = tuple(f for f in facts if f not in ending)
        moved = tuple(f for f in steps if f not in ending)
        guards = tuple(lasting.index(g) for g in self.plan.guards[number])
        return Stage(number, lasting, ending, moved, guards, self.plan.children[number])

    def _find(self) -> None:
        """The rows of every variable, from the roots down."""
        for root in self.plan.roots:
            self.stages[root].rows[()] = Row(self._select(root, ())[0])
        for stage in self.stages:
            for lasting, row in stage.rows.items():
                row.wanted &= self._possible(stage, lasting)
                self._spend(row.wanted.bit_count() * stage.effort, stage)
                for child, keys, ends in self._following(stage, lasting):
                    self._mark(child, row.wanted, keys, ends)

    def _mark(
        self, child: int, wanted: int, keys: Sequence[Values], ends: Sequence[Values]
    ) -> None:
        """Notes what is wanted of the rows of a child behind the wanted outcomes."""
        rows = self.stages[child].rows
        before = len(rows)
        for outcome in _bits(wanted):
            row = rows.get(keys[outcome])
            if row is None:
                row = rows[keys[outcome]] = Row()
            row.wanted |= self._select(child, ends[outcome])[0]
        self._spend(KEPT * (len(rows) - before), self.stages[child])

    def _possible(self, stage: Stage, lasting: Values) -> int:
        """The outcomes that the guards and the facts that live on allow, as bits."""
        outcomes = self.plan.variables[stage.number].outcomes
        allowed = (1 << len(outcomes)) - 1
        if outcomes and outcomes[-1] is None:
            dead = 1 << (len(outcomes) - 1)
            allowed = allowed ^ dead if all(lasting[g] for g in stage.guards) else dead
        known = dict(zip(stage.lasting, lasting, strict=True))
        for fact in stage.moved:
            allowed &= self._column(stage.number, fact, known.get(fact, fact.start))[1]
        return allowed

    def _following(
        self, stage: Stage, lasting: Values
    ) -> Iterator[tuple[int, list[Values], list[Values]]]:
        """For each child, the two halves of its state behind each outcome."""
        known = dict(zip(stage.lasting, lasting, strict=True))
        number = len(self.plan.variables[stage.number].outcomes)
        columns = {fact: [value] * number for fact, value in known.items()}
        for fact in stage.moved:
            columns[fact] = self._column(stage.number, fact, known.get(fact, fact.start))[0]
        for child in stage.children:
            below = self.stages[child]
            yield child, _rows(columns, below.lasting, number), _rows(columns, below.ending, number)

    def _column(self, number: int, fact: Fact, value: Value) -> tuple[list[Value], int]:
        """What a fact becomes with each outcome of a variable, and which it does not refuse."""
        key = (number, fact, value)
        if key not in self._columns:
            outcomes = self.plan.variables[number].outcomes
            self._spend(fact.effort(number, value) * len(outcomes), self.stages[number])
            values = fact.after(number, outcomes, value)
            allowed = sum(1 << n for n, after in enumerate(values) if after is not REFUSED)
            self._columns[key] = values, allowed
        return self._columns[key]

    def _select(self, number: int, ending: Values) -> tuple[int, tuple[Interval, ...]]:
        """The outcomes that the facts ending at a variable allow, as bits and as intervals."""
        key = (number, ending)
        if key not in self._selected:
            allowed = (1 << len(self.plan.variables[number].outcomes)) - 1
            for fact, value in zip(self.stages[number].ending, ending, strict=True):
                allowed &= self._column(number, fact, value)[1]
            self._selected[key] = allowed, tuple(_intervals(allowed))
        return self._selected[key]

    def _sum(self) -> None:
        """The number of ways of every outcome in every row, from the leaves up."""
        for stage in reversed(self.stages):
            sizes = [1 if o is None else o.size for o in self.plan.variables[stage.number].outcomes]
            for lasting, row in stage.rows.items():
                ways = [0] * len(sizes)
                for outcome in _bits(row.wanted):
                    ways[outcome] = sizes[outcome]
                for child, keys, ends in self._following(stage, lasting):
                    self._multiply(ways, row.wanted, child, keys, ends)
                row.starts = list(accumulate(ways, initial=0))

    def _multiply(
        self,
        ways: list[int],
        wanted: int,
        child: int,
        keys: Sequence[Values],
        ends: Sequence[Values],
    ) -> None:
        rows = self.stages[child].rows
        for outcome in _bits(wanted):
            starts = rows[keys[outcome]].starts
            intervals = self._select(child, ends[outcome])[1]
            ways[outcome] *= sum(starts[high] - starts[low] for low, high in intervals)

    def _spend(self, work: int, stage: Stage) -> None:
        self._left -= work
        if self._left < 0:
            facts = (*stage.lasting, *stage.ending, *stage.moved)
            read = {n for fact in facts for n in fact.scope}
            decisions = sorted({self.plan.variables[n].decision for n in read})
            raise TooManyStates(tuple(self.space.decisions[d] for d in decisions), self.limit)


def _selects(fact: Fact, number: int) -> bool:
    return isinstance(fact, Demand | Quota) and fact.scope[-1] == number


def _sorted(picks: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(picks))


def _rows(columns: dict[Fact, list[Value]], facts: Sequence[Fact], number: int) -> list[Values]:
    """The values of `facts` side by side, for each of `number` outcomes."""
    return list(zip(*(columns[f] for f in facts), strict=True)) if facts else [()] * number


def _bits(bits: int) -> Iterator[int]:
    """The places of the bits that are set, ascending."""
    if bits.bit_count() == bits.bit_length():
        yield from range(bits.bit_length())
        return
    yield from (n for n, bit in enumerate(reversed(f"{bits:b}")) if bit == "1")


def _intervals(bits: int) -> Iterator[Interval]:
    """The runs of bits that are set, ascending, their ends excluded."""
    start = 0
    while bits:
        skipped = (bits & -bits).bit_length() - 1
        bits >>= skipped
        length = (~bits & (bits + 1)).bit_length() - 1
        yield start + skipped, start + skipped + length
        bits >>= length
        start += skipped + length


@lru_cache(maxsize=16)
def counter(space: Space) -> Counter:
    """The counter of `space`, made once; raises TooManyStates."""
    return Counter(space)
