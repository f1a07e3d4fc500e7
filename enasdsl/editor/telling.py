"""What is told of a name: its declaration, its remark, its value, its size, its shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from enasdsl.diagnostics.wording import several
from enasdsl.editor.analysis import Analysis
from enasdsl.editor.occurrences import Sort, Symbol
from enasdsl.editor.remarks import head, remark
from enasdsl.editor.sizes import Sizes, Ways, exact
from enasdsl.semantics.constants import spell
from enasdsl.semantics.ops import OpParameter
from enasdsl.source import Span
from enasdsl.syntax import ast
from enasdsl.view.reference import describe_parameter, operation_text

WORDS: Mapping[str, str] = {
    "earlier": "the inputs and nodes of the cell so far",
    "nodes": "the nodes of the cell so far",
    "inputs": "the inputs of the cell",
    "previous": "the node before this one, or the last input",
    "loose": "every node that no other node reads; `loose with inputs` has unread inputs, too",
    "stride": "the stride of the cell, or the one that the operation still has to take",
    "filters": "the number of channels in force",
    "hidden": "the number of units in force",
    "classes": "how many classes the data set has",
    "vocabulary": "how many words the data set has",
    "length": "how many tokens an example of the data set has",
    "any": "any number of members, from none to all",
    "factorial": "n! of a whole number",
    "min": "the least of some numbers",
    "max": "the greatest of some numbers",
    "abs": "a number without its sign",
    "count": "how many members a list has, or how many meet a condition",
    "sum": "the sum of numbers, or of values of one shape",
    "all": "whether every member of a list is true",
    "distinct": "whether the members of a list all differ",
    "sorted": "whether the numbers of a list never fall",
    "channels": "how many channels a value has",
    "reachable": "whether one node reads another, directly or through others",
    "edges": "how many inputs all nodes read together",
    "params": "how many weights an architecture has",
    "macs": "how many multiply-accumulates an architecture takes for one example",
}
"""What each word of the language stands for."""


def tell(symbol: Symbol, analysis: Analysis) -> str:
    """The Markdown text about a name."""
    return "\n\n".join(part for part in _parts(symbol, analysis) if part)


def _parts(symbol: Symbol, analysis: Analysis) -> Iterator[str]:
    if symbol.sort is Sort.PRIMITIVE:
        yield code(operation_text(symbol.name))
    elif symbol.sort is Sort.ARGUMENT and isinstance(symbol.node, OpParameter):
        yield f"**{symbol.name}**, {describe_parameter(symbol.node)}"
    elif symbol.sort is Sort.WORD:
        yield f"**{symbol.name}**: {WORDS.get(symbol.name, 'a word of the language')}"
    elif symbol.sort is Sort.SETTING:
        yield setting(symbol.name)
    elif symbol.sort is Sort.FILE:
        yield f"**{symbol.name}**, a file: `{symbol.file}`"
    else:
        yield from _declared(symbol, analysis)


def _declared(symbol: Symbol, analysis: Analysis) -> Iterator[str]:
    span = getattr(symbol.node, "span", symbol.place)
    if isinstance(span, Span):
        yield code(head(span))
        yield f"{symbol.sort.value}{_owner(symbol)}"
        yield remark(span)
    yield _value(symbol, analysis)
    yield size(symbol.node, analysis)
    yield shape(symbol, analysis)


def code(text: str) -> str:
    return f"```enas\n{text}\n```"


def _owner(symbol: Symbol) -> str:
    match symbol.sort, symbol.node:
        case ((Sort.INPUT | Sort.STATE), ast.CellDecl(kind=kind, name=name)):
            return f" of the {kind} `{name.text}`"
        case ((Sort.INPUT | Sort.STATE), ast.OpDecl(name=name)):
            return f" of the operation `{name.text}`"
        case _:
            return ""


def _value(symbol: Symbol, analysis: Analysis) -> str:
    checked = analysis.compilation.checked
    match symbol.node:
        case ast.Param() if checked is not None and symbol.name in checked.params:
            return f"value: {spell(checked.params[symbol.name])}"
        case ast.OpList(items=items):
            return several(len(items.items), "member")
        case ast.SpaceName() if analysis.sizes is not None and analysis.sizes.total is not None:
            total, space = analysis.sizes.total, analysis.sizes.space
            return f"{several(total, 'architecture')}, {several(len(space.decisions), 'decision')}"
        case _:
            return ""


def size(node: object, analysis: Analysis) -> str:
    """The exact number of alternatives of a cell, a node or a choice, as a sentence."""
    sizes = analysis.sizes
    if sizes is None:
        return ""
    match node:
        case ast.CellDecl() | ast.CellLike():
            return exact(cell_ways(node, analysis, sizes), each="uses")
        case ast.Node():
            return exact(sizes.node(node), each="nodes")
        case ast.Choose() | ast.Maybe():
            return _choice(node, analysis)
        case ast.Let(value=ast.Choose() | ast.Maybe() as value):
            return _choice(value, analysis)
        case _:
            return ""


def _choice(node: ast.Choose | ast.Maybe, analysis: Analysis) -> str:
    sizes = analysis.sizes
    decisions = sizes.decisions(node.span) if sizes else ()
    if sizes is None or not decisions:
        return ""
    labels = tuple(dict.fromkeys(label for d in decisions for label in d.labels))
    members = ", ".join(f"`{label}`" for label in labels[:12])
    members += f" and {len(labels) - 12} more" if len(labels) > 12 else ""
    return f"{exact(sizes.choice(node.span), each='places')}\n\nfrom {members}"


def cell_ways(
    cell: ast.CellDecl | ast.CellLike, analysis: Analysis, sizes: Sizes
) -> tuple[Ways, ...]:
    """In how many ways a cell can be decided, at each of its designs or uses."""
    body = _body_of(cell, analysis)
    cells = (s for s in analysis.index.names.values() if s.sort in (Sort.CELL, Sort.BLOCK))
    others = {symbol.name for symbol in cells} - {cell.name.text}
    return () if body is None else sizes.cell(cell.name.text, body, others)


def _body_of(cell: ast.CellDecl | ast.CellLike, analysis: Analysis) -> ast.Body | None:
    """The body of a cell, or of the one that it is like."""
    seen = set()
    while isinstance(cell, ast.CellLike):
        found = analysis.index.names.get(cell.base.text)
        if cell.name.text in seen or found is None:
            return None
        seen.add(cell.name.text)
        if not isinstance(found.node, ast.CellDecl | ast.CellLike):
            return None
        cell = found.node
    return cell.body


def shape(symbol: Symbol, analysis: Analysis) -> str:
    """The shapes that the values of a name have, at all places of the file."""
    spans = [o.span for o in analysis.index.of(symbol)]
    match symbol.node:
        case ast.Let(targets=(_,), value=value):
            spans.append(value.span)
        case ast.Node(body=body):
            spans.append(body.ending)
    return shapes(spans, analysis)


def shapes(spans: list[Span], analysis: Analysis) -> str:
    """What is said of the shapes at some places, each shape once."""
    return shown(text for span in spans for text in analysis.sight.shapes_at(span))


def shown(found: Iterable[str]) -> str:
    listed = ", ".join(f"`{text}`" for text in dict.fromkeys(found))
    return f"shape: {listed}" if listed else ""


def setting(path: str) -> str:
    """What the schema of recipes says of a setting."""
    from enasdsl.semantics.recipe import describe_setting  # pydantic is slow to start

    return f"**{path}**: {describe_setting(path)}"
