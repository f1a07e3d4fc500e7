"""The least, the greatest and the mean cost over all architectures of a space.

A cost is a sum of products of decision diagrams. The variables of the space are gone through as in
counting; what is remembered beside its facts is what is left of each product that has begun.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod

from enasdsl.ir.costs import ceiling
from enasdsl.ir.dependence import Plan, plan
from enasdsl.ir.memory import REFUSED, Fact, Value
from enasdsl.ir.space import Constraint, Space
from enasdsl.ir.terms import TooTangled, totals
from enasdsl.ir.variables import Branch, TooManyStates, Variable
from enasdsl.semantics.diagrams import Answer, Atom
from enasdsl.semantics.summed import Product, Summed
from enasdsl.semantics.symbols import Chosen, Computed, Counted

WORK = 1_000_000
"""The most outcomes of variables that are looked at for one cost, over all states."""

NOTHING = Product(0, ())
"""What is left of a product that has been added."""

State = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Extent:
    """The costs of a space: `least` and `most` are taken on, unless they are `bounds` only.

    `mean` is that of all architectures, None where it is not known.
    """

    least: int
    most: int
    mean: Fraction | None = None
    bounds: bool = False


@dataclass(frozen=True, slots=True)
class Extents:
    """The extents of both costs of a space."""

    params: Extent
    macs: Extent


def extents(space: Space) -> Extents:
    """Both extents of a space with a network.

    Raises ValueError where there is no network, or where constraints leave no architecture.
    """
    if not space.network:
        raise ValueError(f"space {space.name} has no network: its file declares cells alone")
    try:
        found = totals(space)
    except TooTangled:
        most = ceiling(space)
        return Extents(Extent(0, most.params, bounds=True), Extent(0, most.macs, bounds=True))
    return Extents(extent(space, found.params), extent(space, found.macs))


def extent(space: Space, total: Summed, *, work: int = WORK) -> Extent:
    """The extent of one cost; bounds where the exact one takes more than `work`."""
    try:
        return _Search(space, total, work).extent()
    except TooManyStates:
        return _bounds(total)


def _bounds(total: Summed) -> Extent:
    least, most = total.bounds
    return Extent(least, most, bounds=True)


# ------------------------------------------------------------------------ facts


@dataclass(slots=True, eq=False)
class Remainder:
    """What is left of a product; a number in the end."""

    whole: Product
    variables: dict[int, Variable]

    @property
    def scope(self) -> tuple[int, ...]:
        return tuple(self.variables)

    @property
    def start(self) -> Value:
        return self.whole

    def effort(self, variable: int, value: Value) -> int:
        return 1

    def after(self, variable: int, outcomes: Sequence[Branch | None], value: Value) -> list[Value]:
        assert isinstance(value, Product)
        own = self.variables[variable]
        return [value.settled(answered(own, o)) for o in outcomes]


def answered(variable: Variable, outcome: Branch | None) -> Answer:
    """What an outcome of a variable answers of the atoms of its decision."""
    picks = None if outcome is None else outcome.sample

    def answer(atom: Atom, size: int) -> int | None:
        if not settles(variable, atom):
            return None
        if variable.slot is not None and picks is not None:
            return picks[0]
        return atom.branch(picks, size)

    return answer


def settles(variable: Variable, atom: Atom) -> bool:
    """Whether a variable alone answers an atom."""
    if variable.decision != atom.decision:
        return False
    if variable.members is not None:
        return atom.member in variable.members
    return variable.slot is None or variable.slot == atom.slot


def asked(space: Space, atoms: frozenset[Atom]) -> Space:
    """The space with constraints that always hold and read `atoms`, so that it tells them apart."""
    found = []
    for atom in sorted(atoms):
        size = space.decisions[atom.decision].domain.size
        leaf: Chosen | Counted = Counted(atom.decision, frozenset((atom.member,)), 1)
        if atom.slot >= 0:
            leaf = Chosen(atom.decision, atom.slot, tuple(range(size)), size)
        found.append(Constraint(Computed(">=", (leaf, 0)), (), ""))
    return replace(space, constraints=(*space.constraints, *found))


# ----------------------------------------------------------------------- search


@dataclass(slots=True)
class _Move:
    """An outcome that a state allows: its ways, what it adds, and the states below."""

    size: int
    gain: int
    below: tuple[State, ...]


@dataclass(slots=True)
class _Sum:
    """Over all that can follow: the ways, the sum of their costs, the least and the greatest."""

    ways: int
    total: int
    least: int
    most: int


@dataclass(slots=True)
class _Search:
    space: Space
    total: Summed
    work: int
    plan: Plan = field(init=False)
    states: list[dict[State, list[_Move]]] = field(init=False)
    known: dict[tuple[int, Fact, Value], list[Value]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        atoms = frozenset[Atom]().union(*(part.atoms for part in self.total.parts))
        self.plan = plan(asked(self.space, atoms), self._remainders)
        self.states = [{} for _ in self.plan.variables]

    def _remainders(self, variables: Sequence[Variable]) -> list[Fact]:
        return [
            Remainder(
                part,
                {n: v for n, v in enumerate(variables) if any(settles(v, a) for a in part.atoms)},
            )
            for part in self.total.parts
        ]

    def extent(self) -> Extent:
        if not self.plan.feasible:
            raise ValueError(f"no architecture of `{self.space.name}` meets its constraints")
        self._find()
        sums: list[dict[State, _Sum]] = [{} for _ in self.states]
        for number in reversed(range(len(self.states))):
            for state, moves in self.states[number].items():
                found = [self._move(number, move, sums) for move in moves]
                sums[number][state] = _either([f for f in found if f.ways])
        whole = _together([sums[root][()] for root in self.plan.roots])
        if not whole.ways:
            raise ValueError(f"no architecture of `{self.space.name}` meets its constraints")
        constant = self.total.constant
        mean = constant + Fraction(whole.total, whole.ways)
        return Extent(constant + whole.least, constant + whole.most, mean)

    def _move(self, number: int, move: _Move, sums: list[dict[State, _Sum]]) -> _Sum:
        children = zip(self.plan.children[number], move.below, strict=True)
        found = _together([sums[child][state] for child, state in children])
        ways = found.ways * move.size
        total = (found.total + found.ways * move.gain) * move.size
        return _Sum(ways, total, found.least + move.gain, found.most + move.gain)

    def _find(self) -> None:
        """The states of every variable and their moves, from the roots down."""
        for root in self.plan.roots:
            self.states[root][()] = []
        for number, states in enumerate(self.states):
            for state in states:
                states[state] = self._moves(number, state)

    def _moves(self, number: int, state: State) -> list[_Move]:
        variable = self.plan.variables[number]
        values: dict[Fact, Value] = dict(zip(self.plan.facts[number], state, strict=True))
        live = all(values[guard] for guard in self.plan.guards[number])
        steps = self.plan.steps[number]
        columns = [self._column(number, f, values.get(f, f.start)) for f in steps]
        moves = []
        for place, outcome in enumerate(variable.outcomes):
            after = [column[place] for column in columns]
            if (outcome is None) == live or REFUSED in after:
                continue
            over = [value for value in after if isinstance(value, Product) and not value.factors]
            values.update(zip(steps, (NOTHING if v in over else v for v in after), strict=True))
            gain = sum(value.scale for value in over)
            size = 1 if outcome is None else outcome.size
            moves.append(_Move(size, gain, self._below(number, values)))
        self._spend(len(variable.outcomes) + len(moves) * len(self.plan.facts[number]))
        return moves

    def _below(self, number: int, values: Mapping[Fact, Value]) -> tuple[State, ...]:
        below = []
        for child in self.plan.children[number]:
            state = tuple(values[fact] for fact in self.plan.facts[child])
            self.states[child].setdefault(state, [])
            below.append(state)
        return tuple(below)

    def _column(self, number: int, fact: Fact, value: Value) -> list[Value]:
        key = (number, fact, value)
        if key not in self.known:
            outcomes = self.plan.variables[number].outcomes
            self._spend(fact.effort(number, value) * len(outcomes))
            self.known[key] = fact.after(number, outcomes, value)
        return self.known[key]

    def _spend(self, work: int) -> None:
        self.work -= work
        if self.work < 0:
            raise TooManyStates(self.space.decisions, WORK)


def _together(sums: list[_Sum]) -> _Sum:
    """Independent parts side by side."""
    ways = prod(s.ways for s in sums)
    total = sum(s.total * (ways // s.ways) for s in sums) if ways else 0
    return _Sum(ways, total, sum(s.least for s in sums), sum(s.most for s in sums))


def _either(sums: list[_Sum]) -> _Sum:
    """One of several."""
    if not sums:
        return _Sum(0, 0, 0, 0)
    return _Sum(
        sum(s.ways for s in sums),
        sum(s.total for s in sums),
        min(s.least for s in sums),
        max(s.most for s in sums),
    )
