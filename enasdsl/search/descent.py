"""Gradient descent on the weights of a network, shared ones included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from enasdsl.ir.parameters import Region
from enasdsl.nn.weights import WeightStore
from enasdsl.search.errors import SearchError
from enasdsl.semantics.recipe import Weights

PATIENCE = 20
"""Steps in a row without a finite gradient after which training counts as lost."""


class Descent:
    """SGD as a recipe says it.

    What a step does not use rests: neither decay nor momentum moves it (Pham et al. 2018,
    section 2: a parameter is used only when its computation is active); with `inactive: decay`
    both do, as in the authors' code (facts 7.4).
    """

    def __init__(self, store: WeightStore, settings: Weights) -> None:
        self._store = store
        self._settings = settings
        self._parameters = [p for p in store.parameters() if p.requires_grad]
        self._sgd = torch.optim.SGD(
            self._parameters,
            lr=settings.lr,
            momentum=settings.momentum,
            nesterov=settings.nesterov and settings.momentum > 0,
            weight_decay=settings.decay,
        )
        self._moves = settings.momentum > 0 or settings.decay > 0
        self._lost = 0

    def clear(self) -> None:
        """Forgets the gradients."""
        self._sgd.zero_grad(set_to_none=True)

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
        for group in self._sgd.param_groups:
            group["lr"] = lr
        if self._settings.inactive == "decay":
            for parameter in self._parameters:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            self._sgd.step()
            return True
        self._step_resting(self._partial(used) if self._moves else {})
        return True

    def _step_resting(self, partial: Mapping[nn.Parameter, Tensor]) -> None:
        """Steps, then puts back what lies outside the mask of each partly used parameter."""
        before = {p: (p.detach().clone(), self._momentum(p)) for p in partial}
        self._sgd.step()
        with torch.no_grad():
            for parameter, mask in partial.items():
                weight, momentum = before[parameter]
                parameter.copy_(torch.where(mask, parameter, weight))
                after = self._sgd.state[parameter].get("momentum_buffer")
                if after is not None:
                    old = torch.zeros_like(after) if momentum is None else momentum
                    after.copy_(torch.where(mask, after, old))

    def _momentum(self, parameter: nn.Parameter) -> Tensor | None:
        buffer = self._sgd.state.get(parameter, {}).get("momentum_buffer")
        return None if buffer is None else buffer.clone()

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
        return {"sgd": self._sgd.state_dict(), "lost": self._lost}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._sgd.load_state_dict(state["sgd"])
        self._lost = state["lost"]


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
