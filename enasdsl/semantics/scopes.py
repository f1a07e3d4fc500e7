"""Which names mean something where: built-in words, global names, and the scopes of bodies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Scalar
from enasdsl.semantics.traverse import walk
from enasdsl.syntax import ast


class Region(Enum):
    """What kind of text an expression stands in."""

    CELL = "a cell or block"
    OP = "an operation"
    NETWORK = "the network"
    FILE = "the file itself"


SETS = frozenset({"earlier", "nodes", "inputs", "previous", "loose"})
"""The parts of a cell that are known by its nodes; words of cells and blocks alone."""
AMBIENT = frozenset({"stride", "filters", "hidden"})
"""What every operation can read, and what every call may set by name."""
SIZES = frozenset({"classes", "vocabulary", "length"})
"""Sizes of the data set."""
FUNCTIONS = frozenset(
    {
        *("factorial", "min", "max", "abs", "count", "sum"),
        *("all", "any", "sorted", "distinct"),
        *("channels", "reachable", "edges", "params", "macs"),
    }
)
"""Functions of constants, constraints and values; `sum` is a primitive operation too."""
WORDS = SETS | AMBIENT | SIZES | FUNCTIONS | {"any"}
_PARAM_WORDS = frozenset({"filters", "hidden"})
"""Words that a param may be called, and then has the same meaning as: the width at first."""


def valid_words(region: Region) -> frozenset[str]:
    """The built-in words that mean something in a region."""
    always = AMBIENT | SIZES | FUNCTIONS - {"any"}
    return always | SETS if region is Region.CELL else always


@dataclass(frozen=True, slots=True)
class Entry:
    """A global name and the declaration that gives it."""

    name: ast.Name
    declaration: ast.Declaration


@dataclass(frozen=True, slots=True)
class Table:
    """The global names that one file can see, and the values of its params.

    `complete` is False where an import failed, so that a name may be missing for that reason.
    """

    entries: Mapping[str, Entry]
    values: Mapping[str, Scalar]
    complete: bool = True

    def __contains__(self, name: str) -> bool:
        return name in self.entries or name in OPS

    def operations(self) -> Iterator[str]:
        """Every name that stands for an operation, for guesses."""
        yield from OPS
        made = (ast.OpDecl, ast.CellDecl, ast.CellLike, ast.OpList)
        yield from (n for n, e in self.entries.items() if isinstance(e.declaration, made))


def declared(declaration: ast.Declaration) -> tuple[ast.Name, ...]:
    """The global names that a declaration gives."""
    match declaration:
        case ast.Param() | ast.OpList() | ast.OpDecl() | ast.CellDecl() | ast.CellLike():
            return (declaration.name,)
        case ast.Let():
            return declaration.targets
        case _:
            return ()


def is_taken(declaration: ast.Declaration, name: str) -> bool:
    """Whether the language itself already uses `name`, so that no declaration may."""
    if isinstance(declaration, ast.Param) and name in _PARAM_WORDS:
        return False
    return name in WORDS or name in OPS


@dataclass(slots=True)
class Scope:
    """The names bound in one body, inside those of the bodies around it.

    `listed` names were bound in a node or a repeat above: outside it, they mean the list of their
    values. `later` names are bound further down. `single` names are inputs: one value each.
    """

    region: Region
    parent: Scope | None = None
    bound: dict[str, ast.Name] = field(default_factory=dict)
    listed: dict[str, ast.Name] = field(default_factory=dict)
    later: dict[str, ast.Name] = field(default_factory=dict)
    single: frozenset[str] = frozenset()

    def inner(self, statements: Iterable[ast.Statement] = ()) -> Scope:
        """A scope for a body of `statements` inside this one."""
        later = {name.text: name for s in reversed(tuple(statements)) for name in bindings(s)}
        return Scope(self.region, self, later=later)

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it, the innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def find(self, name: str) -> ast.Name | None:
        """Where `name` was bound, if it is in force here."""
        return next((s.bound[name] for s in self.chain() if name in s.bound), None)

    def find_listed(self, name: str) -> ast.Name | None:
        """Where a node or a repeat above bound `name`, unless a nearer statement still will."""
        for scope in self.chain():
            if name in scope.listed:
                return scope.listed[name]
            if name in scope.later:
                return None
        return None

    def find_later(self, name: str) -> ast.Name | None:
        """Where `name` is bound further down."""
        return next((s.later[name] for s in self.chain() if name in s.later), None)

    def is_single(self, name: str) -> bool:
        """Whether `name` is an input, hence exactly one value."""
        return any(name in scope.single for scope in self.chain())

    def bind(self, name: ast.Name) -> None:
        self.bound[name.text] = name
        self.later.pop(name.text, None)

    def leave(self, statement: ast.Statement) -> None:
        """Notes that `statement` is over: what its bodies bound is a list from here on."""
        for name in bindings(statement):
            if name.text not in self.bound:
                self.listed.setdefault(name.text, name)
                self.later.pop(name.text, None)

    def visible(self) -> set[str]:
        """Every name of these scopes that a mention may mean."""
        return {name for scope in self.chain() for name in (*scope.bound, *scope.listed)}


def bindings(statement: ast.Statement) -> Iterator[ast.Name]:
    """Every name that a statement binds, itself or in its bodies."""
    for node in walk(statement):
        if isinstance(node, ast.Let):
            yield from node.targets
