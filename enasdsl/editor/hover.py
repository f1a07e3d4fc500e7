"""What an editor shows about the place under the pointer."""

from __future__ import annotations

import re

from enasdsl.editor import telling
from enasdsl.editor.analysis import Analysis
from enasdsl.editor.documents import Document
from enasdsl.editor.occurrences import Sort
from enasdsl.editor.remarks import is_remark
from enasdsl.semantics.traverse import walk
from enasdsl.source import Span
from enasdsl.syntax import ast
from enasdsl.syntax.expect import KEYWORDS, SHAPES

_WORD = re.compile(r"[A-Za-z_]\w*")
_MEASURED = (ast.Choose, ast.Maybe, ast.Node, ast.CellDecl, ast.CellLike)

_APPLIED = (Sort.PRIMITIVE, Sort.OPERATION, Sort.CELL, Sort.BLOCK)


def hover(document: Document, offset: int) -> tuple[str, Span] | None:
    """The text in Markdown about what stands at `offset`, and the stretch that it is about."""
    found = document.at(offset)
    if found is not None:
        analysis, occurrence = found
        text, span = telling.tell(occurrence.symbol, analysis), occurrence.span
        if occurrence.symbol.sort in _APPLIED and not occurrence.defines:
            result = telling.shown(analysis.sight.shapes_from(span))
            text = f"{text}\n\n{result}" if result else text
    else:
        word = word_at(document.now.source.text, offset)
        if word is None or is_remark(document.now.source, offset):
            return None
        analysis = document.now
        span = Span(analysis.source, *word)
        text = _keyword(span, analysis)
    present = document.present(span)
    return (text, present) if text and present is not None else None


def word_at(text: str, offset: int) -> tuple[int, int] | None:
    """Where the word that holds or touches `offset` begins and ends."""
    start = text.rfind("\n", 0, offset) + 1
    for found in _WORD.finditer(text, start):
        if found.start() > offset or text.find("\n", start, found.start()) >= 0:
            return None
        if offset <= found.end():
            return found.span()
    return None


def _keyword(span: Span, analysis: Analysis) -> str:
    """What the construct that begins with a keyword amounts to, or how it is written."""
    terminal = KEYWORDS.get(span.text)
    if terminal is None:
        return ""
    beginning = (
        node
        for declaration in analysis.tree.declarations
        if declaration.span.start <= span.start < declaration.span.stop
        for node in walk(declaration)
        if _start(node) == span.start
    )
    told = next(filter(None, (_construct(node, analysis) for node in beginning)), "")
    shape = SHAPES.get(terminal, "")
    return told or (f"**{span.text}**: {shape}" if shape else "")


def _start(node: object) -> int | None:
    span = getattr(node, "span", None)
    return span.start if isinstance(span, Span) else None


def _construct(node: object, analysis: Analysis) -> str:
    match node:
        case ast.SpaceName(name):
            found = analysis.index.at(name.span.start)
            return telling.tell(found.symbol, analysis) if found else ""
        case ast.Part(value=value):
            return telling.shapes([value.span], analysis)
        case _ if isinstance(node, _MEASURED):
            parts = [telling.size(node, analysis)]
            if isinstance(node, ast.Node):
                parts.append(telling.shapes([node.body.ending], analysis))
            return "\n\n".join(part for part in parts if part)
        case _:
            return ""
