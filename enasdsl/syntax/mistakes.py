"""From the place where the parser stopped to a diagnostic: what is wrong and how to mend it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from enasdsl.diagnostics import Diagnostic, Fix, Label
from enasdsl.source import Span
from enasdsl.syntax import expect
from enasdsl.syntax.lines import CLOSERS, DECLARATION_WORDS, OPENERS, begins_declaration

Terminals = frozenset[str]

# What people write from other languages or editors, and what the language says instead.
SYMBOLS = {
    "=>": "->", "|>": "->", "→": "->", "⇒": "->", "<-": "=", ":=": "=", "←": "=",
    "**": "^", "&&": "and", "||": "or", "&": "and", "|": "or", "!": "not",
    "...": "..", "…": "..", "<>": "!=", "===": "==",
    "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "—": "-",
    "≤": "<=", "≥": ">=", "≠": "!=",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "'": '"', "‘": '"', "’": '"', "`": '"',
    "，": ",", "；": ";", "：": ":", "（": "(", "）": ")", "\u00a0": " ", "\u3000": " ", "\f": " ",
    "\ufeff": "", "\u200b": "", "\r": "",
}  # fmt: skip
WORDS = {
    "if": "when", "where": "when", "unless": "when not", "elif": "else", "otherwise": "else",
    "of": "from", "out": "from", "using": "with", "def": "op", "fn": "op", "function": "op",
    "class": "cell", "module": "cell", "var": "param", "const": "param", "parameter": "param",
    "optional": "maybe", "loop": "repeat", "True": "true", "False": "false",
    "select": "choose", "pick": "choose", "assert": "require", "constraint": "require",
}  # fmt: skip

_LEXEME = re.compile(
    r'"(?:[^"\\\n]|\\[^\n])*"'
    r"|[A-Za-z_][A-Za-z0-9_]*"
    r"|[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?"
    r"|\.\.\.|===|->|=>|\|>|<-|:=|\*\*|&&|\|\||<>|==|!=|<=|>=|//|\.\."
    r"|[\s\S]"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A token that the parser took, and what it could have taken in its place."""

    kind: str
    span: Span
    acceptable: Terminals


@dataclass(frozen=True, slots=True)
class Bracket:
    """An opened bracket and the kind of token that began the statement around it."""

    kind: str
    span: Span
    statement: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """The parser's standstill: the text it could not take and what it could have taken."""

    found: Span  # empty at the end of the file
    acceptable: Terminals
    previous: Seen | None
    brackets: tuple[Bracket, ...]
    crooked: Bracket | None  # a `{` whose `}` is indented differently
    statement: str | None  # the token that begins the statement

    @property
    def text(self) -> str:
        return self.found.text

    @property
    def starts_line(self) -> bool:
        before = self.found.source.text[: self.found.start].rpartition("\n")[2]
        return not before.strip(" \t")


def lexeme(span: Span) -> Span:
    """The span of the whole word, number, text or sign that begins at `span`."""
    match = _LEXEME.match(span.source.text, span.start)
    return Span(span.source, span.start, match.end() if match else span.start)


def diagnose(failure: Failure) -> Diagnostic:
    """The diagnostic that explains `failure` best."""
    for explain in (_bracket, _text, _equals, _sign, _word, _placement, _reserved):
        if found := explain(failure):
            return found
    return _unexpected(failure)


def unclosed(failure: Failure) -> bool:
    """Whether the innermost bracket ought to have been closed before the failure."""
    if not failure.brackets:
        return False
    innermost = failure.brackets[-1].kind
    if not failure.text or begins_declaration(failure.found.source.text, failure.found.start):
        return True
    closer = expect.SYMBOLS.get(failure.text)
    if closer in CLOSERS:
        return innermost != "_LBRACE" and closer != OPENERS[innermost]
    after_word = failure.previous and begins_declaration(
        failure.found.source.text, failure.previous.span.start
    )
    if innermost == "_LBRACE":
        return bool(after_word)
    return failure.starts_line and OPENERS[innermost] in failure.acceptable


# ------------------------------------------------------------------- one explanation each


