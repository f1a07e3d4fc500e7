"""Source files, places in them, and the shipped folders."""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The text of one `.enas` file under the name by which the user knows it."""

    name: str
    text: str
    line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0]
        starts.extend(i + 1 for i, c in enumerate(self.text) if c == "\n")
        object.__setattr__(self, "line_starts", tuple(starts))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both counted from 1, of a character offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Line `number`, counted from 1, without its line break."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:end]


@dataclass(frozen=True, slots=True)
class Span:
    """The characters `start` to `stop` (exclusive) of a source file."""

    source: SourceFile = field(repr=False, hash=False, compare=False)
    start: int
    stop: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.source, self.start, other.stop)

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.stop]

    @property
    def position(self) -> tuple[int, int]:
        """Line and column, counted from 1, of the first character."""
        return self.source.position(self.start)


def cache_folder() -> Path:
    """The user's folder for what can be made anew at any time; it may not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "enasdsl"


@cache
def shipped(folder: str) -> Path:
    """The packaged folder `grammars` or `spaces`, in a wheel or in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / folder
    return inside if inside.is_dir() else package.parent / folder
