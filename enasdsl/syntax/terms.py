"""The syntax tree within bodies: names, expressions and statements."""

from __future__ import annotations

from dataclasses import dataclass

from enasdsl.source import Span


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier where it stands."""

    text: str
    span: Span


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Number:
    value: int | float
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Truth:
    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """A mention of a name."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`body for variable in source when condition`, an argument of a call or a list.

    In `body for a in A for b in B` the body of the first is the comprehension over `b`.
    """

    body: Expr
    variable: Name
    source: Expr
    condition: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call; `name` is None for a positional one."""

    name: Name | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    function: Expr
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    target: Expr
    index: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`operator` is `-` or `not`."""

    operator: str
    operand: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`operator` is one of `+ - * / % ^ == != < <= > >= and or except`."""

    operator: str
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`low..high step step`, both ends included."""

    low: Expr
    high: Expr
    step: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Tuple:
    """`a, b`: several values side by side, read by one operation."""

    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Flow:
    """`first -> second -> ...`: data flow, or a composed operation when `first` is one."""

    stages: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Guarded:
    """`body when condition`, or `body when condition else otherwise`."""

    body: Expr
    condition: Expr
    otherwise: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Choose:
    """`choose quantity from domain`; `quantity` None means one, Reference `any` every subset."""

    quantity: Expr | None
    domain: Expr
    repeats: bool
    ordered: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Maybe:
    """`maybe body`: there or not."""

    body: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Repeat:
    """`repeat count as variable { ... }`: an operation applied `count` times, afresh each time."""

    count: Expr
    variable: Name | None
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Share:
    """`share body across names`: weights that do not depend on the named parts of the place."""

    body: Expr
    across: tuple[Name, ...]
    span: Span


Expr = (
    Number
    | Text
    | Truth
    | Reference
    | ListLiteral
    | Comprehension
    | Call
    | Index
    | Unary
    | Binary
    | Range
    | Tuple
    | Flow
    | Guarded
    | Choose
    | Maybe
    | Repeat
    | Share
)

# ----------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class Let:
    """`a, b = value`."""

    targets: tuple[Name, ...]
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Node:
    """`node 1 { ... }` or `node i in 2..N { ... }`."""

    variable: Name | None
    domain: Expr
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Each:
    """`each earlier -> operation when condition`: each member becomes what it makes of it."""

    source: Expr
    operation: Expr
    condition: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Require:
    condition: Expr
    message: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Part:
    """`stem`, `stack` or `head` of a network; a stack's value may be a Tuple of stages."""

    role: str
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Result:
    """An expression that stands alone: the value of the body that it ends."""

    value: Expr
    span: Span


Statement = Let | Node | Each | Require | Part | Result


@dataclass(frozen=True, slots=True)
class Body:
    """What stands between braces."""

    statements: tuple[Statement, ...]
    span: Span

    @property
    def ending(self) -> Span:
        """Where its value stands: the last statement, or the braces where there is none."""
        return self.statements[-1].span if self.statements else self.span
