"""The states of a counter by number, as one architecture is decided from first to last."""

from __future__ import annotations

from typing import NamedTuple

from enasdsl.ir.counter import ROOT, Counter, State

UNKNOWN = -1
"""In place of the state of a variable whose parent is not decided."""

States = tuple[int, ...]
"""The states of the variables that stand in the slots of one decision."""


class Settled(NamedTuple):
    """A decision that leaves nothing to choose: it is made, or it is not live."""

    decision: int
    states: States


class Progress:
    """Which outcomes a variable may have in a state, and the states that they lead to.

    `own` are the variables of each decision; its `slots` are those, and behind them the variables
    of later decisions whose states they settle.
    """

    def __init__(self, counter: Counter) -> None:
        plan = counter.plan
        decisions = range(len(counter.space.decisions))
        self.counter = counter
        self.own: list[tuple[int, ...]] = [() for _ in decisions]
        for number, variable in enumerate(plan.variables):
            self.own[variable.decision] += (number,)
        self.slots = [
            own + tuple(c for n in own for c in plan.children[n] if c not in own)
            for own in self.own
        ]
        self._slot = [{n: slot for slot, n in enumerate(slots)} for slots in self.slots]
        self._numbers: dict[tuple[int, State], int] = {}
        self._states: list[tuple[int, State]] = []
        self._open: dict[int, int] = {}
        self._below: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}

    def __len__(self) -> int:
        """How much is remembered."""
        return len(self._states) + len(self._below)

    def begin(self) -> list[int]:
        """The state of every variable before anything is decided."""
        frontier = [UNKNOWN] * len(self.counter.stages)
        for root in self.counter.plan.roots:
            frontier[root] = self._number(root, ROOT)
        return frontier

    def open(self, state: int) -> int:
        """The outcomes from which an architecture follows, as bits."""
        if state not in self._open:
            number, known = self._states[state]
            outcomes = range(len(self.counter.plan.variables[number].outcomes))
            self._open[state] = sum(self.counter.open(number, known, o) << o for o in outcomes)
        return self._open[state]

    def dead(self, state: int) -> bool:
        """Whether the variable's decision is not live."""
        number, _ = self._states[state]
        outcomes = self.counter.plan.variables[number].outcomes
        return outcomes[-1] is None and bool(self.open(state) >> (len(outcomes) - 1) & 1)

    def passed(self, decision: int, states: States, place: int, outcome: int) -> States:
        """The states of a decision, or the first of them, behind its variable at `place`."""
        below = self._after(states[place], outcome)
        if not below:
            return states
        known, slot = list(states), self._slot[decision]
        for child, state in below:
            if slot[child] < len(known):
                known[slot[child]] = state
        return tuple(known)

    def _after(self, state: int, outcome: int) -> tuple[tuple[int, int], ...]:
        key = (state, outcome)
        if key not in self._below:
            number, known = self._states[state]
            below = self.counter.below(number, known.lasting, outcome)
            self._below[key] = tuple((child, self._number(child, s)) for child, s in below)
        return self._below[key]

    def _number(self, variable: int, state: State) -> int:
        key = (variable, state)
        if key not in self._numbers:
            self._numbers[key] = len(self._states)
            self._states.append(key)
        return self._numbers[key]