def _bracket(failure: Failure) -> Diagnostic | None:
    if unclosed(failure):
        return _unclosed(failure, failure.brackets[-1])
    closer = expect.SYMBOLS.get(failure.text)
    inside = bool(failure.brackets)
    if inside and (failure.brackets[-1].kind != "_LBRACE" or closer == "_RBRACE"):
        return None
    if closer not in CLOSERS:
        return None
    return Diagnostic(
        "E0103",
        f"this `{failure.text}` closes nothing",
        Label(failure.found, "no bracket is open here"),
        help="remove it, or add the bracket that it should close",
        fix=Fix(failure.found, "", f"remove `{failure.text}`"),
    )


def _unclosed(failure: Failure, bracket: Bracket) -> Diagnostic:
    crooked = failure.crooked
    if bracket.kind == "_LBRACE" and crooked and crooked.span.start > bracket.span.start:
        bracket = crooked
    closer = expect.words(OPENERS[bracket.kind])
    found = failure.found
    if failure.previous and begins_declaration(found.source.text, failure.previous.span.start):
        found = failure.previous.span
    where = f"{closer} is missing before this" if found.text else "the file ends without it"
    end = len(found.source.text[: found.start].rstrip())
    missing = Span(found.source, end, end)
    replacement = f"\n{closer[1]}" if bracket.kind == "_LBRACE" else closer[1]
    return Diagnostic(
        "E0102",
        f"missing {closer}",
        Label(bracket.span, f"this `{bracket.span.text}` is never closed"),
        others=(Label(found, where),),
        help=f"close it with {closer}",
        fix=Fix(missing, replacement, f"add {closer}"),
    )


def _text(failure: Failure) -> Diagnostic | None:
    if failure.text != '"':
        return None
    source = failure.found.source
    line, _ = failure.found.position
    start = failure.found.start
    stop = source.line_starts[line - 1] + len(source.line(line).rstrip())
    place = Span(source, stop, stop)
    return Diagnostic(
        "E0105",
        "this text does not end",
        Label(Span(source, start, stop), 'no `"` closes it on this line'),
        help='a text begins and ends with `"` on one line; inside it a quote is written `\\"`',
        fix=Fix(place, '"', 'add `"` at the end of the line'),
    )


def _equals(failure: Failure) -> Diagnostic | None:
    acceptable = failure.acceptable
    if failure.text == "=" and "_COLON" in acceptable:
        return _replace("E0108", failure.found, ":", "an argument or a key is named with `:`")
    if failure.text == "=" and "EQUAL" in acceptable:
        return _replace("E0108", failure.found, "==", "`=` names a value; `==` compares two")
    if failure.text == "==" and "_EQUALS" in acceptable:
        return _replace("E0108", failure.found, "=", "`==` compares; `=` gives a value a name")
    if failure.text == ":" and "_EQUALS" in acceptable:
        return _replace("E0108", failure.found, "=", "`=` gives a value a name here")
    return None


def _replace(code: str, span: Span, text: str, message: str) -> Diagnostic:
    return Diagnostic(
        code,
        message,
        Label(span, f"write `{text}` here"),
        help=f"replace `{span.text}` by `{text}`",
        fix=Fix(span, text, f"replace `{span.text}` by `{text}`"),
    )


def _sign(failure: Failure) -> Diagnostic | None:
    text = failure.text
    if text in SYMBOLS:
        return _foreign_sign(failure, SYMBOLS[text])
    if not text or text in expect.SYMBOLS or text in ";\n" or re.match(r'[A-Za-z0-9_"]', text):
        return None
    return Diagnostic(
        "E0104",
        f"the language has no character {_shown(text)}",
        Label(failure.found, "stray character"),
        help="remove it; names are made of letters a to z, digits and `_`",
        fix=Fix(failure.found, "", "remove the character"),
    )


def _foreign_sign(failure: Failure, instead: str) -> Diagnostic:
    found = failure.found
    advice = f"write `{instead}`" if instead.strip() else "remove it or write a space"
    code = "E0104" if len(found.text) == 1 else "E0107"
    return Diagnostic(
        code,
        f"the language has no {_shown(found.text)}",
        Label(found, f"{advice} here" if instead.strip() else "stray character"),
        help=advice,
        fix=Fix(found, instead, advice),
    )


def _shown(text: str) -> str:
    if text.isprintable() and not text.isspace():
        return f"`{text}`"
    return f"U+{ord(text):04X}" if len(text) == 1 else repr(text)


