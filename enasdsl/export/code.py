"""Pieces of Python text, and what one operation of a network says in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from enasdsl.semantics.symbols import Scalar, Shape


class ExportError(Exception):
    """What cannot be written in the form that was asked for."""


@dataclass(frozen=True, slots=True)
class Code:
    """An expression; `level` is 1 for a product and 2 for a sum, which may need brackets."""

    text: str
    level: int = 0

    def __str__(self) -> str:
        return self.text

    @property
    def operand(self) -> str:
        """The text as a factor, or before a dot."""
        return f"({self.text})" if self.level else self.text

    @property
    def term(self) -> str:
        """The text as a part of a sum."""
        return f"({self.text})" if self.level > 1 else self.text


@dataclass(frozen=True, slots=True)
class Site:
    """One operation with settled arguments, the shapes that it reads and the one that it makes."""

    op: str
    args: Mapping[str, Scalar]
    inputs: tuple[Shape, ...]
    shape: Shape

    def number(self, name: str) -> int:
        """An argument that is a whole number."""
        return int(self.args[name])

    @property
    def rank(self) -> int:
        """2 for an image, 1 for a sequence, 0 for a vector."""
        return len(self.inputs[0].space)

    @property
    def axis(self) -> int:
        """The axis of the channels of the result."""
        return 1 if len(self.shape.space) == 2 else -1

    def channels(self, index: int = 0) -> int:
        """Those of an input."""
        found = self.inputs[index].channels
        assert isinstance(found, int)
        return found

    @property
    def made(self) -> int:
        """The channels of the result."""
        assert isinstance(self.shape.channels, int)
        return self.shape.channels


Numbers = Mapping[str, str]
"""Expressions of numbers, and of functions, by their roles in an operation."""


def no_numbers(site: Site) -> dict[str, int]:
    return {}


def nothing(site: Site) -> tuple[object, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Writer:
    """How an operation is written.

    `call` makes the expression of its value from those of its inputs, and from `self.NAME` where
    `made` says how that attribute is made. `numbers` may differ between uses of one text of code;
    what `fixed` gives may not. `weights` are the attribute's names for the operation's weights.
    """

    call: Callable[[Site, Sequence[Code], str], Code]
    made: Callable[[Site, Numbers], str] | None = None
    numbers: Callable[[Site], dict[str, int]] = no_numbers
    fixed: Callable[[Site], tuple[object, ...]] = nothing
    weights: Mapping[str, str] = field(default_factory=dict)


def called(name: str, *arguments: object) -> Code:
    """A call."""
    return Code(f"{name}({', '.join(map(str, arguments))})")


def word(name: str) -> str:
    """A name of the file as one of Python."""
    found = re.sub(r"\W+", "_", name).strip("_") or "part"
    return f"_{found}" if found[0].isdigit() else found
