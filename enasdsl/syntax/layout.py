"""The lines of a formatted file: its statements broken into lines, and what was aligned aligned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from enasdsl.syntax.arrange import Block, Statement
from enasdsl.syntax.breaks import INDENT, WIDTH, Breaks
from enasdsl.syntax.scan import Comment, Gap

APART = 2  # blanks before a comment that ends a line, at least


@dataclass(frozen=True, slots=True)
class Anchor:
    """The `=` or `{` by which a line may be aligned: where it is, and where its author had it.

    `offset` counts from the start of the new line, `column` from that of the author's statement;
    `padded` says that more than one blank stood before it.
    """

    kind: str
    offset: int
    column: int
    padded: bool


@dataclass(slots=True)
class Line:
    text: str
    comment: Comment | None = None
    anchor: Anchor | None = None


def lay_out(file: Block) -> str:
    """The text of a file."""
    lines: list[Line] = []
    for statement in file.statements:
        _between(lines, statement.gap, 0)
        _statement(lines, statement, 0)
    _between(lines, Gap(file.ending.trailing, file.ending.own), 0)
    return "".join(f"{line}\n" for line in _aligned(lines))


# ---------------------------------------------------------------------------- statements


def _between(lines: list[Line], gap: Gap, indent: int, *, first: bool = False) -> None:
    """Adds what stands between two statements; an empty line never comes `first`."""
    if gap.trailing and lines:
        lines[-1].comment = gap.trailing
    for comment in gap.own:
        if comment.blank and lines and not first:
            lines.append(Line(""))
        lines.append(Line(" " * indent + comment.text))
        first = False
    if gap.blank and lines and not first:
        lines.append(Line(""))


def _statement(lines: list[Line], statement: Statement, indent: int) -> None:
    breaks = Breaks(statement, indent)
    rows = breaks.rows()
    for row in rows:
        _between(lines, row.gap, row.beside)
        lines.append(Line(row.text))
        if row.block:
            _body(lines, row.block, row.indent + INDENT)
    if len(rows) == 1:
        lines[-1].anchor = _anchor(breaks)


def _body(lines: list[Line], block: Block, indent: int) -> None:
    """Adds the statements of a block, those on one line of the author's together."""
    together: list[Statement] = []
    for index, statement in enumerate(block.statements):
        gap = statement.gap
        if not block.spread or gap.newline or gap.comments:
            _together(lines, together, indent)
            together = []
        _between(lines, gap, indent, first=index == 0)
        together.append(statement)
    _together(lines, together, indent)
    ending = Gap(block.ending.trailing, block.ending.own)
    _between(lines, ending, indent, first=not block.statements)


def _together(lines: list[Line], statements: Sequence[Statement], indent: int) -> None:
    """Adds statements that stand on one line, as far as they fit there."""
    full: list[Statement] = []
    for statement in statements:
        if statement.flat is None or statement.role or _width([*full, statement], indent) > WIDTH:
            _line(lines, full, indent)
            full = []
        full.append(statement)
        if statement.flat is None or statement.role:
            _line(lines, full, indent)
            full = []
    _line(lines, full, indent)


def _width(statements: Sequence[Statement], indent: int) -> int:
    return indent + sum(len(each.flat or "") + 2 for each in statements) - 2


def _line(lines: list[Line], statements: Sequence[Statement], indent: int) -> None:
    if len(statements) == 1:
        _statement(lines, statements[0], indent)
    elif statements:
        lines.append(Line(" " * indent + "; ".join(each.flat or "" for each in statements)))


# ----------------------------------------------------------------------------- alignment


def _anchor(breaks: Breaks) -> Anchor | None:
    own = [i for i, piece in enumerate(breaks.pieces) if piece.depth == 0]
    signs = [i for i in own if breaks.pieces[i].kind == "_EQUALS"]
    blocks = [i for i in own if breaks.pieces[i].block]
    for index in [*signs[:1], *blocks[:1]]:
        piece = breaks.pieces[index]
        span = piece.token.span
        padded = span.start - breaks.pieces[index - 1].token.span.stop > 1
        column = span.start - breaks.pieces[0].token.span.start
        return Anchor(piece.kind, breaks.start[index], column, padded)
    return None


def _aligned(lines: Sequence[Line]) -> Iterator[str]:
    """The lines as text; what stood in one column in neighbouring lines does so again."""
    for run in _runs(lines, lambda line: line.anchor and (line.anchor.kind, line.anchor.column)):
        anchors = [line.anchor for line in run if line.anchor]
        if not any(anchor.padded for anchor in anchors):
            continue
        column = max(anchor.offset for anchor in anchors)
        padded = [_padded(line, column) for line in run]
        if max(map(len, padded)) <= WIDTH:
            for line, text in zip(run, padded, strict=True):
                line.text = text
    for run in _runs(lines, lambda line: line.comment and line.comment.column):
        column = max(len(line.text) + APART for line in run)
        kept = [line.comment.column for line in run if line.comment and not line.comment.near]
        at = max([column, *kept])
        for line in run:
            yield line.text.ljust(at) + line.comment.text if line.comment else line.text


def _padded(line: Line, column: int) -> str:
    if line.anchor is None:
        return line.text
    offset = line.anchor.offset
    return line.text[:offset] + " " * (column - offset) + line.text[offset:]


def _runs(lines: Sequence[Line], key: Callable[[Line], object]) -> Iterator[list[Line]]:
    """Neighbouring lines with one key together, each without a key by itself."""
    for value, run in groupby(lines, key):
        if value is None:
            yield from ([line] for line in run)
        else:
            yield list(run)
