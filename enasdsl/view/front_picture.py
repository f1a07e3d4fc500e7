"""A Pareto front as a page: what is traded along the axes, a panel for each further value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isclose, log10

from enasdsl.view.cards import GREY, INK, tint
from enasdsl.view.metrics import text_width
from enasdsl.view.scene import Curve, Item, Rect, Scene, Text, moved

Values = tuple[float, ...]

WIDTH, HEIGHT = 380.0, 260.0
"""The area of a panel in which points lie."""
LEFT, TOP, BOTTOM, BETWEEN = 78.0, 70.0, 50.0, 26.0
SIZE = 11.5
DOT = 7.0
TICKS = 7
"""About how many lines an axis has."""
_GRID, _LINE = "#e3e7eb", "#1f4e79"
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Front:
    """What `names` were worth for architectures on the front, and for `others` beside it.

    The first name goes up, every other one to the right in a panel of its own.
    """

    title: str
    names: tuple[str, ...]
    members: tuple[Values, ...]
    others: tuple[Values, ...] = ()


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to lengths: `ticks` lie between `low` and `high`, `length` apart at most."""

    low: float
    high: float
    length: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low) * self.length


def page_of_front(front: Front) -> Scene:
    """The page of a front of two names or more."""
    items: list[Item] = [Text(LEFT, 22, front.title, 15, WIDTH, INK, bold=True)]
    items += _legend(front)
    panels = [_panel(front, column) for column in range(1, len(front.names))]
    step = LEFT + WIDTH + BETWEEN
    for place, panel in enumerate(panels):
        items += moved(panel, LEFT + place * step, TOP)
    return Scene(len(panels) * step, TOP + HEIGHT + BOTTOM, front.title, tuple(items))


def _legend(front: Front) -> Iterator[Item]:
    x = LEFT
    marks = ((front.members, True, "the front"), (front.others, False, "the best others"))
    for points, full, name in marks:
        if points:
            words = f"{name}, {len(points)}"
            wide = text_width(words, SIZE)
            yield _dot(x + DOT / 2, 38, full=full)
            yield Text(x + DOT + 6, 42, words, SIZE, wide, GREY)
            x += DOT + 26 + wide


def _panel(front: Front, column: int) -> Iterator[Item]:
    """The name of a column against the first, its upper left corner at the origin."""
    every = (*front.members, *front.others)
    across = _axis([values[column] for values in every], WIDTH)
    upward = _axis([values[0] for values in every], HEIGHT)
    yield from _frame(across, upward, front.names[column], front.names[0])
    line = sorted({(across.at(v[column]), HEIGHT - upward.at(v[0])) for v in front.members})
    if len(front.names) == 2:
        corners = [corner for a, b in pairwise(line) for corner in ((b[0], a[1]), b)]
        yield Curve(line[0], tuple((c,) for c in corners), _LINE, dashed=True, arrow=False)
    for points, full in ((front.others, False), (front.members, True)):
        for values in points:
            yield _dot(across.at(values[column]), HEIGHT - upward.at(values[0]), full=full)


def _frame(across: _Axis, upward: _Axis, below: str, beside: str) -> Iterator[Item]:
    """Lines at the ticks with their numbers, and the names of the axes."""
    for tick in across.ticks:
        x = across.at(tick)
        yield _stroke((x, 0), (x, HEIGHT), _GRID)
        yield Text(x - 40, HEIGHT + 17, _number(tick), SIZE, 80, GREY, centred=True)
    for tick in upward.ticks:
        y, words = HEIGHT - upward.at(tick), _number(tick)
        yield _stroke((0, y), (WIDTH, y), _GRID)
        wide = text_width(words, SIZE)
        yield Text(-7 - wide, y + 4, words, SIZE, wide, GREY)
    yield _stroke((0, HEIGHT), (WIDTH, HEIGHT), GREY)
    yield _stroke((0, 0), (0, HEIGHT), GREY)
    yield Text(0, HEIGHT + 37, below, SIZE, WIDTH, INK, centred=True)
    yield Text(6, -4, beside, SIZE, WIDTH, INK)


def _stroke(start: tuple[float, float], stop: tuple[float, float], colour: str) -> Curve:
    return Curve(start, ((stop,),), colour, arrow=False)


def _dot(x: float, y: float, *, full: bool) -> Rect:
    _, stroke = tint(1)
    half = DOT / 2
    return Rect(x - half, y - half, DOT, DOT, half, stroke if full else "#ffffff", stroke)


def _axis(values: Sequence[float], length: float) -> _Axis:
    """An axis with round ticks that has a little room beside the least and the greatest."""
    least, most = min(values), max(values)
    if isclose(least, most, rel_tol=1e-9):
        room = abs(most) / 2 or 1.0
        least, most = least - room, most + room
    room = (most - least) * 0.06
    low, high = least - room, most + room
    step = _round_step((high - low) / TICKS)
    first, last = ceil(low / step), floor(high / step)
    return _Axis(low, high, length, tuple(n * step for n in range(first, last + 1)))


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 ... that is not below `least`, at any power of ten."""
    power: float = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _number(value: float) -> str:
    """A tick as people write it: `0.85`, `12,000`, `4.2M`."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 10 * size or (abs(value) >= size and unit != "k"):
            return f"{round(value / size, _DIGITS):g}{unit}"
    return f"{round(value, 10):,g}" if abs(value) < 1e4 else f"{value:,.0f}"
