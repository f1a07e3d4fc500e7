"""A box as it is painted: its frame, its lines of text, and the alternatives of its choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from enasdsl.view.metrics import shortened, text_width
from enasdsl.view.numbers import percent
from enasdsl.view.picture import Box, Choice, Role
from enasdsl.view.scene import Item, Rect, Text, moved

TITLE, DETAIL, CHIP = 13.0, 10.5, 10.5
INK, GREY, PALE = "#1f2933", "#5f6c7a", "#a9b2bc"
SURE = "#1f4e79"
WIDEST = 300.0
PAD = 9.0
SHORT = 70.0

TINTS = (
    ("#fde3c8", "#d08a3c"),
    ("#cfe4f7", "#4a86bd"),
    ("#d7efd2", "#5a9c4e"),
    ("#f9d6d9", "#c4616d"),
    ("#e4daf3", "#8468b3"),
    ("#fff1ba", "#b79a24"),
    ("#cfeeea", "#3d978c"),
    ("#f6d8eb", "#b4629c"),
    ("#e3e7eb", "#75808c"),
    ("#eadfcc", "#937443"),
)
"""Fill and line of the alternatives of a choice, in their order."""

_PLAIN = {
    Role.INPUT: ("#eef1f4", "#8994a0"),
    Role.NODE: ("#ffffff", "#5f6c7a"),
    Role.MERGE: ("#e4f1e1", "#7aa874"),
    Role.PART: ("#f7f8f9", "#a9b2bc"),
    Role.CELL: ("#dce9f7", "#6d90b8"),
    Role.OUTPUT: ("#eef1f4", "#8994a0"),
    Role.EXIT: ("#ffffff", "#5f6c7a"),
    Role.OPERATION: TINTS[8],
}

Options = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A painted box with its upper left corner at the origin."""

    width: float
    height: float
    items: tuple[Item, ...]


def tint(index: int) -> tuple[str, str]:
    """Fill and line of an alternative."""
    return TINTS[index % len(TINTS)]


def card(box: Box, legend: Mapping[Options, str], width: float = 0) -> Card:
    """A box, at least so wide; choices among lists of the legend show colours alone."""
    lines = [*_heading(box), *(_row(choice, legend) for choice in box.choices)]
    wide = max([width, 46.0, *(line.width + 2 * PAD for line in lines)])
    high = sum(line.height for line in lines) + 2 * PAD * 0.62
    fill, stroke = tint(box.tint) if box.tint is not None else _PLAIN[box.role]
    if box.faint:
        fill, stroke = "#ffffff", "#c9d0d7"
    radius = 5.0 if box.role in (Role.NODE, Role.PART, Role.EXIT) else min(high / 2, 9.0)
    items: list[Item] = [Rect(0, 0, wide, high, radius, fill, stroke, dashed=box.faint)]
    y = PAD * 0.62
    for line in lines:
        items += moved(line.items, (wide - line.width) / 2, y)
        y += line.height
    return Card(wide, high, tuple(items))


def _heading(box: Box) -> list[Card]:
    """The title of a box, and what it does below it or, of a node and in short, beside it."""
    lines = []
    if box.title:
        lines.append(_line(box.title, TITLE, PALE if box.faint else INK, bold=True))
    if box.detail:
        lines.append(_line(box.detail, DETAIL, PALE if box.faint else GREY))
    short = len(lines) == 2 and lines[1].width < SHORT
    if short and box.role in (Role.NODE, Role.MERGE):
        return [beside(lines[0], Card(lines[1].width, 0, moved(lines[1].items, 0, TITLE - DETAIL)))]
    return lines


def _line(text: str, size: float, colour: str, *, bold: bool = False) -> Card:
    text = shortened(text, size, WIDEST, bold=bold)
    width = text_width(text, size, bold=bold)
    return Card(width, size * 1.3, (Text(0, size, text, size, width, colour, bold, centred=True),))


# ---------------------------------------------------------------------- choices


