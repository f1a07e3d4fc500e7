"""How wide text is, without a font at hand: the widths of Helvetica and of what stands for it."""

from __future__ import annotations

from unicodedata import east_asian_width

_GROUPS = {
    191: "'",
    222: "ijl",
    260: "|",
    278: " !,./:;I[\\]ft",
    333: "()-`r",
    334: "{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jckxyzsv",
    556: "#$0123456789?L_abdeghnopqu",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1015: "@",
}
_WIDTHS = {character: width for width, group in _GROUPS.items() for character in group}
_OTHER = 700
_BOLD = 1.08


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a line of text in the units of `size`, the height of the font."""
    total = sum(map(_width, text))
    return total / 1000 * size * (_BOLD if bold else 1)


def _width(character: str) -> int:
    if east_asian_width(character) in "WF":
        return 1000
    return _WIDTHS.get(character, _OTHER)


def shortened(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, or as much of its start as fits into `room`, with an ellipsis."""
    if text_width(text, size, bold=bold) <= room:
        return text
    while text and text_width(text + "…", size, bold=bold) > room:
        text = text[:-1]
    return text + "…"
