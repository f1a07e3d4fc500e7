"""Requirements that no architecture meets together, found while that is cheap."""

from __future__ import annotations

from dataclasses import replace

from enasdsl.diagnostics import Diagnostic, Label
from enasdsl.ir.counter import Counter
from enasdsl.ir.space import Constraint, Space
from enasdsl.ir.variables import TooManyStates

EFFORT = 100_000
"""How much counting is worth while to find that nothing is left of a space."""

PLANNED = 50
"""What it is worth to make a plan for one more constraint."""


def contradiction(space: Space) -> Diagnostic | None:
    """What is wrong with a space that its requirements leave empty, where that is soon known."""
    if not space.constraints or not _empty(space, space.constraints, EFFORT):
        return None
    labels = _guilty(space)
    if not labels:
        return None
    together = len(labels) > 1
    which = "these requirements together" if together else "this requirement"
    return Diagnostic(
        "E0408",
        f"no architecture meets {which}",
        labels[0],
        tuple(labels[1:]),
        "without one of them there are some: loosen one" if together else None,
    )


def _guilty(space: Space) -> list[Label]:
    """A smallest set of requirements that leaves nothing: each of them is needed for that."""
    needed = list(dict.fromkeys(c.span for c in space.constraints))
    effort = EFFORT // len(needed)
    for span in list(needed):
        rest = [s for s in needed if s != span]
        if _empty(space, tuple(c for c in space.constraints if c.span in rest), effort):
            needed = rest
    return [Label(span, "required here") for span in needed if span is not None]


def _empty(space: Space, constraints: tuple[Constraint, ...], effort: int) -> bool:
    if PLANNED * len(constraints) > effort:
        return False
    try:
        return Counter(replace(space, constraints=constraints), limit=effort).count == 0
    except TooManyStates:
        return False
