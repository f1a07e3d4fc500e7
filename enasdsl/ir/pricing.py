"""`params` and `macs` in requirements: put in as numbers that decisions settle.

While a file is evaluated, both are words for a number that is not known yet. Once its network is
known, they become sums of small functions of its decisions, which count like any other sum.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from enasdsl.ir.build import mistake
from enasdsl.ir.space import Kind, Space
from enasdsl.ir.terms import TooTangled, totals
from enasdsl.ir.unpriced import unpriced
from enasdsl.semantics.diagrams import Diagram, Node
from enasdsl.semantics.summed import Product, Summed
from enasdsl.semantics.symbols import Chosen, Computed, Counted, Num

WRITTEN = 2_000
"""The most numbers and conditions of which a cost may be written out."""


def priced(space: Space) -> Space:
    """The space with its costs put into its constraints.

    Raises Mistake where there is no network, or where a cost is too tangled to be written out.
    """
    first = next(filter(unpriced, space.constraints), None)
    if first is None:
        return space
    assert first.span is not None
    if not space.network:
        raise mistake(
            "E0208",
            "`params` and `macs` are those of a network",
            first.span,
            "this file has none",
            help="declare `network image_classifier { stem ...; stack ...; head ... }`",
        )
    try:
        found = totals(space)
        numbers = {
            "params": _Writer(space).sum(found.params) if _asks(space, "params") else 0,
            "macs": _Writer(space).sum(found.macs) if _asks(space, "macs") else 0,
        }
    except TooTangled:
        raise mistake(
            "E0501",
            "this cost depends on too many choices at once to be counted with",
            first.span,
            f"it takes more than {WRITTEN:,} numbers to write out",
            help="require something of the choices themselves, such as a sum of widths",
        ) from None
    constraints = tuple(
        replace(c, value=_put(c.value, numbers), priced=True) if unpriced(c) else c
        for c in space.constraints
    )
    return replace(space, constraints=constraints)


def unbounded(space: Space) -> Space:
    """The space without its bounds on costs, for a child whose sizes are others than the search's.

    The architectures of both have the same records.
    """
    return replace(space, constraints=tuple(c for c in space.constraints if not c.priced))


def _asks(space: Space, name: str) -> bool:
    return any(name in _words(c.value) for c in space.constraints)


def _words(num: Num) -> set[str]:
    match num:
        case Computed(operator, operands):
            return {operator}.union(*map(_words, operands))
        case _:
            return set()


def _put(num: Num, numbers: dict[str, Num]) -> Num:
    """`num` with the costs put in; whole numbers of the form `4e6` made exact."""
    match num:
        case Computed(operator, ()) if operator in numbers:
            return numbers[operator]
        case Computed(operator, operands):
            return Computed(operator, tuple(_put(o, numbers) for o in operands))
        case float() if num.is_integer():
            return int(num)
        case _:
            return num


class _Writer:
    """Writes a sum of products of diagrams as a number; raises TooTangled beyond WRITTEN."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.left = WRITTEN

    def sum(self, total: Summed) -> Num:
        terms = tuple(map(self.product, total.parts))
        return Computed("+", (*terms, total.constant)) if terms else total.constant

    def product(self, product: Product) -> Num:
        first, *others = (self.number(factor) for factor in product.factors)
        whole = reduce(lambda a, b: Computed("*", (a, b)), others, first)
        if product.scale == 1:
            return whole
        return _scaled(whole, product.scale)

    def number(self, diagram: Diagram) -> Num:
        """A diagram as a choice of numbers, branch by branch."""
        self.left -= 1
        if self.left < 0:
            raise TooTangled
        if not isinstance(diagram, Node):
            return int(diagram)
        if diagram.atom.slot < 0:
            low, high = diagram.branches
            return Computed("when", (self._picked(diagram), self.number(high), self.number(low)))
        if not any(isinstance(branch, Node) for branch in diagram.branches):
            self.left -= len(diagram.branches)
            return self._chosen(diagram, [int(branch) for branch in diagram.branches])
        different = list(dict.fromkeys(diagram.branches))
        found = self.number(different[-1])
        for branch in different[:-1]:
            where = self._chosen(diagram, [b == branch for b in diagram.branches])
            found = Computed("when", (where, self.number(branch), found))
        return found

    def _picked(self, node: Node) -> Num:
        decision, member = node.atom.decision, node.atom.member
        domain = self.space.decisions[decision].domain
        most = domain.most if domain.kind in (Kind.SEQUENCE, Kind.MULTISET) else 1
        return Computed(">=", (Counted(decision, frozenset((member,)), most), 1))

    def _chosen(self, node: Node, values: list[int] | list[bool]) -> Num:
        return Chosen(node.atom.decision, node.atom.slot, tuple(values[:-1]), values[-1])


def _scaled(num: Num, scale: int) -> Num:
    if isinstance(num, Chosen) and isinstance(num.missing, int):
        values = tuple(int(v) * scale for v in num.values)
        return Chosen(num.decision, num.slot, values, num.missing * scale)
    return Computed("*", (num, scale))
