"""The picture of a file without a network, from its decisions: which node chooses what."""

from __future__ import annotations

from collections.abc import Sequence

from enasdsl.ir.space import Architecture, Source, Space
from enasdsl.semantics.symbols import Reading
from enasdsl.view.beliefs import Beliefs
from enasdsl.view.labels import Labels
from enasdsl.view.picture import Arrow, Box, Panel, Picture, Role
from enasdsl.view.space_picture import size_of


def picture_of_decisions(
    space: Space, architecture: Architecture | None = None, *, beliefs: Beliefs | None = None
) -> Picture:
    """A panel for each cell, with a box for each node in which something is decided."""
    reading = None if architecture is None else Reading(architecture.picks)
    labels = Labels(space, reading, beliefs)
    common = labels.globals()
    cells: dict[str, list[int]] = {}
    for n, decision in enumerate(space.decisions):
        if decision.scope and (reading is None or reading.picks[n] is not None):
            cells.setdefault(decision.scope.split(".")[0], []).append(n)
    panels = [_cell(space, name, found, labels) for name, found in cells.items()]
    if common:
        panels.insert(0, Panel("file", (), (), common, reading is not None))
    return Picture(space.name, size_of(space, beliefs), tuple(panels))


def _cell(space: Space, cell: str, decisions: Sequence[int], labels: Labels) -> Panel:
    nodes: dict[str, list[int]] = {}
    for n in decisions:
        nodes.setdefault(_node(space.decisions[n].scope), []).append(n)
    boxes: dict[str, Box] = {}
    arrows: dict[tuple[str, str], Arrow] = {}
    for name, inside in nodes.items():
        for arrow in (a for n in inside for a in _arrows(space, n, name, labels)):
            boxes.setdefault(arrow.tail, Box(arrow.tail, Role.INPUT, arrow.tail))
            arrows[arrow.tail, arrow.head] = arrow
        role = Role.NODE if name != "output" else Role.OUTPUT
        boxes[name] = Box(name, role, name, "", labels.choices(inside))
    found = labels.reading is not None
    return Panel(cell, tuple(boxes.values()), tuple(arrows.values()), found=found)


def _node(scope: str) -> str:
    """The node of a scope; what is decided in no node belongs to the end of the cell."""
    return scope.split(".")[1] if "." in scope else "output"


def _arrows(space: Space, index: int, head: str, labels: Labels) -> list[Arrow]:
    """From the members of a choice of inputs, or from those that were picked."""
    decision = space.decisions[index]
    if decision.source is not Source.INPUT:
        return []
    every = range(decision.domain.size)
    reading, beliefs = labels.reading, labels.beliefs
    picks = every if reading is None else reading.picks[index] or ()
    sure = reading is not None or decision.domain.least == len(every)
    shares = beliefs.shares(index, len(every)) if beliefs else [None] * len(every)
    return [Arrow(decision.labels[p], head, sure, share=shares[p]) for p in picks]
