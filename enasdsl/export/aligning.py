"""Cells that differ only in how their inputs are aligned become alike: each aligns every input.

Where nothing is to be aligned the identity stands, so that a class takes its alignments as
arguments.
"""

from __future__ import annotations

import re
from dataclasses import replace

from enasdsl.ir.graph import Step
from enasdsl.ir.names import Place
from enasdsl.ir.nesting import Frame, Item


def aligns(within: Place) -> bool:
    """Whether this is where a cell aligns one of its inputs."""
    return (
        bool(within) and within[-1][0] == "uses" and bool(re.fullmatch(r"align\d+", within[-1][1]))
    )


def aligned(item: Item, frame: Frame) -> str | None:
    """The input that an item aligns, by its name."""
    if not aligns(item.within) or len(item.inputs) != 1 or item.inputs[0] >= len(frame.shapes):
        return None
    return frame.arguments[item.inputs[0]]


def evened(network: Frame) -> Frame:
    """The network with an alignment at each input that any cell of that name aligns."""
    wanted: dict[str, set[str]] = {}
    _collect(network, wanted, set())
    made: dict[Frame, Frame] = {}

    def of(frame: Frame) -> Frame:
        if frame not in made:
            inner = (replace(i, frame=i.frame and of(i.frame)) for i in frame.items)
            rebuilt = replace(frame, items=tuple(inner))
            made[frame] = _filled(rebuilt, wanted.get(frame.name, set()))
        return made[frame]

    return of(network)


def _collect(frame: Frame, wanted: dict[str, set[str]], seen: set[Frame]) -> None:
    for item in frame.items:
        name = aligned(item, frame)
        if name is not None:
            wanted.setdefault(frame.name, set()).add(name)
        if item.frame is not None and item.frame not in seen:
            seen.add(item.frame)
            _collect(item.frame, wanted, seen)


def _filled(frame: Frame, wanted: set[str]) -> Frame:
    """The frame with all its alignments first, and the identity where there is none yet."""
    if not wanted:
        return frame
    count = len(frame.shapes)
    done = {name: n for n, item in enumerate(frame.items) if (name := aligned(item, frame))}
    bare = [n for n, name in enumerate(frame.arguments) if name in wanted - done.keys()]
    firsts = [
        _identity(frame, n) if name not in done else frame.items[done[name]]
        for n, name in enumerate(frame.arguments)
        if name in wanted
    ]
    others = [n for n in range(len(frame.items)) if n not in done.values()]
    where = {n: n for n in range(count)}
    for k, item in enumerate(firsts):
        if (name := frame.arguments[item.inputs[0]]) in done:
            where[_made(frame, done[name])] = count + k
        else:
            where[item.inputs[0]] = count + k
    start = count + len(firsts)
    for n in others:
        made = _made(frame, n)
        where.update({made + k: start + k for k in range(len(frame.items[n].shapes))})
        start += len(frame.items[n].shapes)
    kept = [frame.items[n] for n in others]
    kept = [replace(item, inputs=tuple(where[i] for i in item.inputs)) for item in kept]
    names = {where[value]: name for value, name in frame.names.items() if value >= count}
    names |= {where[n]: frame.arguments[n] for n in bare}
    outputs = tuple(where[o] for o in frame.outputs)
    return replace(frame, items=(*firsts, *kept), outputs=outputs, names=names)


def _made(frame: Frame, index: int) -> int:
    """The first value that an item makes."""
    return len(frame.shapes) + sum(len(item.shapes) for item in frame.items[:index])


def _identity(frame: Frame, n: int) -> Item:
    step = Step("identity", (), (), "", frame.shapes[n])
    return Item((n,), (frame.shapes[n],), within=(("uses", f"align{n}"),), step=step)
