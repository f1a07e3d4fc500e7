"""One step away: an architecture with one decision changed, and what must change with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

from enasdsl.ir.counter import ROOT, Counter, State
from enasdsl.ir.space import Architecture, Space
from enasdsl.semantics.symbols import Picks


class Taken(NamedTuple):
    """What a variable is: one of its outcomes, and the place of its pick there."""

    outcome: int
    place: int


class _Option(NamedTuple):
    """An outcome that one variable may have in place of what it is, and its picks."""

    variable: int
    outcome: int
    picks: int


class Mutator(Counter):
    """A counter that knows which completions are legal, and therefore never mutates in vain.

    A mutation keeps what stands before the changed variable, changes it to another legal pick,
    and behind it keeps whatever can still be kept. So its chain reaches every architecture: the
    first difference to any other can be mended without breaking what stands before.
    """

    def mutate(self, picks: Sequence[Picks], rng: Random) -> tuple[Picks, ...]:
        """A neighbour: a decision drawn uniformly of those that can change, its pick likewise.

        The same picks where the space has no others.
        """
        taken = [Taken(*v.locate(picks[v.decision])) for v in self.plan.variables]
        options: defaultdict[int, list[_Option]] = defaultdict(list)
        for option in self._options(taken):
            options[self.plan.variables[option.variable].decision].append(option)
        if not options:
            return tuple(picks)
        own = options[rng.choice(list(options))]
        option = rng.choices(own, [o.picks for o in own])[0]
        changed = Taken(option.outcome, self._other(option, taken[option.variable], rng))
        return self._joined(self._mended(taken, option.variable, changed, rng))

    def _options(self, taken: Sequence[Taken]) -> Iterator[_Option]:
        """Every outcome that is legal behind what stands before it, without what is taken."""
        states = [ROOT] * len(self.stages)
        for number, variable in enumerate(self.plan.variables):
            here = taken[number]
            for outcome, branch in enumerate(variable.outcomes):
                size = 1 if branch is None else branch.size
                others = size - (outcome == here.outcome)
                if others and self.open(number, states[number], outcome):
                    yield _Option(number, outcome, others)
            self._enter(number, here.outcome, states)

    def _other(self, option: _Option, here: Taken, rng: Random) -> int:
        """The place of a pick of an outcome, other than the one that is taken."""
        place = rng.randrange(option.picks)
        return place + (option.outcome == here.outcome and place >= here.place)

    def _mended(
        self, taken: Sequence[Taken], pivot: int, changed: Taken, rng: Random
    ) -> Iterator[Taken]:
        """Each variable as it was where that is still legal, else drawn by its completions."""
        states = [ROOT] * len(self.stages)
        for number, variable in enumerate(self.plan.variables):
            here = changed if number == pivot else taken[number]
            if not self.open(number, states[number], here.outcome):
                ways = self._ways(number, states[number])
                outcome = self._locate(number, states[number], rng.randrange(ways))[0]
                branch = variable.outcomes[outcome]
                here = Taken(outcome, 0 if branch is None else rng.randrange(branch.size))
            self._enter(number, here.outcome, states)
            yield here

    def _enter(self, number: int, outcome: int, states: list[State]) -> None:
        for child, state in self.below(number, states[number].lasting, outcome):
            states[child] = state

    def _joined(self, taken: Iterator[Taken]) -> tuple[Picks, ...]:
        """The picks of the decisions, each put together from its variables."""
        picks: list[Picks] = [None] * len(self.space.decisions)
        for variable, (outcome, place) in zip(self.plan.variables, taken, strict=True):
            branch = variable.outcomes[outcome]
            if branch is not None:
                joined = (*(picks[variable.decision] or ()), *variable.pick(branch, place))
                ordered = variable.members is None
                picks[variable.decision] = joined if ordered else tuple(sorted(joined))
        return tuple(picks)


def mutate(space: Space, architecture: Architecture, rng: Random) -> Architecture:
    """A neighbour of an architecture; raises TooManyStates."""
    picks = _mutator(space).mutate(architecture.picks, rng)
    return Architecture(space.name, space.hash, picks)


@lru_cache(maxsize=16)
def _mutator(space: Space) -> Mutator:
    return Mutator(space)
