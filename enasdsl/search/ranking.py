"""The best of many architectures, none of a class scored twice (facts 9.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from enasdsl.ir.record import to_token
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.unique import Canon
from enasdsl.ir.unique.isomorphism import TooSymmetric
from enasdsl.search.problem import Measure
from enasdsl.search.strategy import Strategy

_AT_ONCE = 16
_TRIES = 8

Key = Callable[[Architecture], str]


@dataclass(frozen=True, slots=True)
class Ranked:
    """An architecture, what it does on the whole validation part, and its figures and costs."""

    architecture: Architecture
    measure: Measure
    values: Mapping[str, float] = field(default_factory=dict)


def class_key(space: Space) -> Key:
    """What the architectures of one class share under the file's `modulo`, as text.

    Of a file without `modulo`, and where symmetry is too much to untangle, the token.
    """
    if not space.modulo or not space.bodies:
        return to_token
    canon = Canon(space, space.modulo)

    def key(architecture: Architecture) -> str:
        try:
            return canon.key(architecture)
        except TooSymmetric:
            return to_token(architecture)

    return key


def explored(
    strategy: Strategy, wanted: int, key: Key, score: Callable[[Architecture], Ranked]
) -> Iterator[Ranked]:
    """Up to `wanted` architectures of different classes, scored, and their scores told.

    Gives up once new ones hardly come.
    """
    known: dict[str, float] = {}
    for _ in range(_TRIES * -(-wanted // _AT_ONCE)):
        asked = strategy.ask(_AT_ONCE)
        told: list[tuple[Architecture, float]] = []
        for architecture in asked:
            name = key(architecture)
            if name not in known and len(known) < wanted:
                found = score(architecture)
                known[name] = found.measure.reward
                yield found
            if name in known:
                told.append((architecture, known[name]))
        strategy.tell([a for a, _ in told], [reward for _, reward in told])
        if len(known) == wanted:
            return


def ranked(found: Sequence[Ranked]) -> tuple[Ranked, ...]:
    """The same, the best first."""
    return tuple(sorted(found, key=lambda r: r.measure.reward, reverse=True))
