"""From a picture to a page: each panel laid out, the panels side by side."""

from __future__ import annotations

from itertools import pairwise

from enasdsl.view.cards import (
    GREY,
    INK,
    PALE,
    SURE,
    WIDEST,
    Card,
    Options,
    below,
    beside,
    card,
    chips,
    legend_of,
    mixed,
)
from enasdsl.view.layered import layered, topological
from enasdsl.view.metrics import text_width
from enasdsl.view.picture import Arrow, Box, Panel, Picture, Role
from enasdsl.view.placement import Placement, Size, column
from enasdsl.view.scene import Curve, Item, Scene, Text, moved

MARGIN, BETWEEN = 18.0, 34.0
PAGE = 1500.0
"""How wide the panels of a row may be together."""

HEAD = 15.0
_LINE = "#52606d"
_MAYBE = "#9fb0c0"
LEAST = 0.12
"""How dark an arrow is in which nobody believes."""
CLEAR = 80
"""Arrows of one panel that can be told apart at their full width."""
STRANDS = ("#3f6f9f", "#b5652a", "#3f8450", "#9b4a5c", "#6b57a0", "#8a7414", "#2a7f78", "#96508a")


def compose(picture: Picture) -> Scene:
    """The page of a picture."""
    title = _text(picture.title, HEAD, INK, bold=True)
    size = _text(picture.subtitle, HEAD * 0.8, GREY)
    head = beside(title, Card(size.width, 0, moved(size.items, 0, HEAD * 0.2)))
    rows: list[list[Card]] = [[]]
    for panel in map(_panel, picture.panels):
        if rows[-1] and sum(c.width + BETWEEN for c in rows[-1]) + panel.width > PAGE:
            rows.append([])
        rows[-1].append(panel)
    items = list(moved(head.items, MARGIN, MARGIN))
    y, widest = MARGIN + head.height + 10, head.width
    for row in rows:
        x = 0.0
        for panel in row:
            items += moved(panel.items, MARGIN + x, y)
            x += panel.width + BETWEEN
        widest = max(widest, x - BETWEEN)
        y += max((p.height for p in row), default=0) + BETWEEN
    return Scene(widest + 2 * MARGIN, y - BETWEEN + MARGIN, picture.title, tuple(items))


def _text(text: str, size: float, colour: str, *, bold: bool = False) -> Card:
    width = text_width(text, size, bold=bold)
    return Card(width, size * 1.4, (Text(0, size, text, size, width, colour, bold),))


# ---------------------------------------------------------------------- panels


def _panel(panel: Panel) -> Card:
    """A panel: its title, what holds for all of it, the lists of the legend, the drawing."""
    legend = {} if panel.found else legend_of(panel.boxes)
    common = Box("", Role.NODE, "", "", panel.choices)
    head = [_text(panel.title, HEAD * 0.87, INK, bold=True)]
    if panel.choices:
        head.append(card(common, {}))
    head += [below(_text(name, 10.5, GREY), chips(opts, WIDEST)) for opts, name in legend.items()]
    body = [Card(0, 8, ()), _drawing(panel, legend)] if panel.boxes else []
    return below(*head, *body)


def width_of(share: float) -> float:
    """The width of an arrow that so many architectures have."""
    return 0.6 + 2.4 * share


def _drawing(panel: Panel, legend: dict[Options, str]) -> Card:
    cards, placement = arranged(panel, legend)
    strands = _strands(panel) if _is_stacked(panel) else {}
    return _painted(panel, cards, placement, strands)


def arranged(panel: Panel, legend: dict[Options, str]) -> tuple[dict[str, Card], Placement]:
    """The boxes of a panel as cards, and where each stands."""
    pairs = _pairs(panel)
    cards = {b.key: card(b, legend) for b in panel.boxes}
    stacked = _is_stacked(panel)
    if stacked:
        widest = max(c.width for c in cards.values())
        cards = {b.key: card(b, legend, widest) for b in panel.boxes}
    sizes: dict[str, Size] = {k: (cards[k].width, cards[k].height) for k in _order(panel)}
    operations = frozenset(b.key for b in panel.boxes if b.role is Role.OPERATION)
    if stacked:
        apart = frozenset(k for k in operations if "/" in k)  # of a node that has a box besides
        return cards, column(sizes, pairs, apart)
    return cards, layered(sizes, pairs, operations)


def _pairs(panel: Panel) -> list[tuple[str, str]]:
    return [(a.tail, a.head) for a in panel.arrows]


def _order(panel: Panel) -> list[str]:
    return topological([b.key for b in panel.boxes], _pairs(panel))


def _is_stacked(panel: Panel) -> bool:
    """Whether a panel is drawn as a column: a space, or boxes that each read the one before."""
    linked = set(_pairs(panel))
    return not panel.found or all(pair in linked for pair in pairwise(_order(panel)))


def _strands(panel: Panel) -> dict[str, str]:
    """A colour for the arcs of each box of an architecture, so that they can be followed."""
    order = enumerate(_order(panel))
    return {key: STRANDS[n % len(STRANDS)] for n, key in order} if panel.found else {}


def _painted(
    panel: Panel, cards: dict[str, Card], placement: Placement, strands: dict[str, str]
) -> Card:
    lines = sorted(panel.arrows, key=lambda a: (not a.faint, a.share or 0, a.certain))
    room = min(1.0, CLEAR / max(len(lines), 1))
    items: list[Item] = [_line(a, placement, strands.get(a.tail, _LINE), room) for a in lines]
    for key, (x, y) in placement.corners.items():
        items += moved(cards[key].items, x, y)
    return Card(placement.width, placement.height, tuple(items))


def _line(arrow: Arrow, placement: Placement, strand: str, room: float) -> Curve:
    start, pieces = placement.paths[arrow.tail, arrow.head]
    skips = len(pieces) > 1
    if arrow.share is not None:
        weight = round(arrow.share, 1)
        colour = mixed(SURE, LEAST + (1 - LEAST) * weight)
        return Curve(start, pieces, colour, width=width_of(weight) * (room if skips else 1))
    own = strand if skips else _LINE
    colour = PALE if arrow.faint else own if arrow.certain else _MAYBE
    return Curve(start, pieces, colour, dashed=not arrow.certain or arrow.faint)
