"""What torch runs for one architecture: calls of kernels, each made of one or several steps.

The passes of `ir/passes.py` take it to an equal one that is faster; `nn/execute.py` binds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from enasdsl.ir.graph import Network, Scan, Step
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Scalar, Shape


@dataclass(frozen=True, slots=True)
class Kernel:
    """One call. `members` are the steps whose weights it uses.

    `op` is an operation of the registry, or one that only passes make: `channels` (`start` to
    `stop` of its input), `blend` (x + gate * (y - x) of x, y and gate), `linears` (the members'
    results side by side, plus the second input if any), `halving` (likewise, for two convolutions
    of even and of odd pixels).
    """

    op: str
    args: tuple[tuple[str, Scalar], ...]
    inputs: tuple[int, ...]
    shape: Shape
    members: tuple[Step, ...] = ()

    def reading(self, inputs: tuple[int, ...]) -> Kernel:
        """The same call of other values."""
        return Kernel(self.op, self.args, inputs, self.shape, self.members)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A recurrent cell, run along the sequence as a Scan is."""

    body: Kernels
    inputs: tuple[int, ...]
    states: int
    shape: Shape

    def reading(self, inputs: tuple[int, ...]) -> Recurrence:
        """The same call of other values."""
        return Recurrence(self.body, inputs, self.states, self.shape)


Call = Kernel | Recurrence


@dataclass(frozen=True, slots=True)
class Kernels:
    """Calls in order; an index below `len(inputs)` is an input, any other a call."""

    inputs: tuple[Shape, ...]
    calls: tuple[Call, ...]
    outputs: tuple[int, ...]

    def shape(self, ref: int) -> Shape:
        first = len(self.inputs)
        return self.inputs[ref] if ref < first else self.calls[ref - first].shape

    def call(self, ref: int) -> Call | None:
        """What computes a value; None for an input."""
        return None if ref < len(self.inputs) else self.calls[ref - len(self.inputs)]

    def kernel(self, ref: int, op: str) -> Kernel | None:
        """The kernel that computes a value, where it is one of that operation."""
        call = self.call(ref)
        return call if isinstance(call, Kernel) and call.op == op else None

    def numbered(self) -> Iterator[tuple[int, Call]]:
        """The calls with the indices of their values."""
        return enumerate(self.calls, len(self.inputs))


def kernels(network: Network) -> Kernels:
    """A network as kernels, one for each step."""
    return Kernels(network.inputs, tuple(map(_call, network.steps)), network.outputs)


def _call(step: Step | Scan) -> Call:
    if isinstance(step, Scan):
        return Recurrence(kernels(step.network), step.inputs, step.states, step.shape)
    members = (step,) if OPS[step.op].weights else ()
    return Kernel(step.op, step.args, step.inputs, step.shape, members)


@dataclass(slots=True)
class Rewriting:
    """Kernels that are copied one by one into others; `where` says what became of each value."""

    old: Kernels
    inputs: list[Shape] = field(init=False)
    calls: list[Call] = field(default_factory=list)
    where: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = list(self.old.inputs)
        self.where = {i: i for i in range(len(self.inputs))}

    def pending(self) -> Iterator[tuple[int, Call]]:
        """Each call with its old index, reading what its inputs became."""
        for ref, call in self.old.numbered():
            inputs = self.moved(call.inputs)
            yield ref, call if inputs == call.inputs else call.reading(inputs)

    def moved(self, refs: Sequence[int]) -> tuple[int, ...]:
        return tuple([self.where[i] for i in refs])

    def add(self, call: Call) -> int:
        """Appends a call; gives its index."""
        self.calls.append(call)
        return len(self.inputs) + len(self.calls) - 1

    def done(self) -> Kernels:
        return Kernels(tuple(self.inputs), tuple(self.calls), self.moved(self.old.outputs))


def pruned(old: Kernels) -> Kernels:
    """The kernels without those of which no output has need."""
    needed = set(old.outputs)
    for ref, call in reversed(list(old.numbered())):
        if ref in needed:
            needed.update(call.inputs)
    new = Rewriting(old)
    for ref, call in old.numbered():
        if ref in needed:
            new.where[ref] = new.add(call.reading(new.moved(call.inputs)))
    return new.done()
