"""The picture of a space: for each cell its nodes with their choices, and the network around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from enasdsl.diagnostics.wording import several
from enasdsl.ir.graph import Apply, Body, Node
from enasdsl.ir.space import Space
from enasdsl.view.beliefs import Beliefs, Flow
from enasdsl.view.labels import Labels
from enasdsl.view.network_picture import exits, network_panel
from enasdsl.view.picture import Arrow, Box, Panel, Picture, Role
from enasdsl.view.walking import Sources, Walk, decided, mended, summary, uses


def picture_of_space(space: Space, beliefs: Beliefs | None = None) -> Picture:
    """Every cell once, and the network that stamps them, with beliefs as far as there are any."""
    labels = Labels(space, beliefs=beliefs)
    common = labels.globals(apart=exits(space))
    cells = [_cell(body, labels) for body in distinct(space.bodies[1:])]
    panels = [network_panel(space, labels, common), *alike(cells)]
    return Picture(space.name, size_of(space, beliefs), tuple(panels))


def size_of(space: Space, beliefs: Beliefs | None) -> str:
    """The number of decisions, and of the architectures that beliefs are read off."""
    size = several(len(space.decisions), "decision")
    if beliefs is None:
        return size
    return f"{size}, shares of {several(len(beliefs), 'architecture')} {beliefs.origin}"


def distinct(bodies: Iterable[Body]) -> list[Body]:
    """One body for each cell: its stamps have the same design."""
    found: dict[str, Body] = {}
    for body in bodies:
        found.setdefault(body.name, body)
    return list(found.values())


def alike(panels: Iterable[Panel]) -> list[Panel]:
    """The panels, those that differ in their title alone as one."""
    found: dict[Panel, list[str]] = {}
    for panel in panels:
        found.setdefault(replace(panel, title=""), []).append(panel.title)
    return [replace(panel, title=_titles(titles)) for panel, titles in found.items()]


def _titles(titles: Sequence[str]) -> str:
    if len(titles) > 3:
        return f"{titles[0]} … {titles[-1]}, each by itself"
    return " and ".join(titles) + (", each by itself" if len(titles) > 1 else "")


# ----------------------------------------------------------------------- cells


def nodes_of(body: Body) -> list[int]:
    """The inputs and nodes of a cell, those of blocks within it left out."""
    nodes = {ref: v for ref, v in enumerate(body.values) if isinstance(v, Node)}
    frame = next((v.frame for v in nodes.values()), 0)
    return [ref for ref, v in nodes.items() if v.frame == frame]


def _cell(body: Body, labels: Labels) -> Panel:
    nodes = nodes_of(body)
    walk = Walk(body, frozenset(nodes))
    boxes = [input_box(walk, ref) for ref in nodes[: body.inputs]]
    boxes += [_node(walk, ref, labels) for ref in nodes[body.inputs :]]
    flow = Flow(walk, labels.beliefs) if labels.beliefs else None
    arrows: list[Arrow] = []
    for ref in nodes:
        shares = flow.shares(flow.sources(ref)) if flow else {}
        arrows += _arrows(body, walk.sources(ref), name_of(body, ref), shares)
    for number, ref in enumerate(body.outputs):
        key = ending_key(number)
        inside = walk.interior([ref])
        rows = labels.choices(_decisions(walk, inside))
        boxes.append(Box(key, Role.OUTPUT, "output", done_in(body, inside), rows))
        shares = flow.shares(flow.below(ref)) if flow else {}
        arrows += _arrows(body, walk.below(ref), key, shares)
    return Panel(body.name, tuple(boxes), tuple(arrows))


def _arrows(body: Body, tails: Sources, head: str, shares: Mapping[int, float]) -> Iterator[Arrow]:
    for tail, sure in tails.items():
        yield Arrow(name_of(body, tail), head, sure, share=shares.get(tail))


def name_of(body: Body, ref: int) -> str:
    """The name of a node or input, which is the key of its box."""
    node = body.values[ref]
    assert isinstance(node, Node)
    return node.name


def ending_key(number: int) -> str:
    """The key of the box of an output, which no node can have as its name."""
    return f"output {number + 1}"


def input_box(walk: Walk, ref: int) -> Box:
    """An input of a cell, with what is done to it before any node reads it."""
    node = walk.body.values[ref]
    assert isinstance(node, Node)
    values = [walk.body.values[i] for i in walk.interior([node.value])]
    return Box(node.name, Role.INPUT, node.name, summary(values))


def _node(walk: Walk, ref: int, labels: Labels) -> Box:
    node = walk.body.values[ref]
    assert isinstance(node, Node)
    inside = walk.interior([node.value])
    rows = labels.choices(_decisions(walk, inside))
    return Box(node.name, Role.NODE, node.name, done_in(walk.body, inside, node.name), rows)


def done_in(body: Body, refs: Iterable[int], node: str = "") -> str:
    """What a node or, without a name, the end of a cell does in every architecture."""
    names = {v.name for v in body.values if isinstance(v, Node)}
    values = [body.values[i] for i in refs]
    own = [v for v in values if not node or (isinstance(v, Apply) and node in uses(v.within)[:1])]
    return summary((v for v in own if not mended(v)), names)


def _decisions(walk: Walk, refs: Iterable[int]) -> list[int]:
    return sorted({d for i in refs for d in decided(walk.body.values[i])})
