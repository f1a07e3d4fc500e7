"""The tokens of a file with what stands between them: comments, line breaks, empty lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from enasdsl.source import SourceFile, Span
from enasdsl.syntax.parse import tokens

_PIECE = re.compile(r"\n|#[^\n]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its `#`.

    `column` counts from 0, `near` says that at most two blanks stand before it, `blank` that an
    empty line is above it.
    """

    text: str
    span: Span
    column: int
    near: bool
    blank: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands before a token.

    `trailing` ends the line of the token before, each of `own` has a line of its own, `newline`
    says that the token begins a line, `blank` that an empty line is above it, `ended` that a
    statement ends here.
    """

    trailing: Comment | None = None
    own: tuple[Comment, ...] = ()
    newline: bool = False
    blank: bool = False
    ended: bool = False

    @property
    def comments(self) -> tuple[Comment, ...]:
        return self.own if self.trailing is None else (self.trailing, *self.own)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    span: Span
    gap: Gap


def scan(source: SourceFile) -> list[Token]:
    """The tokens of a file that parses, the last of kind `$END` and without text.

    Comments before a comma or a `{` stand behind it, where a line can end, and commas before a
    closing bracket are left out.
    """
    found = _hoisted([*_scanned(source)])
    return [t for t, after in pairwise(found) if not _needless(t, after)] + found[-1:]


def comments(source: SourceFile) -> list[Comment]:
    """The comments of a file that parses, in order."""
    return [comment for token in _scanned(source) for comment in token.gap.comments]


def _needless(token: Token, after: Token) -> bool:
    return token.kind == "_COMMA" and after.kind in ("_RPAR", "_RSQB")


def _scanned(source: SourceFile) -> Iterator[Token]:
    stop, ended = 0, False
    for kind, span in tokens(source):
        if kind == "_END":
            ended = True
            continue
        yield Token(kind, span.text, span, _gap(source, stop, span.start, ended=ended))
        stop, ended = span.stop, False
    end = Span(source, len(source.text), len(source.text))
    yield Token("$END", "", end, _gap(source, stop, end.stop, ended=True))


def _gap(source: SourceFile, start: int, stop: int, *, ended: bool) -> Gap:
    trailing: Comment | None = None
    own: list[Comment] = []
    newline, breaks, before = start == 0, 0, start
    for piece in _PIECE.finditer(source.text, start, stop):
        if piece.group() == "\n":
            newline, breaks = True, breaks + 1
            continue
        span = Span(source, piece.start(), piece.end())
        column = span.position[1] - 1
        near = span.start - before <= 2
        comment = Comment(piece.group().rstrip(), span, column, near, breaks > 1)
        if newline:
            own.append(comment)
        else:
            trailing = comment
        breaks, before = 0, span.stop
    return Gap(trailing, tuple(own), newline, breaks > 1, ended)


def _hoisted(found: list[Token]) -> list[Token]:
    for index, token in enumerate(found):
        if token.kind in ("_COMMA", "_LBRACE") and token.gap.comments:
            after = found[index + 1]
            found[index] = replace(token, gap=Gap())
            found[index + 1] = replace(after, gap=_joined(token.gap, after.gap))
    return found


def _joined(first: Gap, second: Gap) -> Gap:
    return Gap(first.trailing, (*first.own, *second.comments), True, second.blank, second.ended)
