"""How much work it may be to write a file out: what expands without bound is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

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

STACK = 1 << 20
"""Places on the interpreter's stack that are set aside at once: enough for so many calls."""

P = ParamSpec("P")
R = TypeVar("R")


def with_room(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, below which the interpreter's stack need not grow.

    CPython lets it grow by small pieces, and gives a piece back at the return from the call that
    needed it. Where a loop calls from just below such a border, that takes five times as long.
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    called.__code__ = called.__code__.replace(co_stacksize=STACK)  # type: ignore[attr-defined]
    return called


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
