"""Which architectures are one under `modulo`, and how many different ones a space has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import prod

from enasdsl.ir.count import count
from enasdsl.ir.flow import Flow
from enasdsl.ir.isomorphism import Form, TooSymmetric, canonical
from enasdsl.ir.modulo import Modulo
from enasdsl.ir.skeletons import Skeletons, TooManyGraphs, final
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.units import Unit, units
from enasdsl.semantics.symbols import Reading

LIMIT = 3_000_000
"""The most steps that are made to list the graphs of one unit."""


@dataclass(frozen=True, slots=True)
class Part:
    """The classes of one unit: `count` of them."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Classes:
    parts: tuple[Part, ...]

    @property
    def count(self) -> int:
        return prod(part.count for part in self.parts)


def classes(space: Space, rules: Sequence[str], *, limit: int = LIMIT) -> Classes:
    modulo = Modulo.of(rules)
    return Classes(
        tuple(
            Part(unit.name, Skeletons(space, unit, limit=limit).classes())
            for unit in units(space, modulo)
        )
    )


class Canon:
    """Says which architectures of a space are one."""

    def __init__(self, space: Space, rules: Sequence[str]) -> None:
        self.space = space
        self.units = units(space, Modulo.of(rules))
        self.designs = [body.name for body in space.bodies]

    def form(self, architecture: Architecture) -> Form:
        """A value that exactly the architectures of one class share."""
        return tuple(self._form(unit, architecture) for unit in self.units)

    def key(self, architecture: Architecture) -> str:
        """Sixteen hexadecimal digits of `form`, the same in every process."""
        return sha256(repr(self.form(architecture)).encode()).hexdigest()[:16]

    def _form(self, unit: Unit, architecture: Architecture) -> Form:
        flow = Flow(unit.plans, unit.stamped, self.designs, unit.modulo)
        flow.reading = Reading(architecture.picks)
        for root in unit.roots:
            flow.enter(root, (root,))
            for node in unit.plans[root].nodes:
                flow.node(root, (root,), node)
            flow.settle_unread(root)
            for output in unit.plans[root].body.outputs:
                flow.value(root, (root,), output)
        aside = tuple(architecture.picks[d] for d in unit.aside)
        return (canonical(final(unit, flow)), aside)
