"""Which differences between two architectures `modulo` overlooks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

RULES = ("prune dead", "erase zero", "contract identity", "commute", "rename")


@dataclass(frozen=True, slots=True)
class Modulo:
    """The rules in force.

    `prune`: what no output reads, and what no input reaches, is left out; a zero reaches nothing.
    `erase`: a zero adds nothing to a sum. `contract`: an identity is what it reads, and so are a
    node and a sum of one; a sum in a sum is one sum. `commute`: the order in a merge does not
    count. `rename`: nodes have no numbers, which makes merges commute too.
    """

    prune: bool = False
    erase: bool = False
    contract: bool = False
    commute: bool = False
    rename: bool = False

    @staticmethod
    def of(rules: Iterable[str]) -> Modulo:
        """The rules by their words; raises ValueError for words that name none."""
        given = set(rules)
        if unknown := sorted(given.difference(RULES)):
            raise ValueError(f"`{unknown[0]}` is no rule; there are {', '.join(RULES)}")
        return Modulo(
            prune="prune dead" in given,
            erase="erase zero" in given,
            contract="contract identity" in given,
            commute=bool(given & {"commute", "rename"}),
            rename="rename" in given,
        )
