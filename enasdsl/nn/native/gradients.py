"""The way back along a sequence, with native programs between products of matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from enasdsl.nn.cell import Matrix
from enasdsl.nn.native.passage import NativePassage, ready
from enasdsl.nn.native.pointwise import BACKWARD, Code, Known, Machine, Program, Step, Target

Carried = frozenset[int]
"""The states that have a gradient, by number."""


@dataclass(slots=True)
class Return:
    """The way back; `given` are inputs, states and weights, `wanted` whose gradients are asked.

    `places` are the gradients of the values at each step [T, B, C], most of them in one place for
    all steps. Those of the parts of a product stand in its row, where nothing needs it any more.
    """

    passage: NativePassage
    given: Sequence[Tensor]
    wanted: Sequence[bool]
    outer: Tensor | None = None
    places: dict[int, Tensor] = field(default_factory=dict)
    slots: dict[int, int] = field(default_factory=dict)
    reached: set[int] = field(default_factory=set)

    def go(self, grads: Sequence[Tensor | None]) -> list[Tensor | None]:
        """The gradients of all that was given, from those of the sequence and the last states."""
        inputs = len(self.passage.cell.sequences)
        sequence, *last = grads
        if sequence is not None:
            found = sequence.transpose(0, 1)
            self.outer = found if found.stride(2) == 1 else found.contiguous()
        self._prepare()
        carried = frozenset(self._arriving(last))
        ways: dict[Carried, tuple[list[Step], Carried]] = {}
        for t in reversed(range(self.passage.length)):
            if carried not in ways:
                ways[carried] = _Way(self).steps(carried)
            steps, carried = ways[carried]
            for step in steps:
                step(t)
        states = (self.places[inputs + i][0] if i in carried else None for i in range(len(last)))
        return [*map(self._input, range(inputs)), *states, *self._weights()]

    def _prepare(self) -> None:
        passage, cell = self.passage, self.passage.cell
        for ref in range(cell.first):
            self.places[ref] = passage.room(ref, each=ref < len(cell.sequences))
        self.places.update({ref: p for ref, p in passage.parts.items() if self.direct(ref)})

    def _arriving(self, last: Sequence[Tensor | None]) -> Iterator[int]:
        """The states with a gradient at the end, in their places.

        One whose output the sequence gives a gradient anyway has zeros: it needs no other program.
        """
        inputs, outputs = len(self.passage.cell.sequences), self.passage.cell.body.outputs
        for i, grad in enumerate(last):
            if grad is not None or (self.outer is not None and outputs[i] == outputs[0]):
                self.places[inputs + i][0] = 0.0 if grad is None else grad
                yield i

    def direct(self, ref: int) -> bool:
        """Whether a part's gradient is written where it stands, as its only reader has read it."""
        readers = self.passage.cell.readers[ref]
        return len(readers) == 1 and readers <= self.passage.cell.adjoints.keys()

    def rows(self, ref: int) -> tuple[Tensor, ...]:
        """Where the gradient of a value is at each step."""
        if ref not in self.places:
            self.places[ref] = self.passage.room(ref, each=False)
        return self.places[ref].unbind(0)

    def slot(self, ref: int) -> int:
        """Where a program finds the gradient of a value."""
        if ref not in self.slots:
            if ref not in self.places:
                self.places[ref] = self.passage.room(ref, each=False)
            self.slots[ref] = self.passage.machine.slot(self.places[ref])
        return self.slots[ref]

    # ---------------------------------------------------------------------- what is left

    def _input(self, ref: int) -> Tensor | None:
        """The gradient of an input of the cell, [B, T, C] or [B, C]."""
        if not self.wanted[ref] or ref not in self.reached:
            return None
        whole = self.places[ref]
        return whole.transpose(0, 1) if self.passage.cell.sequences[ref] else whole.sum(0)

    def _weights(self) -> Iterator[Tensor | None]:
        passage = self.passage
        wanted = self.wanted[passage.cell.first :]
        for matrix, asked in zip(passage.cell.matrices.values(), wanted, strict=False):
            source = passage.places[matrix.source].flatten(0, 1)  # [T * B, C]
            yield passage.products[matrix.ref].flatten(0, 1).t() @ source if asked else None
        for ref in passage.biased:
            yield passage.products[ref].sum((0, 1))
        for ref, name in passage.loose:
            yield passage.records[ref].grads.get(name)


