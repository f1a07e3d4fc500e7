"""The variables over which a space is counted, each split into picks that nobody tells apart.

A decision that nothing reads is one variable with one branch, whatever the size of its domain. A
set of which guards and constraints ask only how many of certain members it has is one variable for
each group of members that none of them separates, whose branches are the numbers picked of it. A
sequence is one variable for each of its slots. Any other decision that is read is one variable
whose picks are listed and sorted into branches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from enasdsl.ir.constraint import mapped, reads, tests
from enasdsl.ir.domain import Pick, enumerate_domain, rank, size, unrank
from enasdsl.ir.space import Constraint, Decision, Domain, Kind, Space
from enasdsl.semantics.symbols import Chosen, Computed, Counted, Num, Scalar

LISTED = 1 << 16
"""The most picks of one decision of several members that are listed."""

COMPARED = 1 << 20
"""The most members of one decision, times the sets of members that are told apart."""


@dataclass(eq=False)
class TooManyStates(Exception):
    """Counting would have to tell apart more than `limit` ways in which `decisions` were made."""

    decisions: tuple[Decision, ...]
    limit: int

    def __str__(self) -> str:
        paths = [d.path for d in self.decisions]
        more = f" and {len(paths) - 6} more" if len(paths) > 6 else ""
        return (
            f"what it requires ties {', '.join(paths[:6])}{more} together, and there are more than "
            f"{self.limit:,} ways to tell apart; ask for sums, for the order of neighbours or for "
            "how many members are picked, or choose from fewer values"
        )


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
    """A decision, or the part of it that concerns `members` or one `slot`, and its outcomes.

    An outcome is a branch, or None where the decision is not live; None stands last.
    """

    decision: int
    outcomes: tuple[Branch | None, ...]
    members: tuple[int, ...] | None = None
    slot: int | None = None
    places: Mapping[Pick, tuple[int, int]] = field(default_factory=dict)

    def pick(self, branch: Branch, index: int) -> Pick:
        """What the decision picks for this variable."""
        if branch.domain is None:
            return branch.listed[index]
        picks = unrank(branch.domain, index)
        return picks if self.members is None else tuple(self.members[p] for p in picks)

    def locate(self, picks: Pick | None) -> tuple[int, int]:
        """The outcome that the decision's picks are here, and their index in it."""
        if picks is None:
            return len(self.outcomes) - 1, 0
        own = picks if self.slot is None else picks[self.slot : self.slot + 1]
        if self.places:
            return self.places[own]
        outcome = 0
        if self.members is not None:
            own = tuple(self.members.index(p) for p in picks if p in self.members)
            outcome = len(own)
        branch = self.outcomes[outcome]
        assert branch is not None
        assert branch.domain is not None
        return outcome, rank(branch.domain, own)

    def value(self, leaf: Chosen | Counted, outcome: Branch | None) -> Scalar | None:
        """What an outcome makes of a part of a constraint; None where others settle it."""
        if leaf.decision != self.decision:
            return None
        picks = None if outcome is None else outcome.sample
        match leaf:
            case Counted(allowed=allowed):
                foreign = self.members is not None and self.members[0] not in allowed
                return None if foreign else sum(p in allowed for p in picks or ())
            case Chosen(slot=slot):
                if self.slot is None:
                    return leaf.of(picks)
                first = Chosen(self.decision, 0, leaf.values, leaf.missing)
                return first.of(picks) if slot == self.slot else None


@dataclass(slots=True)
class Readers:
    """What later guards and constraints read of one decision."""

    allowed: dict[frozenset[int], None] = field(default_factory=dict)
    values: dict[Chosen, None] = field(default_factory=dict)