def _row(choice: Choice, legend: Mapping[Options, str]) -> Card:
    if choice.odds or choice.note:
        return _believed(choice, legend)
    if choice.picked is not None or choice.numbers:
        return _line(str(choice), DETAIL, INK)
    head = _line(f"{choice.name}: {choice.quantity}", DETAIL, INK)
    if not choice.options:
        return head
    if choice.options in legend:
        return beside(head, _swatches(len(choice.options)))
    return below(head, chips(choice.options, WIDEST))


def _believed(choice: Choice, legend: Mapping[Options, str]) -> Card:
    """What is chosen and how surely; below it the alternatives, each as dark as it is likely."""
    head = beside(
        _line(f"{choice.name}: {choice.quantity}", DETAIL, INK), _line(choice.note, DETAIL, GREY)
    )
    if not choice.options:
        return below(head, _strip(choice.odds)) if len(choice.odds) > 1 else head
    words = [percent(odds) for odds in choice.odds]
    if choice.options not in legend:
        pairs = zip(choice.options, words, strict=True)
        words = [f"{option} {odds}" for option, odds in pairs]
    fills = [mixed(tint(n)[1], odds) for n, odds in enumerate(choice.odds)]
    return below(head, chips(words, WIDEST, fills))


def _strip(odds: Sequence[float]) -> Card:
    """A small square for each alternative in its order, as dark as it is likely."""
    many = int(WIDEST / 11)
    items = [
        Rect(11.0 * (n % many), 2 + 11.0 * (n // many), 9, 9, 1, mixed(SURE, share), PALE)
        for n, share in enumerate(odds)
    ]
    return Card(11.0 * min(len(odds), many), 4 + 11.0 * -(-len(odds) // many), tuple(items))


def mixed(colour: str, share: float) -> str:
    """A colour with so much white that a share of it is left."""
    parts = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)


def _swatches(number: int) -> Card:
    """A small square in the colour of each alternative."""
    shown = min(number, len(TINTS))
    items = [Rect(11.0 * n, 2.5, 8.5, 8.5, 2, *tint(n)) for n in range(shown)]
    return Card(11.0 * shown, DETAIL * 1.3, tuple(items))


def chips(options: Sequence[str], room: float, fills: Sequence[str] = ()) -> Card:
    """The alternatives of a choice as small boxes, in as many lines as they take."""
    items: list[Item] = []
    x = y = widest = 0.0
    high = CHIP * 1.55
    for n, option in enumerate(options):
        text = shortened(option, CHIP, room - 12)
        wide = text_width(text, CHIP) + 12
        if x and x + wide > room:
            x, y = 0.0, y + high + 3
        fill, stroke = tint(n)
        items.append(Rect(x, y, wide, high, high / 2, fills[n] if fills else fill, stroke))
        items.append(Text(x + 6, y + CHIP * 1.12, text, CHIP, wide - 12, INK, centred=True))
        widest = max(widest, x + wide)
        x += wide + 4
    return Card(widest, y + high + 3, tuple(items))


def beside(left: Card, right: Card) -> Card:
    """Two cards next to each other."""
    width = left.width + 7 + right.width
    items = (*left.items, *moved(right.items, left.width + 7, 0))
    return Card(width, max(left.height, right.height), items)


def below(*cards: Card) -> Card:
    """Cards one below the other, at one left edge."""
    y = 0.0
    items: list[Item] = []
    for each in cards:
        items += moved(each.items, 0, y)
        y += each.height
    return Card(max(c.width for c in cards), y, tuple(items))


def legend_of(boxes: Iterable[Box]) -> dict[Options, str]:
    """The lists of alternatives that several boxes choose from, by the names of the choices."""
    names: dict[Options, list[str]] = {}
    counts: dict[Options, int] = {}
    for box in boxes:
        for choice in box.choices:
            if choice.options and not choice.numbers and choice.picked is None:
                counts[choice.options] = counts.get(choice.options, 0) + 1
                last = [n.rpartition(".")[2] for n in choice.name.split(", ")]
                names.setdefault(choice.options, []).extend(last)
    return {
        options: ", ".join(dict.fromkeys(found))
        for options, found in names.items()
        if counts[options] > 1
    }
