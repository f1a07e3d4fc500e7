"""Dropout in its kinds, and heads at the side: operations that act while training only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeGuard, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from enasdsl.ir.graph import Step
from enasdsl.nn.mode import Args, Mode, channel_axis

AnyStep = TypeVar("AnyStep")


def mask(x: Tensor, shape: Sequence[int], rate: float, mode: Mode) -> Tensor:
    """Zeros with probability `rate`, otherwise 1 / (1 - rate), in the precision of `x`."""
    keep = 1.0 - rate
    kept = torch.empty(shape, dtype=x.dtype, device=x.device)
    kept.bernoulli_(keep, generator=mode.generator)
    return kept.div_(keep) if keep > 0 else kept


def dropout(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    (x,) = inputs
    if mode.generator is None:
        return F.dropout(x, args["rate"], mode.training)
    return x * mask(x, x.shape, args["rate"], mode) if mode.training else x


def sequence_dropout(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    """In a recurrent cell the mask must outlast one time step, so it is kept with the weights."""
    (x,) = inputs
    if not mode.training or args["rate"] == 0:
        return x
    if "mask" not in weights:
        kept = (0, channel_axis(x) % x.dim())
        shape = [size if axis in kept else 1 for axis, size in enumerate(x.shape)]
        weights["mask"] = mask(x, shape, args["rate"], mode)
    return x * weights["mask"]


def drop_path(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    """Larsson et al. 2017; a rate that grows with training is Zoph et al. 2018's (facts 4.3.4)."""
    (x,) = inputs
    rate = args["rate"] * (mode.progress if args["ramp"] else 1.0)
    if not mode.training or rate == 0:
        return x
    return x * mask(x, [len(x)] + [1] * (x.dim() - 1), rate, mode)


def ramped(steps: Sequence[AnyStep]) -> Iterator[AnyStep | Step]:
    """Steps in which the k-th of n ramped dropped paths has k/n of its rate (facts 4.3.4)."""
    total = sum(map(_ramps, steps))
    count = 0
    for step in steps:
        if _ramps(step):
            count += 1
            args = dict(step.args)
            args["rate"] = float(args["rate"]) * count / total
            yield replace(step, args=tuple(args.items()))
        else:
            yield step


def _ramps(step: object) -> TypeGuard[Step]:
    return isinstance(step, Step) and step.op == "drop_path" and bool(dict(step.args)["ramp"])


def embedding(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    (tokens,) = inputs
    x = F.embedding(tokens, weights["weight"])  # [B, T, C]
    rate = args["word_dropout"]
    return x * _words(tokens, x, rate, mode) if mode.training and rate > 0 else x


def _words(tokens: Tensor, x: Tensor, rate: float, mode: Mode) -> Tensor:
    """A mask [B, T, 1] that is the same wherever in its sequence a word stands (facts 2.2.8)."""
    same = tokens.unsqueeze(2) == tokens.unsqueeze(1)  # [B, T, T]
    first = same.int().argmax(2)
    return mask(x, tokens.shape, rate, mode).gather(1, first).unsqueeze(2)


def auxiliary(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    """The first input; the second, logits, is noted for the loss (Szegedy et al. 2015)."""
    x, logits = inputs
    if mode.trace is not None:
        mode.trace.auxiliary.append(logits)
    return x
