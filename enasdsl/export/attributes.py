"""What the attributes of a class are called, and which of its items are one loop."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import dataclass

from enasdsl.export.aligning import aligned
from enasdsl.export.classes import WRITERS, Class, Classes, camel
from enasdsl.export.code import word
from enasdsl.ir.nesting import Frame, Item

LEAST = 3  # so many alike one after another are a loop
NEW = -1  # what the item before has made
RESERVED = {"forward", "training", "modules", "parameters", "children", "state_dict", "type"}


@dataclass(frozen=True, slots=True)
class Run:
    """Items `start` to `stop` (exclusive), each of which reads what the one before read or made.

    `pattern` says for each input which input of the item before it was, or NEW.
    """

    start: int
    stop: int
    pattern: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Attributes:
    """The name of each item of a class that has one, `blocks[2]` for one of a loop."""

    names: tuple[str | None, ...]
    runs: tuple[Run, ...]

    def run_at(self, index: int) -> Run | None:
        """The loop that begins with an item."""
        return next((run for run in self.runs if run.start == index), None)


def attributes(row: Class, known: Classes) -> Attributes:
    """The names in a class, each once."""
    frame = row.pattern
    runs = tuple(_runs(row, known))
    names: list[str | None] = []
    taken = set(RESERVED)
    for index, item in enumerate(frame.items):
        run = next((r for r in runs if r.start <= index < r.stop), None)
        plain = item.step is not None and WRITERS[item.step.op].made is None
        if plain and aligned(item, frame) is None:
            names.append(None)
        elif run is None:
            names.append(free(_wanted(item, frame), taken))
        else:
            first = run.start == index
            stem = (
                free(f"{_wanted(item, frame)}s", taken)
                if first
                else str(names[-1]).partition("[")[0]
            )
            names.append(f"{stem}[{index - run.start}]")
    return Attributes(tuple(names), runs)


def free(wanted: str, taken: set[str]) -> str:
    """A name that is not taken, which it then is."""
    name, number = wanted, 1
    while name in taken or keyword.iskeyword(name):
        number += 1
        name = f"{wanted}{'_' * wanted[-1].isdigit()}{number}"
    taken.add(name)
    return name


def _wanted(item: Item, frame: Frame) -> str:
    """The node or the part of the network in which an item stands, and what it is."""
    name = aligned(item, frame)
    if name is not None:
        return f"align_{word(name)}"
    own = item.step.op if item.step is not None else item.frame.name if item.frame else ""
    nodes = [name for kind, name in item.within if kind == "nodes" or name in ("stem", "head")]
    parts = [*nodes[-1:], own]
    return word("_".join(parts))


def _runs(row: Class, known: Classes) -> list[Run]:
    items = row.pattern.items
    found: list[Run] = []
    start = 0
    while start < len(items):
        run = _longest(row.pattern, start, known)
        if run is not None:
            found.append(run)
        start = start + 1 if run is None else run.stop
    return found


def _longest(frame: Frame, start: int, known: Classes) -> Run | None:
    """The longest loop that begins with an item."""
    first = frame.items[start]
    if first.frame is None or first.states or len(first.shapes) > 1:
        return None
    values = _values(frame)
    options = [set(range(len(first.inputs))) | {NEW} for _ in first.inputs]
    stop, best = start + 1, None
    while stop < len(frame.items):
        before, item = frame.items[stop - 1], frame.items[stop]
        if item.frame is None or known.of[item.frame] is not known.of[first.frame]:
            break
        if item.within != first.within or item.states:
            break
        options = [
            {o for o in own if _shifted(before, values[stop - 1], o) == item.inputs[n]}
            for n, own in enumerate(options)
        ]
        if not all(options) or not any(NEW in own for own in options):
            break
        stop += 1
        run = Run(start, stop, tuple(NEW if NEW in own else max(own) for own in options))
        if stop - start >= LEAST and _closed(frame, run, values):
            best = run
    return best


def _values(frame: Frame) -> list[int]:
    """The first value that each item makes."""
    found, start = [], len(frame.shapes)
    for item in frame.items:
        found.append(start)
        start += len(item.shapes)
    return found


def _shifted(before: Item, made: int, option: int) -> int:
    return made if option == NEW else before.inputs[option]


def _closed(frame: Frame, run: Run, values: Sequence[int]) -> bool:
    """Whether what comes after a loop reads only what its last turn leaves."""
    last = frame.items[run.stop - 1]
    left = {values[run.stop - 1], *(_shifted(last, values[run.stop - 1], o) for o in run.pattern)}
    inner = set(values[run.start : run.stop]) - left
    later = [i for item in frame.items[run.stop :] for i in item.inputs]
    return inner.isdisjoint((*later, *frame.outputs))


def title(name: str) -> str:
    """The name of the class of a space's network."""
    return camel(name)
