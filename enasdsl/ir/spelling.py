"""How the picks of a decision are spelled in digits, for what takes them one after another.

A digit is the index of a pick. Where the number of picks is open it comes first, from zero at the
least; a set of open size has instead a digit for each of its alternatives, which is 0 or 1.
"""

from __future__ import annotations

from enasdsl.ir.domain import Pick
from enasdsl.ir.space import Domain, Kind


def bitwise(domain: Domain) -> bool:
    """Whether each alternative has a digit of its own."""
    return domain.kind is Kind.SET and domain.least < domain.most


def lengthy(domain: Domain) -> bool:
    """Whether the number of picks is the first digit."""
    return domain.kind is not Kind.SET and domain.least < domain.most


def spelled(domain: Domain, picks: Pick) -> tuple[int, ...]:
    """The digits of `picks`; no pick's are the beginning of another's."""
    if bitwise(domain):
        return tuple(int(i in picks) for i in range(domain.size))
    return (len(picks) - domain.least, *picks) if lengthy(domain) else picks