class _Way:
    """What one step back does; `known` are the values whose gradient it has begun."""

    def __init__(self, back: Return) -> None:
        self._back, self._passage, self._cell = back, back.passage, back.passage.cell
        self._machine: Machine = back.passage.machine
        self._weights = dict(zip(self._cell.matrices, back.given[self._cell.first :], strict=False))
        self._program: Program = self._machine.program()
        self.known: set[int] = set()

    def steps(self, carried: Carried) -> tuple[list[Step], Carried]:
        """The step where some states have gradients, and which have them then."""
        cell, found = self._cell, list[Step | Program]()
        self._enter(carried)
        for stage in reversed(self._passage.stages):
            for ref in reversed(stage.pointwise):
                if ref in self.known:
                    self._adjoint(ref)
            for ref in stage.torch:
                if ref in cell.matrices:
                    self._collect(cell.matrices[ref])
            found.append(self._program)
            self._program = self._machine.program()
            for ref in reversed(stage.torch):
                if ref in cell.matrices:
                    found.append(self._product(cell.matrices[ref], self._weights[ref]))
                elif ref in self.known:
                    found.append(self._recorded(ref))
        self._leave()
        inputs = len(cell.sequences)
        left = frozenset(ref - inputs for ref in self.known if inputs <= ref < cell.first)
        return ready(self._machine, [*found, self._program]), left

    def _enter(self, carried: Carried) -> None:
        """Gives the outputs their gradients; first copies, as an output may be a state itself."""
        inputs, outputs = len(self._cell.sequences), self._cell.body.outputs
        arrived = []
        for i in sorted(carried):
            copy = self._machine.scratch(self._passage.width(inputs + i))
            self._program.add(Code.COPY, copy, self._back.slot(inputs + i))
            arrived.append((outputs[i], copy))
        if self._back.outer is not None:
            arrived.append((outputs[0], self._machine.slot(self._back.outer)))
        for ref, grad in arrived:
            self._program.add(Code.ADD, *self._target(ref), grad)

    def _leave(self) -> None:
        """An input that is not reached has a gradient of zero, as other steps may reach it."""
        for ref in range(len(self._cell.sequences)):
            if ref in self.known:
                self._back.reached.add(ref)
            else:
                self._program.add(Code.FILL, self._back.slot(ref))

    def _target(self, ref: int) -> Target:
        """The gradient of a value; what comes first is added to zero."""
        slot = self._back.slot(ref)
        old = slot if ref in self.known else self._machine.zero
        self.known.add(ref)
        return slot, old

    def _adjoint(self, ref: int) -> None:
        passage, cell, machine = self._passage, self._cell, self._machine
        adjoint, inputs = cell.adjoints[ref], cell.inputs(ref)
        targets, more = list[Target](), list[Target]()
        for at, i in enumerate(inputs):
            if i not in self.known and i in passage.local:
                self._back.slots[i] = machine.scratch(passage.width(i))
            slot, old = self._target(i)
            if i in inputs[:at]:  # instructions write each result once
                more.append((slot, machine.scratch(passage.width(i))))
                slot, old = more[-1][1], machine.zero
            targets.append((slot, old))
        read = [passage.slot(i) for i in inputs] if adjoint.inputs else []
        result = passage.slot(ref) if adjoint.result else machine.zero
        known = Known(self._back.slot(ref), read, result, cell.args[ref - cell.first])
        BACKWARD[passage.op(ref)](self._program, targets, known)
        for slot, other in more:
            self._program.add(Code.ADD, slot, slot, other)

    def _collect(self, matrix: Matrix) -> None:
        """The gradient of a product takes the place of its result, which nothing needs any more."""
        for part in matrix.parts:
            there = self._passage.parts[part.ref]
            if part.ref not in self.known:
                self._program.add(Code.FILL, self._machine.slot(there))
            elif not self._back.direct(part.ref):
                self._program.add(Code.COPY, self._machine.slot(there), self._back.slot(part.ref))

    def _product(self, matrix: Matrix, weight: Tensor) -> Step:
        rows = self._passage.products[matrix.ref].unbind(0)
        into = self._back.rows(matrix.source)

        def first(t: int) -> None:
            torch.mm(rows[t], weight, out=into[t])

        def further(t: int) -> None:
            into[t].addmm_(rows[t], weight)

        known = matrix.source in self.known
        self.known.add(matrix.source)
        return further if known else first

    def _recorded(self, ref: int) -> Step:
        made, given = self._passage.records[ref], self._back.rows(ref)
        into = []
        for i in self._cell.inputs(ref):
            into.append((self._back.rows(i), i in self.known))
            self.known.add(i)

        def step(t: int) -> None:
            for (rows, known), grad in zip(into, made.backward(t, given[t]), strict=True):
                if grad is not None:
                    rows[t].add_(grad) if known else rows[t].copy_(grad)
                elif not known:
                    rows[t].zero_()

        return step
