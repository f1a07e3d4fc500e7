"""Averaged SGD: the mean of a network's weights over steps (Polyak & Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from enasdsl.semantics.training import Average


class Averaging:
    """The running mean of all parameters since averaging began.

    With `stalled` it begins, as in Merity et al. 2018, at the first measure that is worse than the
    best of those more than `patience` measures older.
    """

    def __init__(self, module: nn.Module, settings: Average) -> None:
        self._module = module
        self._settings = settings
        self._rewards: list[float] = []
        self._stalled = False
        self._count = 0
        self._means: dict[str, Tensor] = {}

    def told(self, reward: float) -> None:
        """Takes note of a measure on the validation part."""
        if self._settings.kind != "stalled" or self._stalled:
            return
        older = self._rewards[: -self._settings.patience]
        self._stalled = bool(older) and reward < max(older)
        self._rewards.append(reward)

    def step(self, epoch: int) -> None:
        """Takes the present weights into the mean, once it has begun."""
        settings = self._settings
        begun = settings.kind == "epoch" and epoch >= settings.from_epoch
        if not (begun or self._stalled):
            return
        self._count += 1
        with torch.no_grad():
            for name, parameter in self._module.named_parameters():
                mean = self._means.setdefault(name, torch.zeros_like(parameter))
                mean.lerp_(parameter, 1 / self._count)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The module with the means as its weights, where there are any."""
        own = {n: p.detach().clone() for n, p in self._module.named_parameters() if self._count}
        self._write(self._means)
        try:
            yield
        finally:
            self._write(own)

    @torch.no_grad()
    def _write(self, values: Mapping[str, Tensor]) -> None:
        parameters = dict(self._module.named_parameters())
        for name, value in values.items():
            parameters[name].copy_(value)

    def state_dict(self) -> dict[str, Any]:
        return {
            "rewards": list(self._rewards),
            "stalled": self._stalled,
            "count": self._count,
            "means": dict(self._means),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        device = next(self._module.parameters()).device
        self._rewards = list(state["rewards"])
        self._stalled, self._count = state["stalled"], state["count"]
        self._means = {name: mean.to(device) for name, mean in state["means"].items()}
