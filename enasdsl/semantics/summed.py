"""Sums of products of decision diagrams: the cost of every architecture of a space at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from enasdsl.semantics.diagrams import Answer, Atom, Diagram, Node, Picked, nodes, restricted


@dataclass(frozen=True, slots=True)
class Product:
    """`scale` times the values of the diagrams `factors`, none of which is ever negative."""

    scale: int
    factors: tuple[Node, ...]

    @staticmethod
    def of(scale: int, factors: Iterable[Diagram]) -> Product:
        """The product with its constant factors taken into the scale, the others in order."""
        unknown: list[Node] = []
        for factor in factors:
            if isinstance(factor, Node):
                unknown.append(factor)
            else:
                scale *= int(factor)
        unknown.sort(key=lambda factor: (factor.atom, hash(factor)))
        return Product(scale, tuple(unknown) if scale else ())

    def settled(self, answer: Answer) -> Product:
        """What is left once some atoms are known."""
        return Product.of(self.scale, (restricted(f, answer) for f in self.factors))

    @property
    def low(self) -> int:
        return int(self.scale * prod(factor.low for factor in self.factors))

    @property
    def high(self) -> int:
        return int(self.scale * prod(factor.high for factor in self.factors))

    @property
    def atoms(self) -> frozenset[Atom]:
        """What it depends on."""
        return frozenset(node.atom for factor in self.factors for node in nodes(factor))


@dataclass(frozen=True, slots=True)
class Summed:
    """`constant` and the products `parts`."""

    constant: int
    parts: tuple[Product, ...]

    @staticmethod
    def of(products: Iterable[Product]) -> Summed:
        """The sum with its settled products taken into the constant."""
        constant = 0
        parts: list[Product] = []
        for product in products:
            if product.factors:
                parts.append(product)
            else:
                constant += product.scale
        return Summed(constant, tuple(parts))

    def value(self, picks: tuple[Picked, ...]) -> int:
        """The sum in one architecture."""

        def answer(atom: Atom, size: int) -> int:
            return atom.branch(picks[atom.decision], size)

        return self.constant + sum(part.settled(answer).scale for part in self.parts)

    @property
    def bounds(self) -> tuple[int, int]:
        """Numbers between which the sum lies, whatever is picked."""
        low = sum(part.low for part in self.parts)
        return self.constant + low, self.constant + sum(part.high for part in self.parts)
