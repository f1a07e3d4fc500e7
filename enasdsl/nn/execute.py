"""Runs a network: its steps bound once to torch code, then a tight loop over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat

import torch
from torch import Tensor

from enasdsl.ir.graph import Network, Step
from enasdsl.ir.kernels import Kernel, Kernels, Recurrence
from enasdsl.ir.parameters import Region
from enasdsl.ir.passes import NATIVE_PASSES, PASSES, lowered
from enasdsl.nn.cell import Cell
from enasdsl.nn.kernels import forward_of
from enasdsl.nn.loss import linear_loss, loss_of
from enasdsl.nn.mode import Args, Forward, Mode
from enasdsl.nn.native.images import NATIVE
from enasdsl.nn.recurrence import unrolled
from enasdsl.nn.regularise import ramped
from enasdsl.nn.weights import WeightStore, cut, paste
from enasdsl.semantics.symbols import Spans

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

    body: Bound
    inputs: tuple[int, ...]
    sequences: tuple[bool, ...]
    widths: tuple[int, ...]  # of the states
    free: tuple[int, ...]
    cell: Cell | None  # where its gradient can be planned
    bindings: tuple[_Binding, ...] = ()  # the body fetches its own

    def run(
        self, inputs: Sequence[Tensor], states: States | None, store: WeightStore, mode: Mode
    ) -> tuple[Tensor, States]:
        """The sequence of the first state [B, T, C], and the last states [B, C]."""
        states = states or self._zeros(inputs[0])
        weights = self.body.fetch(store)
        if self.cell is not None and torch.is_grad_enabled():
            return unrolled(self.cell, inputs, states, weights, mode)
        columns = [
            x.unbind(1) if sequence else repeat(x)
            for x, sequence in zip(inputs, self.sequences, strict=True)
        ]
        outputs: list[Tensor] = []
        for step in zip(*columns):  # noqa: B905  a vector repeats without end
            values = [*step, *states]
            self.body.execute(values, weights, store, mode)
            states = self.body.outputs(values)
            outputs.append(states[0])
        return torch.stack(outputs, 1), states

    def _zeros(self, x: Tensor) -> States:
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        return tuple(
            torch.zeros(x.shape[0], width, dtype=dtype, device=x.device) for width in self.widths
        )


class Program:
    """A network bound to torch code; it holds no tensors, and serves any store with its places.

    With `native`, kernels in C++ run where there are some.
    """

    def __init__(self, network: Network, regions: Regions, *, native: bool = False) -> None:
        self.network = network
        steps = tuple(ramped(network.steps))
        kernels = lowered(replace(network, steps=steps), NATIVE_PASSES if native else PASSES)
        self.bound = Bound(kernels, regions, native=native)

    def run(
        self,
        store: WeightStore,
        inputs: Sequence[Tensor],
        states: States | None = None,
        *,
        mode: Mode,
    ) -> tuple[tuple[Tensor, ...], States]:
        """The outputs, and the states of all recurrent cells in order, each [B, C]."""
        bound = self.bound
        values = [laid_out(x) for x in inputs]
        states = bound.execute(values, bound.fetch(store), store, mode, states)
        return bound.outputs(values), states

    def loss(
        self,
        store: WeightStore,
        inputs: Sequence[Tensor],
        targets: Tensor,
        states: States | None = None,
        *,
        mode: Mode,
    ) -> tuple[Tensor, States]:
        """The mean cross-entropy of the output, and the states, as `run` gives them.

        Where the output is that of a matrix, its logits need not all exist at the same time.
        """
        bound, head = self.bound, self.bound.head
        values, weights = [laid_out(x) for x in inputs], bound.fetch(store)
        if head is None:
            states = bound.execute(values, weights, store, mode, states)
            return loss_of(bound.outputs(values)[0], targets), states
        states = bound.execute(values, weights[:-1], store, mode, states)
        own = weights[-1]
        weight, bias = own["weight"], own.get("bias")
        return linear_loss(values[head], weight, bias, targets, native=bound.native), states


def laid_out(x: Tensor) -> Tensor:
    """Images with the channels of a pixel side by side, which convolutions and norms keep."""
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x


class Bound:
    """Kernels bound to torch code."""

    def __init__(self, kernels: Kernels, regions: Regions, *, native: bool = False) -> None:
        free = _last_uses(kernels)
        self.kernels, self.native = kernels, native
        self.calls: tuple[Call | Loop, ...] = tuple(
            _loop(kernels, call, gone, regions, native=native)
            if isinstance(call, Recurrence)
            else _call(call, gone, regions, native=native)
            for call, gone in zip(kernels.calls, free, strict=True)
        )

        last = kernels.calls[-1] if kernels.calls else None
        alone = kernels.outputs == (len(kernels.inputs) + len(kernels.calls) - 1,)
        linear = isinstance(last, Kernel) and last.op == "linear"
        self.head = last.inputs[0] if last is not None and alone and linear else None
        """What the last call multiplies with a matrix, where that is the only output."""

    def outputs(self, values: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return tuple([values[i] for i in self.kernels.outputs])

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
    ) -> States:
        """Puts results behind the inputs in `values`, as many as there are `weights`; the states.

        What no later call reads is forgotten.
        """
        kept: States = ()
        slots: list[Tensor | None] = values  # type: ignore[assignment]
        for call, own in zip(self.calls, weights, strict=False):
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
        return kept


def _fetch(bindings: tuple[_Binding, ...], store: WeightStore) -> dict[str, Tensor]:
    return {
        name: cut(store.tensor(*key), cuts) if cuts else store.tensor(*key)
        for name, key, cuts in bindings
    }


def _last_uses(kernels: Kernels) -> list[tuple[int, ...]]:
    """For each call the values that it is the last to read, or that nothing ever reads."""
    first = len(kernels.inputs)
    last = {i: max(0, i - first) for i in range(first + len(kernels.calls))}
    for at, call in enumerate(kernels.calls):
        last.update(dict.fromkeys(call.inputs, at))
    free: list[list[int]] = [[] for _ in kernels.calls]
    for value, at in last.items():
        if free and value not in kernels.outputs:
            free[at].append(value)
    return [tuple(gone) for gone in free]


def _call(kernel: Kernel, free: tuple[int, ...], regions: Regions, *, native: bool) -> Call:
    known = NATIVE if native and kernel.shape.space else {}
    forward, args = known.get(kernel.op) or forward_of(kernel.op), dict(kernel.args)
    found = dict(_named(kernel, args, regions))
    scattered = {n: r for n, r in found.items() if r.buffer and len(r.spans[0]) > 1}
    if scattered:
        forward = _written_back(forward, {n: r.spans[0] for n, r in scattered.items()})
    bindings = tuple(
        (name, region.key, () if name in scattered else region.cuts)
        for name, region in found.items()
    )
    return Call(forward, kernel.inputs, args, bindings, free)


def _named(kernel: Kernel, args: Args, regions: Regions) -> Iterator[tuple[str, Region]]:
    """The weights of a call; those of several members are numbered."""
    alone = len(kernel.members) == 1
    for number, member in enumerate(kernel.members):
        for name, region in regions(member).items():
            if alone:
                yield name, region
            elif name != "bias" or args["bias"]:
                yield f"{number}.{name}", region


def _loop(
    kernels: Kernels, call: Recurrence, free: tuple[int, ...], regions: Regions, *, native: bool
) -> Loop:
    states = call.body.inputs[len(call.body.inputs) - call.states :]
    sequences = tuple(bool(kernels.shape(i).space) for i in call.inputs)
    body = Bound(call.body, regions, native=native)
    return Loop(
        body,
        call.inputs,
        sequences,
        tuple(int(s.channels) for s in states),  # type: ignore[arg-type]
        free,
        _cell(body, sequences),
    )


def _cell(bound: Bound, sequences: tuple[bool, ...]) -> Cell | None:
    """A cell with a gradient of its own, where it has matrices and no recurrent cells."""
    calls = [call for call in bound.calls if isinstance(call, Call)]
    if len(calls) < len(bound.calls):
        return None
    forwards, args = [c.forward for c in calls], [c.args for c in calls]
    cell = Cell(bound.kernels, forwards, args, sequences, native=bound.native)
    return cell if cell.matrices else None


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
