"""The network of a space as data flow, for all architectures at once and for one.

A `Body` holds the values of the network or of a cell for every architecture; six kinds of value
are enough. `Network` is what is left of it when an architecture has settled every choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from enasdsl.ir.names import Place
from enasdsl.semantics.symbols import Condition, Num, Scalar, Shape, Spans

# --------------------------------------------------------- for all architectures


@dataclass(frozen=True, slots=True)
class Input:
    """An input, or a state, of the body."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Apply:
    """A primitive operation over values; with weights, `place` says where they stand.

    An operation over many values skips those that are not present. `within` are the nodes,
    operations and alternatives in which it was evaluated, from the outside in.
    """

    op: str
    args: tuple[tuple[str, Num], ...]
    inputs: tuple[int, ...]
    place: str
    shape: Shape
    within: Place = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Select:
    """The branch that `decision` picked in `slot`; a branch is None where it cannot be taken.

    `source` marks a choice of an input, through which operations with weights are pushed.
    """

    decision: int
    slot: int
    branches: tuple[int | None, ...]
    source: bool
    shape: Shape


@dataclass(frozen=True, slots=True)
class Present:
    """`value` where `condition` holds, and nothing elsewhere."""

    value: int
    condition: Condition
    shape: Shape


@dataclass(frozen=True, slots=True)
class Node:
    """A named node or input of a cell, live where `guard` holds: the unit of `earlier` and `loose`.

    `frame` tells apart the cells and blocks that were evaluated in one body.
    """

    name: str
    value: int
    guard: Condition
    frame: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Call:
    """One stamp of a cell: output `output` of `body` over `inputs`, weights under `place`.

    With `states` > 0 the body runs along the sequence: its last `states` inputs are carried from
    step to step, zero at first, and its outputs are the next states; the value is the sequence of
    the first of them. `within` is as that of an Apply.
    """

    body: int
    inputs: tuple[int, ...]
    place: str
    output: int
    states: int
    shape: Shape
    within: Place = field(default=(), compare=False, repr=False)


Value = Input | Apply | Select | Present | Node | Call


@dataclass(frozen=True, slots=True)
class Body:
    """The values of a network or a cell in an order in which each reads only earlier ones."""

    name: str
    values: tuple[Value, ...]
    inputs: int  # the first `inputs` values are Input
    outputs: tuple[int, ...]


# ---------------------------------------------------------- for one architecture


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a network: `inputs` index the network's inputs, then its steps.

    `reads` and `writes` say which channels of the shared weights' input and output axes it uses;
    `reads` has an entry for each input. None means all of them.
    """

    op: str
    args: tuple[tuple[str, Scalar], ...]
    inputs: tuple[int, ...]
    place: str
    shape: Shape
    reads: tuple[Spans, ...] | None = None
    writes: Spans | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """A recurrent cell run along a sequence, batch first; its value is the sequence of states[0].

    `network` takes one time step's inputs, then the states, and gives the next states.
    """

    network: Network
    inputs: tuple[int, ...]
    states: int
    place: str
    shape: Shape
    label: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """A static network: inputs' shapes, steps in order, and which values are the outputs."""

    inputs: tuple[Shape, ...]
    steps: tuple[Step | Scan, ...]
    outputs: tuple[int, ...]
