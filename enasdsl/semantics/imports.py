"""Finds the files that a file imports, and joins their names with its own and the prelude's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from enasdsl.diagnostics import Diagnostic, Label
from enasdsl.semantics.problems import Problems, suggest
from enasdsl.semantics.scopes import Entry, declared, is_taken
from enasdsl.source import SourceFile, shipped
from enasdsl.syntax import ast
from enasdsl.syntax.parse import parse

Parsed = tuple[ast.Ast | None, tuple[Diagnostic, ...]]
Load = Callable[[Path], Parsed | None]
"""Reads and parses a file; None where there is no such file."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One file and the files that it imports, each before what needs it.

    `complete` is False where an import of this file or of an imported one failed.
    """

    tree: ast.Ast
    imports: tuple[Unit, ...] = ()
    complete: bool = True

    def files(self) -> tuple[Unit, ...]:
        """Every imported file once, what it imports before it, and this one last."""
        found: dict[int, Unit] = {}
        for below in self.imports:
            found.update((id(unit.tree), unit) for unit in below.files())
        return (*found.values(), self)


@cache
def prelude() -> Unit:
    """The operations that every file can use. Raises RuntimeError where the package is damaged."""
    path = shipped("grammars") / "prelude.enas"
    tree, found = parse(SourceFile("prelude.enas", path.read_text("utf-8")))
    if tree is None or found:
        raise RuntimeError(f"{path} is damaged: {[d.message for d in found]}")
    return Unit(tree)


@dataclass(slots=True)
class Importer:
    """Loads imports depth first; a file that two others import is loaded once."""

    load: Load
    problems: Problems
    loaded: dict[Path, Unit | None] = field(default_factory=dict)
    open: list[Path] = field(default_factory=list)

    def unit(self, tree: ast.Ast, path: Path) -> Unit:
        """The file `tree`, which stands at `path`, with everything that it imports."""
        self.open.append(path)
        statements = [d for d in tree.declarations if isinstance(d, ast.Import)]
        found = [self._import(statement, path.parent) for statement in statements]
        self.open.pop()
        units = tuple(unit for unit in found if unit is not None)
        complete = len(units) == len(found) and all(unit.complete for unit in units)
        return Unit(tree, units, complete)

    def _import(self, statement: ast.Import, folder: Path) -> Unit | None:
        place = self._place(statement, folder)
        if place is None:
            return None
        if place in self.open:
            self._cycle(statement, place)
            return None
        if place not in self.loaded:
            self.loaded[place] = self._load(statement, place)
        return self.loaded[place]

    def _place(self, statement: ast.Import, folder: Path) -> Path | None:
        match statement.target:
            case ast.Name(text):
                return (shipped("spaces") / f"{text}.enas").resolve()
            case ast.Text(value):
                inside = folder.resolve()
                place = (inside / value).resolve() if "\0" not in value else inside.parent
                if place.is_relative_to(inside) and not _climbs(value):
                    return place
        self.problems.error(
            "E0602",
            f"import of `{statement.target.value}` from outside the folder",
            statement.target.span,
            "this leaves the folder of the importing file",
            help="import reaches files in this file's own folder and the folders below it",
        )
        return None

    def _load(self, statement: ast.Import, place: Path) -> Unit | None:
        parsed = self.load(place)
        if parsed is None:
            self._missing(statement)
            return None
        tree, found = parsed
        for each in found:
            if each.label.span.source.text:
                self.problems.add((each,))
            else:  # nothing of the file could be read, so the place to show is this one
                self.problems.error(
                    each.code, each.message, statement.target.span, "imported here", help=each.help
                )
        return None if tree is None else self.unit(tree, place)

    def _missing(self, statement: ast.Import) -> None:
        target = statement.target
        if isinstance(target, ast.Text):
            self.problems.error(
                "E0601",
                f"no file `{target.value}`",
                target.span,
                "there is no such file beside the importing one",
            )
            return
        known = [path.stem for path in shipped("spaces").glob("*.enas")]
        text, fix = suggest(target.text, target.span, known)
        self.problems.error(
            "E0601",
            f"no shipped space `{target.text}`",
            target.span,
            "no space of this name comes with the package",
            help=text or f'for a file of your own write `import "{target.text}.enas"`',
            fix=fix,
        )

    def _cycle(self, statement: ast.Import, place: Path) -> None:
        circle = [path.name for path in self.open[self.open.index(place) :]]
        self.problems.error(
            "E0603",
            "files import each other in a circle",
            statement.target.span,
            " imports ".join([*circle, place.name]),
        )


def _climbs(value: str) -> bool:
    steps = re.split(r"[\\/]", value)
    return Path(value).is_absolute() or ".." in steps or ":" in steps[0]


def entries(unit: Unit) -> Iterator[Entry]:
    """The global names that a file itself declares, in its order."""
    for declaration in unit.tree.declarations:
        for name in declared(declaration):
            yield Entry(name, declaration)


def join(unit: Unit, problems: Problems) -> dict[str, Entry]:
    """Every global name that `unit` can see; a name given twice is an error at its second place."""
    joined = {entry.name.text: entry for entry in entries(prelude())}
    for below in unit.files():
        for entry in entries(below):
            _join_one(entry, joined, problems)
    return joined


def _join_one(entry: Entry, joined: dict[str, Entry], problems: Problems) -> None:
    name = entry.name
    if is_taken(entry.declaration, name.text):
        problems.error(
            "E0227",
            f"`{name.text}` is a word of the language",
            name.span,
            "this name is taken",
            help="choose another name",
        )
        return
    first = joined.setdefault(name.text, entry)
    if first is entry:
        return
    origin = first.name.span.source.name
    elsewhere = "" if origin == name.span.source.name else f" in {origin}"
    problems.error(
        "E0201",
        f"`{name.text}` is declared twice",
        name.span,
        "the second declaration",
        others=(Label(first.name.span, f"first declared here{elsewhere}"),),
    )
