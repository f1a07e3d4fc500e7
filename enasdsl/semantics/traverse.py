"""Ways through a syntax tree that do not ask what its parts mean."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from enasdsl.source import SourceFile, Span
from enasdsl.syntax import ast

_PLACES = (Span, SourceFile)


def parts(node: object) -> Iterator[object]:
    """The nodes directly below `node`, in the order of the text."""
    for field in getattr(node, "__match_args__", ()):
        value = getattr(node, field)
        if isinstance(value, tuple):
            yield from _flat(value)
        elif hasattr(value, "__match_args__") and not isinstance(value, _PLACES):
            yield value


def _flat(values: tuple[object, ...]) -> Iterator[object]:
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        elif hasattr(value, "__match_args__"):
            yield value


def walk(node: object) -> Iterator[object]:
    """`node` and everything below it, parents first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(parts(current))))


def references(node: object) -> Iterator[ast.Reference]:
    """Every mention of a name in `node` that no comprehension of `node` binds."""
    if isinstance(node, ast.Comprehension):
        yield from references(node.source)
        inner = (mention for below in (node.body, node.condition) for mention in references(below))
        yield from (mention for mention in inner if mention.name != node.variable.text)
        return
    if isinstance(node, ast.Reference):
        yield node
    for below in parts(node):
        yield from references(below)


def likeness(node: object) -> Hashable:
    """A key that two trees share when they differ in nothing but their places in a file."""
    if isinstance(node, tuple):
        return tuple(likeness(item) for item in node)
    if not hasattr(node, "__match_args__"):
        return (type(node).__name__, node)
    fields = (getattr(node, field) for field in node.__match_args__)
    return (type(node).__name__, *(likeness(f) for f in fields if not isinstance(f, _PLACES)))
