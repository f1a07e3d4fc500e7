"""What a strategy believes of a space, by many architectures that were drawn from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from enasdsl.ir.graph import Node, Present, Select
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import read_off
from enasdsl.semantics.symbols import Condition, Reading
from enasdsl.view.walking import Walk

Bits = int
"""Of which of the architectures something is true: a number with a bit for each."""


@dataclass(eq=False)
class Beliefs:
    """Architectures as their strategy draws them, and how unsure it is of each decision.

    `entropy` is in nats by the path of a decision, `places` says where in a file it is taken, and
    `origin` who drew.
    """

    readings: tuple[Reading, ...]
    entropy: Mapping[str, float]
    places: Mapping[str, str]
    origin: str
    _known: dict[object, Bits] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        space: Space,
        architectures: Sequence[Architecture],
        *,
        entropy: Mapping[str, float],
        places: Mapping[str, str],
        origin: str,
    ) -> Beliefs:
        """The beliefs that these draws stand for."""
        return cls(tuple(read_off(space, a.picks) for a in architectures), entropy, places, origin)

    def __len__(self) -> int:
        return len(self.readings)

    def share(self, bits: Bits) -> float:
        """Of how many, from 0 to 1, something is true."""
        return bits.bit_count() / len(self)

    def taken(self, decision: int) -> float:
        """The share of those that take a decision."""
        return self.share(self._where(decision, lambda r: r.picks[decision] is not None))

    def shares(self, decision: int, size: int) -> tuple[float, ...]:
        """For each of so many alternatives, the share that picks it."""
        found = Counter(p for r in self.readings for p in set(r.picks[decision] or ()))
        return tuple(found[n] / len(self) for n in range(size))

    def odds(self, decision: int, size: int) -> tuple[float, ...]:
        """For each of so many alternatives, how likely it is where the decision is taken."""
        taken = self.taken(decision)
        return tuple(share / taken if taken else 0.0 for share in self.shares(decision, size))

    def holds(self, condition: Condition) -> Bits:
        """Where a condition holds."""
        return self._where(condition, lambda r: r.holds(condition))

    def picked(self, decision: int, slot: int, index: int) -> Bits:
        """Where a decision picks an alternative in a slot."""

        def picks(reading: Reading) -> bool:
            found = reading.picks[decision] or ()
            return slot < len(found) and found[slot] == index

        return self._where((decision, slot, index), picks)

    def _where(self, key: object, holds: Callable[[Reading], bool]) -> Bits:
        if key not in self._known:
            self._known[key] = sum(1 << n for n, r in enumerate(self.readings) if holds(r))
        return self._known[key]


@dataclass(eq=False)
class Flow:
    """Where the values of a body read the stops of a walk over all of it."""

    walk: Walk
    beliefs: Beliefs
    _known: dict[int, Mapping[int, Bits]] = field(default_factory=dict)

    def shares(self, found: Mapping[int, Bits]) -> dict[int, float]:
        """How often the stops of `sources` or `below` are read."""
        return {stop: self.beliefs.share(bits) for stop, bits in found.items()}

    def sources(self, ref: int) -> Mapping[int, Bits]:
        """The stops that are read on the way to `ref`, itself left out, and where they are."""
        if ref not in self._known:
            found: dict[int, Bits] = {}
            for inner, where in self._inputs(ref):
                for stop, bits in self.below(inner).items():
                    found[stop] = found.get(stop, 0) | bits & where
            self._known[ref] = found
        return self._known[ref]

    def below(self, ref: int) -> Mapping[int, Bits]:
        """The stops that are read on the way to `ref`, which itself may be one."""
        return {ref: self.beliefs.holds(())} if ref in self.walk.stops else self.sources(ref)

    def _inputs(self, ref: int) -> list[tuple[int, Bits]]:
        match self.walk.body.values[ref]:
            case Select(decision=decision, slot=slot, branches=branches):
                return [
                    (branch, self.beliefs.picked(decision, slot, n))
                    for n, branch in enumerate(branches)
                    if branch is not None
                ]
            case Present(value=value, condition=condition) | Node(value=value, guard=condition):
                return [(value, self.beliefs.holds(condition))]
            case _:
                return [(i, self.beliefs.holds(())) for i in self.walk.inputs(ref)]
