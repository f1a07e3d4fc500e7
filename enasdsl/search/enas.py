"""The strategy of the paper: a controller that learns from rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.controller import ConstraintError, Controller
from enasdsl.search.errors import SearchError
from enasdsl.search.leaning import biases, leanings
from enasdsl.search.reinforce import Reinforce
from enasdsl.search.seeds import generator
from enasdsl.semantics.recipe import Controller as Settings
from enasdsl.semantics.recipe import Recipe

BELIEFS = 16
"""Architectures over which the entropies of single decisions are averaged."""


class Enas:
    """The controller of the paper, trained by REINFORCE (Pham et al. 2018, section 2.2).

    It stays on the CPU, where an LSTM of this size is fastest. It learns where there is anything
    to decide.
    """

    def __init__(self, space: Space, recipe: Recipe, seed: int) -> None:
        self.controller = controller_of(space, recipe.controller, seed)
        self._reinforce = Reinforce(self.controller, recipe.controller)
        self._draws = generator(seed, "architectures")
        self._seed = seed
        self.learns = bool(space.decisions)

    @torch.no_grad()
    def ask(self, n: int) -> tuple[Architecture, ...]:
        """Draws `n` architectures; raises SearchError where hardly any meets the constraints."""
        try:
            return self.controller.sample(n, self._draws).architectures
        except ConstraintError as error:
            raise SearchError(
                str(error), "try --strategy random, which draws none in vain"
            ) from error

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> dict[str, float]:
        return self._reinforce.update(architectures, rewards)

    def beliefs(self, epoch: int) -> dict[str, float]:
        """The entropy of each decision by its path, over draws that disturb no others."""
        draws = generator(self._seed, "beliefs", epoch)
        found = self.controller.beliefs(BELIEFS, draws)
        decisions = self.controller.space.decisions
        return {d.path: h for d, h in zip(decisions, found, strict=True) if h is not None}

    def state_dict(self) -> dict[str, Any]:
        return {
            "controller": self.controller.state_dict(),
            "reinforce": self._reinforce.state_dict(),
            "draws": self._draws.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.controller.load_state_dict(state["controller"])
        self._reinforce.load_state_dict(state["reinforce"])
        self._draws.set_state(state["draws"])


def controller_of(space: Space, settings: Settings, seed: int) -> Controller:
    """The controller that a recipe asks for, as a search with this seed begins with it.

    Raises SearchError for a preference or a bias of what the space does not choose.
    """
    return Controller(
        space,
        hidden=settings.hidden,
        tanh=settings.tanh,
        temperature=settings.temperature,
        op_tanh_reduce=settings.op_tanh_reduce,
        init=settings.init,
        skip_prior=settings.skip_rate,
        skip_slope=settings.skip_slope,
        distance=settings.distance,
        leanings=leanings(space, "prefer", settings.prefer),
        biases=biases(space, settings.bias),
        generator=generator(seed, "controller"),
    )
