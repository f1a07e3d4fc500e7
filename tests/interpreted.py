"""What the second road from a file to a network computes with: values, steps, operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Shape
from enasdsl.source import Span
from enasdsl.syntax import ast

Key = tuple[object, ...]
Name = tuple[int, str]  # number of a frame, name of a node or an input
WIDTHS = ("filters", "hidden")


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor: made by step `at` of its graph, or its input where `at` is negative.

    `picked` is the choice of an input that led to it; `reads` are the nodes that its computation
    ends in; `name` tells apart the nodes and inputs of cells. `edges` are the reads that no `zero`
    cuts, and `flows` all nodes and inputs whose data gets here.
    """

    at: int
    shape: Shape
    stride: int = 1
    picked: Key = ()
    reads: frozenset[Name] = frozenset()
    name: Name | None = None
    edges: frozenset[Name] = frozenset()
    flows: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class Made:
    """One step: a primitive, or a recurrent cell with a graph of its own."""

    op: str
    args: dict[str, object]
    inputs: tuple[int, ...]
    shape: Shape
    weights: Key
    cell: Graph | None = None


@dataclass(slots=True)
class Graph:
    """The steps of a network or of a recurrent cell; inputs are numbered -1, -2 and so on."""

    inputs: int = 0
    steps: list[Made] = field(default_factory=list)
    outputs: tuple[int, ...] = ()

    def input(self, shape: Shape) -> Value:
        self.inputs += 1
        return Value(-self.inputs, shape)


@dataclass(frozen=True, slots=True)
class Settled:
    """A number or truth that came out of a decision."""

    value: Any
    key: Key


@dataclass(frozen=True, slots=True)
class Op:
    """An operation: a primitive, a composed one, a cell, or what `run` says."""

    what: object
    given: dict[str, Any] = field(default_factory=dict)
    run: Callable[[list[Any], Env, Span], Any] | None = None
    stages: tuple[tuple[Op, Span], ...] = ()
    times: Times | None = None
    changes: tuple[ast.Change, ...] = ()
    text: str = ""  # of the alternative that was picked
    member: int | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """`op * count`, or a `repeat` whose body is evaluated each time with the names of `home`."""

    what: Op | ast.Repeat
    count: int
    home: Env
    span: Span


@dataclass(frozen=True, slots=True)
class Absent:
    """What is left out of this architecture."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a list, with its position among all that could be there."""

    position: int
    value: Any


@dataclass(slots=True)
class Frame:
    """The inputs and nodes of a cell so far."""

    number: int
    align: ast.Expr | None
    place: Key
    inputs: list[Value] = field(default_factory=list)
    nodes: list[Value] = field(default_factory=list)
    read: set[Name] = field(default_factory=set)
    edges: dict[Name, int] = field(default_factory=dict)  # into each node
    mended: dict[Key, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Env:
    """Where an expression is evaluated.

    `site` leads to it in its cell, where it is decided once; `place` leads to it in the network.
    """

    graph: Graph
    names: dict[str, Any]
    widths: dict[str, Any]
    own: Any = None  # the width of what the innermost operation or cell reads
    cell: str = ""
    site: Key = ()
    place: Key = ()
    stride: int = 1
    frame: Frame | None = None

    def at(self, *key: object, **names: Any) -> Env:
        return replace(
            self,
            names={**self.names, **names},
            site=(*self.site, key),
            place=(*self.place, key),
        )


NONE: frozenset[Name] = frozenset()


class Unspoken(Exception):
    """A construct that this road does not know: the comparison ends, and is no agreement."""

    def __init__(self, what: str, span: Span) -> None:
        super().__init__(f"the second interpreter does not know {what}, as in `{span.text}`")


class Unmet(Exception):
    """The architecture breaks a requirement."""


def joined(value: Value, inputs: Sequence[Value]) -> Value:
    """A value that reads what its inputs read."""
    reads = NONE.union(*(i.reads for i in inputs))
    edges = NONE.union(*(i.edges for i in inputs))
    return replace(value, reads=reads, edges=edges, flows=NONE.union(*(i.flows for i in inputs)))


def known(value: Value, key: Name) -> Value:
    """A node or an input, behind which what it reads of its frame is hidden."""
    reads, edges = (
        frozenset(r for r in found if r[0] != key[0]) | {key}
        for found in (value.reads, value.edges)
    )
    flows = value.flows | {key}
    return replace(value, picked=(), name=key, reads=reads, edges=edges, flows=flows)


def gather(body: ast.Body, inner: Env, outer: Env) -> None:
    """A name bound in a body is, outside it, the list of its values."""
    for s in body.statements:
        for target in s.targets if isinstance(s, ast.Let) else ():
            before = outer.names.setdefault(target.text, [])
            before.append(Member(len(before), inner.names[target.text]))


def arguments(op: Op, x: Value, env: Env) -> dict[str, Any]:
    """The arguments of a primitive, those in force and the pending stride among them."""
    spec = OPS[str(op.what)]
    args = {}
    for p in spec.parameters:
        value = op.given.get(p.name)
        if value is None and p.implicit in WIDTHS:
            value = op.given.get(
                p.implicit, env.widths.get(p.implicit, env.own or x.shape.channels)
            )
        args[p.name] = plain(p.default if value is None else value)
    if spec.strides:
        args["stride"] = op.given.get("stride", x.stride)
    return args


def plain(value: Any) -> Any:
    return value.value if isinstance(value, Settled) else value


def where(span: Span) -> Key:
    return (span.source.name, span.start, span.stop)


def bare(e: ast.Expr) -> str:
    return "".join(e.span.text.split())


def identity(value: Any, e: ast.Expr) -> object:
    """What two chosen operations or values are compared by."""
    return value.name if isinstance(value, Value) else value.text or bare(e)


def listed(members: list[Member]) -> list[Any]:
    return [m.value for m in members]


def is_numeric(arguments: list[Any]) -> bool:
    flat = [v for a in arguments for v in (listed(a) if isinstance(a, list) else [a])]
    return bool(flat) and all(isinstance(plain(v), int | float) for v in flat)


FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "sum": sum,
    "product": prod,
    "min": min,
    "max": max,
    "count": len,
    "abs": lambda numbers: abs(numbers[0]),
    "all": all,
    "any": any,
    "sorted": lambda numbers: numbers == sorted(numbers),
    "distinct": lambda numbers: len(set(numbers)) == len(numbers),
    "edges": len,
    "reachable": len,
}
