"""A recurrent cell run along a sequence, with a gradient of its own.

autograd would record every call of every step, and add up the gradient of each matrix step by
step. Here the steps run unrecorded: the way back calls the adjoints of pointwise operations, and
takes the gradient of each matrix in one product over all steps. Calls that are neither matrices
nor have an adjoint are recorded by autograd, each step by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from enasdsl.nn.cell import Cell, Matrix, columns
from enasdsl.nn.kernels import refuse_second_derivatives, stacked
from enasdsl.nn.mode import Mode
from enasdsl.nn.native import gradients
from enasdsl.nn.native.passage import NativePassage, fits
from enasdsl.nn.recorded import Record, record

Weights = dict[str, Tensor]
Values = list[Any]
"""A tensor for each value of a cell at one step, or its gradient; None where there is none."""
Act = Callable[[Values, int], None]
"""What one call does at one step."""


# ------------------------------------------------------------------------ the way there


def unrolled(
    cell: Cell,
    inputs: Sequence[Tensor],
    states: Sequence[Tensor],
    weights: list[Weights],
    mode: Mode,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The sequence of the first state [B, T, C], and the last states [B, C]."""
    own = {ref: weights[ref - cell.first] for ref in (*cell.matrices, *cell.others)}
    matrices = [stacked(own[ref], "weight") for ref in cell.matrices]
    biased = [ref for ref in cell.matrices if cell.args[ref - cell.first]["bias"]]
    biases = [stacked(own[ref], "bias") for ref in biased]
    loose = [
        (ref, name, w) for ref in cell.others for name, w in own[ref].items() if w.requires_grad
    ]
    names = [(ref, name) for ref, name, _ in loose]
    given = (*inputs, *states, *matrices, *biases, *(w for _, _, w in loose))
    way = NativePassage if cell.native and fits(cell, given) else Passage
    passage = way(cell, mode, own, biased, names)
    sequence, *last = _Unrolled.apply(passage, *given)  # type: ignore[no-untyped-call]
    return sequence, tuple(last)


class _Unrolled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, passage: Passage | NativePassage, *given: Tensor) -> tuple[Tensor, ...]:
        ctx.passage = passage
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given)
        return passage.go(given)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives()
        passage, ctx.passage = ctx.passage, None
        if passage is None:
            raise RuntimeError("the way back along a sequence can be gone only once")
        given, wanted = ctx.saved_tensors, ctx.needs_input_grad[1:]
        if isinstance(passage, NativePassage):
            return None, *gradients.Return(passage, given, wanted).go(grads)
        return None, *Return(passage, given, wanted).go(grads)


