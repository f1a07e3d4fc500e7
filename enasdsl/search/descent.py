"""Gradient descent on the weights of a network, shared ones included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from enasdsl.ir.parameters import Region
from enasdsl.nn.weights import WeightStore
from enasdsl.search.errors import SearchError
from enasdsl.semantics.training import Training, Weights

PATIENCE = 20
"""Steps in a row without a finite gradient after which training counts as lost."""


class Descent:
    """An optimiser as a recipe says it.

    What a step does not use rests: neither decay nor momentum moves it (Pham et al. 2018,
    section 2: a parameter is used only when its computation is active); with `inactive: decay`
    both do, as in the authors' code (facts 7.4).
    """

    def __init__(self, store: WeightStore, settings: Training) -> None:
        self._store = store
        self._settings = settings
        self._parameters = [p for p in store.parameters() if p.requires_grad]
        self._optimizer = _optimizer(self._parameters, settings)
        adaptive = settings.optimizer == "adam"
        self._moves = adaptive or settings.momentum > 0 or settings.decay > 0
        self._glides = isinstance(settings, Weights) and settings.inactive == "decay"
        self._lost = 0

    def clear(self) -> None:
        """Forgets the gradients."""
        self._optimizer.zero_grad(set_to_none=True)

    def step(self, lr: float, used: Iterable[Mapping[tuple[str, str], Region]] = ()) -> bool:
        """Follows the gradients that are there; false where they are not finite and nothing moved.

        `used` says for each architecture of the step which parts of the weights it uses. Raises
        SearchError after PATIENCE steps in a row without a finite gradient.
        """
        bound = self._settings.clip
        norm = nn.utils.clip_grad_norm_(self._parameters, bound or float("inf"))
        if not bool(torch.isfinite(norm)):
            self._count_lost(lr)
            return False
        self._lost = 0
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        if self._glides:
            for parameter in self._parameters:
                if parameter.grad is None and parameter.requires_grad:
                    parameter.grad = torch.zeros_like(parameter)
            self._optimizer.step()
            return True
        self._step_resting(self._partial(used) if self._moves else {})
        return True

    def _step_resting(self, partial: Mapping[nn.Parameter, Tensor]) -> None:
        """Steps, then puts back what lies outside the mask of each partly used parameter."""
        before = {p: [t.clone() for t in self._tensors(p)] for p in partial}
        self._optimizer.step()
        for parameter, mask in partial.items():
            after = self._tensors(parameter)
            fresh = [torch.zeros_like(t) for t in after[len(before[parameter]) :]]
            for tensor, old in zip(after, before[parameter] + fresh, strict=True):
                tensor.copy_(torch.where(mask, tensor, old))

    def _tensors(self, parameter: nn.Parameter) -> list[Tensor]:
        """A parameter, and what the optimiser remembers of each of its numbers."""
        state = self._optimizer.state.get(parameter, {})
        own = [v for v in state.values() if isinstance(v, Tensor) and v.shape == parameter.shape]
        return [parameter.detach(), *own]

    def _partial(
        self, used: Iterable[Mapping[tuple[str, str], Region]]
    ) -> dict[nn.Parameter, Tensor]:
        """What is used of each parameter of which no architecture uses the whole, as masks."""
        masks: dict[nn.Parameter, Tensor] = {}
        whole: set[nn.Parameter] = set()
        for regions in used:
            for key, region in regions.items():
                parameter = self._store.tensor(*key)
                if not isinstance(parameter, nn.Parameter):
                    continue
                if region.cuts:
                    mask = mask_of(region, parameter.device)
                    masks[parameter] = masks[parameter] | mask if parameter in masks else mask
                else:
                    whole.add(parameter)
        return {p: mask for p, mask in masks.items() if p not in whole}

    def _count_lost(self, lr: float) -> None:
        self._lost += 1
        if self._lost >= PATIENCE:
            raise SearchError(
                f"training diverged: no finite gradient in {PATIENCE} steps (learning rate {lr:g})",
                "start again with a smaller --set weights.lr or with --set weights.clip=0.25",
            )

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self._optimizer.state_dict(), "lost": self._lost}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
        self._lost = state["lost"]


def _optimizer(parameters: list[nn.Parameter], settings: Training) -> torch.optim.Optimizer:
    if settings.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=settings.lr, weight_decay=settings.decay)
    return torch.optim.SGD(
        parameters,
        lr=settings.lr,
        momentum=settings.momentum,
        nesterov=settings.nesterov and settings.momentum > 0,
        weight_decay=settings.decay,
    )


def mask_of(region: Region, device: torch.device) -> Tensor:
    """True where a weight lies in a region; broadcasts to the weight's shape."""
    mask = torch.ones([1] * len(region.shape), dtype=torch.bool, device=device)
    for axis, spans in region.cuts:
        line = torch.zeros(region.shape[axis], dtype=torch.bool, device=device)
        for start, stop in spans:
            line[start:stop] = True
        shape = [1] * len(region.shape)
        shape[axis] = -1
        mask = mask & line.view(shape)
    return mask
