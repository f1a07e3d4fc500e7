"""A picture in the language of Graphviz, for those who want to lay it out anew."""

from __future__ import annotations

import json
from collections.abc import Iterator

from enasdsl.view.cards import tint
from enasdsl.view.compose import width_of
from enasdsl.view.numbers import percent
from enasdsl.view.picture import Arrow, Box, Panel, Picture


def to_dot(picture: Picture) -> str:
    """The text of a DOT file: a cluster for each panel."""
    lines = [
        f"digraph {json.dumps(picture.title)} {{",
        f"  label={_quoted(f'{picture.title}, {picture.subtitle}')}; labelloc=t;",
        '  node [shape=box, style="rounded,filled", fillcolor="white", fontname="Helvetica"];',
        *(line for n, panel in enumerate(picture.panels) for line in _cluster(n, panel)),
        "}",
        "",
    ]
    return "\n".join(lines)


def _cluster(number: int, panel: Panel) -> Iterator[str]:
    yield f"  subgraph cluster{number} {{"
    shown = [panel.title, *map(str, panel.choices)]
    yield f"    label={_quoted(*shown)};"
    names = {box.key: f"p{number}b{n}" for n, box in enumerate(panel.boxes)}
    for box in panel.boxes:
        yield f"    {names[box.key]} [{_box(box)}];"
    for arrow in panel.arrows:
        yield f"    {names[arrow.tail]} -> {names[arrow.head]}{_arrow(arrow)};"
    yield "  }"


def _box(box: Box) -> str:
    lines = [box.title, box.detail, *map(str, box.choices)]
    parts = [f"label={_quoted(*filter(None, lines))}"]
    if box.faint:
        parts.append('style="rounded,dashed", fontcolor="gray"')
    elif box.tint is not None:
        parts.append(f'fillcolor="{tint(box.tint)[0]}"')
    return ", ".join(parts)


def _arrow(arrow: Arrow) -> str:
    if arrow.share is not None:
        return f' [penwidth={width_of(arrow.share):.2f}, label="{percent(arrow.share)}"]'
    return "" if arrow.certain and not arrow.faint else " [style=dashed]"


def _quoted(*lines: str) -> str:
    text = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return f'"{text}"'