def _word(failure: Failure) -> Diagnostic | None:
    previous = failure.previous
    if previous and previous.kind == "NAME":
        meant = _meant(previous.span.text, previous.acceptable, after=failure)
        if meant:
            return _misspelt(previous.span, meant)
    meant = _meant(failure.text, failure.acceptable)
    return _misspelt(failure.found, meant) if meant else None


def _meant(text: str, acceptable: Terminals, *, after: Failure | None = None) -> str | None:
    """The keyword among `acceptable` that `text` was probably meant to be."""
    if not text.isidentifier() or (after and not re.match(r'[\w"(\[{]', after.text or " ")):
        return None
    words = [word for word, terminal in expect.KEYWORDS.items() if terminal in acceptable]
    foreign = WORDS.get(text) or WORDS.get(text.lower())
    if foreign and foreign.split()[0] in words:
        return foreign
    close = difflib.get_close_matches(text.lower(), words, n=1, cutoff=0.7)
    return close[0] if close and close[0] != text else None


def _misspelt(span: Span, meant: str) -> Diagnostic:
    return Diagnostic(
        "E0106",
        f"unknown word `{span.text}`",
        Label(span, "not a word of the language"),
        help=f"did you mean `{meant}`?",
        fix=Fix(span, meant, f"replace `{span.text}` by `{meant}`"),
    )


_BODY_WORDS = ("node", "each", "stem", "stack", "head")


def _placement(failure: Failure) -> Diagnostic | None:
    """A declaration within a body, or a statement of a body outside of any."""
    candidates: Iterable[tuple[Span, Terminals]] = [(failure.found, failure.acceptable)]
    if failure.previous and failure.previous.kind == "NAME":
        candidates = [(failure.previous.span, failure.previous.acceptable), *candidates]
    for span, acceptable in candidates:
        word = span.text
        if word in DECLARATION_WORDS and acceptable & {"_NODE", "STEM"}:
            label = "this begins a declaration, which stands outside of all braces"
        elif word in _BODY_WORDS and "_PARAM" in acceptable:
            label = "this belongs in the body of a cell, an op or a network"
        elif word in _BODY_WORDS and acceptable & {"_NODE", "STEM"}:
            label = "`node` and `each` belong in cells; `stem`, `stack` and `head` in networks"
        else:
            continue
        return Diagnostic("E0112", f"`{word}` cannot stand here", Label(span, label))
    return None


def _reserved(failure: Failure) -> Diagnostic | None:
    if failure.text not in expect.RESERVED or "NAME" not in failure.acceptable:
        return None
    fix = Fix(failure.found, f"{failure.text}_", f"call it `{failure.text}_`")
    return Diagnostic(
        "E0111",
        f"`{failure.text}` is a word of the language",
        Label(failure.found, "it cannot be a name"),
        help="the reserved words are " + ", ".join(f"`{word}`" for word in expect.RESERVED),
        fix=fix,
    )


def _unexpected(failure: Failure) -> Diagnostic:
    wanted = expect.expected(failure.acceptable)
    if failure.text in ("", "\n"):
        found = "the end of the line" if failure.text else "the end of the file"
        stop = failure.previous.span.stop if failure.previous else failure.found.start
        place = Span(failure.found.source, stop, stop)
    else:
        found = f"`{failure.text}`" if len(failure.text) <= 30 else "this"
        place = failure.found
    return Diagnostic(
        "E0101",
        f"expected {wanted}, found {found}",
        Label(place, "not expected here" if place is failure.found else "something is missing"),
        help=_advice(failure),
    )


def _advice(failure: Failure) -> str | None:
    shape = expect.SHAPES.get(failure.statement or "")
    if failure.text == "//" and failure.statement is None:
        return "comments begin with `#`"
    if failure.text == "," and not failure.brackets[1:] and "_ARROW" in failure.acceptable:
        return "among several values one with an arrow stands in parentheses: `(x -> relu), y`"
    starts = bool(re.match(r'[\w"(\[]', failure.text))
    complete = failure.previous is not None and failure.previous.kind == "_RBRACE"
    if starts and "_END" in failure.acceptable and (complete or not shape):
        return "put the next statement on a line of its own, or `;` between them"
    return shape
