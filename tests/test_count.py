"""Counting by two roads: the fold over variables, and a walk over every architecture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import comb, factorial, prod
from time import process_time

import pytest
from hypothesis import given, settings
from spelled_out import (
    at_least,
    macro,
    many,
    micro,
    once_for_all,
    one,
    picks_of,
    rnn,
    space_of,
    sum_of,
)
from strategies import spaces

from enasdsl.ir.count import Breakdown, TooManyStates, breakdown, count
from enasdsl.ir.counter import Counter
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Constraint, Domain, Kind, Space
from enasdsl.semantics import symbols
from enasdsl.semantics.symbols import (
    OPERATORS,
    Chosen,
    Computed,
    Condition,
    Counted,
    Num,
    Picks,
    Scalar,
)


def holds(guard: Condition, picks: Iterable[Picks]) -> bool:
    taken = list(picks)
    return all(
        set(taken[t.decision] or ()) & t.allowed for t in guard if isinstance(t, symbols.Test)
    )


def value_of(num: Num, picks: list[Picks]) -> Scalar:
    """The value of `num`; raises LookupError where it reads what was not picked."""
    match num:
        case Chosen(decision, slot, values, missing):
            taken = picks[decision]
            if taken is not None and slot < len(taken):
                return values[taken[slot]]
            if missing is None:
                raise LookupError
            return missing
        case Computed(operator, operands):
            return OPERATORS[operator](*[value_of(o, picks) for o in operands])
        case Counted(decision, allowed):
            return sum(pick in allowed for pick in picks[decision] or ())
        case _:
            return num


def meets(constraint: Constraint, picks: list[Picks]) -> bool:
    try:
        return not holds(constraint.guard, picks) or bool(value_of(constraint.value, picks))
    except LookupError:
        return True


def brute_force(space: Space) -> set[tuple[Picks, ...]]:
    """The architectures, found by walking all of them."""
    found: list[list[Picks]] = [[]]
    for decision in space.decisions:
        found = [
            [*before, picks]
            for before in found
            for picks in (picks_of(decision.domain) if holds(decision.guard, before) else [None])
        ]
    return {tuple(p) for p in found if all(meets(c, p) for c in space.constraints)}


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(spaces())
def test_count_is_the_number_of_architectures(space: Space) -> None:
    found = [architecture.picks for architecture in enumerate_space(space)]
    assert count(space) == len(found) == len(set(found))
    assert set(found) == brute_force(space)


def factors(entry: Breakdown) -> Iterator[Breakdown]:
    yield entry
    for part in entry.parts:
        yield from factors(part)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(spaces())
def test_breakdown_multiplies_to_the_count(space: Space) -> None:
    whole = breakdown(space)
    assert whole.count == count(space)
    assert whole.decisions == len(space.decisions)
    for entry in factors(whole):
        if entry.parts:
            assert entry.count == prod(part.count for part in entry.parts)
            assert len({s for p in entry.parts for s in p.scopes}) == sum(
                len(part.scopes) for part in entry.parts
            )


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (micro(), 25_628_906_250_000_000_000_000_000),
        (macro(), 160_618_186_625_454_535_808_756_219_904),
        (rnn(), 669_692_775_628_800),
        (once_for_all(), 21_758_655_492_572_485_851),
        (once_for_all(depths_first=True), 21_758_655_492_572_485_851),
    ],
    ids=["micro", "macro", "rnn", "ofa", "ofa with its depths first"],
)
def test_published_spaces(space: Space, expected: int) -> None:
    counter = Counter(space)
    assert counter.count == expected
    assert counter.rank(counter.unrank(expected - 1)) == expected - 1


def test_breakdown_names_cells_and_nodes() -> None:
    whole = breakdown(micro())
    assert [part.scopes for part in whole.parts] == [("normal",), ("reduction",)]
    nodes = whole.parts[0].parts
    assert [node.scopes for node in nodes] == [(f"normal.node{i}",) for i in range(3, 8)]
    assert [node.count for node in nodes] == [(5 * i) ** 2 for i in range(2, 7)]
    assert all(node.decisions == 4 for node in nodes)


def test_breakdown_joins_what_a_guard_or_a_constraint_ties() -> None:
    stages = breakdown(once_for_all()).parts
    assert [(stage.scopes, stage.count) for stage in stages] == [
        ((f"stage{i}",), 9**2 + 9**3 + 9**4) for i in range(5)
    ]
    assert [(part.scopes, part.count) for part in stages[0].parts] == [
        (("stage0", "stage0.layer2", "stage0.layer3"), 1 + 9 + 9**2),
        (("stage0.layer0",), 9),
        (("stage0.layer1",), 9),
    ]
    tie = Constraint(
        Computed("!=", (Chosen(0, 0, (0, 1)), Chosen(1, 0, (0, 1)))), (), "they differ"
    )
    letters = [one(f"c.{x}.d", 2, scope=f"c.{x}") for x in "pqr"]
    cell = breakdown(space_of(letters, tie)).parts[0]
    assert [(p.scopes, p.count) for p in cell.parts] == [(("c.p", "c.q"), 2), (("c.r",), 2)]


def test_one_depth_shared_by_fifty_repeats() -> None:
    layers = [one(f"repeat{r}.layer{i}", 7, at_least(0, i, 6)) for r in range(50) for i in range(6)]
    expected = sum(7 ** (50 * depth) for depth in range(1, 7))
    assert count(space_of([one("depth", 6), *layers])) == expected


def test_depth_within_depth() -> None:
    decisions = [one("outer", 4)]
    for i in range(4):
        inner = len(decisions)
        outside = at_least(0, i, 4)
        decisions.append(one(f"stage{i}.inner", 3, outside))
        decisions += [one(f"stage{i}.{j}", 5, outside + at_least(inner, j, 3)) for j in range(3)]
    stage = 5 + 5**2 + 5**3
    assert count(space_of(decisions)) == sum(stage**depth for depth in range(1, 5))


def test_nested_choices_of_a_large_subset() -> None:
    n = 40
    nested = [one(f"inner{i}", 3, (symbols.Test(0, frozenset({i})),)) for i in range(n)]
    anything = many("some", Domain(Kind.SET, n, 0, n))
    assert count(space_of([anything, *nested])) == 4**n
    half = many("some", Domain(Kind.SET, n, 20, 20))
    assert count(space_of([half, *nested])) == comb(n, 20) * 3**20
    repeated = many("some", Domain(Kind.MULTISET, n, 3, 3))
    expected = n * 3 + n * (n - 1) * 3**2 + comb(n, 3) * 3**3
    assert count(space_of([repeated, *nested])) == expected


def test_a_budget_over_many_decisions() -> None:
    decisions = [one(f"op{i}", 4) for i in range(60)]
    convs = sum_of(Chosen(i, 0, (1, 0, 0, 0)) for i in range(60))
    budget = Constraint(Computed("<=", (convs, 10)), (), "at most ten convolutions")
    expected = sum(comb(60, k) * 3 ** (60 - k) for k in range(11))
    assert count(space_of(decisions, budget)) == expected


def test_decisions_that_must_ascend() -> None:
    decisions = [one(f"width{i}", 30) for i in range(12)]
    values = tuple(range(30))
    rising = [
        Constraint(Computed("<", (Chosen(i, 0, values), Chosen(i + 1, 0, values))), (), "rising")
        for i in range(11)
    ]
    assert count(space_of(decisions, *rising)) == comb(30, 12)


def test_a_constraint_without_decisions_settles_everything() -> None:
    space = space_of([one("a", 3)], Constraint(False, (), "never"))
    assert count(space) == breakdown(space).count == 0
    assert count(space_of([one("a", 3)], Constraint(True, (), "always"))) == 3


def test_too_many_states_name_their_decisions() -> None:
    decisions = [one(f"a{i}", 2) for i in range(30)]
    powers = sum_of(Chosen(i, 0, (0, 3**i)) for i in range(30))
    multiple = Constraint(Computed("==", (Computed("%", (powers, 7)), 0)), (), "a multiple")
    with pytest.raises(TooManyStates, match=r"a0, a1, a2") as caught:
        Counter(space_of(decisions, multiple), limit=1000)
    assert caught.value.limit == 1000
    assert set(caught.value.decisions) <= set(decisions)


def test_a_read_decision_that_cannot_be_listed_is_named() -> None:
    domain = Domain(Kind.ARRANGEMENT, 12, 12, 12)
    space = space_of([many("order", domain), one("b", 2, (symbols.Test(0, frozenset({1})),))])
    with pytest.raises(TooManyStates, match="order"):
        count(space)
    assert count(space_of([many("order", domain)])) == factorial(12)


def test_a_long_file_takes_little_time() -> None:
    decisions = [one(f"d{i}", 3, at_least(i - 1, i % 2, 3)) for i in range(3000)]
    began = process_time()
    assert count(space_of(decisions)) == (1 + 2 * 3) ** 1500
    assert process_time() - began < 5
