"""Where the lines of one statement break: on one line what fits, else from the outside in.

Where a statement is too long for a line, the breaks of its author are kept, and only what is then
still too long is broken anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from enasdsl.syntax.arrange import ROLE_WIDTH, Block, Piece, Statement, exploded_by_hand
from enasdsl.syntax.lines import listed
from enasdsl.syntax.scan import Gap

WIDTH = 100
INDENT = 2

_NAMED = frozenset(listed("_OP CELL BLOCK _NETWORK _RECIPE _NODE _MODULO _SPACE _IMPORT"))
_LED = frozenset(listed("_PUBLISHED _REQUIRE _EACH STEM STACK HEAD"))
_OPERATORS = frozenset(listed("_ARROW PLUS MINUS STAR SLASH FLOOR PERCENT"))
_WORDS = frozenset(listed("_WHY _ELSE _WHEN _FOR OR AND"))
_LOOSENESS = {
    "_WHY": 0,
    "_COMMA": 1,
    "_ELSE": 2,
    "_WHEN": 2,
    "_FOR": 2,
    "_ARROW": 3,
    "OR": 5,
    "AND": 6,
    "PLUS": 7,
    "MINUS": 7,
    "STAR": 8,
    "SLASH": 8,
    "FLOOR": 8,
    "PERCENT": 8,
}
_COMMA_IN_FLOW = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a statement, with the pieces `first` to `last` and the block that it opens.

    `gap` is what stands above it, comments at the column `beside`.
    """

    text: str
    first: int
    last: int
    indent: int
    gap: Gap
    beside: int
    block: Block | None = None


@dataclass(slots=True)
class _Frame:
    """Brackets, or the whole statement: the columns where a line in it and its end begin."""

    column: int
    outer: int
    exploded: bool = False


@dataclass(slots=True)
class Breaks:
    """The breaks of a statement that begins at the column `indent`."""

    statement: Statement
    indent: int
    broken: set[int] = field(default_factory=set)  # the pieces that begin a line
    exploded: set[int] = field(default_factory=set)  # brackets whose members have own lines
    opened: set[int] = field(default_factory=set)  # blocks whose statements have own lines
    column: list[int] = field(default_factory=list)  # where each piece would begin a line
    start: list[int] = field(default_factory=list)  # where each piece begins in its line
    stop: list[int] = field(default_factory=list)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return self.statement.pieces

    def rows(self) -> list[Row]:
        """The lines of the statement, none longer than `WIDTH` if that can be."""
        for index, piece in enumerate(self.pieces):
            if index and piece.gap.comments:
                self.broken.add(index)
            if piece.mate and exploded_by_hand(self.pieces, index):
                self.explode(index)
            if piece.block and piece.block.flat is None:
                self.opened.add(index)
        while True:
            rows = _Rendering(self).rows()
            relieved = [self.relieve(row) for row in rows if len(row.text) > WIDTH]
            if not any(relieved):
                return rows

    def explode(self, index: int) -> None:
        """Gives the members in a bracket lines of their own, one for each of the author's."""
        opening = self.pieces[index]
        self.exploded.add(index)
        self.broken |= {index + 1, opening.mate}
        for place in range(index + 2, opening.mate):
            piece, before = self.pieces[place], self.pieces[place - 1]
            member = before.kind == "_COMMA" and piece.depth == opening.depth + 1
            if member and piece.gap.newline:
                self.broken.add(place)

    # ------------------------------------------------------------------- lines too long

    def relieve(self, row: Row) -> bool:
        """Breaks a line that is too long; whether that could be done."""
        if row.last == len(self.pieces) - 1 and self.can_open(row.last):
            self.opened.add(row.last)
            return True
        inside = range(row.first + 1, row.last + 1)
        by_hand = [i for i in inside if self.pieces[i].gap.newline and self.breakable(i)]
        if by_hand:
            depth = min(self.pieces[i].depth for i in by_hand)
            self.broken |= {i for i in by_hand if self.pieces[i].depth == depth}
            return True
        depths = sorted({self.pieces[i].depth for i in range(row.first, row.last + 1)})
        return any(self.relieve_at(depth, row, inside) for depth in depths)

    def breakable(self, index: int) -> bool:
        """Whether the line may end before a piece, and does not yet."""
        own = self.looseness(index, by_hand=True) is not None
        return own and index not in self.broken

    def relieve_at(self, depth: int, row: Row, inside: Iterable[int]) -> bool:
        """The same between pieces that have `depth` brackets around them, loosest first."""
        places: dict[int, list[int]] = {}
        for index in inside:
            loose = self.looseness(index) if self.pieces[index].depth == depth else None
            if loose is not None and index not in self.broken:
                places.setdefault(loose, []).append(index)
        if any(self.fill(places[loose], row) for loose in sorted(places)):
            return True
        shut = [i for i in range(row.first, row.last + 1) if self.pieces[i].depth == depth]
        groups = [i for i in shut if self.can_explode(i) or self.can_open(i)]
        if not groups:
            return False
        widest = max(groups, key=self.width)
        if self.pieces[widest].block:
            self.opened.add(widest)
        else:
            self.explode(widest)
        return True

    def fill(self, places: list[int], row: Row) -> bool:
        """Breaks at some of `places`, so that each line is as full as it can be."""
        shift, before = 0, len(self.broken)
        for place, after in pairwise([*places, row.last + 1]):
            stop = self.stop[after - 1]
            fresh = self.column[place] - self.start[place]
            if stop + shift <= WIDTH or fresh >= shift:
                continue
            if stop + fresh > WIDTH and any(map(self.can_explode, range(place, after))):
                break
            self.broken.add(place)
            shift = fresh
        return len(self.broken) > before

    def looseness(self, index: int, *, by_hand: bool = False) -> int | None:
        """How loosely the piece at `index` hangs together with that before it.

        None where no line should end; lines that begin with an operator are only made by hand.
        """
        before, piece = self.pieces[index - 1], self.pieces[index]
        if piece.kind in _WORDS or (by_hand and piece.kind in _OPERATORS - {"MINUS"}):
            return _LOOSENESS[piece.kind]
        if before.kind == "_COMMA":
            row = piece.depth or self.pieces[0].kind == "STACK"
            return _LOOSENESS["_COMMA"] if row else _COMMA_IN_FLOW
        return _LOOSENESS[before.kind] if before.kind in _OPERATORS and piece.space else None

    def can_open(self, index: int) -> bool:
        block = self.pieces[index].block
        return block is not None and index not in self.opened and bool(block.statements)

    def can_explode(self, index: int) -> bool:
        return self.pieces[index].commas and index not in self.exploded

    def width(self, index: int) -> int:
        return self.stop[self.pieces[index].mate or index] - self.start[index]


