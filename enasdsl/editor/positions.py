"""Between offsets in a text and the positions of an editor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lsprotocol import types
from pygls.workspace import PositionCodec

from enasdsl.source import SourceFile, Span


@dataclass(frozen=True)
class Positions:
    """The positions of one text, in the units that the editor counts characters in."""

    source: SourceFile
    codec: PositionCodec

    @cached_property
    def _lines(self) -> list[str]:
        return self.source.text.split("\n")

    def offset(self, position: types.Position) -> int:
        """The offset of a position; beyond the end of a line it is that end."""
        if position.line >= len(self._lines):
            return len(self.source.text)
        line = self._lines[position.line]
        units, column = 0, 0
        while column < len(line) and units < position.character:
            units += self.codec.client_num_units(line[column])
            column += 1
        return self.source.line_starts[position.line] + column

    def position(self, offset: int) -> types.Position:
        line, column = self.source.position(min(offset, len(self.source.text)))
        text = self._lines[line - 1][: column - 1]
        return types.Position(line - 1, self.codec.client_num_units(text))

    def range(self, span: Span) -> types.Range:
        return types.Range(self.position(span.start), self.position(span.stop))

    def everything(self) -> types.Range:
        return types.Range(types.Position(0, 0), self.position(len(self.source.text)))


@dataclass(frozen=True, slots=True)
class Shift:
    """Where the places of an older text stand in a newer one that differs in one stretch."""

    start: int
    old_stop: int
    new_stop: int

    @classmethod
    def between(cls, old: str, new: str) -> Shift:
        least = min(len(old), len(new))
        start = next((i for i in range(least) if old[i] != new[i]), least)
        rest = least - start
        same = next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)
        return cls(start, len(old) - same, len(new) - same)

    def back(self, offset: int) -> int | None:
        """The offset in the old text of one in the new; None within what was changed."""
        if offset <= self.start:
            return offset
        return offset - self.new_stop + self.old_stop if offset >= self.new_stop else None

    def forward(self, span: Span, source: SourceFile) -> Span | None:
        """The span in the new text, `source`, of one in the old; None where it was changed."""
        if span.stop <= self.start:
            return Span(source, span.start, span.stop)
        if span.start < self.old_stop:
            return None
        moved = self.new_stop - self.old_stop
        return Span(source, span.start + moved, span.stop + moved)
