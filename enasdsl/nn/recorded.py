"""Calls of a recurrent cell of which each step is recorded, to go back through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from enasdsl.nn.build import FORWARD
from enasdsl.nn.mode import Args, Forward, Mode

Weights = dict[str, Tensor]


class Record(Protocol):
    """One call over all steps; `grads` are those of its weights, of the steps gone back so far."""

    grads: Weights

    def forward(self, inputs: Sequence[Tensor]) -> Tensor: ...
    def backward(self, t: int, grad: Tensor) -> Sequence[Tensor | None]:
        """The gradients of the inputs of step `t`."""
        ...


def record(forward: Forward, weights: Weights, args: Args, mode: Mode) -> Record:
    if forward is FORWARD["batch_norm"]:
        return BatchNorm(weights, args, mode)
    return Recorded(forward, weights, args, mode)


class Recorded:
    """Any call, recorded by autograd."""

    def __init__(self, forward: Forward, weights: Weights, args: Args, mode: Mode) -> None:
        self._call, self._args, self._mode = forward, args, mode
        self._weights = {n: w.detach().requires_grad_(w.requires_grad) for n, w in weights.items()}
        self._trained = {n: w for n, w in self._weights.items() if w.requires_grad}
        self._steps: list[tuple[Tensor, list[Tensor]]] = []
        self.grads: Weights = {}

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        read = [_copy(x) for x in inputs]
        with torch.enable_grad():
            result = self._call(read, self._weights, self._args, self._mode)
        self._steps.append((result, read))
        return result.detach()

    def backward(self, t: int, grad: Tensor) -> Sequence[Tensor | None]:
        result, read = self._steps[t]
        if not result.requires_grad:
            return [None] * len(read)
        leaves = [x for x in read if x.requires_grad]
        wanted = [*leaves, *self._trained.values()]
        found = iter(torch.autograd.grad(result, wanted, grad, allow_unused=True))
        of_inputs = [next(found) if x.requires_grad else None for x in read]
        for name, of_weight in zip(self._trained, found, strict=True):
            add(self.grads, name, of_weight)
        return of_inputs


def _copy(x: Tensor) -> Tensor:
    """A value that autograd may keep: rows of a product change as others are written."""
    return x.clone().requires_grad_() if x.is_floating_point() else x


class BatchNorm:
    """The normalisation of vectors [B, C] over the batch, without autograd's cost for a call."""

    def __init__(self, weights: Weights, args: Args, mode: Mode) -> None:
        self._scale, self._offset = weights.get("scale"), weights.get("offset")
        kept = not mode.batch_statistics
        self._mean = weights["mean"] if kept else None
        self._variance = weights["variance"] if kept else None
        self._by_batch = mode.batch_statistics or mode.training
        self._momentum, self._eps = args["momentum"], args["eps"]
        self._steps: list[tuple[Tensor, Tensor, Tensor]] = []
        self.grads: Weights = {}

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = inputs[0].clone()
        if len(x) == 1 and self._by_batch and self._mean is not None:
            raise ValueError("running values need more than one example in a batch")
        y, mean, deviation = torch.native_batch_norm(
            x, self._scale, self._offset, self._mean, self._variance,
            self._by_batch, self._momentum, self._eps,
        )  # fmt: skip
        self._steps.append((x, mean, deviation))
        return y

    def backward(self, t: int, grad: Tensor) -> Sequence[Tensor | None]:
        x, mean, deviation = self._steps[t]
        wanted = [True, self._scale is not None, self._offset is not None]
        of_x, of_scale, of_offset = torch.ops.aten.native_batch_norm_backward.default(
            grad, x, self._scale, self._mean, self._variance, mean, deviation,
            self._by_batch, self._eps, wanted,
        )  # fmt: skip
        add(self.grads, "scale", of_scale)
        add(self.grads, "offset", of_offset)
        return (of_x,)


def add(grads: Weights, name: str, grad: Tensor | None) -> None:
    """Adds to a gradient that has been found."""
    if grad is not None:
        known = grads.get(name)
        grads[name] = grad if known is None else known + grad
