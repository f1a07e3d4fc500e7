"""Frames that are alike become one class, whose parameters are the numbers in which they differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from enasdsl.export.aligning import aligned
from enasdsl.export.code import Site, Writer, word
from enasdsl.export.functions import ACTIVATIONS, FUNCTIONS
from enasdsl.export.groups import OPEN
from enasdsl.export.layers import LAYERS
from enasdsl.ir.nesting import Frame, Item
from enasdsl.semantics.symbols import Shape

Value = int | str
WRITERS: Mapping[str, Writer] = {**LAYERS, **FUNCTIONS}
ACTIVATION = "activation"
ROLES = ("in", "out", "kernel", "stride", "padding", "dilation", "groups", "positions", ACTIVATION)
FAMILIES = {"in": "channels", "out": "channels"}
MOST = 16  # by how much one width may be another


@dataclass(slots=True)
class Class:
    """One class of the text: a frame as its pattern, and all frames that are alike.

    `parameters` are values by name for each of the frames; `numbers` are, for each item of the
    pattern, the expressions by role of an operation, or by parameter of an inner class.
    """

    name: str
    frames: list[Frame] = field(default_factory=list)
    parameters: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    numbers: list[dict[str, str]] = field(default_factory=list)

    @property
    def pattern(self) -> Frame:
        return self.frames[0]

    def given(self, frame: Frame) -> dict[str, Value]:
        """The parameters of one of the frames."""
        at = self.frames.index(frame)
        return {name: values[at] for name, values in self.parameters.items()}

    def width(self, values: Sequence[int]) -> str | None:
        """The expression of a number of channels, None where there is none."""
        return _known(self, "channels", tuple(values))


@dataclass(frozen=True, slots=True)
class Classes:
    """All classes of a network, inner ones first, and which one each frame is of."""

    rows: tuple[Class, ...]
    of: Mapping[Frame, Class]


def site(item: Item, frame: Frame) -> Site:
    """An operation of a frame."""
    assert item.step is not None
    values = frame.values()
    inputs = tuple(values[i] for i in item.inputs)
    return Site(item.step.op, dict(item.step.args), inputs, item.shapes[0])


def classes(network: Frame, name: str) -> Classes:
    """The classes of a network; its own is called `name`."""
    found: dict[object, Class] = {}
    of: dict[Frame, Class] = {}
    taken = {name, *("DropPath", "SequenceDropout", "AvgPoolSame", "Tensor")}
    for frame in _inner_first(network, {}):
        key = _key(frame, of)
        if key not in found:
            wanted = name if frame is network else camel(frame.name)
            free = wanted if frame is network else _free(wanted, taken)
            taken.add(free)
            found[key] = Class(free)
        found[key].frames.append(frame)
        of[frame] = found[key]
    rows: dict[int, Class] = {}
    _order(of[network], of, rows)
    for row in rows.values():
        _unify(row, of)
    return Classes(tuple(rows.values()), of)


def _order(row: Class, of: Mapping[Frame, Class], found: dict[int, Class]) -> None:
    """Puts a class behind all those that any of its frames needs."""
    for frame in row.frames:
        for item in frame.items:
            if item.frame is not None and id(of[item.frame]) not in found:
                _order(of[item.frame], of, found)
    found[id(row)] = row


def camel(name: str) -> str:
    """`sep_conv` as `SepConv`."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "".join(w[0].upper() + w[1:] for w in words) or "Part"


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}{'_' * wanted[-1].isdigit()}{number}"
    return name


def _inner_first(frame: Frame, seen: dict[Frame, None]) -> Iterator[Frame]:
    for item in frame.items:
        if item.frame is not None and item.frame not in seen:
            yield from _inner_first(item.frame, seen)
    if frame not in seen:
        seen[frame] = None
        yield frame


def _key(frame: Frame, of: Mapping[Frame, Class]) -> object:
    """What frames of one class have in common: all but numbers."""
    rows = tuple(_row(item, frame, of) for item in frame.items)
    names = tuple(sorted(frame.names.items()))
    ranks = tuple(len(shape.space) for shape in frame.shapes)
    return frame.name, frame.arguments, ranks, rows, names, frame.outputs, frame.states


def _row(item: Item, frame: Frame, of: Mapping[Frame, Class]) -> object:
    ranks = tuple(len(shape.space) for shape in item.shapes)
    if aligned(item, frame) is not None:
        return "align", item.inputs, ranks
    nodes = tuple(name for kind, name in item.within if kind == "nodes" or name in OPEN)
    if item.frame is not None:
        return of[item.frame].name, item.inputs, item.states, ranks, nodes
    where = site(item, frame)
    if where.op in ACTIVATIONS:
        return ACTIVATION, item.inputs, ranks
    read = tuple(len(shape.space) for shape in where.inputs)
    fixed = WRITERS[where.op].fixed(where)
    return where.op, item.inputs, fixed, read, ranks, nodes


# ------------------------------------------------------------------ parameters


