"""Which variables of a space depend on which, and the plan by which they are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from enasdsl.ir.constraint import clauses, reads
from enasdsl.ir.folding import bounds, exact, fold, folded, settled
from enasdsl.ir.memory import (
    MET,
    REFUSED,
    Demand,
    Fact,
    Membership,
    Product,
    Quota,
    Total,
    Truth,
    Ways,
    demand,
)
from enasdsl.ir.space import Constraint, Kind, Space
from enasdsl.ir.variables import Variable, apart, variables
from enasdsl.semantics.symbols import (
    Chosen,
    Computed,
    Condition,
    Counted,
    Either,
    Num,
    Test,
    Unread,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The forest of the variables, each behind its parent, and the facts along its paths.

    For each variable, `facts` are what is remembered when it is reached, `guards` those that must
    be true for it to be live, and `steps` those that it changes. `feasible` is False where a
    constraint fails whatever is decided.
    """

    variables: tuple[Variable, ...]
    roots: tuple[int, ...]
    children: tuple[tuple[int, ...], ...]
    facts: tuple[tuple[Fact, ...], ...]
    guards: tuple[tuple[Membership | Ways, ...], ...]
    steps: tuple[tuple[Fact, ...], ...]
    feasible: bool


def plan(space: Space, more: Callable[[Sequence[Variable]], Sequence[Fact]] | None = None) -> Plan:
    """The plan of `space`, with what else is to be remembered of its variables.

    Raises TooManyStates for a decision that cannot be listed.
    """
    planner = _Planner(space)
    return planner.plan(more(planner.variables) if more else ())


class _Planner:
    def __init__(self, space: Space) -> None:
        self.space = space
        self.variables = tuple(variables(space))
        self.parts: defaultdict[int, list[int]] = defaultdict(list)
        for number, variable in enumerate(self.variables):
            self.parts[variable.decision].append(number)
        self.split = {d: [self.variables[n] for n in own] for d, own in self.parts.items()}
        self.members: dict[Test | Either, Membership | Ways] = {}

    def plan(self, more: Sequence[Fact]) -> Plan:
        guards = [self.guard(self.space.decisions[v.decision].guard) for v in self.variables]
        demands = [d for c in self.space.constraints for d in self.demands(c)]
        feasible = all(d.start is not REFUSED for d in demands)
        facts: list[Fact] = [*self.members.values(), *self.quotas(), *more]
        facts += demands if feasible else []
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
            feasible,
        )

    def guard(self, condition: Condition) -> tuple[Membership | Ways, ...]:
        known = [test for test in condition if not isinstance(test, Unread)]
        for test in known:
            if test not in self.members:
                self.members[test] = self.way(test)
        return tuple(dict.fromkeys(self.members[test] for test in known))

    def way(self, test: Test | Either) -> Membership | Ways:
        if isinstance(test, Test):
            return self.member(test)
        return Ways(tuple(tuple(map(self.member, option)) for option in test.options))

    def member(self, test: Test) -> Membership:
        parts = self.parts[test.decision]
        scope = [n for n in parts if not test.allowed.isdisjoint(self.own(n))] or parts[:1]
        return Membership(test.allowed, tuple(scope))

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

    def demands(self, constraint: Constraint) -> Iterator[Demand]:
        """The clauses of a constraint that can fail."""
        for clause in clauses(constraint, self.missing):
            found = demand([self.alternative(folded(apart(a, self.split))) for a in clause])
            if found.start is not MET:
                yield found

    def alternative(self, num: Num) -> Truth | Total:
        """One alternative of a clause, as a sum if it is the comparison of sums."""
        whole = {n: self.variables[n] for n in self.scope(num)}
        comparison = _difference(num)
        if comparison is None:
            return Truth(whole, num)
        operator, difference = comparison
        match difference:
            case Computed("+", terms):
                pass
            case _:
                terms = (difference,)
        constant = sum(int(t) for t in terms if isinstance(t, int))
        unknown = [t for t in terms if not settled(t)]
        if len(unknown) == 1 and (found := _factors(unknown[0])):
            scale, factors = found
            return Product(operator, scale, factors, self.scopes(factors), whole, offset=constant)
        return Total(operator, constant, unknown, self.scopes(unknown), whole)

    def scopes(self, parts: Sequence[Num]) -> list[frozenset[int]]:
        return [frozenset(self.scope(part)) for part in parts]

    def scope(self, num: Num) -> tuple[int, ...]:
        """The variables that settle a number, ascending."""
        return tuple(sorted({self.owner(leaf) for leaf in reads(num)}))

    def owner(self, leaf: Chosen | Counted) -> int:
        """The variable that settles a part of a constraint."""
        parts = self.parts[leaf.decision]
        if isinstance(leaf, Chosen):
            return parts[0 if self.variables[parts[0]].slot is None else leaf.slot]
        return next((n for n in parts if not leaf.allowed.isdisjoint(self.own(n))), parts[0])

    def missing(self, chosen: Chosen) -> bool:
        """Whether there are architectures without the pick that `chosen` reads."""
        decision = self.space.decisions[chosen.decision]
        return bool(decision.guard) or chosen.slot >= decision.domain.least

    def forest(
        self, guards: Sequence[tuple[Membership | Ways, ...]], facts: Sequence[Fact]
    ) -> list[int | None]:
        """The parent of each variable in the elimination tree, last variable first."""
        above: list[set[int]] = [set() for _ in self.variables]
        for number, members in enumerate(guards):
            above[number].update(n for member in members for n in member.scope)
        for fact in facts:
            above[fact.scope[-1]].update(fact.scope)
        parents: list[int | None] = [None] * len(self.variables)
        for number in reversed(range(len(self.variables))):
            above[number].discard(number)
            if above[number]:
                parent = max(above[number])
                parents[number] = parent
                above[parent] |= above[number]
        return parents


def _difference(num: Num) -> tuple[str, Num] | None:
    """A comparison of whole numbers as the comparison of one with zero: `<=`, `==` or `!=`."""
    match num:
        case Computed("<=" | "==" | "!=" as operator, (left, right)) if exact(left) and exact(
            right
        ):
            return operator, fold("-", (left, right))
        case Computed("<", (left, right)) if exact(left) and exact(right):
            return "<=", fold("+", (fold("-", (left, right)), 1))
        case Computed(">=", (left, right)):
            return _difference(Computed("<=", (right, left)))
        case Computed(">", (left, right)):
            return _difference(Computed("<", (right, left)))
    return None


def _factors(num: Num) -> tuple[int, list[Num]] | None:
    """The constant and the other factors of a product, where none of these is ever negative."""
    match num:
        case Computed("*", (*factors, int(scale))) if scale:
            lows = [ends[0] for ends in map(bounds, filter(exact, factors)) if ends is not None]
            whole = len(lows) == len(factors) and min(lows) >= 0
            return (scale, factors) if whole else None
        case _:
            return None


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
