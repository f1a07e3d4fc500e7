"""Checks every expression and statement of a file against the names that it can see."""

from __future__ import annotations

from typing import assert_never

from enasdsl.diagnostics import Label
from enasdsl.semantics.calls import Arguments, Signature, signature
from enasdsl.semantics.choices import Choices
from enasdsl.semantics.mentions import Mentions
from enasdsl.semantics.nodes import Nodes
from enasdsl.semantics.problems import Problems, suggest
from enasdsl.semantics.reading import Reads
from enasdsl.semantics.scopes import FUNCTIONS, Region, Scope, Table
from enasdsl.semantics.standing import are_values
from enasdsl.syntax import ast

_NO_OPERATION = {
    ast.Number: "this is a number",
    ast.Text: "this is a text",
    ast.Truth: "this is a truth",
    ast.ListLiteral: "this is a list",
    ast.Comprehension: "this is a list",
    ast.Range: "this is a range",
    ast.Unary: "this is a number",
}
SHARED = ("stamps", "nodes", "inputs", "alternatives", "uses")
"""The parts of a place by which weights differ, and across which they can be shared."""


class Checker:
    """Walks bodies with their scopes; an expression stands for a value or for an operation."""

    def __init__(self, table: Table, problems: Problems) -> None:
        self.table = table
        self.problems = problems
        self.mentions = Mentions(table, problems)
        self.choices = Choices(table, problems)
        self.reads = Reads(table, problems)
        self.nodes = Nodes(table, problems)

    # ------------------------------------------------------------ statements

    def body(self, body: ast.Body, scope: Scope, *, operation: bool, owner: str) -> None:
        """Checks a body that must end with a value, or with an operation."""
        inner = scope.inner(body.statements)
        for at, statement in enumerate(body.statements):
            if isinstance(statement, ast.Result) and at + 1 < len(body.statements):
                self._not_last(statement, body.statements[at + 1])
            self.statement(statement, inner, operation=operation)
            inner.leave(statement)
        if not body.statements or not isinstance(body.statements[-1], ast.Result):
            self._no_result(body, owner)

    def statement(self, statement: ast.Statement, scope: Scope, *, operation: bool) -> None:
        match statement:
            case ast.Let():
                self.let(statement, scope)
            case ast.Node():
                self._node(statement, scope)
            case ast.Each(source, function, condition):
                self._only_in_cells("each", statement, scope)
                self.value(source, scope)
                self.operation(function, scope)
                self._maybe_value(condition, scope)
            case ast.Require(condition):
                self.value(condition, scope)
            case ast.Part(role):
                self._misplaced(f"`{role}` belongs to a network", statement)
            case ast.Result(value):
                (self.operation if operation else self.value)(value, scope)
            case _:
                assert_never(statement)

    def let(self, let: ast.Let, scope: Scope) -> None:
        """Checks the value, then binds the names."""
        self.value(let.value, scope)
        self.choices.unpack(let)
        for name in let.targets:
            self.mentions.bind(name, scope)

    def part(self, part: ast.Part, scope: Scope) -> None:
        """Checks the stem, the stack or the head of a network."""
        value = part.value
        if part.role != "stack":
            self.operation(value, scope)
            return
        for stage in value.items if isinstance(value, ast.Tuple) else (value,):
            self._stage(stage, scope)

    def _stage(self, stage: ast.Expr, scope: Scope) -> None:
        match stage:
            case ast.Binary("*", body, times):
                self.operation(body, scope)
                self.value(times, scope)
            case ast.Guarded(body, condition, otherwise):
                self._stage(body, scope)
                self.value(condition, scope)
                if otherwise is not None:
                    self._stage(otherwise, scope)
            case ast.ListLiteral(items):
                for item in items:
                    self._stage(item, scope)
            case ast.Comprehension():
                self._comprehension(stage, scope, operation=True)
            case _:
                self.operation(stage, scope)

    def _node(self, node: ast.Node, scope: Scope) -> None:
        self._only_in_cells("node", node, scope)
        self.value(node.domain, scope)
        inner = scope.inner()
        if node.variable is not None:
            self.mentions.bind(node.variable, inner)
        with self.nodes.entered(node):
            self.body(node.body, inner, operation=False, owner="a node")

    def _only_in_cells(self, word: str, statement: ast.Statement, scope: Scope) -> None:
        if scope.region is not Region.CELL:
            self._misplaced(f"`{word}` belongs to a cell or a block", statement)

    def _misplaced(self, why: str, statement: ast.Statement) -> None:
        self.problems.error("E0205", "this statement cannot stand here", statement.span, why)

    def _not_last(self, result: ast.Result, following: ast.Statement) -> None:
        self.problems.error(
            "E0234",
            "a value ends its body, and more follows",
            result.span,
            "nothing reads this value",
            others=(Label(following.span, "this follows it"),),
            help="give it a name, `name = ...`, or move it to the end",
        )

    def _no_result(self, body: ast.Body, owner: str) -> None:
        last = body.statements[-1] if body.statements else None
        if isinstance(last, ast.Node) and owner != "a node":
            return  # the value of a cell that ends with nodes is the last of them
        help = None
        if isinstance(last, ast.Let) and len(last.targets) == 1:
            help = f"end the body with a line `{last.targets[0].text}`"
        self.problems.error(
            "E0233",
            f"{owner} must end with its value",
            (last or body).span,
            "no value stands after this" if last else "this body is empty",
            help=help,
        )

    # ----------------------------------------------------------------- values

    def value(self, expr: ast.Expr, scope: Scope) -> None:
        """Checks an expression that stands for a value."""
        match expr:
            case ast.Number() | ast.Text() | ast.Truth():
                return
            case ast.Reference():
                self.mentions.check(expr, scope)
            case ast.Flow(stages):
                self.value(stages[0], scope)
                for stage in stages[1:]:
                    self.operation(stage, scope)
                self.reads.flow(expr, scope)
            case ast.Guarded(body, condition, otherwise):
                self.value(body, scope)
                self.value(condition, scope)
                self._maybe_value(otherwise, scope)
            case ast.Maybe(body):
                self.value(body, scope)
            case ast.Share():
                self._share(expr)
                self.value(expr.body, scope)
            case _:
                self._either(expr, scope, operation=False)

    def _either(self, expr: ast.Expr, scope: Scope, *, operation: bool) -> None:
        """Checks the kinds whose parts are the same whether a value is meant or an operation."""
        match expr:
            case ast.Call():
                self._call(expr, scope)
            case ast.Choose():
                self._choose(expr, scope, operation=operation)
            case ast.Repeat():
                self._repeat(expr, scope)
            case ast.Comprehension():
                self._comprehension(expr, scope, operation=operation)
            case ast.ListLiteral(items):
                for item in items:
                    self.value(item, scope)
            case ast.Index(target, index):
                self.value(target, scope)
                self.value(index, scope)
                self.nodes.index(expr)
            case _:
                for below in _operands(expr):
                    self.value(below, scope)

    def _maybe_value(self, expr: ast.Expr | None, scope: Scope) -> None:
        if expr is not None:
            self.value(expr, scope)

    def items(self, items: ast.ListLiteral, scope: Scope, *, operation: bool) -> None:
        """Checks the alternatives of a list, which are a set."""
        for item in items.items:
            if isinstance(item, ast.Comprehension):
                self._comprehension(item, scope, operation=operation)
            else:
                is_list = self.choices.is_list(item)
                (self.operation if operation and not is_list else self.value)(item, scope)
        self.choices.duplicates(items)

    def _comprehension(self, expr: ast.Comprehension, scope: Scope, *, operation: bool) -> None:
        self.value(expr.source, scope)
        inner = scope.inner()
        self.mentions.bind(expr.variable, inner)
        self._maybe_value(expr.condition, inner)
        if isinstance(expr.body, ast.Comprehension):
            self._comprehension(expr.body, inner, operation=operation)
        else:
            (self.operation if operation else self.value)(expr.body, inner)

    # ------------------------------------------------------------- operations

    def operation(self, expr: ast.Expr, scope: Scope) -> None:
        """Checks an expression that stands for an operation."""
        if why := _NO_OPERATION.get(type(expr)):
            self.mentions.refuse(expr, why)
            return
        match expr:
            case ast.Reference():
                self.mentions.check_operation(expr, scope)
                self._without_arguments(expr, scope)
            case ast.Flow(items) | ast.Tuple(items):
                for item in items:
                    self.operation(item, scope)
            case ast.Guarded(body, condition, otherwise):
                self.operation(body, scope)
                self.value(condition, scope)
                if otherwise is not None:
                    self.operation(otherwise, scope)
            case ast.Maybe(body):
                self.operation(body, scope)
            case ast.Share(body):
                self._share(expr)
                self.operation(body, scope)
            case _:
                self._either(expr, scope, operation=True)

    def _without_arguments(self, mention: ast.Reference, scope: Scope) -> None:
        known = None if scope.find(mention.name) else signature(mention.name, self.table)
        if known is not None:
            Arguments(known, self.table, self.problems).missing(mention.span)

    def _call(self, call: ast.Call, scope: Scope) -> None:
        function = call.function
        if not isinstance(function, ast.Reference):
            self.operation(function, scope)
        elif function.name not in FUNCTIONS or scope.find(function.name):
            self.mentions.check_operation(function, scope)
            known = None if scope.find(function.name) else signature(function.name, self.table)
            if known is not None:
                self._arguments(known, call, scope)
        for argument in call.arguments:
            self.value(argument.value, scope)

    def _arguments(self, known: Signature, call: ast.Call, scope: Scope) -> None:
        plain = [argument.value for argument in call.arguments if argument.name is None]
        values = are_values(plain, scope, self.table)
        arguments = Arguments(known, self.table, self.problems)
        arguments.check(call.arguments, call.function.span, values=values)

    def _choose(self, choice: ast.Choose, scope: Scope, *, operation: bool) -> None:
        match choice.quantity:
            case None | ast.Reference("any"):
                pass
            case quantity:
                self.value(quantity, scope)
        if isinstance(choice.domain, ast.ListLiteral):
            self.items(choice.domain, scope, operation=operation)
        elif operation and isinstance(choice.domain, ast.Range):
            self.operation(choice.domain, scope)
        else:
            self.value(choice.domain, scope)
        self.choices.check(choice)

    def _repeat(self, repeat: ast.Repeat, scope: Scope) -> None:
        self.value(repeat.count, scope)
        inner = scope.inner()
        if repeat.variable is not None:
            self.mentions.bind(repeat.variable, inner)
        self.body(repeat.body, inner, operation=True, owner="a repeat")

    def _share(self, share: ast.Share) -> None:
        for name in share.across:
            if name.text not in SHARED:
                text, fix = suggest(name.text, name.span, SHARED)
                known = ", ".join(f"`{part}`" for part in SHARED)
                self.problems.error(
                    "E0239",
                    f"nothing is shared across `{name.text}`",
                    name.span,
                    "no part of a place has this name",
                    help=text or f"weights differ by {known}",
                    fix=fix,
                )


def _operands(expr: ast.Expr) -> tuple[ast.Expr, ...]:
    match expr:
        case ast.Unary(_, operand):
            return (operand,)
        case ast.Binary(_, left, right):
            return (left, right)
        case ast.Range(low, high, None):
            return (low, high)
        case ast.Range(low, high, step) if step is not None:
            return (low, high, step)
        case ast.Tuple(items):
            return items
        case _:
            return ()
