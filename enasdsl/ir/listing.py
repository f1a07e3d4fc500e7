"""Decisions whose picks are listed, digit by digit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from enasdsl.ir.domain import Pick
from enasdsl.ir.progress import Progress, Settled, States
from enasdsl.ir.space import Domain
from enasdsl.ir.spelling import spelled
from enasdsl.ir.variables import Variable

Trie = Mapping[Pick, Mapping[int, int]]
"""Behind each beginning, the digits that may follow and, as bits, the outcomes that have them."""


class Listed(NamedTuple):
    """A decision of variables that are spelled one after another: the next is that at `place`.

    `prefix` are the digits of it that are taken.
    """

    decision: int
    place: int
    prefix: Pick
    states: States


class Listing:
    """The rule of one decision of which the picks, or those of each slot, are listed."""

    def __init__(
        self, decision: int, domain: Domain, variables: Sequence[Variable], progress: Progress
    ) -> None:
        self._decision, self._progress = decision, progress
        slots = variables[0].slot is not None
        self._tries = [_trie(_places(v) if slots else _spellings(v, domain)) for v in variables]

    def start(self, states: States) -> Listed:
        return Listed(self._decision, 0, (), states)

    def digits(self, part: Listed) -> Iterator[int]:
        """The digits that may come next."""
        allowed = self._progress.open(part.states[part.place])
        behind = self._tries[part.place][part.prefix]
        return (digit for digit, outcomes in behind.items() if outcomes & allowed)

    def follow(self, part: Listed, digit: int) -> Listed | Settled:
        """What such a digit leads to."""
        trie, prefix = self._tries[part.place], (*part.prefix, digit)
        if prefix in trie:
            return part._replace(prefix=prefix)
        outcome = trie[part.prefix][digit].bit_length() - 1
        states = self._progress.passed(self._decision, part.states, part.place, outcome)
        if part.place + 1 == len(self._tries):
            return Settled(self._decision, states)
        return Listed(self._decision, part.place + 1, (), states)


def _places(variable: Variable) -> Iterator[tuple[Pick, int]]:
    return ((picks, outcome) for picks, (outcome, _) in variable.places.items())


def _spellings(variable: Variable, domain: Domain) -> Iterator[tuple[Pick, int]]:
    return ((spelled(domain, picks), outcome) for picks, outcome in _places(variable))


def _trie(spellings: Iterator[tuple[Pick, int]]) -> Trie:
    trie: dict[Pick, dict[int, int]] = {}
    for digits, outcome in spellings:
        for at, digit in enumerate(digits):
            behind = trie.setdefault(digits[:at], {})
            behind[digit] = behind.get(digit, 0) | 1 << outcome
    return trie
