"""How much work it may be to write a file out: what expands without bound is refused."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from enasdsl.ir.build import Followup, mistake
from enasdsl.source import Span

OUTLINE_STEPS = 70_000
"""Steps of writing out decisions and shapes: less than a second of work."""

NETWORK_STEPS = 1_000_000
"""Steps of writing out a network, which looks at every input that a choice may read."""

DEEPEST = 500
"""Levels of expressions and operations within one another, calls included."""

FRAMES = 10_000
"""Python's calls within one another that so many levels may need."""


@dataclass(slots=True, eq=False)
class Budget:
    """The steps that are left, and how deep the present one lies."""

    limit: int
    spent: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES))

    def enter(self, span: Span) -> None:
        """One more step, a level deeper; the caller comes back from it by `depth`."""
        self.spend(1, span)
        if self.depth >= DEEPEST:
            raise mistake(
                "E0503",
                f"expressions and calls lie more than {DEEPEST:,} levels within one another",
                span,
                "the limit is reached here",
                help="let operations call each other less deeply",
            )
        self.depth += 1

    def spend(self, steps: int, span: Span) -> None:
        """Takes steps; raises where they pass the limit, and Followup where they already had."""
        if self.spent > self.limit:
            raise Followup
        self.spent += steps
        if self.spent > self.limit:
            raise mistake(
                "E0501",
                f"the file expands to more than {self.limit:,} steps",
                span,
                "the limit is reached here",
                help="make what counts nodes, layers, alternatives or repeats smaller",
            )
