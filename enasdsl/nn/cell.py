"""A recurrent cell for the passage along a sequence: which of its calls go back how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from enasdsl.ir.kernels import Kernel, Kernels
from enasdsl.ir.passes import MERGES
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
    """A product with a matrix, cut into parts."""

    ref: int
    source: int
    parts: tuple[Part, ...]


class Cell:
    """A cell's body bound to torch code, call by call; `sequences` are inputs with a time axis.

    With `native`, what lies between products may run as native programs.
    """

    def __init__(
        self,
        body: Kernels,
        forwards: Sequence[Forward],
        args: Sequence[Args],
        sequences: tuple[bool, ...],
        *,
        native: bool = False,
    ) -> None:
        self.body, self.forwards, self.args, self.sequences = body, forwards, args, sequences
        self.native = native
        self.first = len(body.inputs)
        self.readers = _readers(body)
        self.matrices = {m.ref: m for m in _matrices(body, self.readers)}
        self.lasting = {m.source for m in self.matrices.values()} | set(body.outputs)
        self.parts = {part.ref for m in self.matrices.values() for part in m.parts}
        self.adjoints = {ref: a for ref, call in body.numbered() if (a := _adjoint(body, call))}
        known = self.matrices.keys() | self.parts | self.adjoints.keys()
        self.others = [ref for ref, _ in body.numbered() if ref not in known]

    def inputs(self, ref: int) -> tuple[int, ...]:
        """What a call reads."""
        return self.body.calls[ref - self.first].inputs

    def within(self, ref: int) -> Callable[[Tensor], Tensor] | None:
        """The call in place, where its input is a part of a product that nothing else reads.

        A product's place is taken by its gradient: what is needed longer does not stand there.
        """
        adjoint, (source, *_) = self.adjoints[ref], self.inputs(ref)
        alone = source in self.parts and self.readers[source] == {ref}
        return adjoint.within if alone and ref not in self.lasting else None

    def kept(self) -> set[int]:
        """The values that the way back needs of each step."""
        found = {matrix.source for matrix in self.matrices.values()}
        for ref, adjoint in self.adjoints.items():
            found.update(self.inputs(ref) if adjoint.inputs else ())
            found.update((ref,) if adjoint.result else ())
        return found


def columns(inputs: Sequence[Tensor], sequences: Sequence[bool]) -> list[Tensor]:
    """What each input is at each step, [T, B, C]."""
    length = next(x.shape[1] for x, s in zip(inputs, sequences, strict=True) if s)
    return [
        x.transpose(0, 1).contiguous() if s else x.contiguous().expand(length, *x.shape)
        for x, s in zip(inputs, sequences, strict=True)
    ]


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
    """The products of vectors with matrices."""
    for ref, call in body.numbered():
        linear = isinstance(call, Kernel) and call.op in ("linear", "linears")
        if linear and not call.shape.space:
            yield Matrix(ref, call.inputs[0], _parts(body, ref, readers[ref]))


def _parts(body: Kernels, ref: int, readers: set[int]) -> tuple[Part, ...]:
    """The slices of a product, or all of it where something reads all."""
    slices = [(r, body.kernel(r, "channels")) for r in sorted(readers) if r >= 0]
    found = [(r, dict(call.args)) for r, call in slices if call is not None]
    if len(found) < len(readers):
        return (Part(ref, 0, int(body.shape(ref).channels)),)  # type: ignore[arg-type]
    return tuple(Part(r, int(args["start"]), int(args["stop"])) for r, args in found)


def _adjoint(body: Kernels, call: object) -> Adjoint | None:
    if not isinstance(call, Kernel) or (call.op in MERGES and len(call.inputs) == 1):
        return None
    found = ADJOINTS.get(call.op)
    shapes = [body.shape(i) for i in call.inputs]
    if found is None or any(shape.space or shape.tokens for shape in shapes):
        return None
    return found if not found.alike or all(s == call.shape for s in shapes) else None
