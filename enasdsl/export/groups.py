"""Frames cut along the operations of the file: what a composition does stands by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache

from enasdsl.export.aligning import aligns, evened
from enasdsl.ir.names import Place
from enasdsl.ir.nesting import Frame, Item
from enasdsl.ir.places import join

LETTERS = ("x", "y", "z", "u", "v", "w")
OPEN = ("stem", "head")  # of a network; what stands there belongs to the network itself


def grouped(network: Frame) -> Frame:
    """The frame of a network with a frame of its own for each composition of operations."""

    @cache
    def inner(frame: Frame) -> Frame:
        return _cut(_settled(frame, inner), ())

    return evened(_cut(_settled(network, inner), OPEN))


def recurs(frame: Frame) -> bool:
    """Whether anything in a frame runs along a sequence."""
    return any(item.states or (item.frame and recurs(item.frame)) for item in frame.items)


def _settled(frame: Frame, inner: Callable[[Frame], Frame]) -> Frame:
    """The frame with its inner ones cut; what recurs in a stamp becomes a part of it."""
    values = list(range(len(frame.shapes)))  # where each value of the frame is in the new one
    items: list[Item] = []
    names: dict[int, str] = {}
    made = len(values)
    for item in frame.items:
        read = tuple(values[i] for i in item.inputs)
        if item.frame is None or item.states or not recurs(item.frame):
            cut = item.frame and inner(item.frame)
            items.append(replace(item, inputs=read, frame=cut))
            values += range(made, made + len(item.shapes))
            made += len(item.shapes)
            continue
        opened = _settled(item.frame, inner)
        where = [*read]
        for part in opened.items:
            place = join(item.place, part.place)
            moved = tuple(where[i] for i in part.inputs)
            items.append(replace(part, inputs=moved, place=place))
            where += range(made, made + len(part.shapes))
            made += len(part.shapes)
        values += (where[o] for o in opened.outputs)
    names = {values[value]: name for value, name in frame.names.items()}
    outputs = tuple(values[o] for o in frame.outputs)
    return replace(frame, items=tuple(items), outputs=outputs, names=names)


def _cut(frame: Frame, open_: Sequence[str]) -> Frame:
    """The frame with its groups condensed, the outermost first."""
    keys: list[Place | None] = [_key(item.within, open_, 0) for item in frame.items]
    depth = 0
    while any(bad := {k for k in set(keys) if k is not None and not _whole(frame, keys, k)}):
        depth += 1
        keys = [
            _key(item.within, open_, len(key)) if key in bad else key
            for item, key in zip(frame.items, keys, strict=True)
        ]
    return _condensed(frame, keys)


def _key(within: Place, open_: Sequence[str], after: int) -> Place | None:
    """The part of `within` up to its first use of an operation from `after` on."""
    for n, (kind, name) in enumerate(within):
        if n >= after and kind == "uses" and not (n == 0 and name in open_):
            return within[: n + 1]
    return None


def _whole(frame: Frame, keys: Sequence[Place | None], key: Place) -> bool:
    """Whether a group makes one value, and nothing that it reads depends on it from outside."""
    members = {n for n, k in enumerate(keys) if k == key}
    made = _made(frame)
    if any(frame.items[n].states for n in members):
        return False
    inside = {v for n in members for v in made[n]}
    outer = [i for n, item in enumerate(frame.items) if n not in members for i in item.inputs]
    if len({v for v in (*outer, *frame.outputs) if v in inside}) != 1:
        return False
    after: set[int] = set()  # values from outside that depend on the group
    for n, item in enumerate(frame.items):
        depends = after.intersection(item.inputs)
        if n in members:
            if depends:
                return False
        elif depends or inside.intersection(item.inputs):
            after.update(made[n])
    return True


def _made(frame: Frame) -> list[range]:
    """The values that each item makes."""
    found, start = [], len(frame.shapes)
    for item in frame.items:
        found.append(range(start, start + len(item.shapes)))
        start += len(item.shapes)
    return found


def _condensed(frame: Frame, keys: Sequence[Place | None]) -> Frame:
    members: dict[Place, list[int]] = {}
    for n, key in enumerate(keys):
        if key is not None:
            members.setdefault(key, []).append(n)
    large = {key: found for key, found in members.items() if len(found) > 1}
    made = _made(frame)
    where = {i: i for i in range(len(frame.shapes))}
    items: list[Item] = []
    for n, (item, key) in enumerate(zip(frame.items, keys, strict=True)):
        part = large.get(key) if key is not None else None
        if part is not None and n != part[-1]:
            continue
        item = item if part is None or key is None else _group(frame, part, key, made)
        start = len(where)
        where.update({v: start + k for k, v in enumerate(made[n])})
        items.append(replace(item, inputs=tuple(where[i] for i in item.inputs)))
    names = {where[v]: name for v, name in frame.names.items() if v in where}
    outputs = tuple(where[o] for o in frame.outputs)
    return replace(frame, items=tuple(items), outputs=outputs, names=names)


def _group(frame: Frame, members: list[int], key: Place, made: Sequence[range]) -> Item:
    """A composition as an item with a frame; its last member makes its value."""
    shapes = frame.values()
    inside = {v for n in members for v in made[n]}
    read = tuple(_once(i for n in members for i in frame.items[n].inputs if i not in inside))
    where = {value: n for n, value in enumerate(read)}
    items: list[Item] = []
    for n in members:
        item = frame.items[n]
        inputs = tuple(where[i] for i in item.inputs)
        items.append(replace(item, inputs=inputs, within=item.within[len(key) :]))
        start = len(where)
        where.update({v: start + k for k, v in enumerate(made[n])})
    last = frame.items[members[-1]]
    inner = Frame(
        key[-1][1].rstrip("0123456789").rstrip("_") or "part",
        tuple(_letter(n) for n in range(len(read))),
        tuple(shapes[i] for i in read),
        tuple(items),
        (where[made[members[-1]][0]],),
        {
            where[v]: name
            for v, name in frame.names.items()
            if v in inside and v != made[members[-1]][0]
        },
    )
    cut = _cut(inner, ())
    only = cut.items[0]
    within = key if aligns(key) else key[:-1]
    if len(cut.items) == 1 and only.frame and only.inputs == tuple(range(len(read))):
        return Item(read, last.shapes, only.place, within, frame=only.frame)
    return Item(read, last.shapes, "", within, frame=cut)


def _once(values: Iterable[int]) -> Iterable[int]:
    return dict.fromkeys(values)


def _letter(index: int) -> str:
    return LETTERS[index] if index < len(LETTERS) else f"x{index}"
