"""One entry of the catalogue of codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What `enasdsl explain` tells of a code; `bad` and `good` are pieces of `.enas` files."""

    title: str
    explanation: str
    bad: str
    good: str
