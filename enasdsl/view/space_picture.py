"""The picture of a space: for each cell its nodes with their choices, and the network around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from enasdsl.ir.graph import Apply, Body, Call, Input, Node, Select
from enasdsl.ir.names import Place
from enasdsl.ir.space import Space
from enasdsl.semantics.symbols import Reading
from enasdsl.view.groups import Path, groups
from enasdsl.view.labels import Labels, tints
from enasdsl.view.picture import Arrow, Box, Choice, Panel, Picture, Role
from enasdsl.view.walking import Walk, decided, mended, stamped, summary, uses


def picture_of_space(space: Space) -> Picture:
    """Every cell once, and the network that stamps them."""
    labels = Labels(space)
    common = labels.globals()
    cells = [_cell(body, labels) for body in distinct(space.bodies[1:])]
    panels = [network_panel(space, labels, common), *alike(cells)]
    return Picture(space.name, f"{len(space.decisions)} decisions", tuple(panels))


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
    arrows = [
        Arrow(name_of(body, tail), name_of(body, ref), sure)
        for ref in nodes
        for tail, sure in walk.sources(ref).items()
    ]
    for number, ref in enumerate(body.outputs):
        key = ending_key(number)
        inside = walk.interior([ref])
        rows = labels.choices(_decisions(walk, inside))
        boxes.append(Box(key, Role.OUTPUT, "output", done_in(body, inside), rows))
        ends = walk.below(ref).items()
        arrows += [Arrow(name_of(body, tail), key, sure) for tail, sure in ends]
    return Panel(body.name, tuple(boxes), tuple(arrows))


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


# --------------------------------------------------------------------- network


def network_panel(
    space: Space, labels: Labels, common: tuple[Choice, ...], reading: Reading | None = None
) -> Panel:
    """The network, its parts and stamps as boxes; with a reading, that of one architecture."""
    body = space.bodies[0]
    parts = groups(body)
    stops = frozenset(
        ref
        for ref, v in enumerate(body.values)
        if isinstance(v, Apply | Call | Input) or (isinstance(v, Select) and reading is None)
    )
    walk = Walk(body, stops, reading)
    live = _reached(walk)
    homes = _homes(body, parts, live)
    boxes: dict[str, Box] = {}
    for ref in sorted(live):
        if homes[ref] not in boxes:
            boxes[homes[ref]] = _box(homes[ref], ref, body, parts, labels)
    boxes["output"] = Box("output", Role.OUTPUT, "output")
    arrows = _arrows(walk, live, homes) | dict(_ending(walk, homes))
    counted = (_counted(box, homes, live, body) for box in boxes.values())
    found = tuple(_titled(box, space) for box in counted) if reading else tuple(counted)
    return Panel(
        "network",
        found,
        tuple(Arrow(t, h, sure) for (t, h), sure in arrows.items()),
        common,
        reading is not None,
    )


def _reached(walk: Walk) -> set[int]:
    """The stops on which the output depends."""
    found: set[int] = set()
    pending = [s for o in walk.body.outputs for s in walk.below(o)]
    while pending:
        ref = pending.pop()
        if ref not in found:
            found.add(ref)
            pending.extend(walk.sources(ref))
    return found


def _homes(
    body: Body, parts: Sequence[tuple[Path, tuple[int, ...]]], live: set[int]
) -> dict[int, str]:
    """The key of the box of each live value; stamps of one cell in a row share one."""
    homes = {r: f"part{n}" for n, (_, refs) in enumerate(parts) for r in refs}
    last: tuple[str, str] | None = None
    for ref in sorted(live):
        value = body.values[ref]
        if isinstance(value, Call) and ref not in homes:
            name = stamped(value)
            if last is None or last[0] != name:
                last = name, f"cell{ref}"
            homes[ref] = last[1]
        else:
            last = None
            homes.setdefault(ref, f"value{ref}")
    return homes


def _box(
    key: str,
    ref: int,
    body: Body,
    parts: Sequence[tuple[Path, tuple[int, ...]]],
    labels: Labels,
) -> Box:
    match body.values[ref]:
        case Input(name=name):
            return Box(key, Role.INPUT, name)
        case Call() as call if not uses(call.within):
            return Box(key, Role.CELL, stamped(call), "along the sequence" * (call.states > 0))
        case Select(decision=decision) if key.startswith("value"):
            return Box(key, Role.EXIT, "", "", labels.choices([decision], again=True))
        case _:
            path, refs = next(p for p in parts if ref in p[1])
            return _part(key, path, refs, body, labels)


def _part(key: str, path: Path, refs: Sequence[int], body: Body, labels: Labels) -> Box:
    values = [body.values[r] for r in refs]
    rows = labels.choices(sorted({d for v in values for d in decided(v)}))
    shared = _shared_uses(v.within for v in values if isinstance(v, Apply | Call))
    below = [name for name in shared[len(path) :] if not name.isdigit()]
    detail = below[-1] if below else summary(values, path)
    title = ".".join(path)
    return Box(
        key, Role.NODE if rows else Role.PART, title, detail if detail != title else "", rows
    )


def _shared_uses(places: Iterable[Place]) -> tuple[str, ...]:
    """The uses that are around all of some places."""
    first, *rest = map(uses, places)
    size = 0
    while size < len(first) and all(other[: size + 1] == first[: size + 1] for other in rest):
        size += 1
    return first[:size]


def _arrows(walk: Walk, live: set[int], homes: Mapping[int, str]) -> dict[tuple[str, str], bool]:
    found: dict[tuple[str, str], bool] = {}
    for ref in sorted(live):
        for tail, sure in walk.sources(ref).items():
            if homes[tail] != homes[ref]:
                pair = homes[tail], homes[ref]
                found[pair] = found.get(pair, False) or sure
    return found


def _ending(walk: Walk, homes: Mapping[int, str]) -> Iterator[tuple[tuple[str, str], bool]]:
    return (((homes[s], "output"), True) for o in walk.body.outputs for s in walk.below(o))


def _counted(box: Box, homes: Mapping[int, str], live: set[int], body: Body) -> Box:
    """A box of several stamps with their number."""
    if box.role is not Role.CELL:
        return box
    stamps = {
        v.place for r in live if homes[r] == box.key and isinstance(v := body.values[r], Call)
    }
    detail = ", ".join(filter(None, [f"{len(stamps)} in a row" * (len(stamps) > 1), box.detail]))
    return replace(box, detail=detail)


def _titled(box: Box, space: Space) -> Box:
    """A part in which one operation was chosen, by the name of that."""
    known = tints(space)
    match box.choices:
        case (Choice(name=name, options=options, picked=(label,)),) if "," not in name:
            text, tint = known.get(label.replace(" ", ""), (label, None))
            if tint is not None and label in options:
                return replace(
                    box, role=Role.OPERATION, title=text, detail=box.title, choices=(), tint=tint
                )
    return box
