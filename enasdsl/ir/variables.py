"""The variables over which a space is counted, each split into picks that nobody tells apart.

A decision that nothing reads is one variable with one branch, whatever the size of its domain. A
subset of which later guards test the members is one variable for each group of members that no
test separates, so that independent members stay independent. Any other decision that is read is
one variable whose picks are listed and sorted into branches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from enasdsl.ir.constraint import made, reads, settle
from enasdsl.ir.domain import Pick, enumerate_domain, rank, size, unrank
from enasdsl.ir.space import Constraint, Decision, Domain, Kind, Space
from enasdsl.semantics.symbols import Chosen, Condition, Counted, Test

LISTED = 1 << 16
"""The most picks of one decision that are listed."""


@dataclass(eq=False)
class TooManyStates(Exception):
    """Counting needs more than `limit` states to remember what `decisions` picked."""

    decisions: tuple[Decision, ...]
    limit: int

    def __str__(self) -> str:
        paths = ", ".join(d.path for d in self.decisions)
        return f"more than {self.limit} states are needed to remember {paths}"


@dataclass(frozen=True, slots=True)
class Branch:
    """Picks of one variable that no later guard or constraint tells apart.

    They are those of `domain`, or those `listed`; `sample` is one of them, as the decision has it.
    """

    size: int
    sample: Pick
    domain: Domain | None = None
    listed: tuple[Pick, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A decision, or the part of it that concerns `members`, and its branches."""

    decision: int
    branches: tuple[Branch, ...]
    members: tuple[int, ...] | None = None
    places: Mapping[Pick, tuple[int, int]] = field(default_factory=dict)

    def pick(self, branch: Branch, index: int) -> Pick:
        """What the decision picks for this variable."""
        if branch.domain is None:
            return branch.listed[index]
        picks = unrank(branch.domain, index)
        return picks if self.members is None else tuple(self.members[p] for p in picks)

    def locate(self, picks: Pick) -> tuple[Branch, int]:
        """The branch that the decision's picks take here, and their index in it."""
        own = picks
        branch, index = self.places.get(picks, (0, 0))
        if self.members is not None:
            own = tuple(self.members.index(p) for p in picks if p in self.members)
            branch = len(own)
        domain = self.branches[branch].domain
        return self.branches[branch], index if domain is None else rank(domain, own)


@dataclass(slots=True)
class Readers:
    """What later guards and constraints read of one decision."""

    tests: list[frozenset[int]] = field(default_factory=list)
    values: list[Chosen | Counted] = field(default_factory=list)


def tests(condition: Condition) -> Iterator[Test]:
    """The tests of a guard; raises ValueError for one that no decision settles."""
    for test in condition:
        if not isinstance(test, Test):
            raise ValueError(f"{test} cannot guard a decision or a constraint")
        yield test


def variables(space: Space) -> Iterator[Variable]:
    """The variables of each decision in order; raises TooManyStates."""
    readers = _readers(space)
    for index, decision in enumerate(space.decisions):
        read = readers[index]
        if decision.domain.size == 0 or not (read.tests or read.values):
            yield _whole(index, decision.domain)
        elif read.values or decision.domain.kind not in (Kind.SET, Kind.MULTISET):
            yield _listed(index, decision, read)
        else:
            yield from _split(index, decision.domain, read.tests)


def _readers(space: Space) -> Mapping[int, Readers]:
    found: defaultdict[int, Readers] = defaultdict(Readers)
    owners: Sequence[Decision | Constraint] = (*space.decisions, *space.constraints)
    for owner in owners:
        for test in tests(owner.guard):
            found[test.decision].tests.append(test.allowed)
    for constraint in space.constraints:
        for chosen in reads(constraint.value):
            found[chosen.decision].values.append(chosen)
    for read in found.values():
        read.tests = list(dict.fromkeys(read.tests))
        read.values = list(dict.fromkeys(read.values))
    return found


def _whole(index: int, domain: Domain) -> Variable:
    total = size(domain)
    branches = (Branch(total, unrank(domain, 0), domain),) if total else ()
    return Variable(index, branches)


def _listed(index: int, decision: Decision, read: Readers) -> Variable:
    if size(decision.domain) > LISTED:
        raise TooManyStates((decision,), LISTED)
    groups: defaultdict[object, list[Pick]] = defaultdict(list)
    for picks in enumerate_domain(decision.domain):
        hit = tuple(not allowed.isdisjoint(picks) for allowed in read.tests)
        values = tuple(settle(c, index, picks) if made(c, picks) else None for c in read.values)
        groups[hit, values].append(picks)
    places = {
        picks: (branch, place)
        for branch, group in enumerate(groups.values())
        for place, picks in enumerate(group)
    }
    branches = tuple(Branch(len(g), g[0], listed=tuple(g)) for g in groups.values())
    return Variable(index, branches, places=places)


def _split(index: int, domain: Domain, read: Sequence[frozenset[int]]) -> Iterator[Variable]:
    groups: defaultdict[tuple[bool, ...], list[int]] = defaultdict(list)
    for member in range(domain.size):
        groups[tuple(member in allowed for allowed in read)].append(member)
    for members in groups.values():
        most = domain.most
        if domain.kind is Kind.SET:
            most = min(most, len(members))
        lengths = (Domain(domain.kind, len(members), n, n) for n in range(most + 1))
        branches = tuple(Branch(size(d), (members[0],) * d.least, d) for d in lengths)
        yield Variable(index, branches, tuple(members))
