"""How a network is run, and what is noted of a run beside its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Args = Mapping[str, Any]


@dataclass(slots=True)
class Trace:
    """What the training of a network looks at beside its result.

    `auxiliary` are the logits of heads at the side, `sequences` the outputs [B, T, C] of its
    recurrent cells, both in the order of the network.
    """

    auxiliary: list[Tensor] = field(default_factory=list)
    sequences: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mode:
    """How a network is run.

    With `batch_statistics`, batch norm always normalises by the batch and keeps nothing; without,
    it keeps running values while training and uses them otherwise. Dropout draws from `generator`,
    or from torch's own generator of the device. `progress` is the share of the training that is
    done, from 0 to 1; `trace`, if any, is filled.
    """

    training: bool = False
    batch_statistics: bool = False
    generator: torch.Generator | None = None
    progress: float = 1.0
    trace: Trace | None = None


Forward = Callable[[Sequence[Tensor], dict[str, Tensor], Args, Mode], Tensor]
"""Inputs, weights by their names in the registry, arguments and mode to a result.

The dict of weights lives as long as one run of the network: over all steps of a sequence.
"""


def channel_axis(x: Tensor) -> int:
    """The axis of the channels: 1 in an image, else the last."""
    return 1 if x.dim() == 4 else -1
