"""What is to be painted, with its place: the common ground of SVG and PNG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

Point = tuple[float, float]
THIN = 1.2
"""The width of a line that says nothing by it."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle with round corners."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    fill: str
    stroke: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A line from `start` by cubic Bézier pieces; a piece of one point is straight."""

    start: Point
    pieces: tuple[tuple[Point, ...], ...]
    stroke: str
    dashed: bool = False
    arrow: bool = True
    width: float = THIN


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text, its baseline at `y`; `width` is the room that it takes at most."""

    x: float
    y: float
    text: str
    size: float
    width: float
    colour: str
    bold: bool = False
    centred: bool = False


Item = Rect | Curve | Text


@dataclass(frozen=True, slots=True)
class Scene:
    """A page of items, painted in their order."""

    width: float
    height: float
    title: str
    items: tuple[Item, ...]


def moved(items: Iterable[Item], dx: float, dy: float) -> tuple[Item, ...]:
    """The items elsewhere."""
    return tuple(_moved(item, dx, dy) for item in items)


def _moved(item: Item, dx: float, dy: float) -> Item:
    if isinstance(item, Rect | Text):
        return replace(item, x=item.x + dx, y=item.y + dy)
    pieces = tuple(tuple((x + dx, y + dy) for x, y in piece) for piece in item.pieces)
    return replace(item, start=(item.start[0] + dx, item.start[1] + dy), pieces=pieces)
