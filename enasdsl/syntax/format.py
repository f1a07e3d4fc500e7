"""The formatter: one look for every file, and a proof on each run that only the look changed."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from enasdsl.diagnostics import Diagnostic
from enasdsl.source import SourceFile
from enasdsl.syntax.arrange import arrange
from enasdsl.syntax.ast import Ast
from enasdsl.syntax.layout import lay_out
from enasdsl.syntax.parse import parse
from enasdsl.syntax.scan import Token, scan

ROUNDS = 5


class Unproven(Exception):
    """The formatter would have changed more than the look of a file."""


def format_source(source: SourceFile) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The canonical text of a file, or None and what is wrong with its syntax.

    Raises Unproven where the text does not have the same Ast and comments, or would be changed
    if it were formatted again.
    """
    tree, diagnostics = parse(source)
    if tree is None:
        return None, diagnostics
    tokens = first = scan(source)
    again, now = tree, source
    for _ in range(ROUNDS):  # a new break may make another one needless
        text = lay_out(arrange(tokens))
        if text == now.text:
            _prove(tree, first, again, tokens)
            return text, ()
        now = SourceFile(source.name, text)
        parsed, _ = parse(now)
        if parsed is None:
            raise Unproven("the formatted text would not parse")
        again, tokens = parsed, scan(now)
    raise Unproven("the formatted text would be changed again")


def _prove(tree: Ast, tokens: list[Token], again: Ast, others: list[Token]) -> None:
    """Compares a file, its tree and its tokens, with its formatted text."""
    if skeleton(again.declarations) != skeleton(tree.declarations):
        raise Unproven("the formatted text would mean something else")
    if _comments(others) != _comments(tokens):
        raise Unproven("the formatted text would have other comments")


def _comments(tokens: list[Token]) -> list[str]:
    return [comment.text for token in tokens for comment in token.gap.comments]


def skeleton(value: object) -> object:
    """A part of an Ast as nested tuples, without the places where it stood."""
    if isinstance(value, tuple):
        return tuple(map(skeleton, value))
    if not is_dataclass(value):
        return type(value), value
    own = (getattr(value, field.name) for field in fields(value) if field.name != "span")
    return type(value), *map(skeleton, own)
