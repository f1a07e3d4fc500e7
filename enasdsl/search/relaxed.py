"""Strategies that follow gradients: every choice is weighed, and the weights are learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor

from enasdsl.ir.constraint import satisfied
from enasdsl.ir.rigid import obstacles
from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.preferences import Preferences
from enasdsl.nn.relaxed import Weighing
from enasdsl.search.errors import SearchError
from enasdsl.search.seeds import generator
from enasdsl.semantics.recipe import Recipe

T = TypeVar("T")

ATTEMPTS = 1000
"""Draws for one architecture that meets what the file requires."""
SHOWN = 3
"""Choices that a refusal names."""


class Relaxed(ABC):
    """Logits of all choices, that descend the loss on the validation part.

    What is drawn has the probabilities that they say, and meets what the file requires. Raises
    SearchError for a space whose choices cannot all be weighed.
    """

    learns = False
    name: ClassVar[str]
    soft: ClassVar[bool]
    """Whether all alternatives run at once."""

    def __init__(self, space: Space, recipe: Recipe, seed: int) -> None:
        refuse_rigid(space, self.name, soft=self.soft)
        settings = self.settings = recipe.relaxation
        self.space = space
        self.preferences = Preferences(
            space, init=settings.init, generator=generator(seed, "preferences")
        )
        self.noise = generator(seed, "relaxation")
        self._draws = generator(seed, "architectures")
        self._optimizer = torch.optim.Adam(
            self.preferences.parameters(),
            lr=settings.lr,
            betas=(settings.beta1, settings.beta2),
            weight_decay=settings.decay,
        )

    @abstractmethod
    def weigh(self, progress: float) -> Weighing:
        """The choices for one minibatch, after the share `progress` of the search."""

    def descend(self, loss: Tensor) -> None:
        """One step of the logits down a loss; none where a gradient is not finite."""
        logits = [logit for logit in self.preferences.parameters() if logit.numel()]
        if not logits:
            return
        found = torch.autograd.grad(loss, logits, allow_unused=True)
        if all(bool(g.isfinite().all()) for g in found if g is not None):
            for logit, gradient in zip(logits, found, strict=True):
                logit.grad = gradient
            self._optimizer.step()

    def ask(self, n: int) -> tuple[Architecture, ...]:
        """Draws `n` architectures; raises SearchError where hardly any is lawful."""
        return tuple(self._drawn() for _ in range(n))

    def _drawn(self) -> Architecture:
        return first(lambda: self.preferences.draw(self._draws), self.lawful, self.name)

    def lawful(self, architecture: Architecture) -> bool:
        """Whether an architecture meets what the file requires."""
        return all(satisfied(c, architecture.picks) for c in self.space.constraints)

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> dict[str, float]:
        return {}

    def refined(self) -> Foremost:
        """What proposes the most probable architecture first."""
        return Foremost(self)

    def beliefs(self, epoch: int) -> dict[str, float]:
        """The entropy of each decision by its path."""
        paths = (decision.path for decision in self.space.decisions)
        return dict(zip(paths, self.preferences.entropies(), strict=True))

    def state_dict(self) -> dict[str, Any]:
        return {
            "preferences": self.preferences.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "noise": self.noise.get_state(),
            "draws": self._draws.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.preferences.load_state_dict(state["preferences"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.noise.set_state(state["noise"])
        self._draws.set_state(state["draws"])


class Darts(Relaxed):
    """Differentiable architecture search, first order (Liu et al. 2019, section 2).

    Every alternative runs, times its probability, so memory and time are those of all together.
    What the file requires binds what is drawn and derived, not the mixture.
    """

    name = "darts"
    soft = True

    def weigh(self, progress: float) -> Weighing:
        return self.preferences.mixed()


class Gdas(Relaxed):
    """One architecture a minibatch, by the Gumbel softmax (Dong and Yang 2019, section 3.2).

    Only what is drawn runs; its gradient goes straight through to the shares of what could have
    been drawn, at a temperature that falls in a line.
    """

    name = "gdas"
    soft = False

    def weigh(self, progress: float) -> Weighing:
        settings = self.settings
        temperature = settings.temperature + progress * (settings.coldest - settings.temperature)
        return first(
            lambda: self.preferences.sampled(temperature, self.noise),
            lambda weighing: self.lawful(weighing.architecture),
            self.name,
        )


class Foremost:
    """The most probable architecture, where it is lawful, and after it what is drawn."""

    learns = False

    def __init__(self, inner: Relaxed) -> None:
        probable = inner.preferences.probable()
        self._ready = [probable] if inner.lawful(probable) else []
        self._inner = inner
        self.tell = inner.tell
        self.state_dict = inner.state_dict
        self.load_state_dict = inner.load_state_dict

    def ask(self, n: int) -> tuple[Architecture, ...]:
        ready, self._ready = self._ready[:n], self._ready[n:]
        return (*ready, *self._inner.ask(n - len(ready)))


def first(draw: Callable[[], T], fits: Callable[[T], bool], name: str) -> T:
    """The first draw that fits; raises SearchError where hardly any does."""
    for _ in range(ATTEMPTS):
        drawn = draw()
        if fits(drawn):
            return drawn
    raise SearchError(
        f"of {ATTEMPTS} architectures that `{name}` drew none meets what is required",
        "take --strategy enas, which closes each pick from which nothing lawful follows",
    )


def refuse_rigid(space: Space, name: str, *, soft: bool) -> None:
    """Raises SearchError where the choices of a space cannot all be weighed."""
    if not space.network:
        raise SearchError(
            f"`{name}` follows gradients through a network, and {space.name} has none",
            "take --strategy enas, random or evolution",
        )
    found = obstacles(space, soft=soft)
    if not found:
        return
    lines = list(dict.fromkeys(f"{one.place}: {one.why}" for one in found))
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    text = "".join(f"\n  {line}" for line in [*lines[:SHOWN], *more])
    raise SearchError(
        f"`{name}` weighs every choice by a number, and not all of {space.name} can be:{text}",
        f"{found[0].instead}; or take --strategy {_others(space, soft=soft)}, which search this "
        "space as it is; among those that come along, darts, nasbench201 and nasbench_macro mix",
    )


def _others(space: Space, *, soft: bool) -> str:
    """The strategies that take a space which mixtures do not fit."""
    single = soft and not obstacles(space, soft=False)
    return "gdas, enas, random or evolution" if single else "enas, random or evolution"
