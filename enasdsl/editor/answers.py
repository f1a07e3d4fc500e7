"""What is answered to each request of an editor, in the words of its protocol."""

from __future__ import annotations

from dataclasses import replace

from lsprotocol import types

from enasdsl.editor import outline
from enasdsl.editor.completion import Proposal, complete
from enasdsl.editor.documents import Document, Documents
from enasdsl.editor.hover import hover, word_at
from enasdsl.editor.marks import location
from enasdsl.editor.occurrences import Symbol
from enasdsl.editor.positions import Positions
from enasdsl.editor.renaming import renamable, rename, uses
from enasdsl.source import Span
from enasdsl.syntax.format import format_source


class Answers:
    """The answers for one open file; each is None, or empty, where there is nothing to say."""

    def __init__(self, document: Document, documents: Documents) -> None:
        self.document = document
        self.documents = documents
        self.at: Positions = documents.positions(document.now.source)

    def hover(self, position: types.Position) -> types.Hover | None:
        found = hover(self.document, self.at.offset(position))
        if found is None:
            return None
        text, span = found
        content = types.MarkupContent(types.MarkupKind.Markdown, text)
        return types.Hover(content, self.at.range(span))

    def completion(self, position: types.Position) -> types.CompletionList:
        offset = self.at.offset(position)
        word = word_at(self.document.now.source.text, offset)
        start = word[0] if word and word[0] < offset else offset
        where = types.Range(self.at.position(start), position)
        found = complete(self.document, offset)
        items = [_item(p, order, where) for order, p in enumerate(found)]
        return types.CompletionList(is_incomplete=False, items=items)

    def _symbol(self, position: types.Position) -> Symbol | None:
        """The meaning of the name at a position, its place moved to the present text."""
        found = self.document.at(self.at.offset(position))
        if found is None:
            return None
        symbol = found[1].symbol
        place = self.document.present(symbol.place) if symbol.place else None
        return replace(symbol, place=place)

    def definition(self, position: types.Position) -> types.Location | None:
        symbol = self._symbol(position)
        if symbol is None or symbol.place is None:
            return None
        return location(symbol.place, self.documents)

    def references(self, position: types.Position, *, declaration: bool) -> list[types.Location]:
        symbol = self._symbol(position)
        if symbol is None:
            return []
        spans = [s for each in uses(symbol, self.document, self.documents).values() for s in each]
        return [
            location(span, self.documents)
            for span in spans
            if declaration or not _declares(span, symbol)
        ]

    def highlights(self, position: types.Position) -> list[types.DocumentHighlight]:
        symbol = self._symbol(position)
        found = () if symbol is None else self.document.now.index.of(symbol)
        return [types.DocumentHighlight(self.at.range(o.span)) for o in found]

    def rename_range(self, position: types.Position) -> types.Range:
        """The name that would be renamed; raises Refused."""
        return self.at.range(renamable(self.document, self.at.offset(position)).span)

    def rename(self, position: types.Position, name: str) -> types.WorkspaceEdit:
        """The edits of all files; raises Refused."""
        places = rename(self.document, self.at.offset(position), name, self.documents)
        changes = {
            self.documents.uri(source.name): [
                types.TextEdit(self.documents.positions(source).range(span), name) for span in spans
            ]
            for source, spans in places.items()
        }
        return types.WorkspaceEdit(changes=changes)

    def formatting(self) -> list[types.TextEdit]:
        """One edit of the whole text; none where it has mistakes of syntax or is well already.

        Raises Unproven where the edit would change more than the look.
        """
        source = self.document.now.source
        text, _ = format_source(source)
        if text is None or text == source.text:
            return []
        return [types.TextEdit(self.at.everything(), text)]

    def symbols(self) -> list[types.DocumentSymbol]:
        return [self._symbols(entry) for entry in outline.entries(self.document.now.tree)]

    def _symbols(self, entry: outline.Entry) -> types.DocumentSymbol:
        return types.DocumentSymbol(
            name=entry.title,
            kind=entry.kind,
            range=self.at.range(entry.whole),
            selection_range=self.at.range(entry.name),
            children=[self._symbols(below) for below in entry.below],
        )

    def hints(self, wanted: types.Range) -> list[types.InlayHint]:
        """The sizes of the lines of a range, of the last good text where this has mistakes."""
        good = self.document.good
        found = []
        for hint in outline.hints(good):
            place = self.document.present(Span(good.source, hint.offset, hint.offset))
            if place is not None:
                where = self.at.position(place.start)
                if wanted.start.line <= where.line <= wanted.end.line:
                    label = f" = {hint.text}"
                    found.append(types.InlayHint(where, label, types.InlayHintKind.Type))
        return found


def _declares(span: Span, symbol: Symbol) -> bool:
    return span == symbol.place and span.source.name == symbol.file


def _item(proposal: Proposal, order: int, where: types.Range) -> types.CompletionItem:
    return types.CompletionItem(
        label=proposal.text.rstrip(),
        kind=proposal.kind,
        detail=proposal.told or None,
        sort_text=f"{order:04}",
        filter_text=proposal.text,
        text_edit=types.TextEdit(where, proposal.text),
    )
