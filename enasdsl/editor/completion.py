"""What can be typed next: the parser says which words, the scopes say which names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lsprotocol.types import CompletionItemKind as Kind

from enasdsl.editor import telling
from enasdsl.editor.documents import Document
from enasdsl.editor.occurrences import Index, Sort, Symbol, parameters
from enasdsl.editor.remarks import is_remark
from enasdsl.semantics.bodies import SHARED
from enasdsl.semantics.declarations import RULES
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.scopes import AMBIENT, FUNCTIONS, SETS, SIZES
from enasdsl.semantics.task import TASKS
from enasdsl.source import SourceFile, shipped
from enasdsl.syntax.expect import KEYWORDS, OPERAND
from enasdsl.syntax.mistakes import Bracket
from enasdsl.syntax.parse import possible


@dataclass(frozen=True, slots=True)
class Proposal:
    """A word that can stand at the cursor; `told` is what it stands for."""

    text: str
    kind: Kind
    told: str = ""


_KINDS = {
    Sort.PARAM: Kind.Constant,
    Sort.LIST: Kind.Enum,
    Sort.OPERATION: Kind.Function,
    Sort.CELL: Kind.Class,
    Sort.BLOCK: Kind.Class,
}
_CELLS = frozenset({Sort.CELL, Sort.BLOCK})
_LAST = re.compile(r"(\w+)[ \t]*$")
_OPENED = re.compile(r"([\w.]+)[ \t]*$")


def complete(document: Document, offset: int) -> tuple[Proposal, ...]:
    """The proposals for the word that ends at `offset`, each once."""
    text = document.now.source.text[:offset]
    before = re.sub(r"\w+$", "", text)
    if is_remark(document.now.source, offset) or _in_quotes(before):
        return ()
    terminals, brackets = possible(SourceFile(document.now.source.name, before))
    found = _Place(document, offset, before, terminals, brackets).proposals()
    return tuple({p.text: p for p in reversed(tuple(found))}.values())[::-1]


def _in_quotes(before: str) -> bool:
    line = before[before.rfind("\n") + 1 :]
    return '"' in re.sub(r'"(?:[^"\\]|\\.)*"', "", line)


@dataclass(frozen=True, slots=True)
class _Place:
    """The cursor: the text before it, what the parser can take there, and what is open."""

    document: Document
    offset: int
    before: str
    terminals: frozenset[str]
    brackets: tuple[Bracket, ...]

    def proposals(self) -> Iterator[Proposal]:
        if "NAME" in self.terminals:
            yield from self._names()
        for word, terminal in KEYWORDS.items():
            if terminal in self.terminals:
                yield Proposal(word, Kind.Keyword)

    def _names(self) -> Iterator[Proposal]:
        """The names that fit where the parser takes one."""
        inside = self._within()
        if inside is not None:
            yield from inside
        elif OPERAND.issubset(self.terminals):
            yield from self._argument_names()
            yield from self._values()
        else:
            yield from self._after(self._last_word())

    def _last_word(self) -> str:
        found = _LAST.search(self.before)
        return found[1] if found else ""

    def _after(self, word: str) -> Iterator[Proposal]:
        """The names that one keyword asks for; none where a name of one's own is to be made."""
        match word:
            case "import":
                paths = sorted(shipped("spaces").glob("*.enas"))
                yield from (Proposal(p.stem, Kind.Module, "a shipped space") for p in paths)
            case "network":
                yield from (Proposal(task, Kind.EnumMember, "a task") for task in TASKS)
            case "like":
                yield from self._bases()
            case "across":
                yield from (Proposal(part, Kind.EnumMember) for part in SHARED)
            case "with":
                yield from _words(AMBIENT)
                yield from self._globals({Sort.PARAM})

    def _bases(self) -> Iterator[Proposal]:
        line = self.before[self.before.rfind("\n") + 1 :].split()
        if line[:1] == ["recipe"]:
            for index in self._indexes():
                yield from (Proposal(name, Kind.Struct, "a recipe") for name in index.recipes)
        else:
            yield from self._globals(_CELLS)

    def _within(self) -> Iterator[Proposal] | None:
        """The keys and words of a recipe or the rules of `modulo`, where the cursor is in one."""
        braces = [b for b in self.brackets if b.kind == "_LBRACE"]
        statements = [b.statement for b in braces]
        if statements[:1] == ["_MODULO"]:
            return (Proposal(rule, Kind.EnumMember) for rule in RULES)
        if statements[:1] != ["_RECIPE"]:
            return None
        opened = (_OPENED.search(self.before, 0, b.span.start) for b in braces[1:])
        section = ".".join(found[1] for found in opened if found)
        return self._words(section) if OPERAND.issubset(self.terminals) else self._keys(section)

    def _words(self, section: str) -> Iterator[Proposal]:
        """The values of a setting."""
        from enasdsl.semantics.recipe import setting_choices  # pydantic is slow to start

        key = re.search(r"([\w.]+)[ \t]*:[ \t]*$", self.before)
        path = f"{section}.{key[1]}".lstrip(".") if key else ""
        yield from (Proposal(word, Kind.EnumMember) for word in setting_choices(path))
        yield from self._globals({Sort.PARAM})

    def _keys(self, section: str) -> Iterator[Proposal]:
        """The settings of a section of a recipe."""
        from enasdsl.semantics.recipe import SECTIONS, describe_setting  # pydantic is slow to start

        dotted = re.search(r"([\w.]+)\.$", self.before)
        section = f"{section}.{dotted[1]}".lstrip(".") if dotted else section
        if section.rpartition(".")[2] == "params":
            yield from self._globals({Sort.PARAM})
        for key in SECTIONS.get(section, ()):
            whole = f"{section}.{key}".lstrip(".")
            yield Proposal(key, Kind.Property, describe_setting(whole))

    def _argument_names(self) -> Iterator[Proposal]:
        """The parameters of the operation whose arguments are being typed."""
        if not self.brackets or self.brackets[-1].kind != "_LPAR":
            return
        if self.before.rstrip()[-1:] not in "(,":
            return
        start = self.brackets[-1].span.start
        for index in self._indexes():
            called = index.at(start)
            symbol = called.symbol if called else self._called(start)
            for parameter in parameters(symbol):
                yield Proposal(f"{parameter.name}: ", Kind.Field, parameter.sort.value)

    def _called(self, start: int) -> Symbol | None:
        found = _LAST.search(self.before, 0, start)
        name = found[1] if found else ""
        if name in OPS:
            return Symbol(name, Sort.PRIMITIVE, node=OPS[name])
        return next((i.names[name] for i in self._indexes() if name in i.names), None)

    def _values(self) -> Iterator[Proposal]:
        """Everything that an expression can name here: what is near first."""
        now = self.document.now
        for symbol in now.index.visible(self.offset):
            yield Proposal(symbol.name, Kind.Variable, symbol.sort.value)
        yield from self._old_values()
        yield from self._globals(None)
        for name, spec in OPS.items():
            yield Proposal(name, Kind.Function, spec.summary)
        if any(b.statement in ("CELL", "BLOCK") for b in self.brackets):
            yield from _words(SETS)
        yield from _words(AMBIENT | SIZES | FUNCTIONS)

    def _old_values(self) -> Iterator[Proposal]:
        """The names of bodies that the last text without mistakes knew at this place."""
        document = self.document
        back = None if document.good is document.now else document.shift.back(self.offset)
        if back is not None:
            for symbol in document.good.index.visible(back):
                yield Proposal(symbol.name, Kind.Variable, symbol.sort.value)

    def _globals(self, sorts: Iterable[Sort] | None) -> Iterator[Proposal]:
        for index in self._indexes():
            for name, symbol in index.names.items():
                if sorts is None or symbol.sort in sorts:
                    yield Proposal(name, _KINDS.get(symbol.sort, Kind.Variable), symbol.sort.value)

    def _indexes(self) -> tuple[Index, ...]:
        """The names of the present text, and those of the last one without mistakes."""
        now, good = self.document.now, self.document.good
        return (now.index,) if good is now else (now.index, good.index)


def _words(words: Iterable[str]) -> Iterator[Proposal]:
    for word in sorted(words):
        yield Proposal(word, Kind.Keyword, telling.WORDS.get(word, ""))
