"""Mutations: one step away, always legal, and by steps everywhere."""

from __future__ import annotations

from collections import Counter as Tally
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spelled_out import at_least, many, micro, once_for_all, one, space_of
from strategies import spaces

from enasdsl.ir.count import count
from enasdsl.ir.mutate import mutate
from enasdsl.ir.record import check
from enasdsl.ir.sample import enumerate_space, sample, unrank
from enasdsl.ir.space import Architecture, Constraint, Domain, Kind, Space
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Chosen, Computed


def _differing(a: Architecture, b: Architecture) -> list[int]:
    return [i for i, (x, y) in enumerate(zip(a.picks, b.picks, strict=True)) if x != y]


@pytest.mark.slow
@settings(max_examples=150)
@given(spaces(), st.data())
def test_a_mutation_is_another_architecture_of_the_space(space: Space, data: st.DataObject) -> None:
    total = count(space)
    assume(total)
    architecture = unrank(space, data.draw(st.integers(0, total - 1)))
    rng = Random(data.draw(st.integers(0, 99)))
    for _ in range(5):
        mutated = mutate(space, architecture, rng)
        check(space, mutated)
        assert (mutated == architecture) == (total == 1)
        architecture = mutated


@settings(max_examples=60)
@given(spaces(most=4))
def test_mutations_reach_every_architecture(space: Space) -> None:
    """From any architecture, also where constraints forbid each change of one decision alone."""
    total = count(space)
    assume(0 < total <= 24)
    rng = Random(0)
    for start in enumerate_space(space):
        seen = {start}
        architecture = start
        for _ in range(400 * total):
            architecture = mutate(space, architecture, rng)
            seen.add(architecture)
            if len(seen) == total:
                break
        assert len(seen) == total


def test_two_decisions_that_are_tied_change_together() -> None:
    """The sum of two digits is 3: no single change is legal, and all four pairs are reached."""
    values = tuple(range(4))
    tied = Computed("==", (Computed("+", (Chosen(0, 0, values), Chosen(1, 0, values))), 3))
    space = space_of([one("a", 4), one("b", 4)], Constraint(tied, (), "the sum is 3"))
    rng = Random(0)
    found = Tally(mutate(space, unrank(space, 0), rng) for _ in range(300))
    assert set(found) == set(enumerate_space(space)) - {unrank(space, 0)}


@pytest.mark.slow
def test_without_ties_one_decision_changes_and_each_alike() -> None:
    from scipy.stats import chisquare  # which takes a second

    space = space_of([one("a", 3), one("b", 5), many("c", Domain(Kind.SET, 3, 0, 3))])
    start = unrank(space, 17)
    rng = Random(0)
    found = Tally(mutate(space, start, rng) for _ in range(6000))
    assert all(len(_differing(start, a)) == 1 for a in found)
    assert len(found) == 2 + 4 + 7
    shares = {0: 2, 1: 4, 2: 7}  # other picks of each decision, of which a third is changed
    expected = [6000 / 3 / shares[_differing(start, a)[0]] for a in found]
    assert chisquare(list(found.values()), expected).pvalue > 0.001


def test_what_a_change_makes_live_is_drawn_and_what_it_makes_dead_goes() -> None:
    space = space_of([one("deep", 2), one("inner", 3, at_least(0, 1, 2)), one("last", 2)])
    shallow = Architecture(space.name, space.hash, ((0,), None, (1,)))
    rng = Random(0)
    found = {mutate(space, shallow, rng).picks for _ in range(100)}
    assert found == {((0,), None, (0,)), *(((1,), (i,), (1,)) for i in range(3))}
    deep = Architecture(space.name, space.hash, ((1,), (2,), (1,)))
    assert ((0,), None, (1,)) in {mutate(space, deep, rng).picks for _ in range(100)}


@pytest.mark.parametrize("space", [micro(), once_for_all()], ids=["micro", "ofa"])
def test_large_spaces_keep_almost_all(space: Space) -> None:
    rng = Random(0)
    (start,) = sample(space, 1, rng)
    for _ in range(20):
        mutated = mutate(space, start, rng)
        check(space, mutated)
        changed = [i for i in _differing(start, mutated) if start.picks[i] and mutated.picks[i]]
        assert len(changed) <= 1


@pytest.mark.parametrize("name", ["darts", "nasbench101", "nasbench_macro"])
def test_shipped_spaces_are_walked(name: str) -> None:
    space = Compilation.open(name).outline
    assert space is not None
    rng = Random(0)
    (architecture,) = sample(space, 1, rng)
    for _ in range(30):
        architecture = mutate(space, architecture, rng)
        check(space, architecture)
