"""Runs a network: its steps bound once to torch code, then a tight loop over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor

from enasdsl.ir.graph import Network, Scan, Step
from enasdsl.ir.parameters import Region
from enasdsl.nn.build import FORWARD
from enasdsl.nn.mode import Args, Forward, Mode
from enasdsl.nn.regularise import ramped
from enasdsl.nn.weights import WeightStore, cut, paste
from enasdsl.semantics.symbols import Shape, Spans

Regions = Callable[[Step], Mapping[str, Region]]
States = tuple[Tensor, ...]

_Cuts = tuple[tuple[int, Spans], ...]
_Binding = tuple[str, tuple[str, str], _Cuts]  # weight of the op, (place, weight), ranges


@dataclass(frozen=True, slots=True)
class Call:
    """One step, bound: `free` are the values that no later step reads."""

    forward: Forward
    inputs: tuple[int, ...]
    args: Args
    bindings: tuple[_Binding, ...]
    free: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """One recurrent cell, bound; `sequences` says which inputs have a time axis."""

    body: Program
    inputs: tuple[int, ...]
    sequences: tuple[bool, ...]
    widths: tuple[int, ...]  # of the states
    free: tuple[int, ...]
    bindings: tuple[_Binding, ...] = ()  # the body fetches its own

    def run(
        self, inputs: Sequence[Tensor], states: States | None, store: WeightStore, mode: Mode
    ) -> tuple[Tensor, States]:
        """The sequence of the first state [B, T, C], and the last states [B, C]."""
        states = states or self._zeros(inputs[0])
        weights = self.body.fetch(store)
        columns = [
            x.unbind(1) if sequence else repeat(x)
            for x, sequence in zip(inputs, self.sequences, strict=True)
        ]
        outputs: list[Tensor] = []
        for step in zip(*columns):  # noqa: B905  a vector repeats without end
            states = self.body.execute([*step, *states], weights, store, mode)[0]
            outputs.append(states[0])
        return torch.stack(outputs, 1), states

    def _zeros(self, x: Tensor) -> States:
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        return tuple(
            torch.zeros(x.shape[0], width, dtype=dtype, device=x.device) for width in self.widths
        )


class Program:
    """A network bound to torch code; it holds no tensors, and serves any store with its places."""

    def __init__(self, network: Network, regions: Regions) -> None:
        shapes = [*network.inputs, *(step.shape for step in network.steps)]
        free = _last_uses(network)
        steps = ramped(network.steps)
        self.network = network
        self.calls: tuple[Call | Loop, ...] = tuple(
            _loop(step, shapes, gone, regions)
            if isinstance(step, Scan)
            else _call(step, gone, regions(step))
            for step, gone in zip(steps, free, strict=True)
        )

    def run(
        self,
        store: WeightStore,
        inputs: Sequence[Tensor],
        states: States | None = None,
        *,
        mode: Mode,
    ) -> tuple[tuple[Tensor, ...], States]:
        """The outputs, and the states of all recurrent cells in order, each [B, C]."""
        return self.execute(list(inputs), self.fetch(store), store, mode, states)

    def fetch(self, store: WeightStore) -> list[dict[str, Tensor]]:
        """The weights of each call, cut out of the shared ones."""
        return [_fetch(call.bindings, store) if call.bindings else {} for call in self.calls]

    def execute(
        self,
        values: list[Tensor],
        weights: list[dict[str, Tensor]],
        store: WeightStore,
        mode: Mode,
        states: States | None = None,
    ) -> tuple[tuple[Tensor, ...], States]:
        """Like `run`, with the weights fetched; `values` begins with the inputs and is used up."""
        kept: States = ()
        slots: list[Tensor | None] = values  # type: ignore[assignment]
        for call, own in zip(self.calls, weights, strict=True):
            inputs = [values[i] for i in call.inputs]
            if isinstance(call, Loop):
                carried = states and states[len(kept) : len(kept) + len(call.widths)]
                value, last = call.run(inputs, carried, store, mode)
                kept += last
                if mode.trace is not None:
                    mode.trace.sequences.append(value)
            else:
                value = call.forward(inputs, own, call.args, mode)
            values.append(value)
            for i in call.free:
                slots[i] = None
        return tuple([values[i] for i in self.network.outputs]), kept


def _fetch(bindings: tuple[_Binding, ...], store: WeightStore) -> dict[str, Tensor]:
    return {
        name: cut(store.tensor(*key), cuts) if cuts else store.tensor(*key)
        for name, key, cuts in bindings
    }


def _last_uses(network: Network) -> list[tuple[int, ...]]:
    """For each step the values that it is the last to read, or that nothing ever reads."""
    first = len(network.inputs)
    last = {i: max(0, i - first) for i in range(first + len(network.steps))}
    for at, step in enumerate(network.steps):
        last.update(dict.fromkeys(step.inputs, at))
    free: list[list[int]] = [[] for _ in network.steps]
    for value, at in last.items():
        if free and value not in network.outputs:
            free[at].append(value)
    return [tuple(gone) for gone in free]


def _call(step: Step, free: tuple[int, ...], regions: Mapping[str, Region]) -> Call:
    forward = FORWARD[step.op]
    scattered = {n: r for n, r in regions.items() if r.buffer and len(r.spans[0]) > 1}
    if scattered:
        forward = _written_back(forward, {n: r.spans[0] for n, r in scattered.items()})
    bindings = tuple(
        (name, region.key, () if name in scattered else region.cuts)
        for name, region in regions.items()
    )
    return Call(forward, step.inputs, dict(step.args), bindings, free)


def _loop(scan: Scan, shapes: Sequence[Shape], free: tuple[int, ...], regions: Regions) -> Loop:
    states = scan.network.inputs[len(scan.network.inputs) - scan.states :]
    return Loop(
        Program(scan.network, regions),
        scan.inputs,
        tuple(bool(shapes[i].space) for i in scan.inputs),
        tuple(int(s.channels) for s in states),  # type: ignore[arg-type]
        free,
    )


def _written_back(forward: Forward, scattered: Mapping[str, Spans]) -> Forward:
    """A step whose buffers lie in several ranges: it works on copies, then writes them back."""

    def call(
        inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
    ) -> Tensor:
        copies = {n: cut(weights[n], ((0, spans),)) for n, spans in scattered.items()}
        y = forward(inputs, {**weights, **copies}, args, mode)
        if mode.training and not mode.batch_statistics:
            for name, spans in scattered.items():
                paste(weights[name], spans, copies[name])
        return y

    return call
