"""Who proposes architectures: a controller that learns from rewards, or chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch

from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.controller import ConstraintError, Controller
from enasdsl.search.errors import SearchError
from enasdsl.search.reinforce import Reinforce
from enasdsl.search.seeds import generator, seed_of
from enasdsl.semantics.recipe import Controller as Settings


class Strategy(Protocol):
    """A source of architectures that may learn from what they earned.

    One that does not learn is spared the second phase of each epoch.
    """

    @property
    def learns(self) -> bool: ...
    def ask(self, n: int) -> Sequence[Architecture]:
        """Draws `n` architectures."""
        ...

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> Mapping[str, float]:
        """Learns from their rewards; gives figures of the update."""
        ...

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Enas:
    """The controller of the paper, trained by REINFORCE (Pham et al. 2018, section 2.2).

    It stays on the CPU, where an LSTM of this size is fastest. It learns where there is anything
    to decide.
    """

    def __init__(self, space: Space, settings: Settings, seed: int) -> None:
        self.controller = controller_of(space, settings, seed)
        self._reinforce = Reinforce(self.controller, settings)
        self._draws = generator(seed, "architectures")
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


class Uniform:
    """Every architecture of the space with the same probability: random search's sampler."""

    learns = False

    def __init__(self, space: Space, settings: Settings, seed: int) -> None:
        self._space = space
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
        version, words, spare = state["draws"]
        self._draws.setstate((version, tuple(words), spare))


STRATEGIES: Mapping[str, Callable[[Space, Settings, int], Strategy]] = {
    "enas": Enas,
    "random": Uniform,
}


def controller_of(space: Space, settings: Settings, seed: int) -> Controller:
    """The controller that a recipe asks for, as a search with this seed begins with it."""
    return Controller(
        space,
        hidden=settings.hidden,
        tanh=settings.tanh,
        temperature=settings.temperature,
        op_tanh_reduce=settings.op_tanh_reduce,
        init=settings.init,
        skip_prior=settings.skip_rate,
        generator=generator(seed, "controller"),
    )


def check_strategy(name: str) -> str:
    """The name of a strategy; raises SearchError for one that does not exist."""
    if name not in STRATEGIES:
        raise SearchError(f"no strategy is named `{name}`", f"there are: {', '.join(STRATEGIES)}")
    return name


def strategy_of(name: str, space: Space, settings: Settings, seed: int) -> Strategy:
    """The strategy of that name; raises SearchError for one that does not exist."""
    return STRATEGIES[check_strategy(name)](space, settings, seed)
