"""Where an expression is evaluated: its names, its place, its guard, and what is in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from enasdsl.ir.budget import Budget
from enasdsl.ir.build import Builder, Followup, Ledger
from enasdsl.ir.graph import Body
from enasdsl.ir.names import Key, Place, Scope, at
from enasdsl.ir.values import Item, Lowered, Operation
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.symbols import Condition, Num, Shape
from enasdsl.semantics.task import Task
from enasdsl.source import Span
from enasdsl.syntax import ast

AMBIENT = ("filters", "hidden")
"""Widths that are in force without being passed: an operation that is given none takes them."""


class Broken:
    """Stands for a name whose value could not be found because of a reported mistake."""


@dataclass(slots=True, eq=False)
class Frame:
    """The inputs and nodes of the cell or block that is being evaluated."""

    number: int
    scope: Scope
    align: object | None = None  # the expression of `align`
    inputs: list[Item] = field(default_factory=list)
    nodes: list[Item] = field(default_factory=list)
    refs: dict[str, int] = field(default_factory=dict)  # path -> its Node in the body
    broken: bool = False  # whether a node is missing that has a mistake

    @property
    def earlier(self) -> tuple[Item, ...]:
        return (*self.inputs, *self.nodes)


@dataclass(frozen=True, slots=True)
class StampedBody:
    """A cell lowered for inputs of certain shapes."""

    index: int
    body: Body
    outputs: tuple[Shape, ...]


class Evaluate(Protocol):
    """The value of an expression; `role` is what a choice in it is called if nothing names it."""

    def __call__(self, expr: ast.Expr, ctx: Context, *, role: str = "") -> Lowered: ...


class Apply(Protocol):
    """What an operation makes of its inputs."""

    def __call__(
        self, op: Operation, inputs: Sequence[Lowered], ctx: Context, *, span: Span
    ) -> Lowered: ...


@dataclass(slots=True, eq=False)
class Program:
    """One lowering: the file, the sizes of the data, and all that is collected.

    Evaluation and application need each other; both are reached through here. An `outline` finds
    the same decisions and mistakes without the network: it evaluates once what differs only in
    which input is read.
    """

    checked: Checked
    task: Task
    evaluate: Evaluate
    apply: Apply
    budget: Budget
    outline: bool = False
    ledger: Ledger = field(default_factory=Ledger)
    root: Scope = field(default_factory=Scope)
    lets: dict[str, Lowered | Broken] = field(default_factory=dict)
    stamped: dict[tuple[object, ...], StampedBody] = field(default_factory=dict)
    bounded: bool = field(init=False)  # whether an operation may call itself to a declared depth

    def __post_init__(self) -> None:
        named = self.checked.names.values()
        self.bounded = any(isinstance(d, ast.OpDecl) and d.depth is not None for d in named)


@dataclass(frozen=True, eq=False)
class Context:
    """The surroundings of an evaluation.

    `own` are the widths of what the innermost operation or cell reads, which stand in for those
    that are not in force. `guard` is None where decisions cannot be made, because no guard can
    name the branch. `stride` is the stride of the cell, or the one pending on the input of an
    operation. `site` tells apart the repeated evaluations of one place in the text.
    """

    program: Program
    builder: Builder
    scope: Scope
    env: dict[str, Lowered | Broken]
    ambient: Mapping[str, Num]
    own: Mapping[str, Num] = field(default_factory=dict)
    place: Place = ()
    guard: Condition | None = ()
    stride: int = 1
    frame: Frame | None = None
    shared: frozenset[str] = frozenset()
    site: Key = ()
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return self.program.ledger

    def evaluate(self, expr: ast.Expr, *, role: str = "") -> Lowered:
        budget = self.program.budget
        budget.enter(expr.span)
        try:
            return self.program.evaluate(expr, self, role=role)
        finally:
            budget.depth -= 1

    def apply(self, op: Operation, inputs: Sequence[Lowered], *, span: Span) -> Lowered:
        return self.program.apply(op, inputs, self, span=span)

    def but(self, **changes: object) -> Context:
        """The same surroundings with these fields changed: `dataclasses.replace`, much faster."""
        changed = object.__new__(Context)
        vars(changed).update(vars(self), **changes)
        return changed

    def inside(self, span: Span, wanted: str, *extra: object) -> Context:
        """One more level of decisions' paths and of places, identified by a place in the text."""
        self.program.budget.spend(1, span)
        key = at(span, *extra)
        return self.but(
            scope=self.scope.child((*key, *self.site), wanted),
            place=self.enter("uses", key, wanted),
        )

    def enter(self, kind: str, key: Key, wanted: str) -> Place:
        if kind in self.shared:
            return self.place
        return self.builder.places.enter(self.place, kind, (*key, *self.site), wanted)

    def placed(self, kind: str, key: Key, wanted: str) -> Context:
        return self.but(place=self.enter(kind, key, wanted))

    def using(self, span: Span) -> Context:
        """The same surroundings at one of the uses of what is written elsewhere in the text."""
        return self.but(site=(*self.site, *at(span)))

    def under(self, condition: Condition | None) -> Context:
        """The same surroundings where, besides, `condition` holds."""
        if condition == ():
            return self
        guard = None if self.guard is None or condition is None else (*self.guard, *condition)
        return self.but(guard=guard)

    def fork(self, **names: Lowered) -> Context:
        """The same surroundings with an environment of its own in which `names` are bound."""
        return self.but(env={**self.env, **names})

    def lookup(self, name: str) -> Lowered | None:
        found = self.env.get(name)
        if isinstance(found, Broken):
            raise Followup
        return found
