"""Tensors for the weights that places own: allocation, initial values, names, and slices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import prod, sqrt
from typing import Any, Literal

import torch
from torch import Tensor, nn

from enasdsl.ir.parameters import Owned
from enasdsl.nn.mode import Mode, Trace
from enasdsl.semantics.symbols import Spans

_TRUNCATED = 0.87962566103423978  # deviation of a normal variable cut at twice its own


@dataclass(frozen=True, slots=True)
class Init:
    """How matrices and kernels begin; biases begin at zero, scales at one.

    `he` draws from a normal distribution cut at two deviations, of variance 2 / fan-in, where the
    fan-in counts all axes but the output's, so also for shared weights (He et al. 2015); an
    embedding of size n has variance 1 / n. `uniform` draws from -bound to bound.
    """

    kind: Literal["he", "uniform"] = "he"
    bound: float = 0.1


class WeightStore(nn.Module):
    """A module whose parameters and buffers are called `<place>.<weight>`.

    Since torch splits names at dots, dots and per cent signs within a place are escaped as `%`
    and two hexadecimal digits; a place of a single word ends in `%`, lest it hide an attribute.
    `batch_statistics`, `noise`, `progress` and `trace` say how it is run: see `Mode`.
    """

    batch_statistics = False
    noise: torch.Generator | None = None
    progress = 1.0
    trace: Trace | None = None

    @property
    def mode(self) -> Mode:
        return Mode(self.training, self.batch_statistics, self.noise, self.progress, self.trace)

    def allocate(self, tensors: Iterable[Owned], *, init: Init, generator: torch.Generator) -> None:
        """Adds the tensors with their initial values, on the device of the generator."""
        for owned in tensors:
            value = torch.empty(owned.shape, device=generator.device)
            fill(value, owned, init=init, generator=generator)
            key = escaped(owned.place)
            if key not in self._modules:
                self.add_module(key, nn.Module())
            holder: Any = self._modules[key]
            if owned.weight.buffer:
                holder.register_buffer(owned.weight.name, value)
            else:
                holder.register_parameter(owned.weight.name, nn.Parameter(value))

    def tensor(self, place: str, weight: str) -> Tensor:
        """The whole tensor `weight` of a place; raises KeyError where there is none."""
        module: Any = self._modules[escaped(place)]
        found: Tensor | None = module._parameters.get(weight)
        return module._buffers[weight] if found is None else found


@cache
def escaped(place: str) -> str:
    """The name of a place's module."""
    key = place.replace("%", "%25").replace(".", "%2E")
    return f"{key}%" if key.isidentifier() else key


def fill(value: Tensor, owned: Owned, *, init: Init, generator: torch.Generator) -> None:
    """Writes the initial values of a weight into `value`."""
    match owned.weight.init, init.kind:
        case "zero", _:
            nn.init.zeros_(value)
        case "one", _:
            nn.init.ones_(value)
        case _, "uniform":
            nn.init.uniform_(value, -init.bound, init.bound, generator=generator)
        case "table", _:
            nn.init.normal_(value, std=1 / sqrt(value.shape[-1]), generator=generator)
        case _:
            std = sqrt(2 / fan_in(owned)) / _TRUNCATED
            nn.init.trunc_normal_(value, std=std, a=-2 * std, b=2 * std, generator=generator)


def fan_in(owned: Owned) -> int:
    """How many products are added up in one output of a kernel: all its axes but `out`."""
    pairs = zip(owned.weight.axes, owned.shape, strict=True)
    return prod(size for axis, size in pairs if axis != "out")


def cut(whole: Tensor, cuts: Iterable[tuple[int, Spans]]) -> Tensor:
    """The ranges `cuts` along axes of a tensor: a view, or a copy where an axis has several."""
    for axis, spans in cuts:
        parts = [whole.narrow(axis, start, stop - start) for start, stop in spans]
        whole = parts[0] if len(parts) == 1 else torch.cat(parts, axis)
    return whole


def paste(whole: Tensor, spans: Spans, part: Tensor) -> None:
    """Writes `part` back to the ranges of a vector from which `cut` took it."""
    offset = 0
    for start, stop in spans:
        whole[start:stop].copy_(part[offset : offset + stop - start])
        offset += stop - start
