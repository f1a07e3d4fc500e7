"""Where each name of a file occurs, what it stands for there, and where it can be used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from enasdsl.semantics.imports import Unit, join
from enasdsl.semantics.ops import OPS, OpParameter
from enasdsl.semantics.problems import Problems
from enasdsl.semantics.scopes import WORDS, Entry, Region, Scope
from enasdsl.semantics.traverse import parts
from enasdsl.source import SourceFile, Span, shipped
from enasdsl.syntax import ast


class Sort(Enum):
    """What a name stands for."""

    SPACE = "space"
    FILE = "imported file"
    PARAM = "param"
    LIST = "list of operations"
    OPERATION = "operation"
    CELL = "cell"
    BLOCK = "block"
    RECIPE = "recipe"
    VALUE = "value"
    INPUT = "input"
    STATE = "state"
    NUMBER = "number of a node"
    TURN = "number of a repetition"
    MEMBER = "member of a list"
    PARAMETER = "parameter"
    PRIMITIVE = "primitive operation"
    ARGUMENT = "argument"
    WORD = "word of the language"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One meaning of a name; `place` is where the file `file` gives it, None for the language's.

    `node` is what declares it: a part of the syntax tree, or a record of the registry.
    """

    name: str
    sort: Sort
    file: str = ""
    place: Span | None = None
    node: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name at one place of the text."""

    span: Span
    symbol: Symbol
    defines: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """A name of a body, and the stretch of text in which it can be used."""

    symbol: Symbol
    visible: Span


@dataclass(frozen=True, slots=True)
class Index:
    """All that one file says with names, in the order of the text."""

    occurrences: tuple[Occurrence, ...] = ()
    bindings: tuple[Binding, ...] = ()
    names: Mapping[str, Symbol] = field(default_factory=dict)
    recipes: Mapping[str, Symbol] = field(default_factory=dict)

    def at(self, offset: int) -> Occurrence | None:
        """The name that stands at `offset` or ends there; the narrowest, where several do."""
        found = (o for o in self.occurrences if o.span.start <= offset <= o.span.stop)
        return min(found, key=lambda o: (o.span.stop - o.span.start, -o.span.start), default=None)

    def of(self, symbol: Symbol) -> Iterator[Occurrence]:
        return (occurrence for occurrence in self.occurrences if occurrence.symbol == symbol)

    def visible(self, offset: int) -> Iterator[Symbol]:
        """The names of bodies that can be used at `offset`."""
        for binding in self.bindings:
            if binding.visible.start <= offset <= binding.visible.stop:
                yield binding.symbol


def index(unit: Unit) -> Index:
    """The names of the file of `unit`, looked up in it and in what it imports."""
    entries = join(unit, Problems())
    names = {name: _global(entry) for name, entry in entries.items()}
    declared = [d for d in unit.tree.declarations if isinstance(d, ast.RecipeDecl)]
    recipes = {d.name.text: symbol(d.name, Sort.RECIPE, d) for d in reversed(declared)}
    fold = _Fold(names, recipes)
    for declaration in unit.tree.declarations:
        fold.declaration(declaration)
    ordered = sorted(fold.occurrences, key=lambda o: (o.span.start, o.span.stop))
    return Index(tuple(ordered), tuple(fold.bindings), names, recipes)


def symbol(name: ast.Name, sort: Sort, node: object) -> Symbol:
    """The meaning that the text gives to a name at the place `name`."""
    return Symbol(name.text, sort, name.span.source.name, name.span, node)


def _global(entry: Entry) -> Symbol:
    match entry.declaration:
        case ast.Param():
            sort = Sort.PARAM
        case ast.OpList():
            sort = Sort.LIST
        case ast.OpDecl():
            sort = Sort.OPERATION
        case ast.CellDecl(kind=kind):
            sort = Sort.BLOCK if kind == "block" else Sort.CELL
        case ast.CellLike():
            sort = Sort.CELL
        case _:
            sort = Sort.VALUE
    return symbol(entry.name, sort, entry.declaration)


class _Fold:
    """Walks a file with its scopes, which are the checker's own, and notes every name."""

    def __init__(self, names: Mapping[str, Symbol], recipes: Mapping[str, Symbol]) -> None:
        self.names = names
        self.recipes = recipes
        self.occurrences: list[Occurrence] = []
        self.bindings: list[Binding] = []
        self.local: dict[int, Symbol] = {}  # by the offset of the name that binds it
        self.whole: Span | None = None  # of the declaration that is being walked

    # ---------------------------------------------------------- declarations

    def declaration(self, node: ast.Declaration) -> None:
        self.whole = node.span
        match node:
            case ast.Import():
                self._import(node)
            case ast.CellDecl():
                self._cell(node)
            case ast.OpDecl():
                self._operation(node)
            case ast.CellLike():
                self._like(node)
            case ast.RecipeDecl():
                self._recipe(node)
            case _:
                self._plain(node)

    def _plain(self, node: ast.Declaration) -> None:
        scope = Scope(Region.FILE)
        match node:
            case ast.SpaceName(name):
                self.note(name.span, symbol(name, Sort.SPACE, node), defines=True)
            case ast.Let(targets, value):
                self.visit(value, scope)
                for name in targets:
                    self._defined(name)
                return
            case ast.Param() | ast.OpList():
                self._defined(node.name)
        for below in parts(node):
            self.visit(below, scope)

    def _defined(self, name: ast.Name) -> None:
        found = self.names.get(name.text)
        if found is not None:
            self.note(name.span, found, defines=found.place == name.span)

    def _import(self, node: ast.Import) -> None:
        target = node.target
        text = target.value if isinstance(target, ast.Text) else target.text
        folder = Path(node.span.source.name).resolve().parent
        path = shipped("spaces") / f"{text}.enas" if isinstance(target, ast.Name) else folder / text
        file = os.path.realpath(path) if "\0" not in text else ""
        start = Span(SourceFile(file, ""), 0, 0)
        self.note(target.span, Symbol(text, Sort.FILE, file, start, node))

    def _cell(self, cell: ast.CellDecl) -> None:
        self._defined(cell.name)
        scope = Scope(Region.CELL)
        for below in (cell.count, cell.align):
            self.visit(below, Scope(Region.FILE))
        for name in cell.inputs:
            self.bind(name, Sort.INPUT, cell, scope, cell.body.span)
        for name in cell.states:
            self.bind(name, Sort.STATE, cell, scope, cell.body.span)
        self.body(cell.body, scope)

    def _operation(self, op: ast.OpDecl) -> None:
        self._defined(op.name)
        scope = Scope(Region.OP)
        for parameter in op.parameters:
            self.visit(parameter.default, scope)
            self.bind(parameter.name, Sort.PARAMETER, parameter, scope, op.body.span)
        for name in op.inputs:
            self.bind(name, Sort.INPUT, op, scope, op.body.span)
        self.visit(op.depth, Scope(Region.FILE))
        self.body(op.body, scope)

    def _like(self, cell: ast.CellLike) -> None:
        self._defined(cell.name)
        self.mention(cell.base.text, cell.base.span, Scope(Region.FILE))
        for change in cell.changes:
            self.mention(change.name.text, change.name.span, Scope(Region.FILE))
            self.visit(change.value, Scope(Region.OP))

    def _recipe(self, recipe: ast.RecipeDecl) -> None:
        own = symbol(recipe.name, Sort.RECIPE, recipe)
        self.note(recipe.name.span, own, defines=True)
        if recipe.base is not None and recipe.base.text in self.recipes:
            self.note(recipe.base.span, self.recipes[recipe.base.text])
        self._settings(recipe.settings, ())

    def _settings(self, settings: Iterable[ast.Setting], above: tuple[str, ...]) -> None:
        for setting in settings:
            path = above
            start = setting.key.span.start
            for step in setting.key.text.split("."):
                path = (*path, step)
                self._setting(path, Span(setting.key.span.source, start, start + len(step)))
                start += len(step) + 1
            if isinstance(setting.value, tuple):
                self._settings(setting.value, path)
            else:
                self.visit(setting.value, Scope(Region.FILE))

    def _setting(self, path: tuple[str, ...], span: Span) -> None:
        if "params" in path[:-1]:
            self.mention(path[-1], span, Scope(Region.FILE))
        else:
            self.note(span, Symbol(".".join(path), Sort.SETTING))

    # ------------------------------------------------------ bodies, expressions

    def body(self, body: ast.Body, scope: Scope) -> None:
        inner = scope.inner(body.statements)
        for statement in body.statements:
            self.visit(statement, inner)
            inner.leave(statement)

    def visit(self, node: object, scope: Scope) -> None:
        """Notes the names in a statement, an expression or a part of one."""
        match node:
            case ast.Reference(name, span):
                self.mention(name, span, scope)
            case ast.Let():
                self._let(node, scope)
            case ast.Node(variable, domain, body):
                self.visit(domain, scope)
                self._inner(variable, Sort.NUMBER, node, scope, body)
            case ast.Repeat(count, variable, body):
                self.visit(count, scope)
                self._inner(variable, Sort.TURN, node, scope, body)
            case ast.Comprehension():
                self._comprehension(node, scope)
            case ast.Call():
                self._call(node, scope)
            case ast.Share(body=body):
                self.visit(body, scope)
            case ast.Body():
                self.body(node, scope)
            case _:
                for below in parts(node):
                    self.visit(below, scope)

    def _let(self, let: ast.Let, scope: Scope) -> None:
        self.visit(let.value, scope)
        for name in let.targets:
            self.bind(name, Sort.VALUE, let, scope, self.whole)

    def _comprehension(self, node: ast.Comprehension, scope: Scope) -> None:
        self.visit(node.source, scope)
        inner = scope.inner()
        self.bind(node.variable, Sort.MEMBER, node, inner, node.span)
        self.visit(node.body, inner)
        self.visit(node.condition, inner)

    def _inner(
        self, variable: ast.Name | None, sort: Sort, node: object, scope: Scope, body: ast.Body
    ) -> None:
        inner = scope.inner()
        if variable is not None:
            self.bind(variable, sort, node, inner, body.span)
        self.body(body, inner)

    def _call(self, call: ast.Call, scope: Scope) -> None:
        self.visit(call.function, scope)
        function = call.function
        called = self.meaning(function.name, scope) if isinstance(function, ast.Reference) else None
        for argument in call.arguments:
            if argument.name is not None:
                self._argument(argument.name, called, scope)
            self.visit(argument.value, scope)

    def _argument(self, name: ast.Name, called: Symbol | None, scope: Scope) -> None:
        found = next((p for p in parameters(called) if p.name == name.text), None)
        if found is not None:
            self.note(name.span, found)
        else:
            self.mention(name.text, name.span, Scope(scope.region))

    def bind(
        self, name: ast.Name, sort: Sort, node: object, scope: Scope, within: Span | None
    ) -> None:
        """Notes that `name` gets a meaning here, which holds to the end of `within`."""
        scope.bind(name)
        found = self.local[name.span.start] = symbol(name, sort, node)
        self.note(name.span, found, defines=True)
        span = within or name.span
        start = min(name.span.start, span.start) if sort is Sort.MEMBER else name.span.stop
        self.bindings.append(Binding(found, Span(span.source, start, span.stop)))

    def mention(self, name: str, span: Span, scope: Scope) -> None:
        found = self.meaning(name, scope)
        if found is not None:
            self.note(span, found)

    def meaning(self, name: str, scope: Scope) -> Symbol | None:
        """What `name` stands for in `scope`, if anything."""
        first = scope.find(name)
        if first is None and name in self.names:
            return self.names[name]
        bound = first or scope.find_listed(name) or scope.find_later(name)
        if bound is not None:
            return self.local.get(bound.span.start) or symbol(bound, Sort.VALUE, None)
        if name in OPS:
            return Symbol(name, Sort.PRIMITIVE, node=OPS[name])
        return Symbol(name, Sort.WORD) if name in WORDS else None

    def note(self, span: Span, symbol: Symbol, *, defines: bool = False) -> None:
        self.occurrences.append(Occurrence(span, symbol, defines))


def parameters(called: Symbol | None) -> Iterator[Symbol]:
    """What an operation can be called with by name."""
    node = None if called is None else called.node
    if isinstance(node, ast.OpDecl):
        for parameter in node.parameters:
            yield symbol(parameter.name, Sort.PARAMETER, parameter)
    for own in getattr(node, "parameters", ()):
        if isinstance(own, OpParameter):
            yield Symbol(own.name, Sort.ARGUMENT, node=own)
