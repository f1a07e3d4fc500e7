"""What each piece of a file is, for colours: made from the grammar's terminals and the registry.

One table of rules serves Pygments and TextMate grammars, which VS Code and others read. A word
that is one only where the grammar asks for it is told by what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from enasdsl.semantics.imports import prelude
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.scopes import WORDS
from enasdsl.syntax import ast
from enasdsl.syntax.expect import DECLARATION, KEYWORDS, RESERVED
from enasdsl.syntax.parse import parser

SCOPES: Mapping[str, str] = {
    "Comment.Single": "comment.line.number-sign.enas",
    "Literal.String": "string.quoted.double.enas",
    "Literal.Number.Float": "constant.numeric.float.enas",
    "Literal.Number.Integer": "constant.numeric.integer.enas",
    "Keyword.Declaration": "keyword.declaration.enas",
    "Keyword": "keyword.control.enas",
    "Keyword.Constant": "constant.language.enas",
    "Operator.Word": "keyword.operator.word.enas",
    "Operator": "keyword.operator.enas",
    "Punctuation": "punctuation.enas",
    "Name.Class": "entity.name.type.enas",
    "Name.Attribute": "variable.parameter.enas",
    "Name.Builtin": "support.function.enas",
    "Name.Builtin.Pseudo": "variable.language.enas",
    "Name": "variable.other.enas",
}
"""The TextMate scope of each kind of token, which is named as in Pygments."""

_START = r"(?:^|(?<=[{;]))"
_NEXT = r"[ \t]+(?:when|else|for|in|and|or)\b"
"""What follows a name, and never a word that asks for a value."""
_UNNAMED = frozenset({"_IMPORT", "_MODULO", "_PUBLISHED", "_REQUIRE"})
_WORDLIKE = {
    "not": "Operator.Word",
    "and": "Operator.Word",
    "or": "Operator.Word",
    "true": "Keyword.Constant",
    "false": "Keyword.Constant",
}
_PLAIN = {"COMMENT": "Comment.Single", "STRING": "Literal.String"}
_NUMBERS = {"FLOAT": "Literal.Number.Float", "INT": "Literal.Number.Integer"}
_BRACKETS = frozenset("()[]{},:.")


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and the kind of token of each of its groups; None for blanks."""

    pattern: str
    kinds: tuple[str | None, ...]


@cache
def rules() -> tuple[Rule, ...]:
    """The rules, of which the first that fits holds; together they cover every valid text."""
    terminals = {t.name: t.pattern for t in parser().terminals}
    regexes = {name: pattern.to_regexp() for name, pattern in terminals.items()}
    signs = [p.value for p in terminals.values() if p.type == "str"]
    name = regexes["NAME"]
    return (
        *(_simple(regexes[terminal], kind) for terminal, kind in _PLAIN.items()),
        *_openings(regexes, name),
        *_words(regexes),
        *(_simple(regexes[terminal], kind) for terminal, kind in _NUMBERS.items()),
        _simple(rf"{name}(?=[ \t]*:)", "Name.Attribute"),
        _simple(_any(_composites() | OPS.keys()), "Name.Builtin"),
        _simple(_any(WORDS), "Name.Builtin.Pseudo"),
        _simple(name, "Name"),
        *_signs(signs),
    )


def _simple(pattern: str, kind: str) -> Rule:
    return Rule(f"({pattern})", (kind,))


def _openings(regexes: Mapping[str, str], name: str) -> Iterator[Rule]:
    """The words that begin a declaration or a statement, at first those that a name follows."""
    opening = [t for t in KEYWORDS.values() if "(?!" in regexes[t]]
    naming = [regexes[t] for t in opening if t in DECLARATION - _UNNAMED]
    kinds = (None, "Keyword.Declaration", None, "Name.Class")
    yield Rule(rf"{_START}([ \t]*)({'|'.join(naming)})([ \t]+)({name})", kinds)
    every = "|".join(regexes[t] for t in opening)
    yield Rule(rf"{_START}([ \t]*)({every})", (None, "Keyword.Declaration"))


def _words(regexes: Mapping[str, str]) -> Iterator[Rule]:
    """The reserved words, then those that are words only within a construct."""
    for word in RESERVED:
        yield _simple(regexes[KEYWORDS[word]], _WORDLIKE.get(word, "Keyword"))
    opening = {word for word, t in KEYWORDS.items() if "(?!" in regexes[t]}
    soft = [word for word in KEYWORDS if word not in RESERVED and word not in opening]
    ending = [word for word in soft if word in ("repeats", "order")]
    leading = [word for word in soft if word not in ending]
    yield _simple(rf'\b(?:{"|".join(leading)})\b(?=[ \t]+[\w"(\[])(?!{_NEXT})', "Keyword")
    before = "".join(rf"(?<=\b{word} )|" for word in ("with", "in")).rstrip("|")
    yield _simple(rf"(?:{before})(?:{'|'.join(ending)})\b", "Keyword")


def _composites() -> frozenset[str]:
    declared = prelude().tree.declarations
    return frozenset(d.name.text for d in declared if isinstance(d, ast.OpDecl))


def _any(words: Iterable[str]) -> str:
    return rf"\b(?:{'|'.join(sorted(words, key=lambda word: (-len(word), word)))})\b"


def _signs(signs: Iterable[str]) -> Iterator[Rule]:
    """Operators and punctuation, the longest first."""
    for sign in sorted(signs, key=lambda sign: (-len(sign), sign)):
        yield _simple(re.escape(sign), "Punctuation" if sign in _BRACKETS | {";"} else "Operator")


def textmate() -> dict[str, object]:
    """The TextMate grammar, ready to be written as JSON."""
    return {
        "name": "enas",
        "scopeName": "source.enas",
        "fileTypes": ["enas"],
        "patterns": [_textmate(rule) for rule in rules()],
    }


def _textmate(rule: Rule) -> dict[str, object]:
    captures = {
        str(number): {"name": SCOPES[kind]} for number, kind in enumerate(rule.kinds, 1) if kind
    }
    return {"match": rule.pattern, "captures": captures}
