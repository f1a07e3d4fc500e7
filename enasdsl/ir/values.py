"""What an expression can be while a file is lowered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from enasdsl.semantics.ops import OpSpec
from enasdsl.semantics.symbols import Condition, Num, Shape
from enasdsl.source import Span
from enasdsl.syntax import ast


@dataclass(frozen=True, slots=True)
class Tensor:
    """Value `ref` of the body that is being built.

    `stride` is pending: an input of a cell with stride 2 waits for the first operation that can
    take it. `origin` is where the value comes from, for messages.
    """

    ref: int
    shape: Shape
    stride: int
    origin: Span = field(compare=False)

    @property
    def target(self) -> tuple[int, ...]:
        """Height and width once the pending stride is taken."""
        return tuple(-(-s // self.stride) for s in self.shape.space)


@dataclass(frozen=True, slots=True)
class Picked:
    """The input that a decision picks; operations are applied to each branch by itself."""

    decision: int
    slot: int
    branches: tuple[Tensor, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A member of a list: present where `condition` holds; `path` names a node or an input.

    One that is `named` is written as a name: if that is of a list, a choice has its members.
    """

    value: Lowered
    condition: Condition = ()
    label: str = ""
    path: str = ""
    named: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of values; `tuple` marks values side by side, `a, b`."""

    items: tuple[Item, ...]
    side_by_side: bool = False


Bound: TypeAlias = Mapping[str, "Lowered"]
"""Arguments by the names of their parameters, ambient ones among them."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A primitive operation with the arguments given so far, ambient ones among them."""

    spec: OpSpec
    given: Bound
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Composite:
    """An operation made in a file; `given` binds its parameters and ambient names."""

    decl: ast.OpDecl
    given: Bound
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A cell or block as an operation; `index` is the member of an array of cells."""

    decl: ast.CellDecl
    name: str
    changes: tuple[ast.Change, ...]
    index: int | None
    given: Bound
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Operations one after another."""

    stages: tuple[Operation, ...]
    spans: tuple[Span, ...] = field(compare=False)


@dataclass(frozen=True, slots=True)
class ChosenOp:
    """The operation that a decision picks: alternative i is `branches[table[i]]`.

    `alone` says that the decision picks one index, so that a guard can name a branch, and
    `guarded` that a guard reads it, whose sides may make values of different widths.
    """

    decision: int
    slot: int
    name: str
    branches: tuple[Operation, ...]
    labels: tuple[str, ...]
    table: tuple[int, ...]
    alone: bool = True
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class ByCase:
    """The operation that a number settled by several decisions selects, where it has a value.

    `tree` says which decisions give which value; `cases` are the values and their operations.
    """

    tree: object  # a Tree of ir/cases.py
    cases: tuple[tuple[int | float | bool | str, Operation], ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Repeated:
    """`operation * count`, or the body of a `repeat`, whose operation is evaluated each time."""

    operation: Operation | ast.Repeat
    count: Num
    context: object  # the Context in which a `repeat` stands
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Shared:
    """An operation whose weights do not depend on the named parts of its place."""

    operation: Operation
    across: frozenset[str]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Trailing:
    """An alternative for a stage, which reads the last `count` of the outputs before it."""

    operation: Operation
    count: int


Operation = (
    Primitive | Composite | Stamp | Pipeline | ChosenOp | ByCase | Repeated | Shared | Trailing
)


@dataclass(frozen=True, slots=True)
class Absent:
    """What a guard without `else` leaves where it does not hold."""


Lowered = int | float | bool | str | Num | Tensor | Picked | Listing | Operation | Absent
