"""The best of many sampled architectures, by their rewards with shared weights (facts 9.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from enasdsl.ir.space import Architecture
from enasdsl.search.problem import Measure
from enasdsl.search.strategy import Strategy

_AT_ONCE = 16
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Ranked:
    """An architecture and what it does on the whole validation part with shared weights."""

    architecture: Architecture
    measure: Measure


def distinct(strategy: Strategy, wanted: int) -> Iterator[Architecture]:
    """Up to `wanted` different architectures; gives up once new ones hardly come."""
    seen: set[Architecture] = set()
    for _ in range(_TRIES * -(-wanted // _AT_ONCE)):
        for architecture in strategy.ask(_AT_ONCE):
            if architecture not in seen and len(seen) < wanted:
                seen.add(architecture)
                yield architecture
        if len(seen) == wanted:
            return


def ranked(
    architectures: Sequence[Architecture], measures: Sequence[Measure]
) -> tuple[Ranked, ...]:
    """Architectures with their measures, the best first."""
    found = [Ranked(a, m) for a, m in zip(architectures, measures, strict=True)]
    return tuple(sorted(found, key=lambda r: r.measure.reward, reverse=True))
