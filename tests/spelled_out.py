"""Spaces made by hand, as a lowering would make them, and the picks of a domain walked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, combinations_with_replacement, permutations, product

from enasdsl.ir.space import Constraint, Decision, Domain, Kind, Source, Space
from enasdsl.semantics.symbols import Computed, Condition, Num, Test


def picks_of(domain: Domain) -> Iterator[tuple[int, ...]]:
    """Every pick, by the standard library."""
    for length in range(domain.least, domain.most + 1):
        alternatives = range(domain.size)
        match domain.kind:
            case Kind.ONE | Kind.SEQUENCE:
                yield from product(alternatives, repeat=length)
            case Kind.ARRANGEMENT:
                yield from permutations(alternatives, length)
            case Kind.SET:
                yield from combinations(alternatives, length)
            case Kind.MULTISET:
                yield from combinations_with_replacement(alternatives, length)


def one(path: str, n: int, guard: Condition = (), scope: str = "") -> Decision:
    labels = tuple(f"option{i}" for i in range(n))
    return Decision(path, scope, Domain(Kind.ONE, n), labels, Source.VALUE, guard)


def many(path: str, domain: Domain, guard: Condition = (), scope: str = "") -> Decision:
    labels = tuple(f"option{i}" for i in range(domain.size))
    return Decision(path, scope, domain, labels, Source.OPERATION, guard)


def space_of(decisions: Iterable[Decision], *constraints: Constraint) -> Space:
    return Space("example", "image_classifier", tuple(decisions), constraints)


def at_least(decision: int, least: int, n: int) -> Condition:
    """The guard of an iteration: its depth decision picked at least index `least` of `n`."""
    return (Test(decision, frozenset(range(least, n))),) if least else ()


def sum_of(nums: Iterable[Num]) -> Num:
    total: Num = 0
    for num in nums:
        total = Computed("+", (total, num))
    return total


def micro() -> Space:
    decisions = [
        one(f"{cell}.node{i}.{name}", n, scope=f"{cell}.node{i}")
        for cell in ("normal", "reduction")
        for i in range(3, 8)
        for name, n in (("a", i - 1), ("b", i - 1), ("f", 5), ("g", 5))
    ]
    return space_of(decisions)


def macro() -> Space:
    skips = (many(f"skips{k}", Domain(Kind.SET, k - 1, 0, k - 1)) for k in range(1, 13))
    return space_of(d for k, skip in enumerate(skips) for d in (one(f"op{k}", 6), skip))


def rnn() -> Space:
    return space_of(d for i in range(1, 13) for d in (one(f"s{i}", max(i - 1, 1)), one(f"a{i}", 4)))


def once_for_all(*, depths_first: bool = False) -> Space:
    """Five stages of two to four layers; each layer takes one of nine forms."""
    decisions = [one(f"stage{s}.depth", 3, scope=f"stage{s}") for s in range(5 * depths_first)]
    for s in range(5):
        if not depths_first:
            decisions.append(one(f"stage{s}.depth", 3, scope=f"stage{s}"))
        depth = s if depths_first else len(decisions) - 1
        for layer in range(4):
            scope = f"stage{s}.layer{layer}"
            guard = at_least(depth, max(layer - 1, 0), 3)
            decisions += [one(f"{scope}.{name}", 3, guard, scope) for name in ("k", "e")]
    return space_of(decisions)
