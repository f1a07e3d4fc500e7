"""Which variables of a space depend on which, and the plan by which they are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enasdsl.ir.constraint import folded, reads, settled
from enasdsl.ir.memory import Demand, Fact, Membership, Quota
from enasdsl.ir.space import Constraint, Kind, Space
from enasdsl.ir.variables import Variable, tests, variables
from enasdsl.semantics.symbols import Chosen, Condition, Counted, Test

OUTSIDE = -1  # before every variable


@dataclass(frozen=True, slots=True)
class Plan:
    """The forest of the variables, each behind its parent, and the facts along its paths.

    For each variable, `facts` are what is remembered when it is reached, `guards` those that must
    be true for it to be live, and `steps` those that it changes, memberships first. `feasible` is
    False where a constraint fails whatever is decided.
    """

    variables: tuple[Variable, ...]
    roots: tuple[int, ...]
    children: tuple[tuple[int, ...], ...]
    facts: tuple[tuple[Fact, ...], ...]
    guards: tuple[tuple[Membership, ...], ...]
    steps: tuple[tuple[Fact, ...], ...]
    feasible: bool


def plan(space: Space) -> Plan:
    """The plan of `space`; raises TooManyStates for a decision that cannot be listed."""
    return _Planner(space).plan()


class _Planner:
    def __init__(self, space: Space) -> None:
        self.space = space
        self.variables = tuple(variables(space))
        self.parts: defaultdict[int, list[int]] = defaultdict(list)
        for number, variable in enumerate(self.variables):
            self.parts[variable.decision].append(number)
        self.members: dict[Test, Membership] = {}

    def plan(self) -> Plan:
        guards = [self.guard(self.space.decisions[v.decision].guard) for v in self.variables]
        demands = [self.demand(c) for c in self.space.constraints]
        facts: list[Fact] = [*self.members.values(), *self.quotas()]
        facts += [d for d in demands if d.scope and d.start is not True]
        steps: list[list[Fact]] = [[] for _ in self.variables]
        for fact in facts:
            for number in fact.scope:
                steps[number].append(fact)
        parents = self.forest(guards, facts)
        children = _inverse(parents)
        return Plan(
            self.variables,
            tuple(n for n, parent in enumerate(parents) if parent is None),
            children,
            _remembered(guards, steps, children),
            tuple(guards),
            tuple(map(tuple, steps)),
            all(d.scope or d.start for d in demands),
        )

    def guard(self, condition: Condition) -> tuple[Membership, ...]:
        return tuple(dict.fromkeys(self.member(test) for test in tests(condition)))

    def member(self, test: Test) -> Membership:
        if test not in self.members:
            parts = self.parts[test.decision]
            scope = [n for n in parts if not test.allowed.isdisjoint(self.own(n))] or parts[:1]
            self.members[test] = Membership(test.allowed, tuple(scope))
        return self.members[test]

    def own(self, number: int) -> Sequence[int]:
        variable = self.variables[number]
        domain = self.space.decisions[variable.decision].domain
        return range(domain.size) if variable.members is None else variable.members

    def quotas(self) -> list[Quota]:
        found = []
        for decision, parts in self.parts.items():
            domain = self.space.decisions[decision].domain
            free = domain.kind is Kind.SET and domain.least == 0 and domain.most >= domain.size
            if self.variables[parts[0]].members is not None and not free:
                found.append(Quota(domain.least, domain.most, tuple(parts)))
        return found

    def demand(self, constraint: Constraint) -> Demand:
        guard = self.guard(constraint.guard)
        read: defaultdict[int, list[Chosen | Counted]] = defaultdict(list)
        for chosen in dict.fromkeys(reads(constraint.value)):
            read[self.parts[chosen.decision][0]].append(chosen)
        value = folded(constraint.value)
        settlers = {member.scope[-1] for member in guard}
        unsure = {n for n, chosen in read.items() if any(map(self.missing, chosen))}
        return Demand(
            guard,
            {number: tuple(chosen) for number, chosen in read.items()},
            max(settlers | unsure, default=OUTSIDE),
            tuple(sorted(settlers | read.keys())),
            bool(value) if settled(value) else value,
        )

    def missing(self, chosen: Chosen | Counted) -> bool:
        """Whether there are architectures without the pick that `chosen` reads."""
        if isinstance(chosen, Counted):
            return False
        decision = self.space.decisions[chosen.decision]
        return bool(decision.guard) or chosen.slot >= decision.domain.least

    def forest(
        self, guards: Sequence[tuple[Membership, ...]], facts: Sequence[Fact]
    ) -> list[int | None]:
        """The parent of each variable in the elimination tree, last variable first."""
        above: list[set[int]] = [set() for _ in self.variables]
        for number, members in enumerate(guards):
            above[number].update(n for member in members for n in member.scope)
        for fact in facts:
            together = set(fact.scope)
            if isinstance(fact, Demand):
                together.update(n for member in fact.guard for n in member.scope)
            above[max(together)] |= together
        parents: list[int | None] = [None] * len(self.variables)
        for number in reversed(range(len(self.variables))):
            above[number].discard(number)
            if above[number]:
                parent = max(above[number])
                parents[number] = parent
                above[parent] |= above[number]
        return parents


def _inverse(parents: Sequence[int | None]) -> tuple[tuple[int, ...], ...]:
    children: list[list[int]] = [[] for _ in parents]
    for number, parent in enumerate(parents):
        if parent is not None:
            children[parent].append(number)
    return tuple(map(tuple, children))


def _remembered(
    guards: Sequence[Sequence[Fact]],
    steps: Sequence[Sequence[Fact]],
    children: Sequence[Sequence[int]],
) -> tuple[tuple[Fact, ...], ...]:
    """For each variable, the facts begun above it that it or a variable below it needs."""
    needed: list[Mapping[Fact, None]] = [{} for _ in guards]
    for number in reversed(range(len(guards))):
        facts = dict.fromkeys([*guards[number], *steps[number]])
        for child in children[number]:
            facts |= needed[child]
        needed[number] = {fact: None for fact in facts if fact.scope[0] < number}
    return tuple(map(tuple, needed))
