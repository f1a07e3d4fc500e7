"""The picture of an architecture: what each node reads and does, as papers draw found cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from enasdsl.ir.costs import cost
from enasdsl.ir.graph import Apply, Body, Call, Node
from enasdsl.ir.names import Place
from enasdsl.ir.space import Architecture, Source, Space
from enasdsl.ir.specialize import read_off
from enasdsl.semantics.symbols import Reading
from enasdsl.view.labels import Labels, tints
from enasdsl.view.network_picture import exits, network_panel
from enasdsl.view.picture import Arrow, Box, Choice, Panel, Picture, Role
from enasdsl.view.space_picture import (
    alike,
    distinct,
    done_in,
    ending_key,
    input_box,
    name_of,
    nodes_of,
)
from enasdsl.view.walking import Walk, alternative, decided, primitive, stamped, uses


def picture_of_architecture(space: Space, architecture: Architecture) -> Picture:
    """Every cell once, as the architecture has it, and the network of it."""
    reading = read_off(space, architecture.picks)
    labels = Labels(space, reading)
    common = (*labels.globals(), *labels.choices(sorted(exits(space))))
    cells = [_Cell(space, body, reading, labels).panel for body in distinct(space.bodies[1:])]
    panels = [network_panel(space, labels, common, reading), *alike(cells)]
    size = f"{cost(space, architecture).params:,} parameters"
    return Picture(space.name, size, tuple(panels))


@dataclass(frozen=True, slots=True)
class _Unit:
    """A node or an output: what is on the way to its value, sorted into operations and the rest.

    `chosen` has the values of each picked operation by its place; `after` those values of the
    rest that read a picked operation and lead to none.
    """

    key: str
    value: int
    chosen: Mapping[Place, tuple[int, ...]]
    after: frozenset[int]
    inside: tuple[int, ...]

    def key_of(self, place: Place) -> str:
        return f"{self.key}/" + "/".join(name for _, name in place)


@dataclass(eq=False)
class _Cell:
    space: Space
    body: Body
    reading: Reading
    labels: Labels
    boxes: dict[str, Box] = field(default_factory=dict)
    arrows: dict[tuple[str, str], None] = field(default_factory=dict)

    @cached_property
    def walk(self) -> Walk:
        return Walk(self.body, frozenset(nodes_of(self.body)), self.reading)

    @cached_property
    def panel(self) -> Panel:
        nodes = nodes_of(self.body)
        for ref in nodes[: self.body.inputs]:
            self._add(input_box(self.walk, ref))
        for ref in nodes[self.body.inputs :]:
            node = self.body.values[ref]
            assert isinstance(node, Node)
            if self.reading.holds(node.guard):
                self._draw(node.name, node.value, node.name)
        for number, ref in enumerate(self.body.outputs):
            self._draw(ending_key(number), ref, "output")
        arrows = tuple(Arrow(tail, head) for tail, head in self.arrows)
        return _faded(Panel(self.body.name, tuple(self.boxes.values()), arrows, found=True))

    def _draw(self, key: str, value: int, name: str) -> None:
        unit = self._unit(key, value)
        reads = {place: self._read_by(unit, refs) for place, refs in unit.chosen.items()}
        merged = self._read_by(unit, unit.after) if unit.after else self._ends(unit, value)
        sole = self._sole(unit, reads, merged)
        for place, refs in unit.chosen.items():
            own = key if place == sole else unit.key_of(place)
            self._add(self._operation(own, place, refs, name if place == sole else ""))
            self._link(reads[place], own)
        if sole is None:
            rows = self._rows(unit)
            self._add(Box(key, *self._joined(unit, name), rows))
            self._link(merged, key)
        else:
            self.boxes[key] = _with_rows(self.boxes[key], self._rows(unit))

    def _unit(self, key: str, value: int) -> _Unit:
        inside = tuple(self.walk.interior([value]))
        chosen: dict[Place, list[int]] = {}
        for ref in inside:
            if place := self._picked(ref):
                chosen.setdefault(place, []).append(ref)
        chosen = _outermost(chosen)
        operations = {r for refs in chosen.values() for r in refs}
        reads = _closure(self.walk, inside, operations)
        leads = {i for r in operations for i in self.walk.interior(self.walk.inputs(r))}
        after = frozenset(
            r
            for r in inside
            if r in reads - operations - leads and isinstance(self.body.values[r], Apply | Call)
        )
        return _Unit(key, value, {p: tuple(r) for p, r in chosen.items()}, after, inside)

    def _picked(self, ref: int) -> Place:
        """The innermost alternative in which an operation stands; `maybe` without it is none."""
        value = self.body.values[ref]
        place = alternative(value.within) if isinstance(value, Apply | Call) else ()
        while place and place[-1][1].endswith("=off"):
            place = alternative(place[:-1])
        return place

    # ------------------------------------------------------------------ arrows

    def _read_by(self, unit: _Unit, refs: Iterable[int]) -> dict[str, None]:
        """The keys of the boxes that some values of a unit read, themselves left out."""
        own = set(refs)
        found: dict[str, None] = {}
        for ref in sorted(own):
            for i in self.walk.inputs(ref):
                found |= self._ends(unit, i, own)
        return found

    def _ends(self, unit: _Unit, ref: int, own: Iterable[int] = ()) -> dict[str, None]:
        """The boxes in which a walk back from `ref` ends."""
        found: dict[str, None] = {}
        places = {r: place for place, refs in unit.chosen.items() for r in refs}
        pending, seen = [ref], set(own)
        while pending:
            here = pending.pop()
            if here in self.walk.stops:
                found[name_of(self.body, here)] = None
            elif here not in seen:
                seen.add(here)
                if here in places:
                    found[unit.key_of(places[here])] = None
                else:
                    pending.extend(self.walk.inputs(here))
        return found

    def _link(self, tails: Iterable[str], head: str) -> None:
        self.arrows.update({(tail, head): None for tail in tails if tail != head})

    def _sole(
        self,
        unit: _Unit,
        reads: Mapping[Place, Mapping[str, None]],
        merged: Mapping[str, None],
    ) -> Place | None:
        """The operation that can stand for the whole node: the node reads nothing beside it."""
        last = [place for place in unit.chosen if unit.key_of(place) in merged]
        if len(last) != 1:
            return None
        beside = merged.keys() - {unit.key_of(last[0])}
        return last[0] if beside <= reads[last[0]].keys() else None

    # ------------------------------------------------------------------- boxes

    def _add(self, box: Box) -> None:
        self.boxes[box.key] = box

    def _operation(self, key: str, place: Place, refs: Sequence[int], node: str) -> Box:
        values = [self.body.values[r] for r in refs]
        title, tint = self._label(place[-1][1])
        calls = [stamped(v) for v in values if isinstance(v, Call)]
        if title == "on":
            title = place[-1][1].partition("=")[0]
        rows = self.labels.choices(sorted({d for v in values for d in decided(v)}))
        zero = all(isinstance(v, Apply) and v.op == "zero" for v in values)
        return Box(key, Role.OPERATION, title or ", ".join(calls), node, rows, zero, tint)

    def _label(self, segment: str) -> tuple[str, int | None]:
        """How the file writes an alternative, and its position in its list."""
        text = segment.partition("=")[2]
        known = [label for label in self._known if text.startswith(label)]
        return self._known[max(known, key=len)] if known else (text, None)

    @cached_property
    def _known(self) -> Mapping[str, tuple[str, int]]:
        return tints(self.space)

    def _rows(self, unit: _Unit) -> tuple[Choice, ...]:
        """What was chosen and is seen in no box and no arrow."""
        titles = {
            self._label(name)[0]
            for place in unit.chosen
            for kind, name in place
            if kind == "alternatives"
        }
        refs = sorted({d for r in unit.inside for d in decided(self.body.values[r])})
        hidden = []
        for d in refs:
            decision, picks = self.space.decisions[d], self.reading.picks[d]
            shown = {decision.labels[p] for p in picks or ()}
            if decision.source is not Source.INPUT and not shown <= {*titles, "on"}:
                hidden.append(d)
        return self.labels.choices(hidden)

    def _joined(self, unit: _Unit, name: str) -> tuple[Role, str, str]:
        """Role, title and detail of a node that joins what its operations give."""
        refs = sorted(unit.after or unit.inside)
        if name == "output":
            return Role.OUTPUT, name, done_in(self.body, refs)
        joins = (v for r in refs if isinstance(v := self.body.values[r], Apply))
        first = next((v for v in joins if len(v.inputs) > 1), None)
        done = done_in(self.body, refs, name)
        return Role.MERGE, name, primitive(first) if first in self._plain(refs) else done

    def _plain(self, refs: Iterable[int]) -> list[Apply]:
        """The operations of a node that stand in it by themselves, in no composition."""
        found = (self.body.values[r] for r in refs)
        return [v for v in found if isinstance(v, Apply) and len(uses(v.within)) == 1]


def _outermost(chosen: Mapping[Place, list[int]]) -> dict[Place, list[int]]:
    """The picked operations, one that is chosen inside another as a part of that."""
    found: dict[Place, list[int]] = {}
    for place in sorted(chosen, key=len):
        home = next((p for p in found if place[: len(p)] == p), place)
        found.setdefault(home, []).extend(chosen[place])
    return {place: sorted(found[place]) for place in chosen if place in found}


def _closure(walk: Walk, inside: Sequence[int], origins: set[int]) -> set[int]:
    """The values of `inside` that depend on one of `origins`, those among them."""
    found: set[int] = set()
    for ref in inside:
        if ref in origins or any(i in found for i in walk.inputs(ref)):
            found.add(ref)
    return found


def _with_rows(box: Box, rows: tuple[Choice, ...]) -> Box:
    return Box(box.key, box.role, box.title, box.detail, (*box.choices, *rows), box.faint, box.tint)


def _faded(panel: Panel) -> Panel:
    """The panel with everything faint that changes no output."""
    tails: dict[str, list[str]] = {}
    faint = {b.key for b in panel.boxes if b.faint}
    for arrow in panel.arrows:
        tails.setdefault(arrow.head, []).append(arrow.tail)
    needed: set[str] = set()
    pending = [b.key for b in panel.boxes if b.key.startswith("output ")]
    while pending:
        key = pending.pop()
        if key not in needed and key not in faint:
            needed.add(key)
            pending.extend(tails.get(key, ()))
    boxes = tuple(
        Box(
            b.key, b.role, b.title, b.detail, b.choices,
            b.key not in needed and b.role is not Role.INPUT, b.tint,
        )
        for b in panel.boxes
    )  # fmt: skip
    arrows = tuple(
        Arrow(a.tail, a.head, a.certain, a.head not in needed or a.tail in faint)
        for a in panel.arrows
    )
    return Panel(panel.title, boxes, arrows, panel.choices, panel.found)
