"""A recurrent cell run along a sequence, with native programs between its products of matrices.

As in `nn/recurrence.py` autograd sees the sequence as one call, and each matrix has its gradient
in one product over all steps. What is pointwise between two products is one program at each step.
Products are torch's. What differs from torch in the last bits are exponentials, sums of gradients
in another order, and fused multiplications: over 35 steps of 12 nodes, gradients were as far from
those in double precision as torch's own, 7e-5 to 2e-2 of their norm by the architecture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from enasdsl.nn.cell import Cell, Matrix, columns
from enasdsl.nn.mode import Mode
from enasdsl.nn.native.pointwise import FORWARD, Code, Machine, Program, Step
from enasdsl.nn.recorded import Record, record

Weights = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Stage:
    """Products and other calls of torch, in order, then pointwise calls that need no others."""

    torch: tuple[int, ...]
    pointwise: tuple[int, ...]


def stages(cell: Cell) -> list[Stage]:
    """The calls in an order that keeps pointwise calls together; other calls keep their own."""
    levels = dict.fromkeys(range(cell.first), 0)
    latest = 0
    for ref, call in cell.body.numbered():
        level = max((levels[i] for i in call.inputs), default=0)
        if ref in cell.matrices:
            level += 1
        elif ref in cell.others:
            level = latest = max(level + 1, latest)
        levels[ref] = level
    found: list[tuple[list[int], list[int]]] = [([], []) for _ in range(max(levels.values()) + 1)]
    others = set(cell.others)
    for ref, _ in cell.body.numbered():
        if ref in cell.adjoints:
            found[levels[ref]][1].append(ref)
        elif ref in cell.matrices or ref in others:
            found[levels[ref]][0].append(ref)
    return [Stage(tuple(before), tuple(after)) for before, after in found]


def locals_of(cell: Cell, stages: Sequence[Stage]) -> set[int]:
    """The values that only the program knows that computes them."""
    found: set[int] = set()
    for stage in stages:
        known = set(stage.pointwise)
        found.update(ref for ref in known if cell.readers[ref] <= known)
    return found


def fits(cell: Cell, given: Sequence[Tensor]) -> bool:
    """Whether all values are vectors in single precision, in the memory of the processor."""
    shapes = [cell.body.shape(ref) for ref in range(cell.first + len(cell.body.calls))]
    flat = not any(shape.space or shape.tokens for shape in shapes)
    return flat and all(x.dtype == torch.float32 and x.device.type == "cpu" for x in given)


@dataclass(slots=True)
class NativePassage:
    """One way along a sequence, and what is kept of it.

    `places` are the values [T, B, C] at each step, those that nothing needs later in one place for
    all steps; `products` the results of matrices, likewise; `records` what other calls have kept.
    """

    cell: Cell
    mode: Mode
    weights: dict[int, Weights]
    biased: list[int]
    loose: list[tuple[int, str]]
    stages: list[Stage] = field(init=False)
    local: set[int] = field(init=False)
    machine: Machine = field(init=False)
    length: int = field(init=False)
    tracks: list[Tensor] = field(default_factory=list)
    places: dict[int, Tensor] = field(default_factory=dict)
    slots: dict[int, int] = field(default_factory=dict)
    products: dict[int, Tensor] = field(default_factory=dict)
    parts: dict[int, Tensor] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)

    def go(self, given: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The sequence of the first state, and the last states, of inputs, states and weights."""
        cell, inputs = self.cell, len(self.cell.sequences)
        sequences = columns(given[:inputs], cell.sequences)
        self.length, batch = sequences[0].shape[:2]
        every = range(cell.first + len(cell.body.calls))
        self.machine = Machine(batch, max(self.width(ref) for ref in every))
        self.stages = stages(cell)
        self.local = locals_of(cell, self.stages)
        self._enter(sequences, given[inputs : cell.first])
        steps = self._steps(given[cell.first :])
        for t in range(self.length):
            for step in steps:
                step(t)
        return self.tracks[0][1:].transpose(0, 1).contiguous(), *(
            s[-1].clone() for s in self.tracks
        )

    def width(self, ref: int) -> int:
        return int(self.cell.body.shape(ref).channels)  # type: ignore[arg-type]

    def slot(self, ref: int) -> int:
        """Where a program finds a value."""
        if ref not in self.slots:
            self.slots[ref] = self.machine.slot(self.places[ref])
        return self.slots[ref]

    # ------------------------------------------------------------------------- places

    def _enter(self, sequences: Sequence[Tensor], states: Sequence[Tensor]) -> None:
        """Puts inputs and states in their places; a state's are before and after each step."""
        self.places.update(enumerate(sequences))
        for ref, state in enumerate(states, len(sequences)):
            track = state.new_empty(self.length + 1, *state.shape)
            track[0] = state
            self.tracks.append(track)
            self.places[ref] = track[:-1]
        for ref, track in zip(self.cell.body.outputs, self.tracks, strict=True):
            self.places.setdefault(ref, track[1:])

    def room(self, ref: int, *, each: bool) -> Tensor:
        """Memory for a value [T, B, C]: of each step, or of the present one."""
        batch = self.tracks[0].shape[1]
        some = self.tracks[0].new_empty(self.length if each else 1, batch, self.width(ref))
        return some.expand(self.length, -1, -1)

    # -------------------------------------------------------------------------- steps

    def _steps(self, given: Sequence[Tensor]) -> list[Step]:
        weights = dict(zip(self.cell.matrices, given, strict=False))
        biases = dict(zip(self.biased, given[len(weights) :], strict=False))
        kept, found = self.cell.kept(), list[Step | Program]()
        for stage in self.stages:
            program = self.machine.program()
            for ref in stage.torch:
                if ref in self.cell.matrices:
                    matrix = self.cell.matrices[ref]
                    found.append(self._product(matrix, weights[ref], biases.get(ref)))
                    self._cut(matrix, program)
                else:
                    found.append(self._recorded(ref, each=ref in kept))
            for ref in stage.pointwise:
                self._pointwise(ref, program, each=ref in kept)
            found.append(program)
        self._leave(program)
        return ready(self.machine, found)

    def _leave(self, program: Program) -> None:
        """States whose place is elsewhere are copied behind the last stage."""
        for ref, track in zip(self.cell.body.outputs, self.tracks, strict=True):
            if self.places[ref].data_ptr() != track[1:].data_ptr():
                program.add(Code.COPY, self.machine.slot(track[1:]), self.slot(ref))

    def _product(self, matrix: Matrix, weight: Tensor, bias: Tensor | None) -> Step:
        shape = (self.length, self.tracks[0].shape[1], len(weight))
        self.products[matrix.ref] = whole = weight.new_empty(shape)
        sources, rows, turned = self.places[matrix.source].unbind(0), whole.unbind(0), weight.t()

        def plain(t: int) -> None:
            torch.mm(sources[t], turned, out=rows[t])

        def biased(t: int) -> None:
            torch.addmm(bias, sources[t], turned, out=rows[t])  # type: ignore[arg-type]

        return plain if bias is None else biased

    def _cut(self, matrix: Matrix, program: Program) -> None:
        """The parts of a product stand in it, but those that are needed beyond its gradient."""
        for part in matrix.parts:
            found = self.products[matrix.ref][..., part.start : part.stop]
            self.parts[part.ref] = found
            if part.ref in self.cell.lasting:
                if part.ref not in self.places:
                    self.places[part.ref] = self.room(part.ref, each=True)
                program.add(Code.COPY, self.slot(part.ref), self.machine.slot(found))
            else:
                self.places[part.ref] = found

    def _pointwise(self, ref: int, program: Program, *, each: bool) -> None:
        cell = self.cell
        inputs, args = cell.inputs(ref), cell.args[ref - cell.first]
        if cell.within(ref):
            self.places[ref] = self.places[inputs[0]]
        elif ref not in self.places:
            if ref in self.local and not each:
                self.slots[ref] = self.machine.scratch(self.width(ref))
            else:
                self.places[ref] = self.room(ref, each=each)
        FORWARD[self.op(ref)](program, self.slot(ref), [self.slot(i) for i in inputs], args)

    def op(self, ref: int) -> str:
        return self.cell.body.calls[ref - self.cell.first].op  # type: ignore[union-attr]

    def _recorded(self, ref: int, *, each: bool) -> Step:
        cell = self.cell
        at = ref - cell.first
        if ref not in self.places:
            self.places[ref] = self.room(ref, each=each)
        made = record(cell.forwards[at], self.weights[ref], cell.args[at], self.mode)
        self.records[ref] = made
        into, read = self.rows(ref), [self.rows(i) for i in cell.inputs(ref)]

        def step(t: int) -> None:
            into[t].copy_(made.forward([rows[t] for rows in read]))

        return step

    def rows(self, ref: int) -> tuple[Tensor, ...]:
        """A value at each step."""
        return self.places[ref].unbind(0)


def ready(machine: Machine, found: Sequence[Step | Program]) -> list[Step]:
    """Steps and programs as steps, in order; empty programs are left out."""
    some = [s for s in found if not isinstance(s, Program) or s.code]
    programs: Iterator[Step] = iter(machine.ready([s for s in some if isinstance(s, Program)]))
    return [next(programs) if isinstance(s, Program) else s for s in some]
