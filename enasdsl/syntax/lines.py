"""Where statements end: the newline filter of the lexer, and the way back after a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

OPENERS = {"_LPAR": "_RPAR", "_LSQB": "_RSQB", "_LBRACE": "_RBRACE"}
CLOSERS = frozenset(OPENERS.values())


def listed(names: str) -> tuple[str, ...]:
    """The names in a text, separated by blanks."""
    return tuple(names.split())


DECLARATION_WORDS = listed(
    "space import param ops op cell block network modulo published recipe require"
)

# A newline after one of these does not end the statement.
UNFINISHED = frozenset(
    listed(
        """_ARROW _EQUALS EQUAL UNEQUAL LESS ATMOST MORE ATLEAST PLUS MINUS STAR SLASH FLOOR
        PERCENT CARET _DOTS _DOT _COMMA _COLON _LPAR _LSQB _LBRACE _CHOOSE _FROM _WITH _IN _WHEN
        _ELSE _FOR NOT AND OR _REPEAT _MAYBE _SHARE _ON _DEPTH _STATE _ALIGN _LIKE _AS _ACROSS
        _STEP _WHY EXCEPT"""
    )
)


class LexedToken(Protocol):
    """What the filter asks of a token: lark's own class has it."""

    type: str


T = TypeVar("T", bound=LexedToken)


class NewlineFilter:
    """Turns the newlines and semicolons that end a statement into `_END` and drops the others."""

    always_accept = ("NEWLINE", "SEMICOLON")

    def process(self, stream: Iterator[T]) -> Iterator[T]:
        """Yields the tokens of `stream` with `_END` for every end of a statement."""
        brackets: list[str] = []
        previous = "_END"
        for token in stream:
            kind = token.type
            if kind in OPENERS:
                brackets.append(kind)
            elif kind in CLOSERS:
                del brackets[-1:]
            elif kind == "NEWLINE":
                inside = bool(brackets) and brackets[-1] != "_LBRACE"
                if inside or previous == "_END" or previous in UNFINISHED:
                    continue
                token.type = "_END"
            elif kind == "SEMICOLON":
                token.type = "_END"
            previous = token.type
            yield token


# ------------------------------------------------------------------- after a mistake

_PIECE = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"?|#[^\n]*|[()\[\]{};\n]|[^"#()\[\]{};\n]+')
_GAP = re.compile(r"\n(?:[ \t\r]*(?:#[^\n]*)?\n)*([ \t\r]*)")
_BLANK = re.compile(r"[ \t]*")
_JOINED = re.compile(r"->|[)\]}{*/%+^<>]|==|!=|\.\.|(?:else|when|from|with|in|for|and|or|except)\b")
_DECLARATION = re.compile(rf"(?:{'|'.join(DECLARATION_WORDS)})\b(?=[ \t]+[\w\"({{])")


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where parsing goes on: at the next statement, declaration or closing brace."""

    offset: int
    at: Literal["statement", "declaration", "close"]


def indentation(text: str, offset: int) -> int:
    """The width of the blank that begins the line of `offset`."""
    blank = _BLANK.match(text, text.rfind("\n", 0, offset) + 1)
    return len(blank.group()) if blank else 0


def begins_declaration(text: str, offset: int) -> bool:
    """Whether a declaration is written at `offset`, in the first column."""
    first_column = offset == 0 or text[offset - 1] == "\n"
    return first_column and _DECLARATION.match(text, offset) is not None


def resumption(text: str, start: int, *, parentheses: int, indent: int) -> Resumption | None:
    """The first place after `start` where a statement can begin or a body can end.

    `parentheses` are open at `start`; a line indented by at most `indent` ends them all.
    None at the end of the file.
    """
    outer: list[int] = []
    offset = start
    while piece := _PIECE.match(text, offset):
        sign = piece.group()
        if sign == "\n":
            gap = _GAP.match(text, offset)
            assert gap is not None
            offset = gap.end()
            if begins_declaration(text, offset):
                return Resumption(offset, "declaration")
            apart = parentheses <= 0 or len(gap.group(1)) <= indent
            if not outer and apart and not _JOINED.match(text, offset):
                return Resumption(offset, "statement")
            continue
        if sign == ";" and not outer and parentheses <= 0:
            return Resumption(piece.end(), "statement")
        if sign == "}" and not outer:
            return Resumption(offset, "close")
        parentheses = _balance(sign, parentheses, outer)
        offset = piece.end()
    return None


def _balance(sign: str, parentheses: int, outer: list[int]) -> int:
    """The number of open parentheses after `sign`; `outer` keeps those around each brace."""
    match sign:
        case "{":
            outer.append(parentheses)
            return 0
        case "}":
            return outer.pop()
        case "(" | "[":
            return parentheses + 1
        case ")" | "]":
            return parentheses - 1
        case _:
            return parentheses
