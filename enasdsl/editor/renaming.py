"""A new name for what a name stands for, in every file that says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from enasdsl.diagnostics import Severity
from enasdsl.editor.analysis import Analysis
from enasdsl.editor.documents import Document, Documents
from enasdsl.editor.occurrences import Index, Occurrence, Sort, Symbol
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.scopes import AMBIENT, WORDS
from enasdsl.source import SourceFile, Span, shipped
from enasdsl.syntax.expect import KEYWORDS

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Refused(Exception):
    """Why a name cannot be given."""


def uses(symbol: Symbol, document: Document, documents: Documents) -> dict[SourceFile, list[Span]]:
    """Every place at which a name means `symbol`, in this file and in those that know it."""
    found: dict[SourceFile, list[Span]] = {}
    for analysis in _knowing(symbol, document, documents):
        spans = [occurrence.span for occurrence in analysis.index.of(symbol)]
        if spans:
            found[analysis.source] = list(dict.fromkeys(spans))
    return found


def _knowing(symbol: Symbol, document: Document, documents: Documents) -> Iterator[Analysis]:
    """The file itself, those that it imports, and those that import what declares `symbol`."""
    seen = {document.now.source.name}
    yield document.now
    if symbol.place is None:
        return
    below = (Analysis(unit.tree.source, documents.load) for unit in document.now.files()[:-1])
    for analysis in (*below, *documents.elsewhere(symbol.name)):
        if analysis.source.name not in seen:
            seen.add(analysis.source.name)
            yield analysis


def renamable(document: Document, offset: int) -> Occurrence:
    """The name at `offset`; raises Refused where there is none that a file gives."""
    if not document.now.parsed:
        raise Refused("the file has mistakes of syntax; mend them first")
    found = document.now.index.at(offset)
    if found is None:
        raise Refused("no name stands here")
    symbol = found.symbol
    if symbol.place is None or symbol.sort is Sort.FILE:
        raise Refused(f"`{found.span.text}` belongs to the language")
    if symbol.name in AMBIENT:
        raise Refused(f"`{symbol.name}` has a meaning of its own: the width in force")
    if _shipped(symbol.file):
        raise Refused(f"`{symbol.name}` is declared in a file of the package")
    return found


def rename(
    document: Document, offset: int, name: str, documents: Documents
) -> dict[SourceFile, list[Span]]:
    """The places that must change; raises Refused where the files would no longer mean the same."""
    symbol = renamable(document, offset).symbol
    _check_word(name)
    places = uses(symbol, document, documents)
    if name == symbol.name:
        return {}
    analyses = {a.source: a for a in _knowing(symbol, document, documents)}
    for source in places:
        _check_free(name, symbol, analyses[source].index, source)
    texts = {source.name: replaced(source, spans, name) for source, spans in places.items()}
    _check_meaning(document, texts, documents)
    return places


def replaced(source: SourceFile, spans: list[Span], name: str) -> str:
    """The text of `source` with `name` at each of the spans."""
    text = source.text
    for span in sorted(spans, key=lambda span: span.start, reverse=True):
        text = text[: span.start] + name + text[span.stop :]
    return text


def _shipped(file: str) -> bool:
    folders = (shipped("spaces"), shipped("grammars"))
    return file == "prelude.enas" or any(Path(file).is_relative_to(folder) for folder in folders)


def _check_word(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Refused(f"`{name}` is no name: letters, digits and `_`, and no digit at first")
    if name in KEYWORDS:
        raise Refused(f"`{name}` is a keyword")
    if name in WORDS or name in OPS:
        raise Refused(f"`{name}` is a word of the language")


def _check_free(name: str, symbol: Symbol, index: Index, source: SourceFile) -> None:
    if symbol.sort is Sort.RECIPE:
        clash = index.recipes.get(name)
    elif symbol.sort is Sort.SPACE:
        return
    else:
        bound = (o.symbol for o in index.occurrences if o.defines and o.symbol.name == name)
        local = (s for s in bound if s.sort not in (Sort.RECIPE, Sort.SPACE))
        clash = index.names.get(name) or next(local, None)
    if clash is not None:
        file = Path(clash.file or source.name).name
        line = f", line {clash.place.position[0]}" if clash.place else ""
        raise Refused(f"`{name}` already means something: {clash.sort.value} ({file}{line})")


def _check_meaning(document: Document, texts: Mapping[str, str], documents: Documents) -> None:
    """Compiles the file as it would be; raises Refused where it has mistakes of new kinds."""
    source = document.now.source
    after = Analysis(
        SourceFile(source.name, texts.get(source.name, source.text)), documents.loading(texts)
    )
    known = {d.code for d in document.now.diagnostics}
    for found in after.diagnostics:
        if found.severity is Severity.ERROR and found.code not in known:
            raise Refused(f"with this name the file would be wrong: {found.message}")
