"""The open files, with their text as it is on the screen, and the closed ones that they import."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from lsprotocol import types
from pygls import uris
from pygls.workspace import PositionCodec

from enasdsl.editor.analysis import Analysis
from enasdsl.editor.occurrences import Occurrence, Sort
from enasdsl.editor.positions import Positions, Shift
from enasdsl.pipeline import load
from enasdsl.semantics.imports import Load, Parsed
from enasdsl.source import SourceFile, Span, shipped
from enasdsl.syntax.parse import parse

Change = types.TextDocumentContentChangePartial | types.TextDocumentContentChangeWholeDocument

FILE_LIMIT = 2000
"""The most files of a folder that are searched for uses of a name."""


class Document:
    """One open file: what is known of its text, and of its last text that parsed."""

    def __init__(self, uri: str, source: SourceFile, loading: Load) -> None:
        self.uri = uri
        self.now = Analysis(source, loading)
        self.good = self.now
        self.shift = Shift(0, 0, 0)  # from the good text to this one

    def change(self, source: SourceFile, loading: Load) -> None:
        """Takes a new text, or looks again at the old one since an imported file has changed."""
        if self.now.parsed:
            self.good = self.now
        self.now = Analysis(source, loading)
        if self.now.parsed or not self.good.parsed:
            self.good = self.now
        self.shift = Shift.between(self.good.source.text, source.text)

    def at(self, offset: int) -> tuple[Analysis, Occurrence] | None:
        """The name at `offset` and the text that knows most of it.

        Where the present text has mistakes of syntax that is the last good one, in which the name
        then stands elsewhere: `present` finds its place.
        """
        for analysis, place in ((self.good, self.shift.back(offset)), (self.now, offset)):
            found = None if place is None else analysis.index.at(place)
            if found is not None:
                return analysis, found
        return None

    def present(self, span: Span) -> Span | None:
        """Where a span of this file stands in its present text."""
        if self.good is not self.now and span.source == self.good.source:
            return self.shift.forward(span, self.now.source)
        return span

    @property
    def path(self) -> str:
        return self.now.source.name

    def imports(self, path: str) -> bool:
        """Whether the file at `path` is read for this one, or would be if it had no mistakes."""
        named = (o.symbol.file for o in self.now.index.occurrences if o.symbol.sort is Sort.FILE)
        return path in (*named, *(unit.tree.source.name for unit in self.now.files()[:-1]))


class Documents:
    """The open files by their paths."""

    def __init__(self) -> None:
        self.codec = PositionCodec()
        self.open: dict[str, Document] = {}
        self.roots: list[Path] = []

    def put(self, uri: str, text: str) -> Document:
        """Takes the text of a file that was opened or changed."""
        path = file_of(uri)
        source = source_of(path, text)
        if path in self.open:
            self.open[path].change(source, self.load)
        else:
            self.open[path] = Document(uri, source, self.load)
        return self.open[path]

    def edit(self, uri: str, changes: Sequence[Change]) -> Document | None:
        """Takes what was typed, change by change, into the text of an open file."""
        document = self.get(uri)
        if document is None:
            return None
        source = document.now.source
        for change in changes:
            text = _plain(change.text)
            if isinstance(change, types.TextDocumentContentChangePartial):
                at = self.positions(source)
                start, stop = at.offset(change.range.start), at.offset(change.range.end)
                text = source.text[:start] + text + source.text[stop:]
            source = SourceFile(source.name, text)
        document.change(source, self.load)
        return document

    def get(self, uri: str) -> Document | None:
        return self.open.get(file_of(uri))

    def close(self, uri: str) -> None:
        self.open.pop(file_of(uri), None)

    def importing(self, changed: Document) -> Iterator[Document]:
        """The other open files that import the changed one, to be looked at anew."""
        for document in tuple(self.open.values()):
            if document is not changed and document.imports(changed.path):
                document.change(document.now.source, self.load)
                yield document

    def load(self, path: Path) -> Parsed | None:
        """Reads an imported file, from the screen where it is open."""
        document = self.open.get(str(path))
        return load(path) if document is None else parse(document.now.source)

    def loading(self, texts: Mapping[str, str]) -> Load:
        """Reads imported files as if those of `texts` had these texts."""

        def read(path: Path) -> Parsed | None:
            text = texts.get(str(path))
            return self.load(path) if text is None else parse(SourceFile(str(path), text))

        return read

    def positions(self, source: SourceFile) -> Positions:
        return Positions(source, self.codec)

    def uri(self, name: str) -> str:
        """The address of the file that a span names."""
        document = self.open.get(name)
        if document is not None:
            return document.uri
        path = shipped("grammars") / name if name == "prelude.enas" else Path(name).resolve()
        return uris.from_fs_path(str(path)) or name

    def elsewhere(self, word: str) -> Iterator[Analysis]:
        """The files of the folders that the editor shows, open or not, which say `word`."""
        for document in self.open.values():
            if word in document.now.source.text:
                yield document.now
        for path in islice(_below(self.roots), FILE_LIMIT):
            name = str(path.resolve())
            if name not in self.open and word in (text := _text(path)):
                yield Analysis(source_of(name, text), self.load)


def file_of(uri: str) -> str:
    """The path of the file at `uri`; an untitled one stands in the current folder."""
    return str(Path(uris.to_fs_path(uri) or uri.partition(":")[2]).resolve())


def source_of(path: str, text: str) -> SourceFile:
    """The text of a file, its line breaks made one character long."""
    return SourceFile(path, _plain(text.removeprefix("\ufeff")))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _below(roots: list[Path]) -> Iterator[Path]:
    """The `.enas` files below some folders, hidden folders aside."""
    for root in roots:
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(n for n in folders if not n.startswith(".") and n != "node_modules")
            yield from (Path(folder) / name for name in sorted(files) if name.endswith(".enas"))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
