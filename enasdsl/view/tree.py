"""A picture as a tree on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from enasdsl.view.numbers import percent
from enasdsl.view.picture import Arrow, Box, Picture, Role

if TYPE_CHECKING:
    from rich.tree import Tree


def to_tree(picture: Picture) -> Tree:
    """Each panel with its boxes, each box with what it reads and what is chosen in it."""
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text.assemble((picture.title, "bold"), f", {picture.subtitle}"))
    for panel in picture.panels:
        branch = tree.add(Text(panel.title, "bold cyan"))
        for choice in panel.choices:
            branch.add(Text(str(choice), "magenta"))
        incoming: dict[str, list[Arrow]] = {}
        rank = {box.key: n for n, box in enumerate(panel.boxes)}
        for arrow in sorted(panel.arrows, key=lambda a: rank[a.tail]):
            incoming.setdefault(arrow.head, []).append(arrow)
        names = {box.key: _name(box) for box in panel.boxes}
        for box in panel.boxes:
            _grow(branch, box, incoming.get(box.key, ()), names)
    return tree


def _grow(branch: Tree, box: Box, incoming: Sequence[Arrow], names: Mapping[str, str]) -> None:
    from rich.text import Text

    line = Text(names[box.key], "dim" if box.faint else "bold")
    if done := _done(box):
        line.append(f"  {done}", "dim" if box.faint else "default")
    for mark, style, certain in (("<-", "green", True), ("<~", "yellow", False)):
        read = [_read(a, names) for a in incoming if a.certain is certain]
        if read:
            line.append(f"  {mark} {', '.join(read)}", style)
    grown = branch.add(line)
    for choice in box.choices:
        grown.add(Text(str(choice), "magenta"))


def _read(arrow: Arrow, names: Mapping[str, str]) -> str:
    share = "" if arrow.share in (None, 1) else f" {percent(arrow.share or 0)}"
    return f"{names[arrow.tail]}{share}"


def _name(box: Box) -> str:
    """A name that tells a box from the others of its panel: of an operation, where it stands."""
    match box.role:
        case Role.OPERATION if "/" in box.key:
            parts = [p for p in box.key.split("/")[:-1] if "=" not in p]
            kept = [p for n, p in enumerate(parts) if n == 0 or p != parts[n - 1]]
            outside = [] if kept[0].startswith("output ") else kept[:1]
            return ".".join([*outside, *kept[1:], box.key.split("/")[-1].partition("=")[0]])
        case Role.OPERATION:
            return box.detail
        case Role.EXIT:
            return "exit"
        case _:
            return box.title


def _done(box: Box) -> str:
    return box.title if box.role is Role.OPERATION else box.detail
