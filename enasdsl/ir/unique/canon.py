"""Which architectures are one under `modulo`, and how many different ones a space has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import comb, inf, prod
from random import Random

from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.unique.flow import Flow
from enasdsl.ir.unique.isomorphism import Form, TooSymmetric, canonical
from enasdsl.ir.unique.modulo import Modulo
from enasdsl.ir.unique.skeletons import Skeletons, TooManyGraphs, final
from enasdsl.ir.unique.units import Unit, units
from enasdsl.semantics.symbols import Reading

LIMIT = 500_000
"""The most steps that are made to list the graphs of one unit."""
SAMPLES = 2_000
"""How many architectures are drawn for an estimate."""

PATIENCE = 2_000
"""After how many draws without a new class no more are expected."""


class Canon:
    """Says which architectures of a space are one under the rules of `modulo`.

    Without a rule every architecture is one of its own. Raises ValueError for an unknown rule.
    """

    def __init__(self, space: Space, rules: Sequence[str] | None = None) -> None:
        self.space = space
        self.rules = space.modulo if rules is None else tuple(rules)
        self._modulo = Modulo.of(self.rules)

    @cached_property
    def units(self) -> list[Unit]:
        """The parts of the space whose classes are independent."""
        return units(self.space, self._modulo)

    def form(self, architecture: Architecture) -> Form:
        """A value that exactly the architectures of one class share."""
        if not self.rules:
            return architecture.picks
        return tuple(self.part(unit, architecture) for unit in self.units)

    def key(self, architecture: Architecture) -> str:
        """Sixteen hexadecimal digits of the class, the same in every process."""
        return sha256(repr(self.form(architecture)).encode()).hexdigest()[:16]

    def part(self, unit: Unit, architecture: Architecture) -> Form:
        """What `form` has of one unit."""
        flow = Flow(unit.plans, unit.stamped, unit.designs, unit.modulo)
        flow.reading = Reading(architecture.picks)
        for root in unit.roots:
            flow.enter(root, (root,))
            for node in unit.plans[root].nodes:
                flow.node(root, (root,), node)
            flow.leave(root, (root,))
        aside = tuple(architecture.picks[d] for d in unit.aside)
        return (canonical(final(unit, flow)), aside)


def different(canon: Canon, architectures: Iterator[Architecture]) -> Iterator[Architecture]:
    """The first of each class; raises ValueError where new ones hardly come any more."""
    met: set[Form] = set()
    again = 0
    for architecture in architectures:
        form = canon.form(architecture)
        again = again + 1 if form in met else 0
        if again > PATIENCE:
            raise ValueError(f"only {len(met)} different ones came, and none in {PATIENCE} draws")
        if not again:
            met.add(form)
            yield architecture


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a uniform sample says of a number of classes.

    Of `drawn` architectures `alike` pairs were of one class. Were all classes equally likely,
    there would be between `low` and `high` of them with a confidence of 95 %. They are not, and
    so there are more: `low` is a bound, `high` is none.
    """

    drawn: int
    alike: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Part:
    """The classes of one unit: how many, exactly or as an estimate."""

    name: str
    count: int | Estimate


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a space, which are the product of those of its parts."""

    rules: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def count(self) -> int | None:
        """Their exact number, or None where a part is an estimate."""
        exact = [part.count for part in self.parts if isinstance(part.count, int)]
        return prod(exact) if len(exact) == len(self.parts) else None

    @property
    def least(self) -> float:
        """A number that they reach, with the confidence of the estimates."""
        return prod(p.count if isinstance(p.count, int) else p.count.low for p in self.parts)


def classes(space: Space, rules: Sequence[str] | None = None, *, limit: int = LIMIT) -> Classes:
    """The classes of a space under the rules of its file, or under `rules`.

    A unit that makes more graphs than `limit` lets list is estimated from a uniform sample.
    Raises ValueError for an unknown rule, and TooManyStates where a sample would be needed and
    none can be drawn.
    """
    canon = Canon(space, rules)
    found = []
    for unit in canon.units:
        try:
            found.append(Part(unit.name, Skeletons(space, unit, limit=limit).classes()))
        except (TooManyGraphs, TooSymmetric):
            found.append(Part(unit.name, _estimate(canon, unit)))
    return Classes(canon.rules, tuple(found))


def _estimate(canon: Canon, unit: Unit) -> Estimate:
    drawn = sample(canon.space, SAMPLES, Random(0))
    met = Counter(canon.part(unit, architecture) for architecture in drawn)
    pairs, alike = comb(SAMPLES, 2), sum(comb(times, 2) for times in met.values())
    few, many = _poisson(alike)
    return Estimate(SAMPLES, alike, pairs / many, pairs / few if few else inf)


def _poisson(events: int) -> tuple[float, float]:
    """The means of a Poisson variable for which `events` is not unusual, at 95 %."""
    from scipy.stats import chi2  # only here: it takes a second to import

    low = float(chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
    return low, float(chi2.ppf(0.975, 2 * events + 2)) / 2
