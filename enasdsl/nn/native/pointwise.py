"""Programs of pointwise instructions (`pointwise.cpp`), and how operations are written in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ctypes import addressof, create_string_buffer
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from struct import Struct

import torch
from torch import Tensor

from enasdsl.nn.mode import Args
from enasdsl.nn.native import GRAIN, NUMBER, POINTER, kernel

Step = Callable[[int], object]
"""What is done at step t of a sequence."""
Target = tuple[int, int]
"""The slot of a gradient, and the slot of what it is added to."""

NUMBERS = 4096
"""Numbers of a slot that are worked on at a time: those of some dozen slots stay in the cache."""

_INSTRUCTION, _SLOT = Struct("2i2f10i"), Struct("3q")
_OPERANDS = 10


class Code(IntEnum):
    """The instructions, as `pointwise.cpp` numbers them; results stand before operands.

    Those for gradients read behind each result what it is added to, then the gradient that comes
    back, then values.
    """

    COPY = 0
    FILL = 1
    ADD = 2
    SUBTRACT = 3
    MULTIPLY = 4
    AFFINE = 5
    DIVIDE = 6
    SIGMOID = 7
    TANH = 8
    RELU = 9
    BLEND = 10
    SCALE_BACK = 11
    SIGMOID_BACK = 12
    TANH_BACK = 13
    RELU_BACK = 14
    MULTIPLY_BACK = 15
    BLEND_BACK = 16


class Machine:
    """Slots for matrices of `batch` rows, and programs over them."""

    def __init__(self, batch: int, widest: int) -> None:
        self._call = kernel("pointwise", torch.float32, (POINTER, NUMBER))
        self._batch, self._block = batch, max(1, min(batch, NUMBERS // widest))
        self._threads = min(torch.get_num_threads(), 1 + batch * widest // GRAIN)
        self._slots: list[tuple[int, int, int]] = []
        self._alive: list[object] = []
        self._scratch = self._used = 0
        self.widths: list[int] = []
        zeros = torch.zeros(widest)
        self._alive.append(zeros)
        self.zero = self._slot(zeros.data_ptr(), 0, 0, widest)

    def slot(self, values: Tensor) -> int:
        """A slot for float32 values [T, B, C]; the channels must lie side by side."""
        self._alive.append(values)
        return self._slot(values.data_ptr(), values.stride(0), values.stride(1), values.shape[2])

    def scratch(self, width: int) -> int:
        """A slot for what one program alone knows."""
        at, self._used = self._used, self._used + self._block * width
        self._scratch = max(self._scratch, self._used)
        return self._slot(0, at, width, width)

    def part(self, slot: int, start: int, width: int) -> int:
        """Some channels of a slot."""
        base, step, row = self._slots[slot]
        if base:
            return self._slot(base + 4 * start, step, row, width)
        return self._slot(0, step + start, row, width)

    def _slot(self, base: int, step: int, row: int, width: int) -> int:
        self._slots.append((base, step, row))
        self.widths.append(width)
        return len(self._slots) - 1

    def program(self) -> Program:
        """A new program; the scratch of the one before is used again."""
        self._used = 0
        return Program(self)

    def ready(self, programs: Sequence[Program]) -> list[Step]:
        """The programs as functions of the step."""
        table = create_string_buffer(b"".join([_SLOT.pack(*slot) for slot in self._slots]))
        self._alive.append(table)
        return [self._ready(program, addressof(table)) for program in programs]

    def _ready(self, program: Program, slots: int) -> Step:
        code = create_string_buffer(b"".join(program.code))
        sizes = (self._batch, self._block, self._scratch, self._threads)
        head = (NUMBER * 7)(addressof(code), len(program.code), slots, *sizes)
        self._alive += (code, head)
        return partial(self._call, addressof(head))


class Program:
    """Instructions in order."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.code: list[bytes] = []

    def add(self, code: Code, *slots: int, a: float = 0.0, b: float = 0.0) -> None:
        """One instruction more; its width is that of the first slot."""
        none = (0,) * (_OPERANDS - len(slots))
        width = self.machine.widths[slots[0]]
        self.code.append(_INSTRUCTION.pack(code, width, a, b, *slots, *none))


# ------------------------------------------------------------------------ the way there

Forward = Callable[[Program, int, Sequence[int], Args], None]
"""Writes an operation: the program, the slots of the result and of the inputs, the arguments."""


