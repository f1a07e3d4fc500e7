"""The torch code of what only passes make (`ir/passes.py`), and which numbers it uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from enasdsl.nn.build import FORWARD
from enasdsl.nn.mode import Args, Forward, Mode, channel_axis


def _channels(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    (x,) = inputs
    return x.narrow(channel_axis(x), args["start"], args["stop"] - args["start"])


def _blend(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    x, y, gate = inputs
    return torch.lerp(x, y, gate)


def stacked(weights: Mapping[str, Tensor], name: str) -> Tensor:
    """The weights of that name of all members, one below the other."""
    found = [w for key, w in weights.items() if key.endswith(name)]
    return found[0] if len(found) == 1 else torch.cat(found)


def _linears(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    if "joined" not in weights:  # kept for all steps of a sequence
        weights["joined"] = stacked(weights, "weight")
    return F.linear(
        inputs[0], weights["joined"], stacked(weights, "bias") if args["bias"] else None
    )


def _halving(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    even, odd = weights.values()  # [C / 2, C, 1, 1]
    kernel = torch.cat((F.pad(even, (0, 1, 0, 1)), F.pad(odd, (1, 0, 1, 0))))
    return F.conv2d(inputs[0], kernel, stride=2)


KERNELS: Mapping[str, Forward] = {
    "channels": _channels,
    "blend": _blend,
    "linears": _linears,
    "halving": _halving,
}


def forward_of(op: str) -> Forward:
    return KERNELS[op] if op in KERNELS else FORWARD[op]


def refuse_second_derivatives() -> None:
    """Raises RuntimeError where autograd asks a gradient of our own to be differentiable."""
    if torch.is_grad_enabled():
        raise RuntimeError(
            "recurrent cells, losses in pieces and native kernels have first derivatives only: "
            "differentiate without create_graph=True"
        )
