"""The tokens that are found are those that lark's own expressions find, in every state."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import lark.lexer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark.utils import TextSlice

from enasdsl.source import shipped
from enasdsl.syntax.parse import parser
from enasdsl.syntax.scanner import Scanner

FILES = [
    *shipped("spaces").glob("*.enas"),
    *Path(__file__).parent.glob("mistakes/*.enas"),
    shipped("grammars") / "prelude.enas",
]


def _lexers() -> list[Any]:
    contextual = cast(Any, parser().parse_interactive("").lexer_thread.lexer).lexer
    return list({id(one): one for one in contextual.lexers.values()}.values())


LEXERS = _lexers()
THEIRS = [cast(Any, lark.lexer).Scanner(one.terminals, 0, re, False) for one in LEXERS]
WORDS = sorted({one.pattern.value for one in parser().terminals if one.pattern.type == "str"})
KEYWORDS = ["space", "node", "ops", "op", "on", "or", "order", "published", "stem", "true", "why"]
SIGNS = st.sampled_from(
    [*WORDS, *KEYWORDS, "1", "2.5e3", "1_0", "x", "_", '"', "#", "\n", " ", "ä"]
)


def _alike(text: str) -> None:
    whole = TextSlice(text, 0, len(text))
    for one, theirs in zip(LEXERS, THEIRS, strict=True):
        for at in range(len(text)):
            assert one.scanner.match(whole, at) == theirs.match(whole, at), (at, one.terminals)


@settings(max_examples=60, deadline=None)
@given(st.lists(SIGNS, max_size=8).map("".join))
def test_any_text_has_the_tokens_that_lark_finds(text: str) -> None:
    _alike(text)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_files_have_the_tokens_that_lark_finds(file: Path) -> None:
    text = file.read_text("utf-8", errors="replace")
    whole = TextSlice(text, 0, len(text))
    for at in range(0, len(text), 1 + len(text) // 60):
        for one, theirs in zip(LEXERS, THEIRS, strict=True):
            assert one.scanner.match(whole, at) == theirs.match(whole, at)


def test_every_state_uses_it() -> None:
    assert all(isinstance(one.scanner, Scanner) for one in LEXERS)
    for one in LEXERS:
        theirs = one._build_scanner()
        assert theirs.allowed_types == one.scanner.allowed_types
        assert not one.callback  # what lark itself would do with a token that is found
