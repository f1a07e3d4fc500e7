"""All that is known of one text: each piece found when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from enasdsl.diagnostics import Diagnostic
from enasdsl.editor.occurrences import Index, index
from enasdsl.editor.sight import Sight, look
from enasdsl.editor.sizes import Sizes
from enasdsl.pipeline import Compilation
from enasdsl.semantics.imports import Importer, Load, Unit
from enasdsl.semantics.problems import Problems
from enasdsl.source import SourceFile, Span
from enasdsl.syntax import ast
from enasdsl.syntax.lines import OPENERS
from enasdsl.syntax.parse import possible, salvage

_CLOSERS = {"_RPAR": ")", "_RSQB": "]", "_RBRACE": "\n}"}


class Analysis:
    """One text of one file; imported files are read by `load`."""

    def __init__(self, source: SourceFile, load: Load) -> None:
        self.source = source
        self.load = load
        self.compilation = Compilation(source, reading=load)

    @property
    def parsed(self) -> bool:
        """Whether the text has no mistake of syntax."""
        return self.compilation.tree is not None

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self.compilation.diagnostics

    @cached_property
    def tree(self) -> ast.Ast:
        """The syntax tree, without what cannot be read."""
        found = self.compilation.tree or salvage(self.source) or self._mended()
        return found or ast.Ast(self.source, ())

    def _mended(self) -> ast.Ast | None:
        """The tree of a text whose last brackets are still open."""
        _, brackets = possible(self.source)
        closers = (_CLOSERS[OPENERS[bracket.kind]] for bracket in reversed(brackets))
        return salvage(SourceFile(self.source.name, self.source.text + "".join(closers)))

    @cached_property
    def unit(self) -> Unit:
        """The file with what it imports."""
        path = Path(self.source.name).resolve()
        return Importer(self.load, Problems()).unit(self.tree, path)

    @cached_property
    def index(self) -> Index:
        return index(self.unit)

    @cached_property
    def _seen(self) -> tuple[Sizes | None, Sight]:
        checked = self.compilation.checked
        if checked is None or self.compilation.outline is None:
            return None, Sight()
        space, sight = look(checked)
        return (None if space is None else Sizes(space, sight)), sight

    @property
    def sizes(self) -> Sizes | None:
        """The sizes of the space; None where the file has mistakes."""
        return self._seen[0]

    @property
    def sight(self) -> Sight:
        return self._seen[1]

    def files(self) -> tuple[Unit, ...]:
        """Every file that is read, this one last."""
        return self.unit.files()

    def imports_of(self, name: str) -> Span | None:
        """The import that leads to the file `name`; None where none does."""
        targets = [d.target.span for d in self.tree.declarations if isinstance(d, ast.Import)]
        for target in targets:
            found = self.index.at(target.start)
            if found is not None and found.symbol.file == name:
                return target
        return targets[0] if targets else None
