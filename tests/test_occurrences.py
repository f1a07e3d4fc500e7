"""Names: what the editor says of them is what the compiler means, whatever the text."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types
from pygls.workspace import PositionCodec
from test_editor import SMALL

from enasdsl.editor.analysis import Analysis
from enasdsl.editor.answers import Answers
from enasdsl.editor.documents import Document, Documents
from enasdsl.editor.marks import actions, marks
from enasdsl.editor.occurrences import Sort
from enasdsl.editor.positions import Positions, Shift
from enasdsl.editor.renaming import Refused
from enasdsl.ir.space import Space
from enasdsl.pipeline import Compilation, load
from enasdsl.semantics.scopes import AMBIENT
from enasdsl.semantics.traverse import walk
from enasdsl.source import SourceFile, Span, shipped
from enasdsl.syntax import ast

SPACES = sorted(shipped("spaces").glob("*.enas"))
URI = "file:///nowhere/small.enas"
EVERYTHING = types.Range(types.Position(0, 0), types.Position(10_000, 0))


@pytest.mark.slow
@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_space_whose_names_are_all_changed_means_the_same(path: Path) -> None:
    source = SourceFile(str(path), path.read_text("utf-8"))
    occurrences = Analysis(source, load).index.occurrences
    fresh: dict[object, str] = {}
    text = source.text
    for occurrence in sorted(occurrences, key=lambda o: o.span.start, reverse=True):
        symbol, span = occurrence.symbol, occurrence.span
        if (
            symbol.file == source.name
            and symbol.sort is not Sort.FILE
            and symbol.name not in AMBIENT
        ):
            new = fresh.setdefault(symbol, f"fresh_{len(fresh)}")
            text = text[: span.start] + new + text[span.stop :]
    before, after = Compilation(source), Compilation(SourceFile(str(path), text))
    assert before.outline is not None
    assert after.outline is not None, after.diagnostics
    assert _meaning(after.outline) == _meaning(before.outline)
    assert len(fresh) > 3


def _meaning(space: Space) -> object:
    """All of a space but its names."""
    decisions = [(d.domain, d.guard, d.source) for d in space.decisions]
    return decisions, [(c.value, c.guard) for c in space.constraints]


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_every_mention_is_an_occurrence(path: Path) -> None:
    analysis = Analysis(SourceFile(str(path), path.read_text("utf-8")), load)
    known = {(o.span.start, o.span.stop) for o in analysis.index.occurrences}
    declared = (d for d in analysis.tree.declarations if not isinstance(d, ast.RecipeDecl))
    mentions = (n for d in declared for n in walk(d) if isinstance(n, ast.Reference))
    assert [m.name for m in mentions if (m.span.start, m.span.stop) not in known] == []


edits = st.tuples(
    st.integers(0, len(SMALL)),
    st.integers(0, 12),
    st.sampled_from(["", " ", "}", "(", "\n", '"', "#", "->", "x", "cell", "choose ", "node 9 {"]),
)
texts = st.lists(edits, min_size=1, max_size=3)


def _edited(text: str, changes: list[tuple[int, int, str]]) -> str:
    for start, length, new in changes:
        text = text[:start] + new + text[start + length :]
    return text


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(texts, st.lists(st.integers(0, len(SMALL)), min_size=3, max_size=3))
def test_there_is_an_answer_to_every_question_about_every_text(
    changes: list[tuple[int, int, str]], places: list[int]
) -> None:
    documents = Documents()
    documents.put(URI, SMALL)
    document = documents.put(URI, _edited(SMALL, changes))
    answers = Answers(document, documents)
    assert len(marks(document, documents)) == len(document.now.diagnostics)
    assert [a for a in actions(document, EVERYTHING, documents) if a.edit is None] == []
    answers.symbols()
    answers.formatting()
    answers.hints(EVERYTHING)
    for place in places:
        _ask(answers, document, place)


def _ask(answers: Answers, document: Document, place: int) -> None:
    at = answers.at.position(place)
    found = answers.hover(at)
    if found is not None and found.range is not None:
        assert found.range.start <= at <= found.range.end
    labels = [item.label for item in answers.completion(at).items]
    assert len(labels) == len(set(labels))
    defined = answers.definition(at)
    if defined is not None and defined.uri == document.uri:
        uses = answers.references(at, declaration=True)
        assert not document.now.parsed or defined in uses
    with suppress(Refused):
        assert answers.rename(at, "another").changes


@given(st.text("ab\n", max_size=12), st.text("ab\n", max_size=12))
def test_a_shift_leads_to_the_same_text_and_back(old: str, new: str) -> None:
    shift = Shift.between(old, new)
    source = SourceFile("new", new)
    for offset in range(len(old)):
        moved = shift.forward(Span(source, offset, offset + 1), source)
        if moved is not None:
            assert new[moved.start] == old[offset]
            assert shift.back(moved.start) in (offset, shift.start)


@given(st.text("aé𝛼\n", max_size=20), st.sampled_from(list(types.PositionEncodingKind)))
def test_positions_and_offsets_are_inverse(text: str, kind: types.PositionEncodingKind) -> None:
    positions = Positions(SourceFile("text", text), PositionCodec(kind))
    for offset in range(len(text) + 1):
        found = positions.position(offset)
        assert positions.offset(found) == offset
        line = text.split("\n")[found.line]
        assert found.character <= len(line.encode("utf-8"))
