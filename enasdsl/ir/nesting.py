"""One architecture's network as frames inside frames: each stamp of a cell by itself.

`specialize` gives the same network as one flat row of steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from enasdsl.ir.graph import Apply, Body, Call, Input, Node, Step
from enasdsl.ir.names import Place
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import Emitter, Plan, is_present, plans, read_off
from enasdsl.semantics.symbols import Shape


@dataclass(frozen=True, slots=True)
class Item:
    """One operation, or one use of an inner frame, which runs along a sequence with `states`.

    `inputs` are values of the frame. An item makes one value, or as many as an inner frame has
    outputs. `place` of an operation is that of its weights in the frame, of an inner frame the
    prefix of the places in it.
    """

    inputs: tuple[int, ...]
    shapes: tuple[Shape, ...]  # of the values that it makes
    place: str = ""
    within: Place = ()
    step: Step | None = None
    frame: Frame | None = None
    states: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A part of a network: values are the inputs, then what the items make, in order."""

    name: str
    arguments: tuple[str, ...]
    shapes: tuple[Shape, ...]  # of the inputs
    items: tuple[Item, ...]
    outputs: tuple[int, ...]
    names: dict[int, str] = field(default_factory=dict)  # of the values that are nodes
    states: int = 0  # of the inputs, at their end

    def values(self) -> tuple[Shape, ...]:
        """The shapes of all values."""
        return (*self.shapes, *(shape for item in self.items for shape in item.shapes))


def nest(space: Space, architecture: Architecture) -> Frame:
    """The frames of an architecture; raises ValueError where the file has no network.

    Heads at the side, which only training looks at, are left out.
    """
    if not space.network:
        raise ValueError(f"space {space.name} has no network: its file declares cells alone")
    reading = read_off(space, architecture.picks)
    planned = plans(space.bodies, reading)
    return _Nester(space.bodies, planned, Emitter(space.bodies, planned, reading), {}).frame(0)


@dataclass(frozen=True, slots=True)
class _Nester:
    bodies: tuple[Body, ...]
    plans: list[Plan]
    emitter: Emitter
    known: dict[tuple[int, tuple[int, ...]], tuple[Frame, tuple[int, ...]]]

    def frame(self, index: int, *, states: int = 0) -> Frame:
        """A body with all of its inputs and outputs."""
        outputs = tuple(range(len(self.bodies[index].outputs)))
        return self._make(index, outputs, keep=True, states=states)[0]

    def _part(self, index: int, outputs: tuple[int, ...]) -> tuple[Frame, tuple[int, ...]]:
        """A body for some of its outputs, and which of its inputs these need."""
        key = index, outputs
        if key not in self.known:
            self.known[key] = self._make(index, outputs)
        return self.known[key]

    def _make(
        self, index: int, outputs: tuple[int, ...], *, keep: bool = False, states: int = 0
    ) -> tuple[Frame, tuple[int, ...]]:
        body, plan = self.bodies[index], self.plans[index]
        wanted = [plan.targets[body.outputs[o]] for o in outputs]
        rows = self._needed(index, wanted)
        read = {ref for row in rows for ref in row.inputs} | set(wanted)
        inputs = tuple(i for i in range(body.inputs) if keep or i in read)
        where = {ref: n for n, ref in enumerate(inputs)}
        items: list[Item] = []
        for row in rows:
            made = len(where)
            where.update({ref: made + n for n, ref in enumerate(row.makes)})
            items.append(row.item(where))
        names = {
            where[plan.targets[i]]: value.name
            for i, value in enumerate(body.values)
            if isinstance(value, Node) and plan.targets.get(i) in where
        }
        arguments = tuple(_input(body, i) for i in inputs)
        shapes = tuple(self.emitter.shape(body.values[i].shape) for i in inputs)
        made_outputs = tuple(where[ref] for ref in wanted)
        found = Frame(body.name, arguments, shapes, tuple(items), made_outputs, names, states)
        return found, inputs

    def _needed(self, index: int, wanted: Iterable[int]) -> list[_Row]:
        """What the values `wanted` of a body need, in order."""
        body, plan = self.bodies[index], self.plans[index]
        need = set(wanted)
        first = {v.place: r for r in reversed(plan.needed) if (v := _call(body, r)) is not None}
        rows: list[_Row] = []
        for ref in reversed(plan.needed):
            value = body.values[ref]
            if isinstance(value, Apply) and ref in need:
                rows.append(self._operation(index, ref, value))
            elif isinstance(value, Call) and first[value.place] == ref:
                made = [
                    r for r in plan.needed if r in need and body.values[r] in _alike(body, value)
                ]
                rows += [self._stamp(index, made, value)] if made else []
            else:
                continue
            if rows:
                need.update(rows[-1].inputs)
        return rows[::-1]

    def _read(self, index: int, value: Apply | Call) -> tuple[int, ...]:
        body, plan = self.bodies[index], self.plans[index]
        reading = self.emitter.reading
        beside = isinstance(value, Apply) and value.op == "auxiliary"
        inputs = value.inputs[:1] if beside else value.inputs
        return tuple(plan.targets[i] for i in inputs if is_present(body, i, reading))

    def _operation(self, index: int, ref: int, value: Apply) -> _Row:
        step = self.emitter.step(self.bodies[index], value, (), "")
        read = self._read(index, value)
        return _Row((ref,), read, value, (step.shape,), step=step)

    def _stamp(self, index: int, made: list[int], value: Call) -> _Row:
        body, read = self.bodies[index], self._read(index, value)
        shapes = tuple(self.emitter.shape(body.values[r].shape) for r in made)
        if value.states:
            inner = self.frame(value.body, states=value.states)
            return _Row(tuple(made), read, value, shapes, frame=inner, states=value.states)
        outputs = tuple(v.output for r in made if isinstance(v := body.values[r], Call))
        inner, used = self._part(value.body, outputs)
        return _Row(tuple(made), tuple(read[i] for i in used), value, shapes, frame=inner)


@dataclass(frozen=True, slots=True)
class _Row:
    """An item before the values of its frame have their numbers."""

    makes: tuple[int, ...]
    inputs: tuple[int, ...]
    value: Apply | Call
    shapes: tuple[Shape, ...]
    step: Step | None = None
    frame: Frame | None = None
    states: int = 0

    def item(self, where: dict[int, int]) -> Item:
        read = tuple(where[ref] for ref in self.inputs)
        place, within = self.value.place, self.value.within
        return Item(read, self.shapes, place, within, self.step, self.frame, self.states)


def _call(body: Body, ref: int) -> Call | None:
    value = body.values[ref]
    return value if isinstance(value, Call) else None


def _alike(body: Body, value: Call) -> tuple[Call, ...]:
    """The outputs of one stamp."""
    return tuple(v for v in body.values if isinstance(v, Call) and v.place == value.place)


def _input(body: Body, index: int) -> str:
    value = body.values[index]
    assert isinstance(value, Input)
    return value.name
