"""Nodes by number: two of the same number, and inputs from nodes that come later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from enasdsl.diagnostics import Label
from enasdsl.semantics.constants import MOST_MEMBERS, Interval, NotConstant, Value, evaluate
from enasdsl.semantics.problems import Problems
from enasdsl.semantics.scopes import Table
from enasdsl.syntax import ast


class Nodes:
    """Follows the node in which the walk stands, and how many nodes stand above it."""

    def __init__(self, table: Table, problems: Problems) -> None:
        self.table = table
        self.problems = problems
        self._before: int | None = None
        self._family: list[dict[str, Value]] = []

    @contextmanager
    def cell(self, body: ast.Body) -> Iterator[None]:
        """Holds while the body of a cell is checked; notes two nodes of the same number."""
        self._before = 0
        self._duplicates(body)
        yield
        self._before = None

    @contextmanager
    def entered(self, node: ast.Node) -> Iterator[None]:
        """Holds while the body of `node`, which may stand for a family of nodes, is checked."""
        numbers = self._numbers(node)
        variable = node.variable.text if node.variable else ""
        self._family = [{variable: number} for number in numbers]
        yield
        self._family = []
        if self._before is not None:
            self._before = self._before + len(numbers) if numbers else None

    def index(self, expr: ast.Index) -> None:
        """Notes `nodes[k]` where fewer than k nodes stand above each node that says so."""
        if self._before is None or not self._family:
            return
        if not isinstance(expr.target, ast.Reference) or expr.target.name != "nodes":
            return
        wanted = [self._evaluate(expr.index, names) for names in self._family]
        above = range(self._before, self._before + len(wanted))
        for number, limit in zip(wanted, above, strict=True):
            if not isinstance(number, int) or number <= limit:
                return
        many = {0: "no node stands", 1: "one node stands"}
        self.problems.error(
            "E0229",
            f"node {wanted[0]} is not there yet",
            expr.span,
            f"{many.get(self._before, f'{self._before} nodes stand')} above this one",
            help="a node reads the inputs and the nodes above it",
        )

    def _duplicates(self, body: ast.Body) -> None:
        """Notes nodes of one cell that have the same number."""
        seen: dict[int, ast.Node] = {}
        for node in body.statements:
            if not isinstance(node, ast.Node):
                continue
            numbers = self._numbers(node)
            again = next((number for number in numbers if number in seen), None)
            if again is not None:
                self.problems.error(
                    "E0202",
                    f"node {again} is declared twice",
                    node.domain.span,
                    "the second declaration",
                    others=(Label(seen[again].domain.span, "first declared here"),),
                )
            seen.update(dict.fromkeys(numbers, node))

    def _numbers(self, node: ast.Node) -> list[int]:
        match self._evaluate(node.domain, {}):
            case bool():
                return []
            case int(number):
                return [number]
            case Interval(step=int(), size=int(size)) as interval if size < MOST_MEMBERS:
                return [int(number) for number in interval]
            case tuple(numbers):
                return [number for number in numbers if isinstance(number, int)]
            case _:
                return []

    def _evaluate(self, expr: ast.Expr, names: Mapping[str, Value]) -> Value | None:
        try:
            return evaluate(expr, {**self.table.values, **names})
        except NotConstant:
            return None
