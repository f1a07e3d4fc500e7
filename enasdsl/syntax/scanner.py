"""The search for the next token: one small expression for each terminal, made once for all states.

Lark writes one long expression for every state that a file comes through, of which most have the
same terminals; to make those takes longer than to read a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import lark
from lark.lexer import TerminalDef
from lark.utils import TextSlice

Match = Callable[[str, int, int], re.Match[str] | None]


class Scanner:
    """What lark asks for the next token in a state: of its terminals the first that matches."""

    def __init__(self, terminals: Sequence[TerminalDef]) -> None:
        self.allowed_types = frozenset(terminal.name for terminal in terminals)
        self._terminals = terminals
        self._by_first: dict[str, tuple[tuple[str, Match], ...]] = {}

    def match(self, text: TextSlice[str], pos: int) -> tuple[str, str] | None:
        """The token at a position, as its text and its terminal."""
        first = text.text[pos]
        likely = self._by_first.get(first)
        if likely is None:
            likely = self._by_first[first] = self._likely(first)
        for name, match in likely:
            if found := match(text.text, pos, text.end):
                return found[0], name
        return None

    def _likely(self, first: str) -> tuple[tuple[str, Match], ...]:
        """Those of the terminals that can begin with a character, in their order."""
        found = [(t.name, *_compiled(t)) for t in self._terminals]
        return tuple((name, match) for name, begins, match in found if begins in ("", first))


@cache
def _compiled(terminal: TerminalDef) -> tuple[str, Match]:
    """The letter or sign with which a terminal always begins, if there is one, and its match."""
    pattern = terminal.pattern
    literal = pattern.type == "str" or pattern.value[0].isalpha()
    return pattern.value[0] if literal else "", re.compile(pattern.to_regexp()).match


def install(built: lark.Lark) -> None:
    """Lets a contextual lexer of lark find its tokens here."""
    contextual = cast(Any, built.parse_interactive("").lexer_thread.lexer).lexer
    for lexer in {*contextual.lexers.values(), contextual.root_lexer}:
        lexer._scanner, lexer.callback = Scanner(lexer.terminals), {}
