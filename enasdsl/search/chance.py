"""Strategies that draw by chance alone while the shared weights are trained."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.search.evolution import Evolution
from enasdsl.search.seeds import restore, seed_of
from enasdsl.semantics.recipe import Recipe


class Uniform:
    """Every architecture of the space with the same probability: random search's sampler."""

    learns = False

    def __init__(self, space: Space, recipe: Recipe, seed: int) -> None:
        self._space = space
        self._recipe = recipe
        self._seed = seed
        self._draws = random.Random(seed_of(seed, "architectures"))

    def ask(self, n: int) -> Sequence[Architecture]:
        return sample(self._space, n, self._draws)

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> dict[str, float]:
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"draws": self._draws.getstate()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        restore(self._draws, state["draws"])


class Spos(Uniform):
    """Uniform sampling for the shared weights, then evolution over what they say (Guo et al. 2020).

    The evolution stands in `derive`, where the weights are fixed.
    """

    def refined(self) -> Evolution:
        """An evolution from a population by chance."""
        return Evolution(self._space, self._recipe, self._seed)
