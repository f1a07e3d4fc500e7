"""The pick arithmetic of one domain: its size, and its picks in order, in closed form.

Picks are ordered by length, and within a length lexicographically. Nothing here walks a domain
except `enumerate_domain`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from math import comb, perm

from enasdsl.ir.space import Domain, Kind

Pick = tuple[int, ...]


def size(domain: Domain) -> int:
    """The number of different picks."""
    return _starts(domain)[-1]


def unrank(domain: Domain, index: int) -> Pick:
    """The pick at `index`; raises ValueError where there is none."""
    if domain.kind is Kind.ONE and 0 <= index < domain.size:
        return (index,)
    starts = _starts(domain)
    if not 0 <= index < starts[-1]:
        raise ValueError(f"index {index} is not in 0..{starts[-1] - 1}")
    shorter = sum(start <= index for start in starts[1:])
    length = domain.least + shorter
    return _unrank(domain.kind, domain.size, length, index - starts[shorter])


def rank(domain: Domain, picks: Pick) -> int:
    """The index of `picks`, the inverse of `unrank`; raises ValueError for a foreign pick."""
    if not valid(domain, picks):
        raise ValueError(f"{picks} is not a pick of {domain}")
    return _starts(domain)[len(picks) - domain.least] + _rank(domain.kind, domain.size, picks)


def enumerate_domain(domain: Domain) -> Iterator[Pick]:
    """Every pick, in order."""
    return (unrank(domain, index) for index in range(size(domain)))


def valid(domain: Domain, picks: Pick) -> bool:
    """Whether `picks` is one of the domain's, ascending where order does not count."""
    if not domain.least <= len(picks) <= domain.most:
        return False
    if not all(0 <= p < domain.size for p in picks):
        return False
    match domain.kind:
        case Kind.ONE | Kind.SEQUENCE:
            return True
        case Kind.ARRANGEMENT:
            return len(set(picks)) == len(picks)
        case Kind.SET:
            return all(a < b for a, b in pairwise(picks))
        case Kind.MULTISET:
            return all(a <= b for a, b in pairwise(picks))


@lru_cache(maxsize=4096)
def _starts(domain: Domain) -> tuple[int, ...]:
    """The index of the first pick of each length, and behind them the number of all picks."""
    lengths = range(domain.least, domain.most + 1)
    ways = (_ways(domain.kind, domain.size, length) for length in lengths)
    return tuple(accumulate(ways, initial=0))


def _ways(kind: Kind, n: int, k: int) -> int:
    match kind:
        case Kind.ONE | Kind.SEQUENCE:
            return int(n**k)
        case Kind.ARRANGEMENT:
            return perm(n, k)
        case Kind.SET:
            return comb(n, k)
        case Kind.MULTISET:
            return comb(n + k - 1, k) if k else 1


def _unrank(kind: Kind, n: int, k: int, index: int) -> Pick:
    match kind:
        case Kind.ONE | Kind.SEQUENCE:
            digits = []
            for _ in range(k):
                index, digit = divmod(index, n)
                digits.append(digit)
            return tuple(reversed(digits))
        case Kind.ARRANGEMENT:
            left = list(range(n))
            picks = []
            for position in range(k):
                place, index = divmod(index, perm(n - position - 1, k - position - 1))
                picks.append(left.pop(place))
            return tuple(picks)
        case Kind.SET:
            return _combination(n, k, index)
        case Kind.MULTISET:
            return tuple(p - i for i, p in enumerate(_combination(max(n + k - 1, 0), k, index)))


def _rank(kind: Kind, n: int, picks: Pick) -> int:
    k = len(picks)
    index = 0
    match kind:
        case Kind.ONE | Kind.SEQUENCE:
            for pick in picks:
                index = index * n + pick
        case Kind.ARRANGEMENT:
            for position, pick in enumerate(picks):
                place = pick - sum(p < pick for p in picks[:position])
                index += place * perm(n - position - 1, k - position - 1)
        case Kind.SET:
            behind = sum(comb(n - 1 - pick, k - i) for i, pick in enumerate(picks))
            index = comb(n, k) - 1 - behind
        case Kind.MULTISET:
            index = _rank(Kind.SET, max(n + k - 1, 0), tuple(p + i for i, p in enumerate(picks)))
    return index


def _combination(n: int, k: int, index: int) -> Pick:
    """The k-subset of 0..n-1 at `index`: the combinatorial number system, read from the end."""
    behind = comb(n, k) - 1 - index
    picks = []
    top = n
    for left in range(k, 0, -1):
        top -= 1
        while (ways := comb(top, left)) > behind:
            top -= 1
        behind -= ways
        picks.append(n - 1 - top)
    return tuple(picks)
