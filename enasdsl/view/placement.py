"""Where boxes stand and how arrows run, and the simplest way: one box below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enasdsl.view.scene import Point

Size = tuple[float, float]
Pair = tuple[str, str]
Path = tuple[Point, tuple[tuple[Point, ...], ...]]
"""The start of a line and its pieces, as those of a Curve."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The upper left corner of each box, the path of each arrow, and the room for all."""

    corners: Mapping[str, Point]
    paths: Mapping[Pair, Path]
    width: float
    height: float


GAP, NEAR = 22.0, 12.0
"""Between two boxes of a column, and between those that belong together."""


def column(
    sizes: Mapping[str, Size], arrows: Sequence[Pair], near: frozenset[str] = frozenset()
) -> Placement:
    """Boxes in a column in their order; arrows that skip a box run as arcs at its right.

    An arrow must lead from an earlier box to a later one. Those in `near` stand close to the next.
    """
    order = list(sizes)
    widest = max(width for width, _ in sizes.values())
    corners: dict[str, Point] = {}
    y = 0.0
    for key in order:
        width, height = sizes[key]
        corners[key] = ((widest - width) / 2, y)
        y += height + (NEAR if key in near else GAP)
    rank = {key: n for n, key in enumerate(order)}
    paths = {}
    reach = 0.0
    for tail, head in arrows:
        span = rank[head] - rank[tail]
        if span == 1:
            paths[tail, head] = _straight(corners, sizes, tail, head)
        else:
            bulge = 14 + 15 * span**0.78
            reach = max(reach, bulge * 0.75)
            paths[tail, head] = _arc(corners, sizes, (tail, head), widest + 6, bulge)
    bottom = max(y + sizes[key][1] for key, (_, y) in corners.items())
    return Placement(corners, paths, widest + (reach and reach + 10), bottom)


def _straight(
    corners: Mapping[str, Point], sizes: Mapping[str, Size], tail: str, head: str
) -> Path:
    middle = corners[tail][0] + sizes[tail][0] / 2
    return (middle, corners[tail][1] + sizes[tail][1]), (((middle, corners[head][1]),),)


def _arc(
    corners: Mapping[str, Point], sizes: Mapping[str, Size], ends: Pair, edge: float, bulge: float
) -> Path:
    """From the right side of a box to that of a later one, beyond all boxes between."""
    tail, head = ends
    start = corners[tail][0] + sizes[tail][0], corners[tail][1] + sizes[tail][1] * 0.66
    stop = corners[head][0] + sizes[head][0], corners[head][1] + sizes[head][1] * 0.34
    bend = (edge + bulge, start[1]), (edge + bulge, stop[1]), (edge, stop[1])
    return start, (((edge, start[1]),), bend, (stop,))
