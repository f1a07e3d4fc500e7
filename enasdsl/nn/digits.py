"""The plan by which a controller decides a space, digit by digit; no tensors here.

A decision becomes digits: a softmax over its alternatives for each pick, or, for a set of open
size, one bit for each member. In tensors a decision is a block of columns that hold the picked
indices; `Domain.size` stands where nothing was picked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from enasdsl.ir.space import Architecture, Decision, Domain, Source, Space
from enasdsl.ir.spelling import bitwise, lengthy
from enasdsl.semantics.symbols import Either, Picks, Test, Unread


@dataclass(frozen=True, slots=True)
class Turn:
    """How one decision is taken.

    `anchors` are the slots of the values to attend to, empty where the alternatives are a
    vocabulary. `fresh` are the slots of inputs that are seen for the first time, `keeps` the slot
    that remembers the state after this turn, `lengths` the vocabulary of the number of picks.
    `bits` is whether each member has a bit of its own, `width` the number of columns. `leaning`
    is added to the logits of the alternatives, where it is not empty.
    """

    domain: Domain
    guard: tuple[Test | Either, ...]
    anchors: tuple[int, ...]
    vocabulary: int | None
    lengths: int | None
    fresh: tuple[int, ...]
    keeps: int | None
    bits: bool
    width: int
    leaning: tuple[float, ...] = ()

    @property
    def draws(self) -> tuple[int, ...]:
        """How many random numbers each of its digits takes; a bit takes two."""
        if self.bits:
            return (2 * self.domain.size,)
        lengths = () if self.lengths is None else (self.domain.most - self.domain.least + 1,)
        return lengths + (self.domain.size,) * self.domain.most


@dataclass(frozen=True, slots=True)
class Plan:
    """The turns of a space in order, the sizes of its vocabularies, the number of anchors."""

    turns: tuple[Turn, ...]
    vocabularies: tuple[int, ...]
    anchors: int

    @property
    def draws(self) -> list[int]:
        return [size for turn in self.turns for size in turn.draws]


def plan(space: Space, leanings: Mapping[int, tuple[float, ...]] | None = None) -> Plan:
    """The plan of `space`; `leanings` are what some decisions add to their logits.

    The anchor of a member is the state after the last earlier decision taken at its path or
    below; a member without one is an input, which is shown to the controller when first needed.
    Decisions with the same alternatives share a vocabulary.
    """
    decisions = space.decisions
    origins = list(_origins(decisions))
    slots: dict[int | str, int] = {}
    vocabularies: dict[tuple[object, ...], int] = {}
    needed: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for origin in origins:
        before = len(slots)
        anchors = tuple(slots.setdefault(o, len(slots)) for o in origin)
        inputs = dict.fromkeys(o for o in origin if isinstance(o, str) and slots[o] >= before)
        needed.append((anchors, tuple(slots[o] for o in inputs)))
    turns = tuple(
        Turn(
            decision.domain,
            tuple(_tests(decision)),
            anchors,
            None if anchors else _word(vocabularies, decision),
            _length(vocabularies, decision.domain),
            fresh,
            slots.get(index),
            bits := bitwise(decision.domain),
            decision.domain.size if bits else decision.domain.most,
            (leanings or {}).get(index, ()),
        )
        for index, (decision, (anchors, fresh)) in enumerate(zip(decisions, needed, strict=True))
    )
    return Plan(turns, tuple(_sizes(vocabularies)), len(slots))


def _origins(decisions: Sequence[Decision]) -> Iterator[tuple[int | str, ...]]:
    """For each decision, where its anchors come from: an earlier decision, or an input's path."""
    last: dict[str, int] = {}
    for index, decision in enumerate(decisions):
        members = decision.members if decision.source is Source.INPUT else ()
        yield tuple(last.get(member, member) for member in members)
        parts = decision.scope.split(".")
        last.update((".".join(parts[: n + 1]), index) for n in range(len(parts)))


def _tests(decision: Decision) -> Iterator[Test | Either]:
    for test in decision.guard:
        if isinstance(test, Unread):
            raise TypeError(f"the guard of {decision.path} reads more than earlier decisions")
        yield test


def _word(vocabularies: dict[tuple[object, ...], int], decision: Decision) -> int:
    key = (decision.domain.size, decision.source, decision.labels)
    return vocabularies.setdefault(key, len(vocabularies))


def _length(vocabularies: dict[tuple[object, ...], int], domain: Domain) -> int | None:
    if not lengthy(domain):
        return None
    key = (domain.most - domain.least + 1, domain.least)
    return vocabularies.setdefault(key, len(vocabularies))


def _sizes(vocabularies: dict[tuple[object, ...], int]) -> Iterator[int]:
    for size, *_ in vocabularies:
        assert isinstance(size, int)
        yield size


def decode(
    space: Space, turns: Sequence[Turn], columns: Sequence[Sequence[int]], n: int
) -> tuple[Architecture, ...]:
    """The `n` architectures of these columns, each guarded block followed by its liveness."""
    picks: list[Sequence[Picks]] = []
    at = 0
    for turn in turns:
        block = columns[at : at + turn.width]
        found: Sequence[Picks] = _tuples(turn, block, n)
        at += turn.width
        if turn.guard:
            found = [p if live else None for p, live in zip(found, columns[at], strict=True)]
            at += 1
        picks.append(found)
    rows = zip(*picks, strict=True) if picks else iter([()] * n)
    name, digest = space.name, space.hash
    return tuple(Architecture(name, digest, row) for row in rows)


def _tuples(turn: Turn, block: Sequence[Sequence[int]], n: int) -> list[tuple[int, ...]]:
    size = turn.domain.size
    if not block:
        return [()] * n
    if turn.width == 1:
        singles: list[tuple[int, ...]] = [*((i,) for i in range(size)), ()]
        return [singles[pick] for pick in block[0]]
    rows = zip(*block, strict=True)
    if turn.bits or turn.lengths is not None:
        return [tuple([pick for pick in row if pick < size]) for row in rows]
    return list(rows)


def encode(turn: Turn, picks: Sequence[Picks]) -> list[list[int]]:
    """The columns of one decision, a row for each architecture."""
    size, width = turn.domain.size, turn.width
    if turn.bits:
        sets = [frozenset(p or ()) for p in picks]
        return [[i if i in chosen else size for i in range(size)] for chosen in sets]
    return [[*(p or ()), *[size] * (width - len(p or ()))] for p in picks]
