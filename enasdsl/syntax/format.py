"""The formatter: one look for every file, and a proof on each run that only the look changed."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from enasdsl.diagnostics import Diagnostic
from enasdsl.source import SourceFile
from enasdsl.syntax.arrange import arrange
from enasdsl.syntax.layout import lay_out
from enasdsl.syntax.parse import parse
from enasdsl.syntax.scan import comments, scan

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
    formatted = _settled(source)
    again, _ = parse(formatted)
    if again is None or skeleton(again.declarations) != skeleton(tree.declarations):
        raise Unproven("the formatted text would mean something else")
    if [c.text for c in comments(formatted)] != [c.text for c in comments(source)]:
        raise Unproven("the formatted text would have other comments")
    return formatted.text, ()


def _settled(source: SourceFile) -> SourceFile:
    """The file laid out until that changes nothing: a new break may make another one needless."""
    for _ in range(ROUNDS):
        text = lay_out(arrange(scan(source)))
        if text == source.text:
            return source
        source = SourceFile(source.name, text)
        if parse(source)[0] is None:
            raise Unproven("the formatted text would not parse")
    raise Unproven("the formatted text would be changed again")


def skeleton(value: object) -> object:
    """A part of an Ast as nested tuples, without the places where it stood."""
    if isinstance(value, tuple):
        return tuple(map(skeleton, value))
    if not is_dataclass(value):
        return type(value), value
    own = (getattr(value, field.name) for field in fields(value) if field.name != "span")
    return type(value), *map(skeleton, own)
