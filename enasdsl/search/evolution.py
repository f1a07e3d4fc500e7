"""Regularised evolution (Real et al. 2019): the oldest dies, and a winner's child is born."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from enasdsl.ir.mutate import mutate
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.search.seeds import restore, seed_of
from enasdsl.semantics.recipe import Recipe

FURTHER = 8
"""More mutations of a child that is the same as a living architecture."""


class Evolution:
    """A population that ages: what is told joins it, and the oldest leaves.

    The first population is `start`, then by chance; after that each architecture is a mutation of
    the best of a few that are drawn from the population, and further where that lives already.
    """

    learns = True

    def __init__(
        self, space: Space, recipe: Recipe, seed: int, start: Sequence[Architecture] = ()
    ) -> None:
        self._space = space
        self._recipe = recipe
        self._seed = seed
        self._settings = recipe.evolution
        self._start = deque(start)
        self._population: deque[tuple[Architecture, float]] = deque(
            maxlen=self._settings.population
        )
        self._draws = random.Random(seed_of(seed, "architectures"))

    def ask(self, n: int) -> tuple[Architecture, ...]:
        return tuple(self._born() for _ in range(n))

    def _born(self) -> Architecture:
        if self._start:
            return self._start.popleft()
        if len(self._population) < self._settings.population:
            return sample(self._space, 1, self._draws)[0]
        rivals = self._draws.choices(self._population, k=self._settings.tournament)
        born = mutate(self._space, max(rivals, key=lambda entry: entry[1])[0], self._draws)
        alive = {architecture for architecture, _ in self._population}
        for _ in range(FURTHER):
            if born not in alive:
                break
            born = mutate(self._space, born, self._draws)
        return born

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> dict[str, float]:
        self._population.extend(zip(architectures, rewards, strict=True))
        known = [reward for _, reward in self._population]
        return {"population": sum(known) / len(known)} if known else {}

    def refined(self) -> Evolution:
        """An evolution that goes on from this population, every member of it scored afresh."""
        alive = dict.fromkeys(architecture for architecture, _ in self._population)
        return Evolution(self._space, self._recipe, self._seed, tuple(alive))

    def state_dict(self) -> dict[str, Any]:
        return {
            "draws": self._draws.getstate(),
            "start": [a.picks for a in self._start],
            "population": [(a.picks, reward) for a, reward in self._population],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        restore(self._draws, state["draws"])
        self._start = deque(map(self._read, state["start"]))
        self._population.clear()
        self._population.extend(
            (self._read(picks), reward) for picks, reward in state["population"]
        )

    def _read(self, picks: Sequence[Sequence[int] | None]) -> Architecture:
        taken = tuple(None if p is None else tuple(p) for p in picks)
        return Architecture(self._space.name, self._space.hash, taken)
