"""What a count has to remember of the variables behind it in order to go on.

Each fact has a value, `start` before the first variable of its `scope`, and `step` gives the
value behind each variable of its scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from enasdsl.ir.constraint import made, settle, settled
from enasdsl.ir.variables import Branch
from enasdsl.semantics.symbols import Chosen, Counted, Num

REFUSED: Final = "refused"
"""The value of a fact that no architecture may have."""

Value = Num
Values = Mapping["Fact", Value]


class Fact(Protocol):
    """Something remembered."""

    @property
    def scope(self) -> tuple[int, ...]:
        """The variables that settle it, ascending."""

    @property
    def start(self) -> Value: ...

    def step(self, variable: int, branch: Branch | None, values: Values) -> Value:
        """Its value behind `variable`, which took `branch`, or is not live where that is None.

        `values` are those before the variable, and those behind it of each Membership.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """Whether a decision picked one of the alternatives that a guard allows."""

    allowed: frozenset[int]
    scope: tuple[int, ...]
    start: Value = False

    def step(self, variable: int, branch: Branch | None, values: Values) -> Value:
        if branch is None or values[self]:
            return values[self]
        return not self.allowed.isdisjoint(branch.sample)


@dataclass(frozen=True, slots=True, eq=False)
class Quota:
    """How many members a subset whose members are decided apart has so far."""

    least: int
    most: int
    scope: tuple[int, ...]
    start: Value = 0

    def step(self, variable: int, branch: Branch | None, values: Values) -> Value:
        if branch is None:
            return 0
        number = int(values[self]) + len(branch.sample)  # type: ignore[arg-type]
        short = variable == self.scope[-1] and number < self.least
        return REFUSED if short or number > self.most else number


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What is left of a constraint; True where it can no longer fail.

    `reads` are the values that each variable settles. Until `firm` is decided, a guard that fails
    or a value that is missing may still set the constraint aside.
    """

    guard: tuple[Membership, ...]
    reads: Mapping[int, tuple[Chosen | Counted, ...]]
    firm: int
    scope: tuple[int, ...]
    start: Value = field(default=True)

    def step(self, variable: int, branch: Branch | None, values: Values) -> Value:
        value = values[self]
        if value is True or any(self._fails(member, variable, values) for member in self.guard):
            return True
        reads = self.reads.get(variable, ())
        if reads:
            picks = None if branch is None else branch.sample
            if not all(made(chosen, picks) for chosen in reads):
                return True
            value = settle(value, reads[0].decision, picks or ())
        if settled(value):
            value = bool(value)
        return REFUSED if value is False and variable >= self.firm else value

    def _fails(self, member: Membership, variable: int, values: Values) -> bool:
        return member.scope[-1] == variable and not values[member]