def variables(space: Space) -> Iterator[Variable]:
    """The variables of each decision in order; raises TooManyStates."""
    readers = _readers(space)
    for index, decision in enumerate(space.decisions):
        read, domain = readers[index], decision.domain
        dead = (None,) if decision.guard else ()
        if domain.size == 0 or not (read.allowed or read.values):
            yield Variable(index, (*_whole(domain), *dead))
        elif domain.kind is Kind.SEQUENCE:
            for slot, own in enumerate(_by_slot(index, read, domain.most)):
                yield _listed(index, Domain(Kind.ONE, domain.size), own, dead, slot=slot)
        elif read.values or domain.kind not in (Kind.SET, Kind.MULTISET):
            if domain.kind is not Kind.ONE and size(domain) > LISTED:
                raise TooManyStates((decision,), LISTED)
            yield _listed(index, domain, read, dead)
        else:
            if len(read.allowed) * domain.size > COMPARED:
                raise TooManyStates((decision,), COMPARED)
            yield from _split(index, domain, list(read.allowed), dead)


def apart(num: Num, parts: Mapping[int, Sequence[Variable]]) -> Num:
    """`num` with what it reads of a decision of several variables taken apart."""

    def change(leaf: Chosen | Counted) -> Num:
        own = parts[leaf.decision]
        if isinstance(leaf, Chosen) or (own[0].members is None and own[0].slot is None):
            return leaf
        terms = tuple(_share(leaf, variable) for variable in own)
        found = tuple(term for term in terms if term != 0)
        return found[0] if len(found) == 1 else Computed("+", found) if found else 0

    return mapped(num, change)


def _share(leaf: Counted, variable: Variable) -> Num:
    """What one variable of its decision adds to a count."""
    if variable.slot is not None:
        hits = tuple(int(i in leaf.allowed) for i in range(len(variable.places)))
        return Chosen(leaf.decision, variable.slot, hits, 0)
    assert variable.members is not None
    if leaf.allowed.isdisjoint(variable.members):
        return 0
    most = max(len(b.sample) for b in variable.outcomes if b is not None)
    return Counted(leaf.decision, frozenset(variable.members), most)


def _readers(space: Space) -> Mapping[int, Readers]:
    found: defaultdict[int, Readers] = defaultdict(Readers)
    owners: Sequence[Decision | Constraint] = (*space.decisions, *space.constraints)
    for owner in owners:
        for test in tests(owner.guard):
            found[test.decision].allowed[test.allowed] = None
    for constraint in space.constraints:
        for leaf in reads(constraint.value):
            if isinstance(leaf, Chosen):
                found[leaf.decision].values[leaf] = None
            else:
                found[leaf.decision].allowed[leaf.allowed] = None
    return found


def _whole(domain: Domain) -> tuple[Branch, ...]:
    total = size(domain)
    return (Branch(total, unrank(domain, 0), domain),) if total else ()


def _by_slot(index: int, read: Readers, slots: int) -> list[Readers]:
    """What is read of each slot of a sequence, as of a decision that has this slot alone."""
    found = [Readers(read.allowed) for _ in range(slots)]
    for leaf in read.values:
        found[leaf.slot].values[Chosen(index, 0, leaf.values)] = None
    return found


def _listed(
    index: int,
    domain: Domain,
    read: Readers,
    dead: tuple[None, ...],
    *,
    slot: int | None = None,
) -> Variable:
    groups: defaultdict[object, list[Pick]] = defaultdict(list)
    for picks in enumerate_domain(domain):
        hit = tuple(sum(p in allowed for p in picks) for allowed in read.allowed)
        groups[hit, tuple(v.of(picks) for v in read.values)].append(picks)
    places = {
        picks: (branch, place)
        for branch, group in enumerate(groups.values())
        for place, picks in enumerate(group)
    }
    branches = tuple(Branch(len(g), g[0], listed=tuple(g)) for g in groups.values())
    return Variable(index, (*branches, *dead), slot=slot, places=places)


def _split(
    index: int, domain: Domain, read: Sequence[frozenset[int]], dead: tuple[None, ...]
) -> Iterator[Variable]:
    groups: defaultdict[tuple[bool, ...], list[int]] = defaultdict(list)
    for member in range(domain.size):
        groups[tuple(member in allowed for allowed in read)].append(member)
    for members in groups.values():
        most = domain.most
        if domain.kind is Kind.SET:
            most = min(most, len(members))
        lengths = (Domain(domain.kind, len(members), n, n) for n in range(most + 1))
        branches = tuple(Branch(size(d), (members[0],) * d.least, d) for d in lengths)
        yield Variable(index, (*branches, *dead), tuple(members))