def _there(code: Code) -> Forward:
    def write(program: Program, out: int, inputs: Sequence[int], args: Args) -> None:
        program.add(code, out, *inputs)

    return write


def _affine(program: Program, out: int, inputs: Sequence[int], args: Args) -> None:
    program.add(Code.AFFINE, out, *inputs, a=args["scale"], b=args["offset"])


def _sum(program: Program, out: int, inputs: Sequence[int], args: Args) -> None:
    first, second, *others = inputs
    program.add(Code.ADD, out, first, second)
    for other in others:
        program.add(Code.ADD, out, out, other)


def _mean(program: Program, out: int, inputs: Sequence[int], args: Args) -> None:
    _sum(program, out, inputs, args)
    program.add(Code.DIVIDE, out, out, a=len(inputs))


def _concat(program: Program, out: int, inputs: Sequence[int], args: Args) -> None:
    for part, source in zip(_parts(program.machine, out, inputs), inputs, strict=True):
        program.add(Code.COPY, part, source)


def _parts(machine: Machine, whole: int, parts: Sequence[int]) -> list[int]:
    """A slot for each part of a slot, of the widths of others."""
    found, start = [], 0
    for width in [machine.widths[part] for part in parts]:
        found.append(machine.part(whole, start, width))
        start += width
    return found


FORWARD: Mapping[str, Forward] = {
    "sigmoid": _there(Code.SIGMOID),
    "tanh": _there(Code.TANH),
    "relu": _there(Code.RELU),
    "blend": _there(Code.BLEND),
    "sum": _sum,
    "mean": _mean,
    "concat": _concat,
    "add": _sum,
    "subtract": _there(Code.SUBTRACT),
    "multiply": _there(Code.MULTIPLY),
    "affine": _affine,
}


# ------------------------------------------------------------------------- the way back


@dataclass(frozen=True, slots=True)
class Known:
    """The slots that an adjoint reads: the result's gradient, the inputs, the result."""

    grad: int
    inputs: Sequence[int]
    result: int
    args: Args


Backward = Callable[[Program, Sequence[Target], Known], None]
"""Writes an adjoint; the targets are the gradients of the inputs."""


def _of_result(code: Code) -> Backward:
    def write(program: Program, targets: Sequence[Target], known: Known) -> None:
        program.add(code, *targets[0], known.grad, known.result)

    return write


def _of_inputs(code: Code) -> Backward:
    def write(program: Program, targets: Sequence[Target], known: Known) -> None:
        program.add(code, *[s for target in targets for s in target], known.grad, *known.inputs)

    return write


def _sum_back(program: Program, targets: Sequence[Target], known: Known) -> None:
    for target in targets:
        program.add(Code.ADD, *target, known.grad)


def _mean_back(program: Program, targets: Sequence[Target], known: Known) -> None:
    part = program.machine.scratch(program.machine.widths[known.grad])
    program.add(Code.DIVIDE, part, known.grad, a=len(targets))
    for target in targets:
        program.add(Code.ADD, *target, part)


def _concat_back(program: Program, targets: Sequence[Target], known: Known) -> None:
    parts = _parts(program.machine, known.grad, [slot for slot, _ in targets])
    for target, part in zip(targets, parts, strict=True):
        program.add(Code.ADD, *target, part)


def _subtract_back(program: Program, targets: Sequence[Target], known: Known) -> None:
    program.add(Code.ADD, *targets[0], known.grad)
    program.add(Code.SUBTRACT, *targets[1], known.grad)


def _affine_back(program: Program, targets: Sequence[Target], known: Known) -> None:
    program.add(Code.SCALE_BACK, *targets[0], known.grad, a=known.args["scale"])


BACKWARD: Mapping[str, Backward] = {
    "sigmoid": _of_result(Code.SIGMOID_BACK),
    "tanh": _of_result(Code.TANH_BACK),
    "relu": _of_result(Code.RELU_BACK),
    "blend": _of_inputs(Code.BLEND_BACK),
    "sum": _sum_back,
    "mean": _mean_back,
    "concat": _concat_back,
    "add": _sum_back,
    "subtract": _subtract_back,
    "multiply": _of_inputs(Code.MULTIPLY_BACK),
    "affine": _affine_back,
}
"""By the name of the operation, as in `nn/adjoints.py`."""
