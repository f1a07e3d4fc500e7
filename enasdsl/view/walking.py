"""Walks over a body: what a value reads, which choices stand on the way, what is always done."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from enasdsl.ir.graph import Apply, Body, Call, Input, Node, Present, Select, Value
from enasdsl.ir.names import Place
from enasdsl.semantics.symbols import (
    Chosen,
    Computed,
    Condition,
    Counted,
    Dim,
    Either,
    Num,
    Parts,
    Reading,
    Test,
)

Sources = Mapping[int, bool]
"""The values that another reads; True where it does so in every architecture."""


@dataclass(eq=False)
class Walk:
    """A body, and with a `reading` that part of it which one architecture has.

    `stops` are values at which a walk ends: what has a box of its own.
    """

    body: Body
    stops: frozenset[int]
    reading: Reading | None = None
    _sources: dict[int, Sources] = field(default_factory=dict)

    def inputs(self, ref: int) -> tuple[int, ...]:
        """What a value reads, alternatives among them where nothing has settled them."""
        value = self.body.values[ref]
        match value:
            case Input():
                return ()
            case Apply(inputs=found) | Call(inputs=found):
                return tuple(i for i in found if self.present(i))
            case Node(value=inner) | Present(value=inner):
                return (inner,)
            case Select():
                return self._branches(value)

    def present(self, ref: int) -> bool:
        value = self.body.values[ref]
        if self.reading is None or not isinstance(value, Present):
            return True
        return self.reading.holds(value.condition)

    def _branches(self, value: Select) -> tuple[int, ...]:
        if self.reading is None:
            return tuple(dict.fromkeys(b for b in value.branches if b is not None))
        picks = self.reading.picks[value.decision] or ()
        branch = value.branches[picks[value.slot]] if value.slot < len(picks) else None
        return () if branch is None else (branch,)

    def settled(self, ref: int) -> int:
        """The value itself where one architecture has settled what stands before it."""
        while ref not in self.stops and isinstance(self.body.values[ref], Node | Present | Select):
            (ref,) = self.inputs(ref) or (-1,)
            if ref < 0:
                break
        return ref

    def below(self, ref: int) -> Sources:
        """The stops that are read on the way to `ref`, which itself may be one."""
        return {ref: True} if ref in self.stops else self.sources(ref)

    def sources(self, ref: int) -> Sources:
        """The stops that are read on the way to `ref`, itself left out."""
        if ref not in self._sources:
            found = [self.below(i) for i in self.inputs(ref)]
            value = self.body.values[ref]
            every = all if isinstance(value, Select) else any
            sure = not (isinstance(value, Present) and value.condition and self.reading is None)
            self._sources[ref] = {
                stop: sure and every(f.get(stop, False) for f in found)
                for stop in sorted({s for f in found for s in f})
            }
        return self._sources[ref]

    def interior(self, refs: Iterable[int]) -> list[int]:
        """All values on the way to `refs`, the stops left out, in the order of the body."""
        seen: set[int] = set()
        pending = [r for r in refs if r not in self.stops]
        while pending:
            ref = pending.pop()
            if ref not in seen:
                seen.add(ref)
                pending.extend(i for i in self.inputs(ref) if i not in self.stops)
        return sorted(seen)


# --------------------------------------------------------------------- choices


def decided(value: Value) -> Iterator[int]:
    """The decisions on which a value depends by itself."""
    match value:
        case Select(decision=decision):
            yield decision
        case Present(condition=condition):
            yield from _tested(condition)
        case Apply(args=args, shape=shape):
            for _, arg in args:
                yield from _numbers(arg)
            yield from _sizes(shape.channels)
        case _:
            return


def _tested(condition: Condition) -> Iterator[int]:
    for test in condition:
        match test:
            case Test(decision=decision):
                yield decision
            case Either(options=options):
                for option in options:
                    yield from _tested(option)
            case _:
                pass


def _numbers(num: Num) -> Iterator[int]:
    match num:
        case Chosen(decision=decision) | Counted(decision=decision):
            yield decision
        case Computed(operands=operands):
            for operand in operands:
                yield from _numbers(operand)
        case _:
            return


def _sizes(dim: Dim) -> Iterator[int]:
    if not isinstance(dim, Parts):
        yield from _numbers(dim)


# ----------------------------------------------------------------------- names


def uses(place: Place) -> tuple[str, ...]:
    """The nodes and operations of a place, without inputs and alternatives."""
    return tuple(name for kind, name in place if kind in ("nodes", "uses"))


def alternative(place: Place) -> Place:
    """A place as far as its innermost alternative; empty where it is in none."""
    last = max((n for n, (kind, _) in enumerate(place, 1) if kind == "alternatives"), default=0)
    return place[:last]


def summary(values: Iterable[Value], names: Collection[str] = (), *, most: int = 4) -> str:
    """What some values do, by the outermost operation around each that is none of `names`."""
    done = [text for value in values if (text := _done(value, names))]
    kept = [text for n, text in enumerate(done) if n == 0 or text != done[n - 1]]
    return ", ".join(kept if len(kept) <= most else [*kept[: most - 1], "…"])


_ALIGN = re.compile(r"align\d+")
"""The use that mends the size of a value."""


def _done(value: Value, names: Collection[str]) -> str:
    if not isinstance(value, Apply | Call) or alternative(value.within):
        return ""
    if isinstance(value, Apply) and value.op in ("identity", "zero"):
        return ""
    for use in uses(value.within):
        if use not in names and _numbered(use) not in names and not _ALIGN.fullmatch(use):
            return use.rstrip("0123456789") or use
    return primitive(value) if isinstance(value, Apply) else stamped(value)


def _numbered(use: str) -> str:
    """A name without the number that tells it from an equal one."""
    return re.sub(r"_?\d+$", "", use) if not use.isdigit() else ""


def stamped(call: Call) -> str:
    """The name of the cell that a stamp is of."""
    return call.place.rpartition("/")[2].rstrip("0123456789")


def mended(value: Value) -> bool:
    """Whether a value mends the size of another, for whoever reads that."""
    return isinstance(value, Apply) and any(map(_ALIGN.fullmatch, uses(value.within)))


SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}


def primitive(value: Apply) -> str:
    """A primitive operation in a few letters: `conv 3x3 /2`."""
    args = dict(value.args)
    text = SIGNS.get(value.op, value.op)
    if isinstance(kernel := args.get("kernel"), int):
        text += f" {kernel}x{kernel}"
    if args.get("stride", 1) != 1:
        text += f" /{args['stride']}"
    return text