class _Rendering:
    """One pass over the pieces, with the breaks that are known so far."""

    def __init__(self, breaks: Breaks) -> None:
        self.breaks = breaks
        self.pieces = breaks.pieces
        self.text = " " * breaks.indent
        self.indent = self.beside = breaks.indent
        self.first = 0
        self.gap = Gap()
        self.done: list[Row] = []
        self.frames = [_Frame(self.leading(), breaks.indent)]
        self.commas = {self.pieces[i].mate - 1 for i in breaks.exploded if self.pieces[i].commas}
        breaks.column, breaks.start, breaks.stop = [], [], []

    def rows(self) -> list[Row]:
        for index, piece in enumerate(self.pieces):
            column = self.place(piece)
            self.breaks.column.append(column)
            if index in self.breaks.broken:
                self.end(index)
                self.begin(index, column)
            elif index:
                self.text += self.blank(index)
            self.breaks.start.append(len(self.text))
            self.write(index, piece)
            self.breaks.stop.append(len(self.text))
        self.end(len(self.pieces))
        return self.done

    def leading(self) -> int:
        """Where a line goes on before the value of the statement has begun."""
        with_body = self.pieces[0].kind in _NAMED
        return self.breaks.indent + (2 * INDENT if with_body else INDENT)

    def place(self, piece: Piece) -> int:
        """The column of a piece that begins a line."""
        frame = self.frames[-1]
        if piece.kind in ("_RPAR", "_RSQB"):
            self.frames.pop()
            return frame.outer if frame.exploded else frame.column
        joined = piece.kind in _WORDS | _OPERATORS
        if len(self.frames) == 1 and joined and not self.breaks.statement.role:
            return self.breaks.indent + INDENT
        return frame.column

    def blank(self, index: int) -> str:
        if index == 1 and self.breaks.statement.role:
            return " " * (self.breaks.indent + ROLE_WIDTH - len(self.text))
        return self.pieces[index].space

    def write(self, index: int, piece: Piece) -> None:
        if piece.block and index in self.breaks.opened:
            self.text += "{"
            self.end(index + 1, piece.block)
            self.text, self.first, self.gap = " " * self.indent + "}", index + 1, Gap()
        else:
            self.text += piece.flat or ""
        if index in self.commas:
            self.text += ","
        if piece.mate:
            exploded = index in self.breaks.exploded
            column = self.indent + INDENT if exploded else len(self.text)
            self.frames.append(_Frame(column, self.indent, exploded))
        elif len(self.frames) == 1:
            self.lead(index, piece)

    def lead(self, index: int, piece: Piece) -> None:
        """Lets what follows the first words of a statement begin where its value does."""
        if index == 0 and piece.kind in _LED:
            width = ROLE_WIDTH if self.breaks.statement.role else len(piece.token.text) + 1
            self.frames[0].column = self.breaks.indent + width
        elif piece.kind in ("_EQUALS", "_COLON") and len(self.text) < WIDTH // 2:
            self.frames[0].column = len(self.text) + 1

    def end(self, after: int, block: Block | None = None) -> None:
        """Ends the line before the piece `after`."""
        row = Row(self.text, self.first, after - 1, self.indent, self.gap, self.beside, block)
        self.done.append(row)

    def begin(self, index: int, column: int) -> None:
        gap = self.pieces[index].gap
        frame = self.frames[-1]
        closing = self.pieces[index].kind in ("_RPAR", "_RSQB")
        if closing or not frame.exploded:
            own = tuple(replace(comment, blank=False) for comment in gap.own)
            gap = replace(gap, own=own, blank=False)
        self.beside = column
        self.text, self.indent, self.first, self.gap = " " * column, column, index, gap
