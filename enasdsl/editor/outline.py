"""The declarations of a file as a tree, and the sizes that are shown at the ends of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lsprotocol.types import SymbolKind

from enasdsl.editor.analysis import Analysis
from enasdsl.editor.remarks import code_length
from enasdsl.editor.sizes import Sizes, short
from enasdsl.editor.telling import cell_ways
from enasdsl.semantics.traverse import walk
from enasdsl.source import Span
from enasdsl.syntax import ast
from enasdsl.view.numbers import power_of_ten


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the outline; `name` is what is selected when it is followed."""

    title: str
    kind: SymbolKind
    name: Span
    whole: Span
    below: tuple[Entry, ...] = ()


def entries(tree: ast.Ast) -> tuple[Entry, ...]:
    """The outline of a file."""
    return tuple(entry for declaration in tree.declarations for entry in _entries(declaration))


_KINDS: dict[type, SymbolKind] = {
    ast.SpaceName: SymbolKind.Namespace,
    ast.Param: SymbolKind.Constant,
    ast.OpList: SymbolKind.Enum,
    ast.OpDecl: SymbolKind.Function,
    ast.CellDecl: SymbolKind.Class,
    ast.CellLike: SymbolKind.Class,
    ast.Network: SymbolKind.Module,
    ast.RecipeDecl: SymbolKind.Struct,
    ast.Let: SymbolKind.Variable,
}


def _entries(node: ast.Declaration) -> Iterator[Entry]:
    below: tuple[Entry, ...] = ()
    match node:
        case ast.Let(targets=names):
            pass
        case ast.Network(task=task, body=body):
            names, below = (task,), tuple(_parts(body))
        case ast.CellDecl(name=name, body=body):
            names, below = (name,), tuple(_nodes(body))
        case ast.Import() | ast.Modulo() | ast.Published() | ast.Require():
            return
        case _:
            names = (node.name,)
    for name in names:
        yield Entry(name.text, _KINDS[type(node)], name.span, node.span, below)


def _nodes(body: ast.Body) -> Iterator[Entry]:
    for statement in body.statements:
        if isinstance(statement, ast.Node):
            title = f"node {statement.domain.span.text}"
            yield Entry(title, SymbolKind.Object, statement.domain.span, statement.span)


def _parts(body: ast.Body) -> Iterator[Entry]:
    for statement in body.statements:
        if isinstance(statement, ast.Part):
            yield Entry(statement.role, SymbolKind.Object, statement.span, statement.span)


# ----------------------------------------------------------------------- sizes


@dataclass(frozen=True, slots=True)
class Hint:
    """A size to show behind the code of a line, at `offset`."""

    offset: int
    text: str


def hints(analysis: Analysis) -> tuple[Hint, ...]:
    """The size of every space, cell, node and choice, behind the line on which it begins."""
    sizes = analysis.sizes
    if sizes is None:
        return ()
    lines: dict[int, list[str]] = {}
    for declaration in analysis.tree.declarations:
        for node in walk(declaration):
            text = _size(node, analysis, sizes)
            span = getattr(node, "span", None)
            if text and isinstance(span, Span):
                lines.setdefault(span.position[0], []).append(text)
    source = analysis.source
    return tuple(
        Hint(source.line_starts[number - 1] + code_length(source.line(number)), ", ".join(texts))
        for number, texts in sorted(lines.items())
    )


def _size(node: object, analysis: Analysis, sizes: Sizes) -> str:
    match node:
        case ast.SpaceName():
            return "" if sizes.total is None else power_of_ten(sizes.total)
        case ast.CellDecl() | ast.CellLike():
            return short(cell_ways(node, analysis, sizes))
        case ast.Node():
            return short(sizes.node(node))
        case ast.Choose() | ast.Maybe():
            return short(sizes.choice(node.span))
        case _:
            return ""
