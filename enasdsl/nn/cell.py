"""A recurrent cell for the passage along a sequence: which of its calls go back how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from enasdsl.ir.kernels import Kernel, Kernels
from enasdsl.nn.adjoints import ADJOINTS, Adjoint
from enasdsl.nn.mode import Args, Forward


@dataclass(frozen=True, slots=True)
class Part:
    """Channels of a matrix's result, and the value that they are."""

    ref: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """A product with a matrix, cut into parts; an input of the cell may be added to it."""

    ref: int
    source: int
    addend: int | None
    parts: tuple[Part, ...]


class Cell:
    """A cell's body bound to torch code, call by call; `sequences` are inputs with a time axis."""

    def __init__(
        self,
        body: Kernels,
        forwards: Sequence[Forward],
        args: Sequence[Args],
        sequences: tuple[bool, ...],
    ) -> None:
        self.body, self.forwards, self.args, self.sequences = body, forwards, args, sequences
        self.first = len(body.inputs)
        self.readers = _readers(body)
        self.matrices = {m.ref: m for m in _matrices(body, self.readers)}
        self.parts = {part.ref for m in self.matrices.values() for part in m.parts}
        self.adjoints = {ref: a for ref, call in body.numbered() if (a := _adjoint(body, call))}
        known = self.matrices.keys() | self.parts | self.adjoints.keys()
        self.others = [ref for ref, _ in body.numbered() if ref not in known]

    def inputs(self, ref: int) -> tuple[int, ...]:
        """What a call reads."""
        return self.body.calls[ref - self.first].inputs

    def within(self, ref: int) -> Callable[[Tensor], Tensor] | None:
        """The call in place, where its input is a part of a matrix that nothing else reads."""
        adjoint, (source, *_) = self.adjoints[ref], self.inputs(ref)
        return adjoint.within if source in self.parts and self.readers[source] == {ref} else None

    def kept(self) -> set[int]:
        """The values that the way back needs of each step."""
        found = {matrix.source for matrix in self.matrices.values()}
        for ref, adjoint in self.adjoints.items():
            found.update(self.inputs(ref) if adjoint.inputs else ())
            found.update((ref,) if adjoint.result else ())
        return found


def _readers(body: Kernels) -> dict[int, set[int]]:
    """Who reads each value; -1 stands for the outputs."""
    readers: dict[int, set[int]] = {i: set() for i in range(len(body.inputs) + len(body.calls))}
    for ref, call in body.numbered():
        for i in call.inputs:
            readers[i].add(ref)
    for i in body.outputs:
        readers[i].add(-1)
    return readers


def _matrices(body: Kernels, readers: dict[int, set[int]]) -> Iterator[Matrix]:
    """The products of vectors with matrices; without an addend that is read elsewhere too."""
    for ref, call in body.numbered():
        if not isinstance(call, Kernel) or call.op not in ("linear", "linears") or call.shape.space:
            continue
        source, *addend = call.inputs
        if all(i < len(body.inputs) and readers[i] == {ref} for i in addend):
            parts = _parts(body, ref, readers[ref])
            yield Matrix(ref, source, addend[0] if addend else None, parts)


def _parts(body: Kernels, ref: int, readers: set[int]) -> tuple[Part, ...]:
    """The slices of a product, or all of it where something reads all."""
    slices = [(r, body.kernel(r, "channels")) for r in sorted(readers) if r >= 0]
    found = [(r, dict(call.args)) for r, call in slices if call is not None]
    if len(found) < len(readers):
        return (Part(ref, 0, int(body.shape(ref).channels)),)  # type: ignore[arg-type]
    return tuple(Part(r, int(args["start"]), int(args["stop"])) for r, args in found)


def _adjoint(body: Kernels, call: object) -> Adjoint | None:
    if not isinstance(call, Kernel) or any(body.shape(i) != call.shape for i in call.inputs):
        return None
    return ADJOINTS.get(call.op)
