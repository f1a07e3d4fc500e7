"""Sets of which only the number of members of each group counts, digit by digit."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from enasdsl.ir.progress import UNKNOWN, Progress, Settled, States
from enasdsl.ir.space import Domain, Kind
from enasdsl.ir.spelling import bitwise, lengthy
from enasdsl.ir.variables import Variable

OPEN = -1
"""In place of the number of digits where that is the next digit."""


class Grouped(NamedTuple):
    """A set of which `left` digits are missing.

    The alternatives below `bound` are no longer picked; `taken` are the numbers of members by
    group. The variables of the first `passed` groups are decided.
    """

    decision: int
    left: int
    bound: int
    taken: tuple[int, ...]
    passed: int
    states: States


class Grouping:
    """The rule of one decision with a variable for each group of its alternatives.

    A set is looked at as its alternatives in order, of which each is picked or left behind: a digit
    leaves all behind that are below it.
    """

    def __init__(
        self, decision: int, domain: Domain, variables: Sequence[Variable], progress: Progress
    ) -> None:
        self._decision, self._domain, self._progress = decision, domain, progress
        self._again = domain.kind is Kind.MULTISET
        self._groups = [v.members or () for v in variables]
        self._group = {m: g for g, members in enumerate(self._groups) for m in members}
        self._most = [sum(o is not None for o in v.outcomes) - 1 for v in variables]

    def start(self, states: States) -> Grouped:
        domain = self._domain
        left = domain.size if bitwise(domain) else OPEN if lengthy(domain) else domain.most
        return Grouped(self._decision, left, 0, (0,) * len(self._groups), 0, states)

    def after(self, part: Grouped) -> Iterator[tuple[int, Grouped | Settled]]:
        """The digits that may come next, and what they lead to."""
        for digit, found in self._candidates(part):
            if found is not None:
                yield digit, found

    def _candidates(self, part: Grouped) -> Iterator[tuple[int, Grouped | Settled | None]]:
        domain = self._domain
        if part.left == OPEN:
            for digit in range(domain.most - domain.least + 1):
                yield digit, self._checked(part._replace(left=domain.least + digit))
        elif bitwise(domain):
            behind = part._replace(left=part.left - 1, bound=part.bound + 1)
            yield 0, self._checked(behind)
            yield 1, self._checked(self._with(behind, part.bound))
        else:
            yield from self._picks(part)

    def _picks(self, part: Grouped) -> Iterator[tuple[int, Grouped | Settled | None]]:
        rest: Grouped | Settled | None = part
        for member in range(part.bound, self._domain.size):
            if not isinstance(rest, Grouped):
                return
            bound = member if self._again else member + 1
            yield (
                member,
                self._checked(self._with(rest._replace(left=rest.left - 1, bound=bound), member)),
            )
            rest = self._checked(rest._replace(bound=member + 1))

    def _with(self, part: Grouped, member: int) -> Grouped:
        group, taken = self._group[member], part.taken
        return part._replace(taken=(*taken[:group], taken[group] + 1, *taken[group + 1 :]))

    # ----------------------------------------------------------- what may follow

    def _checked(self, part: Grouped) -> Grouped | Settled | None:
        """`part` with what it settles passed; None where nothing lawful follows."""
        bound = part.bound if part.left else self._domain.size
        passed, states = part.passed, part.states
        while passed < len(self._groups) and self._groups[passed][-1] < bound:
            if not self._open(states[passed], part.taken[passed]):
                return None
            states = self._progress.passed(self._decision, states, passed, part.taken[passed])
            passed += 1
        if part.left == 0:
            return Settled(self._decision, states)
        found = part._replace(passed=passed, states=states)
        return found if self._possible(found) else None

    def _possible(self, part: Grouped) -> bool:
        """Whether the groups that are not passed can be completed.

        Behind a state that was reached something lawful follows: only groups with members that are
        taken or left behind are to be looked at, or all where the number of picks is fixed.
        """
        count = len(self._groups)
        exact = lengthy(self._domain)
        fronts = {(part.states[:count], part.left)}
        for group in range(part.passed, count):
            if not exact and self._untouched(part, group):
                break
            fronts = set(self._passing(part, group, fronts))
        return any(not exact or left == 0 for _, left in fronts)

    def _passing(
        self, part: Grouped, group: int, fronts: set[tuple[States, int]]
    ) -> Iterator[tuple[States, int]]:
        low = part.taken[group]
        high = min(low + self._room(group, part.bound), self._most[group])
        known = (UNKNOWN,) * (group + 1)
        for states, left in fronts:
            for number in range(low, high + 1):
                if self._open(states[group], number):
                    after = self._progress.passed(self._decision, states, group, number)
                    yield known + after[group + 1 :], left - number + low

    def _untouched(self, part: Grouped, first: int) -> bool:
        """Whether everything may still be picked of the groups from `first` on."""
        return all(
            part.taken[group] == 0 and self._room(group, part.bound) >= self._room(group, 0)
            for group in range(first, len(self._groups))
        )

    def _room(self, group: int, bound: int) -> int:
        """How many members of a group may still be picked."""
        members = self._groups[group]
        if self._again:
            return self._domain.most if members[-1] >= bound else 0
        return len(members) - bisect_left(members, bound)

    def _open(self, state: int, outcome: int) -> bool:
        return bool(self._progress.open(state) >> outcome & 1)
