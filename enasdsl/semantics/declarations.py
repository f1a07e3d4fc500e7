"""Checks each declaration of a file: what it may say, and where."""

from __future__ import annotations

from collections.abc import Iterable

from enasdsl.diagnostics import Label
from enasdsl.semantics.bodies import Checker
from enasdsl.semantics.constants import NotConstant, evaluate, is_number, scalar, spell
from enasdsl.semantics.problems import Problems, suggest
from enasdsl.semantics.scopes import AMBIENT, Region, Scope, Table
from enasdsl.semantics.task import TASKS
from enasdsl.source import Span
from enasdsl.syntax import ast

RULES = ("prune dead", "erase zero", "contract identity", "commute", "rename")
"""What `modulo` can ask for: which architectures count as one."""


class Declarations:
    """Checks declarations against the names that their file can see."""

    def __init__(self, table: Table, problems: Problems) -> None:
        self.table = table
        self.problems = problems
        self.checker = Checker(table, problems)

    def check(self, tree: ast.Ast) -> None:
        """Checks every declaration but params, imports and recipes, in the order of the file."""
        for declaration in tree.declarations:
            self._check(declaration)
        self._only_one(tree)

    def _check(self, declaration: ast.Declaration) -> None:
        match declaration:
            case ast.OpList(items=items):
                self.checker.items(items, Scope(Region.OP), operation=True)
            case ast.OpDecl():
                self._operation(declaration)
            case ast.CellDecl():
                self._cell(declaration)
            case ast.CellLike():
                self._like(declaration)
            case ast.Network():
                self._network(declaration)
            case ast.Modulo(rules):
                self._modulo(rules)
            case ast.Published(value):
                self._published(value)
            case ast.Let(value=value):
                self.checker.value(value, Scope(Region.FILE))
                self.checker.choices.unpack(declaration)
            case ast.Require(condition):
                self.checker.value(condition, Scope(Region.FILE))
            case _:
                return

    # ------------------------------------------------------- operations, cells

    def _operation(self, op: ast.OpDecl) -> None:
        scope = Scope(Region.OP, single=frozenset(name.text for name in op.inputs))
        for parameter in op.parameters:
            if parameter.default is not None:
                self.checker.value(parameter.default, scope)
            self._bind(parameter.name, scope, ambient="every call may set it by name anyway")
        for name in op.inputs:
            self._bind(name, scope)
        if op.depth is not None:
            self.checker.choices.count(op.depth, least=1, what="a depth")
        owner = f"`{op.name.text}`"
        self.checker.body(op.body, scope, operation=not op.inputs, owner=owner)

    def _cell(self, cell: ast.CellDecl) -> None:
        names = (*cell.inputs, *cell.states)
        scope = Scope(Region.CELL, single=frozenset(name.text for name in names))
        for name in names:
            self._bind(name, scope)
        if cell.count is not None:
            self.checker.choices.count(cell.count, least=1, what="a number of cells")
        if cell.align is not None:
            self.checker.operation(cell.align, Scope(Region.OP))
        owner = f"`{cell.name.text}`"
        with self.checker.nodes.cell(cell.body):
            self.checker.body(cell.body, scope, operation=False, owner=owner)

    def _bind(self, name: ast.Name, scope: Scope, *, ambient: str = "") -> None:
        if name.text in AMBIENT and ambient and name.text not in self.table.entries:
            self.problems.error(
                "E0227",
                f"`{name.text}` is a word of the language",
                name.span,
                "this name is taken",
                help=f"leave it out: {ambient}",
            )
            scope.bind(name)
            return
        self.checker.mentions.bind(name, scope)

    def _like(self, cell: ast.CellLike) -> None:
        self._base(cell)
        seen: dict[str, ast.Name] = {}
        for change in cell.changes:
            first = seen.setdefault(change.name.text, change.name)
            if first is not change.name:
                self._twice("`with` changes `{}` twice", change.name, first.span)
            self._change(change)

    def _base(self, cell: ast.CellLike) -> None:
        entry = self.table.entries.get(cell.base.text)
        if entry is not None and isinstance(entry.declaration, ast.CellDecl | ast.CellLike):
            return
        cells = [
            name
            for name, other in self.table.entries.items()
            if isinstance(other.declaration, ast.CellDecl | ast.CellLike) and name != cell.name.text
        ]
        if entry is None and not self.table.complete:
            return
        text, fix = suggest(cell.base.text, cell.base.span, cells)
        self.problems.error(
            "E0231",
            f"no cell `{cell.base.text}`",
            cell.base.span,
            "no cell or block has this name" if entry is None else "this is no cell",
            help=text,
            fix=fix,
        )

    def _change(self, change: ast.Change) -> None:
        scope = Scope(Region.OP)
        self.checker.value(change.value, scope)
        name = change.name.text
        params = [n for n, e in self.table.entries.items() if isinstance(e.declaration, ast.Param)]
        if name not in AMBIENT and name not in params:
            text, fix = suggest(name, change.name.span, [*AMBIENT, *params])
            self.problems.error(
                "E0232",
                f"`with` cannot change `{name}`",
                change.name.span,
                "neither `stride`, `filters`, `hidden` nor a param",
                help=text,
                fix=fix,
            )
        elif name in AMBIENT and change.operator is None:
            self._size(change.value, name)

    def _size(self, expr: ast.Expr, what: str) -> None:
        value = self.checker.choices.known(expr)
        if value is not None and (type(value) is not int or value < 1):
            self.problems.error(
                "E0211",
                f"`{what}` is a whole number of at least 1",
                expr.span,
                f"this is {spell(value)}",
            )

    # ----------------------------------------------------------------- network

    def _network(self, network: ast.Network) -> None:
        task = network.task
        if task.text not in TASKS:
            text, fix = suggest(task.text, task.span, TASKS)
            self.problems.error(
                "E0237",
                f"unknown kind of network `{task.text}`",
                task.span,
                "a network is named for its task",
                help=text or "the tasks are " + " and ".join(f"`{name}`" for name in TASKS),
                fix=fix,
            )
        scope = Scope(Region.NETWORK).inner(network.body.statements)
        parts: dict[str, ast.Part] = {}
        for statement in network.body.statements:
            if isinstance(statement, ast.Part):
                first = parts.setdefault(statement.role, statement)
                if first is not statement:
                    places = _word(statement.span), _word(first.span)
                    self._second(f"a second `{statement.role}`", *places)
                self.checker.part(statement, scope)
            else:
                self.checker.statement(statement, scope, operation=True)
            scope.leave(statement)
        if not parts:
            self.problems.error(
                "E0235",
                "a network without parts",
                network.task.span,
                "this network computes nothing",
                help="say what it is made of: `stem`, `stack`, `head`",
            )

    # ------------------------------------------------------------------- words

    def _modulo(self, rules: tuple[tuple[ast.Name, ...], ...]) -> None:
        for rule in rules:
            text = " ".join(name.text for name in rule)
            if text in RULES:
                continue
            span = rule[0].span.to(rule[-1].span)
            meant, fix = suggest(text, span, RULES)
            known = ", ".join(f"`{name}`" for name in RULES)
            self.problems.error(
                "E0238",
                f"unknown rule `{text}`",
                span,
                "`modulo` knows no such rule",
                help=meant or f"the rules are {known}",
                fix=fix,
            )

    def _published(self, expr: ast.Expr) -> None:
        self.checker.value(expr, Scope(Region.FILE))
        try:
            value = scalar(expr, self.table.values)
        except NotConstant as trouble:
            if not self._is_poisoned(expr):
                self.problems.error(
                    "E0208", "a published size is a number", trouble.span, trouble.reason
                )
            return
        if not is_number(value):
            self.problems.error(
                "E0208", "a published size is a number", expr.span, f"this is {spell(value)}"
            )

    def _is_poisoned(self, expr: ast.Expr) -> bool:
        """Whether `expr` reads a param that has no value, which was said already."""
        params = {
            name: 1
            for name, entry in self.table.entries.items()
            if isinstance(entry.declaration, ast.Param) and name not in self.table.values
        }
        try:
            evaluate(expr, {**params, **self.table.values})
        except NotConstant:
            return False
        return bool(params)

    # -------------------------------------------------------------------- once

    def _only_one(self, tree: ast.Ast) -> None:
        for kind, what in _ONCE.items():
            found = [d for d in tree.declarations if isinstance(d, kind)]
            self._seconds(what, found)

    def _seconds(self, what: str, found: Iterable[ast.Declaration]) -> None:
        spans = [_word(declaration.span) for declaration in found]
        for second in spans[1:]:
            self._second(f"a second {what}", second, spans[0])

    def _second(self, message: str, span: Span, first: Span) -> None:
        self.problems.error(
            "E0201",
            f"{message}",
            span,
            "only one is allowed",
            others=(Label(first, "the first is here"),),
        )

    def _twice(self, message: str, name: ast.Name, first: Span) -> None:
        self.problems.error(
            "E0220",
            message.format(name.text),
            name.span,
            "changed again here",
            others=(Label(first, "first changed here"),),
        )


def _word(span: Span) -> Span:
    """The word with which a declaration or a statement begins."""
    return Span(span.source, span.start, span.start + len(span.text.split(maxsplit=1)[0]))


_ONCE: dict[type[ast.SpaceName | ast.Network | ast.Modulo], str] = {
    ast.SpaceName: "`space`",
    ast.Network: "`network`",
    ast.Modulo: "`modulo`",
}
