"""Gradients of operations on vectors from what a forward pass has kept, each in a call or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from enasdsl.nn.mode import Args

Values = Sequence[Tensor]
Backward = Callable[[Tensor, Values, Tensor, Args], Sequence[Tensor]]
"""The gradient of a result, the inputs, the result and the arguments, to those of the inputs."""

_aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Adjoint:
    """`inputs` and `result` say what of a call it needs.

    `within` does the call in place of its only input, where there is such a call. The inputs must
    have the shape of the result where they are `alike`.
    """

    backward: Backward
    inputs: bool = False
    result: bool = False
    within: Callable[[Tensor], Tensor] | None = None
    alike: bool = True


def _sigmoid(grad: Tensor, inputs: Values, y: Tensor, args: Args) -> Sequence[Tensor]:
    return (_aten.sigmoid_backward.default(grad, y),)


def _tanh(grad: Tensor, inputs: Values, y: Tensor, args: Args) -> Sequence[Tensor]:
    return (_aten.tanh_backward.default(grad, y),)


def _relu(grad: Tensor, inputs: Values, y: Tensor, args: Args) -> Sequence[Tensor]:
    return (_aten.threshold_backward.default(grad, y, 0),)


def _blend(grad: Tensor, inputs: Values, result: Tensor, args: Args) -> Sequence[Tensor]:
    x, y, gate = inputs
    of_y = grad * gate
    return grad - of_y, of_y, (y - x).mul_(grad)


def _sum(grad: Tensor, inputs: Values, result: Tensor, args: Args) -> Sequence[Tensor]:
    return [grad] * len(inputs)


def _mean(grad: Tensor, inputs: Values, result: Tensor, args: Args) -> Sequence[Tensor]:
    return [grad / len(inputs)] * len(inputs)


def _concat(grad: Tensor, inputs: Values, result: Tensor, args: Args) -> Sequence[Tensor]:
    return torch.split(grad, [x.shape[-1] for x in inputs], -1)


def _subtract(grad: Tensor, inputs: Values, result: Tensor, args: Args) -> Sequence[Tensor]:
    return grad, -grad


def _multiply(grad: Tensor, inputs: Values, result: Tensor, args: Args) -> Sequence[Tensor]:
    x, y = inputs
    return grad * y, grad * x


def _affine(grad: Tensor, inputs: Values, result: Tensor, args: Args) -> Sequence[Tensor]:
    return (grad * args["scale"],)


ADJOINTS: Mapping[str, Adjoint] = {
    "sigmoid": Adjoint(_sigmoid, result=True, within=torch.sigmoid_),
    "tanh": Adjoint(_tanh, result=True, within=torch.tanh_),
    "relu": Adjoint(_relu, result=True, within=torch.relu_),
    "blend": Adjoint(_blend, inputs=True),
    "sum": Adjoint(_sum),
    "mean": Adjoint(_mean),
    "concat": Adjoint(_concat, inputs=True, alike=False),
    "add": Adjoint(_sum),
    "subtract": Adjoint(_subtract),
    "multiply": Adjoint(_multiply, inputs=True),
    "affine": Adjoint(_affine),
}
"""By the name of the operation; all values are vectors."""
