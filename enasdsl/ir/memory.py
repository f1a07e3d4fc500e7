"""What a count has to remember of the variables behind it in order to go on.

Each fact has a value, `start` before the first variable of its `scope`. `after` gives the values
that the outcomes of a variable of its scope lead to, in the order of the outcomes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import ClassVar, Final, Protocol

from enasdsl.ir.folding import bounds, settle, settled
from enasdsl.ir.variables import Branch, Variable
from enasdsl.semantics.symbols import Computed, Num

REFUSED: Final = "refused"
"""The value of a fact that no architecture may have."""
MET: Final = "met"
"""The value of a constraint that can no longer fail."""

SETTLED, LONGER = 8, 8
"""The effort of putting an outcome into a condition at least, and for each of its parts."""

Value = Hashable


class Fact(Protocol):
    """Something remembered on the way along the variables."""

    @property
    def scope(self) -> tuple[int, ...]:
        """The variables that settle it, ascending."""

    @property
    def start(self) -> Value: ...

    def effort(self, variable: int, value: Value) -> int:
        """How dear each outcome of a variable is to `after`, in those of a plain sum."""

    def after(self, variable: int, outcomes: Sequence[Branch | None], value: Value) -> list[Value]:
        """What `value` becomes with each of the `outcomes` of a variable."""


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """Whether a decision picked one of the alternatives that a guard allows."""

    allowed: frozenset[int]
    scope: tuple[int, ...]
    start: Value = False

    def effort(self, variable: int, value: Value) -> int:
        return 1

    def after(self, variable: int, outcomes: Sequence[Branch | None], value: Value) -> list[Value]:
        if value:
            return [value] * len(outcomes)
        return [b is not None and not self.allowed.isdisjoint(b.sample) for b in outcomes]


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """Whether all memberships of one of several options hold."""

    options: tuple[tuple[Membership, ...], ...]

    @property
    def members(self) -> tuple[Membership, ...]:
        return tuple(member for option in self.options for member in option)

    @property
    def scope(self) -> tuple[int, ...]:
        return tuple(sorted({n for member in self.members for n in member.scope}))

    @property
    def start(self) -> Value:
        return tuple(member.start for member in self.members)

    def effort(self, variable: int, value: Value) -> int:
        return 2

    def after(self, variable: int, outcomes: Sequence[Branch | None], value: Value) -> list[Value]:
        if value is True:
            return [True] * len(outcomes)
        assert isinstance(value, tuple)
        columns = [
            m.after(variable, outcomes, v) if variable in m.scope else [v] * len(outcomes)
            for m, v in zip(self.members, value, strict=True)
        ]
        last = variable == self.scope[-1]
        return [self._judged(row, last=last) for row in zip(*columns, strict=True)]

    def _judged(self, row: tuple[Value, ...], *, last: bool) -> Value:
        left = iter(row)
        options = [[next(left) for _ in option] for option in self.options]
        holds = any(map(all, options))
        return holds if holds or last else row


@dataclass(frozen=True, slots=True, eq=False)
class Quota:
    """How many members a set whose members are decided apart has so far."""

    least: int
    most: int
    scope: tuple[int, ...]
    start: Value = 0

    def effort(self, variable: int, value: Value) -> int:
        return 1

    def after(self, variable: int, outcomes: Sequence[Branch | None], value: Value) -> list[Value]:
        assert isinstance(value, int)
        least = self.least if variable == self.scope[-1] else 0
        numbers = [None if b is None else value + len(b.sample) for b in outcomes]
        return [0 if n is None else n if least <= n <= self.most else REFUSED for n in numbers]


def length(num: Num) -> int:
    """How many numbers and operators `num` is written with."""
    return 1 + sum(map(length, num.operands)) if isinstance(num, Computed) else 1


def put(num: Num, variable: Variable, outcome: Branch | None) -> Num:
    """`num` with what `variable` settles of it put in."""
    return settle(num, lambda leaf: variable.value(leaf, outcome))


@dataclass(slots=True, eq=False)
class Truth:
    """One alternative of a clause: what is left of it, by the number under which it is kept."""

    variables: Mapping[int, Variable]
    whole: Num
    known: dict[Num, int] = field(default_factory=dict)
    left: list[Num] = field(default_factory=list)

    @property
    def scope(self) -> tuple[int, ...]:
        return tuple(self.variables)

    @property
    def start(self) -> Value:
        return self._keep(self.whole)

    def effort(self, variable: int, value: Value) -> int:
        assert isinstance(value, int)
        return SETTLED + LONGER * length(self.left[value])

    def after(self, variable: int, outcomes: Sequence[Branch | None], value: Value) -> list[Value]:
        assert isinstance(value, int)
        left = self.left[value]
        return [self._keep(put(left, self.variables[variable], o)) for o in outcomes]

    def _keep(self, num: Num) -> Value:
        if settled(num):
            return MET if num else REFUSED
        if num not in self.known:
            self.known[num] = len(self.left)
            self.left.append(num)
        return self.known[num]


Step = tuple[int, int, int, int]
"""What an outcome adds to a sum, what is then left open, and the bounds of all that may follow."""
Open = tuple[tuple[int, Num], ...]


@dataclass(slots=True, eq=False)
class Total:
    """One alternative of a clause: a sum of whole numbers that compares with zero.

    Its value is the sum so far, and the number under which the terms are kept that have begun and
    are not over.
    """

    operator: str  # "<=", "==" or "!="
    constant: int
    terms: Sequence[Num]
    scopes: Sequence[frozenset[int]]  # the variables that each term reads
    variables: Mapping[int, Variable]
    known: dict[Open, int] = field(default_factory=dict)
    open: list[Open] = field(default_factory=list)
    steps: dict[tuple[int, int], list[Step]] = field(default_factory=dict)
    later: dict[int, tuple[int, int]] = field(default_factory=dict)
    neutral: ClassVar[int] = 0
    plain: ClassVar[int] = 1

    @property
    def scope(self) -> tuple[int, ...]:
        return tuple(self.variables)

    @property
    def start(self) -> Value:
        low, high = self._bounds((), -1)
        return self._judged([(self.constant, self._keep(()), low, high)], self.neutral)[0]

    def effort(self, variable: int, value: Value) -> int:
        """That of the terms that the variable reads, once for all sums so far."""
        assert isinstance(value, tuple)
        left = value[1]
        if (variable, left) in self.steps:
            return self.plain
        begun = dict(self.open[left])
        read = (n for n, scope in enumerate(self.scopes) if variable in scope)
        terms = (begun.get(n, self.terms[n]) for n in read)
        return self.plain + LONGER * sum(length(t) for t in terms if isinstance(t, Computed))

    def after(self, variable: int, outcomes: Sequence[Branch | None], value: Value) -> list[Value]:
        assert isinstance(value, tuple)
        total, left = value
        if (variable, left) not in self.steps:
            self.steps[variable, left] = [self._step(variable, o, left) for o in outcomes]
        return self._judged(self.steps[variable, left], total)

    def _judged(self, steps: list[Step], total: int) -> list[Value]:
        if self.operator == "<=":
            return [
                MET if (n := total + added) + high <= 0
                else REFUSED if n + low > 0
                else (n, left)
                for added, left, low, high in steps
            ]  # fmt: skip
        zero, other = (MET, REFUSED) if self.operator == "==" else (REFUSED, MET)
        return [
            other if (n := total + added) + low > 0 or n + high < 0
            else zero if low == high
            else (n, left)
            for added, left, low, high in steps
        ]  # fmt: skip

    def _step(self, variable: int, outcome: Branch | None, left: int) -> Step:
        begun = dict(self.open[left])
        added = self.neutral
        still: list[tuple[int, Num]] = []
        for number, scope in enumerate(self.scopes):
            num = self.terms[number] if variable == min(scope) else begun.get(number)
            if num is None:
                continue
            if variable in scope:
                num = put(num, self.variables[variable], outcome)
            if isinstance(num, int):
                added = self.join(added, num)
            else:
                still.append((number, num))
        low, high = self._bounds(tuple(still), variable)
        return added, self._keep(tuple(still)), low, high

    def _bounds(self, still: Open, variable: int) -> tuple[int, int]:
        """Between which numbers the terms lie that are not over behind `variable`."""
        if variable not in self.later:
            pairs = zip(self.terms, self.scopes, strict=True)
            behind = [t for t, scope in pairs if min(scope) > variable]
            self.later[variable] = self._between(behind)
        ends = zip(self._between([num for _, num in still]), self.later[variable], strict=True)
        low, high = (self.join(*pair) for pair in ends)
        return low, high

    def _between(self, terms: Sequence[Num]) -> tuple[int, int]:
        """Bounds on what the terms give together."""
        found = [pair for pair in map(bounds, terms) if pair is not None]
        lows, highs = [int(low) for low, _ in found], [int(high) for _, high in found]
        return reduce(self.join, lows, self.neutral), reduce(self.join, highs, self.neutral)

    @staticmethod
    def join(first: int, second: int) -> int:
        return first + second

    def _keep(self, still: Open) -> int:
        if still not in self.known:
            self.known[still] = len(self.open)
            self.open.append(still)
        return self.known[still]


@dataclass(slots=True, eq=False)
class Product(Total):
    """The same of a product, whose factors are not negative and whose constant is not zero.

    It is `offset` that is added to it before it compares with zero.
    """

    offset: int = 0
    neutral: ClassVar[int] = 1
    plain: ClassVar[int] = 2

    @staticmethod
    def join(first: int, second: int) -> int:
        return first * second

    def _judged(self, steps: list[Step], total: int) -> list[Value]:
        return [self._judge(total * added, left, low, high) for added, left, low, high in steps]

    def _judge(self, product: int, left: int, low: int, high: int) -> Value:
        """The value for a product so far; beyond `ceiling` it only matters whether a 0 follows."""
        ceiling = abs(self.offset) + 1
        if not -ceiling <= product <= ceiling:
            product = ceiling if product > 0 else -ceiling
        least, most = product * low + self.offset, product * high + self.offset
        if least > most:
            least, most = most, least
        if self.operator == "<=":
            return MET if most <= 0 else REFUSED if least > 0 else (product, left)
        zero, other = (MET, REFUSED) if self.operator == "==" else (REFUSED, MET)
        return other if least > 0 or most < 0 else zero if least == most else (product, left)


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """A clause, of which one alternative must hold; it has their values side by side."""

    alternatives: tuple[Truth | Total, ...]
    scope: tuple[int, ...]
    start: Value

    def effort(self, variable: int, value: Value) -> int:
        if value is MET:
            return 1
        assert isinstance(value, tuple)
        pairs = zip(self.alternatives, value, strict=True)
        read = [(a, v) for a, v in pairs if v is not REFUSED and variable in a.variables]
        return sum(a.effort(variable, v) for a, v in read)

    def after(self, variable: int, outcomes: Sequence[Branch | None], value: Value) -> list[Value]:
        if value is MET:
            return [MET] * len(outcomes)
        assert isinstance(value, tuple)
        columns = [
            a.after(variable, outcomes, v)
            if v is not REFUSED and variable in a.variables
            else [v] * len(outcomes)
            for a, v in zip(self.alternatives, value, strict=True)
        ]
        return [joined(values) for values in zip(*columns, strict=True)]


def joined(values: tuple[Value, ...]) -> Value:
    """The value of a clause whose alternatives have these values."""
    if MET in values:
        return MET
    return REFUSED if values.count(REFUSED) == len(values) else values


def demand(alternatives: Sequence[Truth | Total]) -> Demand:
    """The clause of which one of these must hold."""
    scope = sorted({n for a in alternatives for n in a.variables})
    start = joined(tuple(a.start for a in alternatives))
    return Demand(tuple(alternatives), tuple(scope), start)
