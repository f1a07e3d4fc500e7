"""Runs a network of many architectures at once, its choices weighed by numbers with gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from enasdsl.ir.graph import Network, Step
from enasdsl.ir.parameters import Places, Region, regions
from enasdsl.ir.relaxing import Blend, Loop, Mix, Share, Support, operations, relax
from enasdsl.ir.space import Architecture
from enasdsl.nn.build import FORWARD
from enasdsl.nn.execute import laid_out
from enasdsl.nn.mode import Args, Forward, Mode
from enasdsl.nn.regularise import ramped
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import WeightStore, cut

States = tuple[Tensor, ...]
Weights = Sequence[Tensor]
"""For each decision the weights of its picks that take part, [picks]."""

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Weighing:
    """Which picks of each decision take part, and with which weights.

    `architecture` is the one that they stand for: that which is run, or the most probable one.
    """

    support: Support
    weights: Weights
    architecture: Architecture

    def detached(self) -> Weighing:
        """The same, without gradients."""
        weights = [weight.detach() for weight in self.weights]
        return Weighing(self.support, weights, self.architecture)


class RelaxedSupernet:
    """A supernet run with weighed choices; the blend of the latest support is remembered."""

    def __init__(self, supernet: Supernet) -> None:
        self.supernet = supernet
        self._latest: tuple[Support, Mixture] | None = None

    def run(
        self, x: Tensor, weighing: Weighing, states: States | None = None
    ) -> tuple[Tensor, States]:
        """The result, and the states of its recurrent cells, each [B, C]."""
        weights = moved(weighing.weights, x.device)
        mixture = self.mixture(weighing.support)
        (y, *_), last = mixture.run(self.supernet, (x,), weights, states, mode=self.supernet.mode)
        return y, last

    def mixture(self, support: Support) -> Mixture:
        """The network of a support, bound."""
        if self._latest is None or self._latest[0] != support:
            blend = relax(self.supernet.space, support)
            self._latest = support, Mixture(blend, self.supernet.places)
        return self._latest[1]

    def operations(self, support: Support) -> Network:
        """The operations that take part, which say which weights are in use."""
        return operations(self.mixture(support).blend)


@dataclass(frozen=True, slots=True)
class Call:
    """One operation, bound."""

    forward: Forward
    inputs: tuple[int, ...]
    args: Args
    regions: tuple[tuple[str, Region], ...]


@dataclass(frozen=True, slots=True)
class Cycle:
    """One recurrent cell, bound; `sequences` says which inputs have a time axis."""

    body: Mixture
    inputs: tuple[int, ...]
    sequences: tuple[bool, ...]
    widths: tuple[int, ...]  # of the states

    def run(
        self, inputs: Sequence[Tensor], states: States | None, fetched: list[Any], mode: Mode
    ) -> tuple[Tensor, States]:
        """The sequence of the first state [B, T, C], and the last states [B, C]."""
        states = states or tuple(inputs[0].new_zeros(len(inputs[0]), w) for w in self.widths)
        columns = [
            x.unbind(1) if sequence else repeat(x)
            for x, sequence in zip(inputs, self.sequences, strict=True)
        ]
        outputs: list[Tensor] = []
        for step in zip(*columns):  # noqa: B905  a vector repeats without end
            states, _ = self.body.execute([*step, *states], fetched, None, mode)
            outputs.append(states[0])
        return torch.stack(outputs, 1), states


class Mixture:
    """A blend bound to torch code; it holds no tensors."""

    def __init__(self, blend: Blend, places: Places) -> None:
        self.blend = blend
        self.steps = tuple(_bound(step, places) for step in ramped(blend.steps))

    def run(
        self,
        store: WeightStore,
        inputs: Sequence[Tensor],
        weights: Weights,
        states: States | None = None,
        *,
        mode: Mode,
    ) -> tuple[tuple[Tensor, ...], States]:
        """The outputs, and the states of all recurrent cells in order, each [B, C]."""
        values = [laid_out(x) for x in inputs]
        return self.execute(values, self.fetch(store, weights), states, mode)

    def fetch(self, store: WeightStore, weights: Weights) -> list[Any]:
        """What each step needs for a run: its tensors, its coefficients, or those of its body."""
        known: dict[object, Tensor] = {}
        return [_fetched(step, store, weights, known) for step in self.steps]

    def execute(
        self,
        values: list[Tensor],
        fetched: Sequence[Any],
        states: States | None,
        mode: Mode,
    ) -> tuple[tuple[Tensor, ...], States]:
        """Like `run`, with what it needs fetched; `values` begins with the inputs."""
        kept: States = ()
        for step, own in zip(self.steps, fetched, strict=True):
            inputs = [values[i] for i in step.inputs]
            if isinstance(step, Cycle):
                carried = states and states[len(kept) : len(kept) + len(step.widths)]
                value, last = step.run(inputs, carried, own, mode)
                kept += last
                if mode.trace is not None:
                    mode.trace.sequences.append(value)
            elif isinstance(step, Mix):
                value = mixed(inputs, own)
            else:
                value = step.forward(inputs, own, step.args, mode)
            values.append(value)
        return tuple(values[i] for i in self.blend.outputs), kept


def _bound(step: Step | Mix | Loop, places: Places) -> Call | Mix | Cycle:
    match step:
        case Mix():
            return step
        case Step():
            own = tuple(regions(step, places).items())
            return Call(FORWARD[step.op], step.inputs, dict(step.args), own)
        case Loop(body):
            widths = tuple(int(s.channels) for s in body.inputs[-step.states :])  # type: ignore[arg-type]
            return Cycle(Mixture(body, places), step.inputs, step.sequences, widths)


def _fetched(
    step: Call | Mix | Cycle, store: WeightStore, weights: Weights, known: dict[object, Tensor]
) -> Any:
    match step:
        case Mix(shares=shares, normal=normal):
            if (shares, normal) not in known:
                known[shares, normal] = coefficients(step, weights)
            return known[shares, normal]
        case Cycle(body):
            return body.fetch(store, weights)
        case Call():
            return {name: cut(store.tensor(*r.key), r.cuts) for name, r in step.regions}


def moved(weights: Weights, device: torch.device) -> Weights:
    """Weights on a device, all at once."""
    if not weights or weights[0].device == device:
        return weights
    found: tuple[Tensor, ...] = torch.split(
        torch.cat(list(weights)).to(device), [len(weight) for weight in weights]
    )
    return found


def coefficients(mix: Mix, weights: Weights) -> Tensor:
    """With how much each input of a mixture counts, [inputs]."""
    one = weights[0].new_ones(())
    found = torch.stack([_product(shares, weights, one) for shares in mix.shares])
    return found / found.sum().clamp(min=_TINY) if mix.normal else found


def _product(shares: Sequence[Share], weights: Weights, one: Tensor) -> Tensor:
    for share in shares:
        one = one * weights[share.decision][list(share.picks)].sum()
    return one


def mixed(inputs: Sequence[Tensor], coefficients: Tensor) -> Tensor:
    """The sum of inputs of one shape, each times its coefficient."""
    first, *others = zip(inputs, coefficients.unbind(), strict=True)
    total = first[0] * first[1]
    for value, coefficient in others:
        total = torch.addcmul(total, value, coefficient)
    return total