def _unify(row: Class, of: Mapping[Frame, Class]) -> None:
    """Finds the parameters of a class, and the expressions of every number in it."""
    for n in range(len(row.pattern.items)):
        columns = [_numbers(frame.items[n], frame, of) for frame in row.frames]
        families = _families(row.pattern.items[n], of)
        row.numbers.append(
            {
                role: _expression(row, families.get(role, role), tuple(c[role] for c in columns))
                for role in columns[0]
            }
        )
    _rename(row)


def _numbers(item: Item, frame: Frame, of: Mapping[Frame, Class]) -> Mapping[str, Value]:
    name = aligned(item, frame)
    if name is not None:
        return {f"align_{word(name)}": _written(item, frame, of)}
    if item.frame is not None:
        return of[item.frame].given(item.frame)
    where = site(item, frame)
    if where.op in ACTIVATIONS:
        return {ACTIVATION: ACTIVATIONS[where.op]}
    return WRITERS[where.op].numbers(where)


def _written(item: Item, frame: Frame, of: Mapping[Frame, Class]) -> str:
    """What makes an item, its numbers written out."""
    if item.frame is not None:
        given = of[item.frame].given(item.frame)
        return f"{of[item.frame].name}({', '.join(map(str, given.values()))})"
    where = site(item, frame)
    writer = WRITERS[where.op]
    numbers = {role: str(number) for role, number in writer.numbers(where).items()}
    return ACTIVATIONS[where.op] if writer.made is None else writer.made(where, numbers)


def _families(item: Item, of: Mapping[Frame, Class]) -> Mapping[str, str]:
    if item.frame is not None:
        return of[item.frame].families
    roles = (
        "in",
        "out",
        "kernel",
        "stride",
        "padding",
        "dilation",
        "groups",
        "positions",
        ACTIVATION,
    )
    return {role: FAMILIES.get(role, role) for role in roles}


def _expression(row: Class, family: str, values: tuple[Value, ...]) -> str:
    """A number as a literal, by the parameters that there are, or as a new one."""
    known = _known(row, family, values)
    if known is not None:
        return known
    for name, hoped in _hoped(row) if family == "channels" else ():
        if _multiple(name, hoped, values) is not None:
            _add(row, name, family, hoped)
            break
    else:
        _add(row, {"channels": "width"}.get(family, family), family, values)
    found = _known(row, family, values)
    assert found is not None
    return found


def _known(row: Class, family: str, values: tuple[Value, ...]) -> str | None:
    if len(set(values)) == 1:
        return str(values[0])
    for name, column in row.parameters.items():
        if row.families[name] == family and column == values:
            return name
    for name, column in row.parameters.items():
        if row.families[name] == family == "channels" and (text := _multiple(name, column, values)):
            return text
        if row.families[name] == "kernel" and family == "padding" and _halves(column) == values:
            return f"{name} // 2"
    return None


def _halves(column: Sequence[Value]) -> tuple[int, ...]:
    return tuple(int(value) // 2 for value in column)


def _multiple(name: str, column: Sequence[Value], values: Sequence[Value]) -> str | None:
    """`values` as a multiple, or as a part, of the values of a name."""
    if tuple(column) == tuple(values):
        return name
    pairs = [(int(v), int(c)) for v, c in zip(values, column, strict=True)]
    ratios = {divmod(v, c) for v, c in pairs}
    if len(ratios) == 1 and (found := ratios.pop())[1] == 0 and found[0] <= MOST:
        return f"{found[0]} * {name}"
    ratios = {divmod(c, v) for v, c in pairs}
    if len(ratios) == 1 and (found := ratios.pop())[1] == 0 and found[0] <= MOST:
        return f"{name} // {found[0]}"
    return None


def _hoped(row: Class) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Numbers that make good parameters: the channels of what goes in and of what comes out."""
    arguments = row.pattern.arguments
    for n, argument in enumerate(arguments):
        name = f"c_{argument}" if len(arguments) > 1 else "c_in"
        yield name, tuple(_width(frame.shapes[n]) for frame in row.frames)
    yield "c_out", tuple(_width(frame.values()[frame.outputs[0]]) for frame in row.frames)


def _width(shape: Shape) -> int:
    assert isinstance(shape.channels, int)
    return shape.channels


def _add(row: Class, wanted: str, family: str, values: tuple[Value, ...]) -> None:
    name = _free(wanted, set(row.parameters))
    row.parameters[name] = values
    row.families[name] = family


def _rename(row: Class) -> None:
    """A class with a single width calls it `channels`."""
    widths = [name for name, family in row.families.items() if family == "channels"]
    if len(widths) != 1 or "channels" in row.parameters:
        return
    (old,) = widths
    row.parameters = {_swap(n, old): values for n, values in row.parameters.items()}
    row.families = {_swap(n, old): family for n, family in row.families.items()}
    pattern = re.compile(rf"\b{old}\b")
    row.numbers = [
        {role: pattern.sub("channels", text) for role, text in numbers.items()}
        for numbers in row.numbers
    ]


def _swap(name: str, old: str) -> str:
    return "channels" if name == old else name
