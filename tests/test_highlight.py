"""Colours: Pygments and TextMate see what the parser sees, in every shipped file and example."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, Whitespace

from enasdsl.editor.highlight import SCOPES, textmate
from enasdsl.editor.lexer import EnasLexer
from enasdsl.semantics.ops import OPS
from enasdsl.syntax.expect import KEYWORDS
from enasdsl.syntax.parse import parser

ROOT = Path(__file__).resolve().parent.parent
FILES = [*sorted((ROOT / "spaces").glob("*.enas")), ROOT / "grammars" / "prelude.enas"]
PAGE = (ROOT / "grammars" / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```enas\n(.*?)```", PAGE, re.DOTALL)
TEXTS = [*(path.read_text("utf-8") for path in FILES), *EXAMPLES]
NAMES = [*(path.stem for path in FILES), *(f"example{n}" for n in range(1, len(EXAMPLES) + 1))]

WORDS: tuple[Any, ...] = (Keyword, Operator.Word)

Piece = tuple[int, str, str]
"""Where a piece of text begins, the piece, and the scope that it has."""


def _pygments(text: str) -> list[Piece]:
    return [
        (start, piece, SCOPES[str(kind).removeprefix("Token.")])
        for start, kind, piece in EnasLexer().get_tokens_unprocessed(text)
        if kind is not Whitespace
    ]


def _kinds(text: str) -> list[tuple[str, Any]]:
    return [(piece, kind) for _, kind, piece in EnasLexer().get_tokens_unprocessed(text)]


def _textmate(text: str) -> Iterator[Piece]:
    """What an editor makes of the grammar: line by line, of all matches the leftmost first one."""
    rules = cast(Any, textmate()["patterns"])
    patterns = [(re.compile(rule["match"]), rule["captures"]) for rule in rules]
    start = 0
    for line in text.split("\n"):
        at = 0
        while found := [(m, captures) for p, captures in patterns if (m := p.search(line, at))]:
            match, captures = min(found, key=lambda pair: pair[0].start())
            for group, capture in sorted(captures.items()):
                yield start + match.start(int(group)), match[int(group)], capture["name"]
            at = match.end()
        start += len(line) + 1


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_every_text_is_covered_and_comes_out_as_it_went_in(text: str) -> None:
    tokens = _kinds(text)
    assert [token for token in tokens if token[1] is Error] == []
    assert "".join(piece for piece, _ in tokens) == text


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_textmate_and_pygments_agree(text: str) -> None:
    assert list(_textmate(text)) == _pygments(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_keywords_are_those_of_the_parser(path: Path) -> None:
    text = path.read_text("utf-8")
    driven = cast(Any, parser().parse_interactive(text))
    keywords = set(KEYWORDS.values())
    parsed = []
    for token in driven.lexer_thread.lex(driven.parser_state):
        driven.parser_state.feed_token(token)
        if token.type in keywords:
            parsed.append((token.start_pos, str(token)))
    coloured = [
        (start, piece)
        for start, kind, piece in EnasLexer().get_tokens_unprocessed(text)
        if any(kind in words for words in WORDS)
    ]
    assert coloured == parsed


def test_every_operation_and_every_kind_has_a_colour() -> None:
    for name in OPS:
        assert (name, Name.Builtin) in _kinds(f"op f {{ {name} -> relu }}")
    scopes = {scope for text in TEXTS for _, _, scope in _textmate(text)}
    assert scopes == set(SCOPES.values())


def test_a_word_is_a_name_where_it_is_used_as_one() -> None:
    kinds = _kinds('cell head(step) {\n  node = step -> relu\n  node + step  # cell "x"\n}')
    assert ("cell", Keyword.Declaration) in kinds
    assert ("head", Name.Class) in kinds
    assert [kind for piece, kind in kinds if piece in ("step", "node")] == [Name] * 5
    assert ('# cell "x"', Comment.Single) in kinds


def test_numbers_ranges_and_texts() -> None:
    kinds = _kinds(r'param lr = 1.5e-3 in 0..12 step 2; require lr < 1 "a \"b\" # c"')
    assert ("1.5e-3", Number.Float) in kinds
    assert [piece for piece, kind in kinds if kind is Number.Integer] == ["0", "12", "2", "1"]
    assert ("..", Operator) in kinds
    assert (r'"a \"b\" # c"', String) in kinds


def test_what_is_no_file_is_an_error_and_not_a_crash() -> None:
    found = _kinds('param § = "open\n')
    assert [piece for piece, kind in found if kind is Error] == ["§", '"']


def test_pygments_finds_the_lexer_by_its_name() -> None:
    assert type(get_lexer_by_name("enas")).__name__ == "EnasLexer"


def test_the_lexer_loads_no_torch() -> None:
    program = "import sys, enasdsl.editor.lexer as l; print({'torch', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
