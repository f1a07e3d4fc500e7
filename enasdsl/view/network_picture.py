"""The network in a picture: its parts and the stamps of its cells, of a space or as found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from enasdsl.ir.graph import Apply, Body, Call, Input, Select
from enasdsl.ir.names import Place
from enasdsl.ir.space import Space
from enasdsl.semantics.symbols import Reading
from enasdsl.view.beliefs import Flow
from enasdsl.view.groups import Part, groups
from enasdsl.view.labels import Labels, tints
from enasdsl.view.picture import Arrow, Box, Choice, Panel, Role
from enasdsl.view.walking import Walk, decided, stamped, summary, uses


def exits(space: Space) -> set[int]:
    """The decisions by which one of several lengths of the network is taken."""
    body = space.bodies[0]
    inside = {ref for part in groups(body) for ref in part.refs}
    return {
        v.decision
        for ref, v in enumerate(body.values)
        if isinstance(v, Select) and ref not in inside
    }


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
    shares = _shares(Flow(walk, labels.beliefs), live, homes) if labels.beliefs else {}
    counted = (_counted(box, homes, live, body) for box in boxes.values())
    found = tuple(_titled(box, space) for box in counted) if reading else tuple(counted)
    return Panel(
        "network",
        found,
        tuple(Arrow(t, h, sure, share=shares.get((t, h))) for (t, h), sure in arrows.items()),
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


def _homes(body: Body, parts: Sequence[Part], live: set[int]) -> dict[int, str]:
    """The key of the box of each live value; stamps of one cell in a row share one."""
    homes = {r: f"part{n}" for n, part in enumerate(parts) for r in part.refs}
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
    parts: Sequence[Part],
    labels: Labels,
) -> Box:
    match body.values[ref]:
        case Input(name=name):
            return Box(key, Role.INPUT, name)
        case Call() as call if not uses(call.within):
            return Box(key, Role.CELL, stamped(call), "along the sequence" * (call.states > 0))
        case Select(decision=decision) if key.startswith("value"):
            return Box(key, Role.EXIT, "", "", labels.choices([decision]))
        case _:
            return _part(key, next(p for p in parts if ref in p.refs), body, labels)


def _part(key: str, part: Part, body: Body, labels: Labels) -> Box:
    path = part.path
    values = [body.values[r] for r in part.refs]
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


def _shares(flow: Flow, live: set[int], homes: Mapping[int, str]) -> dict[tuple[str, str], float]:
    """How often each arrow is there: where one of the values of its head reads its tail."""
    found: dict[tuple[str, str], int] = {}
    reads = [(homes[ref], flow.sources(ref)) for ref in live]
    reads += [("output", flow.below(ref)) for ref in flow.walk.body.outputs]
    for head, tails in reads:
        for tail, bits in tails.items():
            pair = homes[tail], head
            found[pair] = found.get(pair, 0) | bits
    return {pair: flow.beliefs.share(bits) for pair, bits in found.items()}


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
