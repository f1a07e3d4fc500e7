"""The architectures of a space by number: all of them in order, one, or some drawn uniformly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

from enasdsl.ir.counter import counter
from enasdsl.ir.record import check
from enasdsl.ir.space import Architecture, Space


def unrank(space: Space, index: int) -> Architecture:
    """The architecture numbered `index`; raises ValueError where the space has none."""
    return Architecture(space.name, space.hash, counter(space).unrank(index))


def rank(space: Space, architecture: Architecture) -> int:
    """The number of an architecture; raises RecordError, a ValueError, for a foreign one."""
    check(space, architecture)
    return counter(space).rank(architecture.picks)


def sample(space: Space, n: int, rng: Random) -> tuple[Architecture, ...]:
    """`n` independent architectures, each of the space with the same probability.

    Raises ValueError where constraints leave the space empty.
    """
    return tuple(islice(endless(space, rng), n))


def endless(space: Space, rng: Random) -> Iterator[Architecture]:
    """Architectures like those of `sample`, one after another."""
    found = counter(space)
    if found.count == 0:
        raise ValueError(f"no architecture of `{space.name}` meets its constraints")
    while True:
        picks = found.unrank(rng.randrange(found.count))
        yield Architecture(space.name, space.hash, picks)


def enumerate_space(space: Space) -> Iterator[Architecture]:
    """Every architecture, in the order of their numbers."""
    found = counter(space)
    every = map(found.unrank, range(found.count))
    return (Architecture(space.name, space.hash, picks) for picks in every)
