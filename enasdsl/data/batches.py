"""An endless shuffled stream of indices whose place can be saved."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TypedDict

import numpy as np
import torch
from torch import Generator, Tensor

from enasdsl.data.errors import DataError


class Place(TypedDict):
    """Where a stream stands: all that is needed to go on exactly as before."""

    seed: int
    batch: int


class Shuffle(Iterator[Tensor]):
    """Batches of indices, int64 [size] on the CPU, cut from one permutation after the other.

    Every batch has the full size, so that one may reach over the end of an epoch, and each index
    comes once in an epoch. `generator` is read once, when the stream is made; what the stream
    gives from there on depends on nothing else.
    """

    def __init__(self, count: int, size: int, generator: Generator) -> None:
        if count < 1 or size < 1:
            raise DataError(f"cannot make batches of {size} from {count} examples")
        self.count = count
        self.size = size
        self.seed = draw_seed(generator)
        self.batch = 0
        self._permutation = lru_cache(maxsize=2)(self._permute)

    @property
    def per_epoch(self) -> int:
        """The number of batches that reach every index at least once, counted from the start."""
        return -(-self.count // self.size)

    def __next__(self) -> Tensor:
        position, stop = self.batch * self.size, (self.batch + 1) * self.size
        parts = []
        while position < stop:
            epoch, start = divmod(position, self.count)
            part = self._permutation(epoch)[start : start + stop - position]
            parts.append(part)
            position += len(part)
        self.batch += 1
        return torch.cat(parts)

    def noise(self) -> Generator:
        """A generator for the random numbers of the batch that was given last."""
        return seeded(self.seed, 1, self.batch)

    def state_dict(self) -> Place:
        return {"seed": self.seed, "batch": self.batch}

    def load_state_dict(self, state: Place) -> None:
        self.seed, self.batch = state["seed"], state["batch"]
        self._permutation.cache_clear()

    def _permute(self, epoch: int) -> Tensor:
        return torch.randperm(self.count, generator=seeded(self.seed, 0, epoch))


def draw_seed(generator: Generator) -> int:
    """A seed drawn from `generator`, on whatever device it lives."""
    return int(torch.randint(2**62, (), generator=generator, device=generator.device))


def seeded(*key: int) -> Generator:
    """A generator on the CPU that depends on all of `key` and is unlike that of any other key."""
    (state,) = np.random.SeedSequence(key).generate_state(1, np.uint64)
    return Generator().manual_seed(int(state >> 1))
