"""From which digits a lawful architecture still follows: the counter, asked on the way."""

from __future__ import annotations

from collections.abc import Iterable

from enasdsl.ir.counter import counter
from enasdsl.ir.grouping import Grouped, Grouping
from enasdsl.ir.listing import Listed, Listing
from enasdsl.ir.progress import Progress, Settled
from enasdsl.ir.space import Space

REMEMBERED = 500_000
"""How many states and parts of decisions are remembered before they are found anew."""

Part = Settled | Listed | Grouped
"""How far one decision is made."""


class Completions:
    """The lawful ways to spell the architectures of a space, decision by decision.

    A frontier has the state of each variable. From `enter` to `leave`, a part says how far a
    decision is made.
    """

    def __init__(self, space: Space) -> None:
        """Raises TooManyStates where the space cannot be counted."""
        self.space = space
        self._counter = counter(space)
        self._progress = Progress(self._counter)
        self._rules = [self._rule(decision) for decision in range(len(space.decisions))]
        self._masks: dict[Part, bytes] = {}
        self._after: dict[Grouped, dict[int, Part]] = {}

    @property
    def feasible(self) -> bool:
        """Whether any architecture is lawful."""
        return self._counter.count > 0

    def fresh(self) -> Completions:
        """These, or others of the same space where these remember too much."""
        size = len(self._progress) + len(self._masks) + len(self._after)
        return self if size < REMEMBERED else Completions(self.space)

    def begin(self) -> list[int]:
        """The frontier before the first decision."""
        return self._progress.begin()

    def asks(self, decision: int) -> bool:
        """Whether what follows tells the picks of a decision apart."""
        return self._rules[decision] is not None

    def enter(self, decision: int, frontier: list[int]) -> Part:
        """A decision of which nothing is taken."""
        states = tuple([frontier[number] for number in self._progress.slots[decision]])
        own = self._progress.own[decision]
        if len(own) == len(states) == 1 and self._rules[decision] is None:
            return Settled(decision, states)
        dead = bool(own) and self._progress.dead(states[0])
        rule = self._rules[decision]
        if rule is not None and not dead:
            return rule.start(states)
        for place, number in enumerate(own):
            outcome = len(self._counter.plan.variables[number].outcomes) - 1 if dead else 0
            states = self._progress.passed(decision, states, place, outcome)
        return Settled(decision, states)

    def mask(self, part: Part) -> bytes:
        """A byte for each digit that may come next, up to the last; empty where none is left."""
        if part not in self._masks:
            digits = set(self._digits(part))
            self._masks[part] = bytes(d in digits for d in range(max(digits, default=-1) + 1))
        return self._masks[part]

    def follow(self, part: Part, digit: int) -> Part | None:
        """What a digit leads to; None where it may not come next."""
        mask = self.mask(part)
        if digit >= len(mask) or not mask[digit]:
            return None
        if isinstance(part, Grouped):
            return self._after[part][digit]
        rule = self._rules[part.decision]
        assert isinstance(part, Listed)
        assert isinstance(rule, Listing)
        return rule.follow(part, digit)

    def leave(self, part: Part, frontier: list[int]) -> None:
        """Brings the frontier behind a decision."""
        for number, state in zip(self._progress.slots[part.decision], part.states, strict=True):
            frontier[number] = state

    def _digits(self, part: Part) -> Iterable[int]:
        match part, self._rules[part.decision]:
            case Grouped(), Grouping() as rule:
                self._after[part] = dict(rule.after(part))
                return self._after[part]
            case Listed(), Listing() as rule:
                return rule.digits(part)
            case _:
                return ()

    def _rule(self, decision: int) -> Listing | Grouping | None:
        """How a decision is made; None where there is nothing to tell apart."""
        domain = self.space.decisions[decision].domain
        own = [self._counter.plan.variables[n] for n in self._progress.own[decision]]
        if domain.most == 0 or all(not v.places and v.members is None for v in own):
            return None
        if own[0].members is None:
            return Listing(decision, domain, own, self._progress)
        return Grouping(decision, domain, own, self._progress)
