"""The cost of every architecture of a space at once: a sum of functions of few decisions each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import prod
from operator import add, floordiv

from enasdsl.ir.costs import examples, shared
from enasdsl.ir.graph import Apply
from enasdsl.ir.liveness import Liveness, Use
from enasdsl.ir.parameters import Places, by_name
from enasdsl.ir.places import join
from enasdsl.ir.space import Space
from enasdsl.semantics.diagrams import (
    Atom,
    Diagram,
    Diagrams,
    Node,
    TooManyNodes,
    nodes,
)
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.summed import Product, Summed

WORK = 300_000
"""The most steps that making the diagrams of one space may take."""

FEW = 1_000
"""In how many ways the atoms of a product may be answered that is written out."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The params and the macs of the architectures of a space."""

    params: Summed
    macs: Summed


class TooTangled(Exception):
    """What an architecture needs depends on its decisions in too many ways."""


def totals(space: Space) -> Totals:
    """Both costs of a space with a network; raises TooTangled."""
    try:
        terms = _Terms(space, Diagrams(WORK))
        return Totals(terms.params(), terms.macs())
    except (TooManyNodes, RecursionError) as error:
        raise TooTangled from error


Needs = dict[tuple[Product, Diagram], Counter[Diagram]]
"""By a size and where within a stamp it is needed, where how many stamps are."""


@dataclass(slots=True)
class _Terms:
    space: Space
    diagrams: Diagrams
    liveness: Liveness = field(init=False)
    uses: tuple[Use, ...] = field(init=False)
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        self.places = by_name(self.space.places)
        self.liveness = Liveness(self.space, self.diagrams)
        self.uses = tuple(self.liveness.uses())

    def macs(self) -> Summed:
        """The multiply-accumulates of each example."""
        each = examples(self.space)
        needs: Needs = defaultdict(Counter)
        for use in self.uses:
            value = self._value(use)
            if OPS[value.op].macs:
                axes = self._axes(use, OPS[value.op].macs)
                needs[self._shared(use.times, axes, each), use.inner][use.outer] += 1
        return self._summed(needs)

    def _shared(self, times: int, axes: Product, each: int) -> Product:
        """What each of so many examples bears of an operation."""
        total = Product(axes.scale * times, axes.factors)
        if total.scale % each == 0:
            return Product(total.scale // each, total.factors)
        whole = self.diagrams.combine(lambda *f: shared(total.scale * prod(f), each), *axes.factors)
        return Product.of(1, (whole,))

    def params(self) -> Summed:
        """The trained numbers: a tensor that several operations share counts once."""
        tensors: dict[tuple[str, str], list[tuple[Use, Product]]] = defaultdict(list)
        for use in self.uses:
            for key, size in self._tensors(use):
                tensors[key].append((use, size))
        needs: Needs = defaultdict(Counter)
        for found in tensors.values():
            if len(found) == 1:
                ((use, size),) = found
                needs[size, use.inner][use.outer] += 1
            else:
                needs[Product.of(1, (self._largest(found),)), True][True] += 1
        return self._summed(needs)

    def _largest(self, found: list[tuple[Use, Product]]) -> Diagram:
        """What is read of a tensor: its uses begin at the same corner."""
        largest: Diagram = 0
        for use, size in found:
            need = self.diagrams.both(use.outer, use.inner)
            whole = self.diagrams.combine(lambda *f, n=size.scale: n * prod(f), *size.factors)
            largest = self.diagrams.combine(max, largest, self.diagrams.where(need, whole, 0))
        return largest

    # ------------------------------------------------------------- one operation

    def _value(self, use: Use) -> Apply:
        value = self.space.bodies[use.body].values[use.ref]
        assert isinstance(value, Apply)
        return value

    def _axes(self, use: Use, axes: Sequence[str | int]) -> Product:
        """The product of sizes along axes."""
        sizes = (self._axis(use, axis) for axis in axes)
        return Product.of(1, [self.diagrams.combine(int, size) for size in sizes])

    def _axis(self, use: Use, axis: str | int) -> Diagram:
        value, values = self._value(use), self.space.bodies[use.body].values
        before = values[value.inputs[0]].shape if value.inputs else value.shape
        match axis:
            case int():
                return axis
            case "in":
                return self.liveness.width(before.channels)
            case "out":
                return self.liveness.width(value.shape.channels)
            case "positions":
                return prod(before.space)
            case "places":
                return prod(value.shape.space)
            case "in/groups":
                groups = self.liveness.number(dict(value.args)["groups"])
                width = self.liveness.width(before.channels)
                return self.diagrams.combine(floordiv, width, groups)
            case _:
                return self.liveness.number(dict(value.args)[axis])

    def _tensors(self, use: Use) -> Iterator[tuple[tuple[str, str], Product]]:
        """The trained tensors of a use, each with the numbers that it reads of it."""
        for weight in OPS[self._value(use).op].weights:
            place = join(use.prefix, self._value(use).place)
            spec = self.places[place]
            if weight.buffer or (weight.when and not dict(spec.args)[weight.when]):
                continue
            tied = spec.tied if weight.name == "weight" else None
            yield (tied or place, weight.name), self._axes(use, weight.axes)

    # ---------------------------------------------------------------------- sums

    def _summed(self, needs: Needs) -> Summed:
        """The sum of products, each as often as it is needed, those of few atoms added up."""
        stamps: dict[Diagram, list[Product]] = defaultdict(list)
        for (size, inner), outers in needs.items():
            often = reduce(self._plus, (self._scaled(n, need) for need, n in outers.items()))
            part = Product.of(size.scale, (*size.factors, self._scaled(1, inner)))
            if not isinstance(often, Node):
                part, often = Product.of(often * part.scale, part.factors), 1
            stamps[often].append(part)
        return Summed.of(
            Product.of(part.scale, (often, *part.factors))
            for often, parts in stamps.items()
            for part in self._gathered(parts)
        )

    def _gathered(self, parts: Iterable[Product]) -> Iterator[Product]:
        """The same sum in fewer products: those of the same few atoms, or of some of them."""
        groups: dict[frozenset[Atom], Diagram] = {}
        for part in parts:
            if _ways(part) > FEW:
                yield part
            else:
                term = self.diagrams.combine(lambda *f: prod(f), part.scale, *part.factors)
                groups[part.atoms] = self._plus(groups.get(part.atoms, 0), term)
        left = dict(sorted(groups.items(), key=lambda group: len(group[0])))
        while left:
            atoms = next(iter(left))
            term = left.pop(atoms)
            wider = next((a for a in left if atoms <= a), None)
            if wider is None:
                yield Product.of(1, (term,))
            else:
                left[wider] = self._plus(left[wider], term)

    def _scaled(self, times: int, need: Diagram) -> Diagram:
        return self.diagrams.combine(lambda needed: times if needed else 0, need)

    def _plus(self, first: Diagram, second: Diagram) -> Diagram:
        return self.diagrams.combine(add, first, second)


def _ways(part: Product) -> int:
    """In how many ways the atoms of a product may be answered."""
    sizes = {n.atom: len(n.branches) for factor in part.factors for n in nodes(factor)}
    return prod(sizes.values())
