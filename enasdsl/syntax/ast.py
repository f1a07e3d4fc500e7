"""The syntax tree: what a file says, before any name has a meaning."""

from __future__ import annotations

from dataclasses import dataclass

from enasdsl.source import SourceFile, Span
from enasdsl.syntax.terms import (
    Argument as Argument,
)
from enasdsl.syntax.terms import (
    Binary as Binary,
)
from enasdsl.syntax.terms import (
    Body as Body,
)
from enasdsl.syntax.terms import (
    Call as Call,
)
from enasdsl.syntax.terms import (
    Choose as Choose,
)
from enasdsl.syntax.terms import (
    Comprehension as Comprehension,
)
from enasdsl.syntax.terms import (
    Each as Each,
)
from enasdsl.syntax.terms import (
    Expr as Expr,
)
from enasdsl.syntax.terms import (
    Flow as Flow,
)
from enasdsl.syntax.terms import (
    Guarded as Guarded,
)
from enasdsl.syntax.terms import (
    Index as Index,
)
from enasdsl.syntax.terms import (
    Let as Let,
)
from enasdsl.syntax.terms import (
    ListLiteral as ListLiteral,
)
from enasdsl.syntax.terms import (
    Maybe as Maybe,
)
from enasdsl.syntax.terms import (
    Name as Name,
)
from enasdsl.syntax.terms import (
    Node as Node,
)
from enasdsl.syntax.terms import (
    Number as Number,
)
from enasdsl.syntax.terms import (
    Part as Part,
)
from enasdsl.syntax.terms import (
    Range as Range,
)
from enasdsl.syntax.terms import (
    Reference as Reference,
)
from enasdsl.syntax.terms import (
    Repeat as Repeat,
)
from enasdsl.syntax.terms import (
    Require as Require,
)
from enasdsl.syntax.terms import (
    Result as Result,
)
from enasdsl.syntax.terms import (
    Share as Share,
)
from enasdsl.syntax.terms import (
    Statement as Statement,
)
from enasdsl.syntax.terms import (
    Text as Text,
)
from enasdsl.syntax.terms import (
    Truth as Truth,
)
from enasdsl.syntax.terms import (
    Tuple as Tuple,
)
from enasdsl.syntax.terms import (
    Unary as Unary,
)


@dataclass(frozen=True, slots=True)
class SpaceName:
    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Import:
    """`import "blocks.enas"` (below this file's folder) or `import darts` (a shipped space)."""

    target: Text | Name
    span: Span


@dataclass(frozen=True, slots=True)
class Param:
    """`param B = 7 in 3..32`."""

    name: Name
    default: Expr
    domain: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class OpList:
    """`ops candidate = [...]`: alternatives, evaluated where they are chosen from."""

    name: Name
    items: ListLiteral
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    name: Name
    default: Expr | None


@dataclass(frozen=True, slots=True)
class OpDecl:
    """`op f(act) on x, carry depth 2 { ... }`; without `on` the body is itself an operation."""

    name: Name
    parameters: tuple[Parameter, ...]
    inputs: tuple[Name, ...]
    depth: Expr | None
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class CellDecl:
    """`cell name[count](inputs) state states align operation { ... }`, or a `block`."""

    kind: str  # "cell" or "block"
    name: Name
    count: Expr | None
    inputs: tuple[Name, ...]
    states: tuple[Name, ...]
    align: Expr | None
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Change:
    """`stride 2` (operator None) or `filters * 2`, in `cell a like b with ...`."""

    name: Name
    operator: str | None
    value: Expr


@dataclass(frozen=True, slots=True)
class CellLike:
    """`cell reduction like normal with stride 2`: the same body, decisions of its own."""

    kind: str  # "cell" or "block", whatever the other is
    name: Name
    base: Name
    changes: tuple[Change, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Network:
    """`network image_classifier { ... }`; the name is the kind of task."""

    task: Name
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Modulo:
    """`modulo { prune dead; commute }`: each rule as its words."""

    rules: tuple[tuple[Name, ...], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Published:
    """`published value "source" why "reason"`."""

    value: Expr
    origin: Text
    why: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Setting:
    """`key: value`, or `key { ... }`, in a recipe."""

    key: Name
    value: Expr | tuple[Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RecipeDecl:
    """`recipe quick like paper { ... }`."""

    name: Name
    base: Name | None
    settings: tuple[Setting, ...]
    span: Span


Declaration = (
    SpaceName
    | Import
    | Param
    | OpList
    | OpDecl
    | CellDecl
    | CellLike
    | Network
    | Modulo
    | Published
    | RecipeDecl
    | Let
    | Require
)


@dataclass(frozen=True, slots=True)
class Ast:
    """One parsed file."""

    source: SourceFile
    declarations: tuple[Declaration, ...]
