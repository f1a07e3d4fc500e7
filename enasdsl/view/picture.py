"""What is drawn, before it has any place: boxes and arrows of cells and of the network.

Every format is made from a `Picture`: SVG and PNG by way of a layout, DOT and the tree directly.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from enasdsl.view.numbers import percent


class Role(Enum):
    """What a box stands for."""

    INPUT = "input"
    NODE = "node"  # of a space: with the choices that are made in it
    OPERATION = "operation"  # that an architecture chose
    MERGE = "merge"
    PART = "part"  # of a network, the same in every architecture
    CELL = "cell"
    OUTPUT = "output"
    EXIT = "exit"  # where one of several lengths is taken


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of a box: what is chosen, how many of what, and what was picked, if it was.

    `options` is empty where the arrows show them; `numbers` are no operations but sizes and such.
    `odds` are how likely the alternatives are, where somebody believes in them, and `note` says how
    sure of them he is.
    """

    name: str
    quantity: str
    options: tuple[str, ...]
    picked: tuple[str, ...] | None = None
    numbers: bool = False
    odds: tuple[float, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        if self.odds or self.note:
            return "; ".join(filter(None, [f"{self.name}: {self.quantity}{self._odds}", self.note]))
        if self.picked is not None:
            return f"{self.name}: {', '.join(self.picked) or 'none'}"
        if self.numbers and self.quantity.startswith("1 of "):
            return f"{self.name}: {' | '.join(_abridged(self.options))}"
        options = f", {' | '.join(self.options)}" if self.options else ""
        return f"{self.name}: {self.quantity}{options}"

    @property
    def _odds(self) -> str:
        pairs = zip(self.options, map(percent, self.odds), strict=False)
        return ", " * bool(self.options) + " | ".join(f"{option} {odds}" for option, odds in pairs)


def _abridged(options: tuple[str, ...], most: int = 8) -> tuple[str, ...]:
    """The first of many options and the last."""
    return options if len(options) <= most else (*options[:4], "…", options[-1])


@dataclass(frozen=True, slots=True)
class Box:
    """A thing in a panel: its name, what it always does, and what is chosen in it.

    A `faint` one is decided but changes nothing. `tint` is the position of a picked operation
    among its alternatives, by which it is coloured.
    """

    key: str
    role: Role
    title: str
    detail: str = ""
    choices: tuple[Choice, ...] = ()
    faint: bool = False
    tint: int | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """Data flow between boxes; `certain` unless only some architectures have it.

    `share` is the probability that one has it, where somebody believes in that.
    """

    tail: str
    head: str
    certain: bool = True
    faint: bool = False
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A cell, or the network: boxes in an order in which data flows from earlier to later."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    choices: tuple[Choice, ...] = ()
    found: bool = False  # of one architecture


@dataclass(frozen=True, slots=True)
class Picture:
    """The network, where the file has one, and each of its cells once."""

    title: str
    subtitle: str
    panels: tuple[Panel, ...]