@dataclass(slots=True)
class Passage:
    """One way along a sequence, and what is kept of it.

    `products` are the results of matrices [T, B, C], `kept` the values of each step, `records`
    what other calls have kept of it.
    """

    cell: Cell
    mode: Mode
    weights: dict[int, Weights]
    biased: list[int]
    loose: list[tuple[int, str]]
    products: dict[int, Tensor] = field(default_factory=dict)
    kept: list[Values] = field(default_factory=list)
    records: dict[int, Record] = field(default_factory=dict)

    def go(self, given: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The sequence of the first state, and the last states, of inputs, states and weights."""
        cell, inputs = self.cell, len(self.cell.sequences)
        sequences = [x.unbind(0) for x in columns(given[:inputs], cell.sequences)]
        states = list(given[inputs : cell.first])
        acts = self._acts(given, len(sequences[0]), states[0])
        size = cell.first + len(cell.body.calls)
        gone = set(range(size)) - cell.kept()
        outputs = []
        for t, column in enumerate(zip(*sequences, strict=True)):
            values: Values = [*column, *states, *[None] * len(cell.body.calls)]
            for act in acts:
                act(values, t)
            states = [values[ref] for ref in cell.body.outputs]
            outputs.append(states[0])
            for ref in gone:
                values[ref] = None
            self.kept.append(values)
        return torch.stack(outputs, 1), *(state.clone() for state in states)

    def _acts(self, given: Sequence[Tensor], length: int, like: Tensor) -> list[Act]:
        cell, after = self.cell, given[self.cell.first :]
        weights = dict(zip(cell.matrices, after, strict=False))
        biases = dict(zip(self.biased, after[len(weights) :], strict=False))
        found: list[Act] = []
        for ref, _ in cell.body.numbered():
            if ref in cell.matrices:
                shape = (length, like.shape[0], weights[ref].shape[0])
                self.products[ref] = weights[ref].new_empty(shape)
                found.append(self._product(cell.matrices[ref], weights[ref], biases.get(ref)))
            elif ref in cell.adjoints:
                found.append(self._pointwise(ref))
            elif ref in cell.others:
                found.append(self._recorded(ref))
        return found

    def _product(self, matrix: Matrix, weight: Tensor, bias: Tensor | None) -> Act:
        whole = self.products[matrix.ref]
        rows = whole.unbind(0)
        parts = [(p.ref, whole[..., p.start : p.stop].unbind(0)) for p in matrix.parts]
        source, turned, lasting = matrix.source, weight.t(), self.cell.lasting

        def act(values: Values, t: int) -> None:
            if bias is None:
                torch.mm(values[source], turned, out=rows[t])
            else:
                torch.addmm(bias, values[source], turned, out=rows[t])
            for ref, views in parts:
                values[ref] = views[t].clone() if ref in lasting else views[t]

        return act

    def _pointwise(self, ref: int) -> Act:
        at, mode, within = ref - self.cell.first, self.mode, self.cell.within(ref)
        forward, args, inputs = self.cell.forwards[at], self.cell.args[at], self.cell.inputs(ref)
        none: Weights = {}

        def act(values: Values, t: int) -> None:
            values[ref] = forward([values[i] for i in inputs], none, args, mode)

        def act_within(values: Values, t: int) -> None:
            values[ref] = within(values[inputs[0]])  # type: ignore[misc]

        return act_within if within else act

    def _recorded(self, ref: int) -> Act:
        at, inputs = ref - self.cell.first, self.cell.inputs(ref)
        made = record(self.cell.forwards[at], self.weights[ref], self.cell.args[at], self.mode)
        self.records[ref] = made

        def act(values: Values, t: int) -> None:
            values[ref] = made.forward([values[i] for i in inputs])

        return act


# ------------------------------------------------------------------------- the way back


@dataclass(slots=True)
class Return:
    """The way back; `given` are inputs, states and weights, `wanted` whose gradients are asked."""

    passage: Passage
    given: Sequence[Tensor]
    wanted: Sequence[bool]

    def go(self, grads: Sequence[Tensor | None]) -> list[Tensor | None]:
        """The gradients of all that was given, from those of the sequence and the last states."""
        cell, inputs = self.passage.cell, len(self.passage.cell.sequences)
        acts = self._acts()
        sequence, *last = grads
        outer = None if sequence is None else sequence.transpose(0, 1).unbind(0)
        carried: Values = list(last)
        ends: list[Values] = []
        for t in reversed(range(len(self.passage.kept))):
            found: Values = [None] * (cell.first + len(cell.body.calls))
            for ref, grad in zip(cell.body.outputs, carried, strict=True):
                _give(found, ref, grad)
            if outer is not None:
                _give(found, cell.body.outputs[0], outer[t])
            for act in acts:
                act(found, t)
            carried = found[inputs : cell.first]
            ends.append(found[:inputs])
        of_inputs = [self._input(i, [end[i] for end in reversed(ends)]) for i in range(inputs)]
        return [*of_inputs, *carried, *self._weights()]

    def _acts(self) -> list[Act]:
        cell = self.passage.cell
        weights = dict(zip(cell.matrices, self.given[cell.first :], strict=False))
        found: list[Act] = []
        for ref, _ in reversed(list(cell.body.numbered())):
            if ref in cell.matrices:
                found.append(self._matrix(cell.matrices[ref], weights[ref]))
            elif ref in cell.adjoints:
                found.append(self._pointwise(ref))
            elif ref in cell.others:
                found.append(self._recorded(ref))
        return found

    def _matrix(self, matrix: Matrix, weight: Tensor) -> Act:
        """The gradient of a product takes the place of its result, which nothing needs any more."""
        rows = self.passage.products[matrix.ref].unbind(0)
        source = matrix.source
        parts = [(p.ref, p.stop - p.start) for p in matrix.parts]

        def act(found: Values, t: int) -> None:
            row = rows[t]
            grads = [
                row.new_zeros(len(row), width) if found[ref] is None else found[ref]
                for ref, width in parts
            ]
            torch.cat(grads, 1, out=row)
            _give(found, source, torch.mm(row, weight))

        return act

    def _pointwise(self, ref: int) -> Act:
        cell, kept = self.passage.cell, self.passage.kept
        backward, inputs = cell.adjoints[ref].backward, cell.inputs(ref)
        args = cell.args[ref - cell.first]

        def act(found: Values, t: int) -> None:
            if found[ref] is not None:
                values = kept[t]
                read = [values[i] for i in inputs]
                grads = backward(found[ref], read, values[ref], args)
                for i, grad in zip(inputs, grads, strict=True):
                    known = found[i]
                    found[i] = grad if known is None else known + grad

        return act

    def _recorded(self, ref: int) -> Act:
        made, inputs = self.passage.records[ref], self.passage.cell.inputs(ref)

        def act(found: Values, t: int) -> None:
            if found[ref] is not None:
                for i, grad in zip(inputs, made.backward(t, found[ref]), strict=True):
                    _give(found, i, grad)

        return act

    def _input(self, ref: int, grads: Values) -> Tensor | None:
        """The gradient of an input of the cell, [B, T, C] or [B, C]."""
        passage = self.passage
        if not self.wanted[ref]:
            return None
        known = [grad for grad in grads if grad is not None]
        if not known:
            return None
        whole = torch.stack([torch.zeros_like(known[0]) if g is None else g for g in grads], 1)
        return whole if passage.cell.sequences[ref] else whole.sum(1)

    def _weights(self) -> Iterator[Tensor | None]:
        passage = self.passage
        stacks: dict[int, Tensor] = {}
        wanted = self.wanted[passage.cell.first :]
        for matrix, asked in zip(passage.cell.matrices.values(), wanted, strict=False):
            at = matrix.source
            if at not in stacks:
                stacks[at] = torch.cat([values[at] for values in passage.kept])  # [T * B, C]
            yield passage.products[matrix.ref].flatten(0, 1).t() @ stacks[at] if asked else None
        for ref in passage.biased:
            yield passage.products[ref].sum((0, 1))
        for ref, name in passage.loose:
            yield passage.records[ref].grads.get(name)


def _give(found: Values, ref: int, grad: Tensor | None) -> None:
    """Adds to a gradient; none is changed in place, as several values may have the same."""
    if grad is not None:
        found[ref] = grad if found[ref] is None else found[ref] + grad
