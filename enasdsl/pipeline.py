"""One compilation: each phase a cached property over pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from os.path import isfile  # of a name that no file can have it is False
from pathlib import Path

from enasdsl.diagnostics import Diagnostic, Severity
from enasdsl.ir.lower import lower
from enasdsl.ir.space import Space
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.imports import Load, Parsed
from enasdsl.semantics.lint import lint
from enasdsl.semantics.resolve import resolve
from enasdsl.semantics.task import Task
from enasdsl.source import SourceFile, shipped
from enasdsl.syntax.ast import Ast
from enasdsl.syntax.parse import parse
from enasdsl.syntax.read import read

Diagnostics = tuple[Diagnostic, ...]


class Compilation:
    """A file on its way to a space; every tool asks it for the phase that it needs.

    `overrides` are values of params over the file's own; `task` has the sizes of the data, those
    of the usual data set where it is None; `reading` reads imported files, from the disk where
    it is None. A phase is None where an earlier one found errors, and `diagnostics` has what all
    phases found.
    """

    def __init__(
        self,
        source: SourceFile | None,
        overrides: Mapping[str, object] | None = None,
        task: Task | None = None,
        *,
        unread: Diagnostics = (),
        reading: Load | None = None,
    ) -> None:
        self.source = source or SourceFile("", "")
        self.overrides = {name: _text(value) for name, value in (overrides or {}).items()}
        self.task = task
        self._unread = unread
        self._load = reading or load

    @classmethod
    def open(
        cls,
        name: str | Path,
        *,
        overrides: Mapping[str, object] | None = None,
        task: Task | None = None,
    ) -> Compilation:
        """The compilation of a file, a shipped space by its name, or `-`, the standard input."""
        source, unread = read(locate(name))
        return cls(source, overrides, task, unread=unread)

    @cached_property
    def _parsed(self) -> Parsed:
        return (None, self._unread) if self._unread else _parse(self.source)

    @cached_property
    def _resolved(self) -> tuple[Checked | None, Diagnostics]:
        tree = self.tree
        if tree is None:
            return None, ()
        return resolve(tree, overrides=self.overrides, load=self._load)

    @cached_property
    def _lowered(self) -> tuple[Space | None, Diagnostics]:
        return (None, ()) if self.checked is None else lower(self.checked, self.task)

    @cached_property
    def _outlined(self) -> tuple[Space | None, Diagnostics]:
        return (None, ()) if self.checked is None else lower(self.checked, self.task, outline=True)

    @property
    def tree(self) -> Ast | None:
        """The syntax tree; None where the text has mistakes of syntax."""
        found, diagnostics = self._parsed
        return None if _errors(diagnostics) else found

    @property
    def checked(self) -> Checked | None:
        return self._resolved[0]

    @property
    def space(self) -> Space | None:
        return self._lowered[0]

    @property
    def outline(self) -> Space | None:
        """The space without its network: all that counting and sampling need, found sooner."""
        return self._outlined[0]

    @cached_property
    def findings(self) -> Diagnostics:
        """What is legal and likely wrong; nothing where names, arguments or syntax are."""
        return () if self.checked is None else lint(self.checked, load=self._load)

    @property
    def diagnostics(self) -> Diagnostics:
        lowered = self._lowered if "_lowered" in vars(self) else self._outlined
        return (*self._parsed[1], *self._resolved[1], *lowered[1])


def locate(name: str | Path) -> Path | str:
    """The path that a user's word means: a file, else the shipped space of that name."""
    path = Path(name)
    if str(name) == "-" or path.suffix or isfile(path) or path.name != str(name):
        return name
    found = shipped("spaces") / f"{name}.enas"
    return found if isfile(found) else name


def load(path: Path) -> Parsed | None:
    """Reads and parses an imported file; None where there is none."""
    source, diagnostics = read(path)
    if source is not None:
        return _parse(source)
    return None if diagnostics[0].code == "E0150" else (None, diagnostics)


@lru_cache(maxsize=16)  # a search compiles its file under several params
def _parse(source: SourceFile) -> Parsed:
    return parse(source)


def _errors(diagnostics: Diagnostics) -> bool:
    return any(d.severity is Severity.ERROR for d in diagnostics)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
