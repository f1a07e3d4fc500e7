"""Numbers of architectures, and uniform sampling through them."""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled_out import at_least, many, micro, once_for_all, one, space_of
from strategies import spaces

from enasdsl.ir.count import count
from enasdsl.ir.record import RecordError
from enasdsl.ir.sample import enumerate_space, rank, sample, unrank
from enasdsl.ir.space import Architecture, Constraint, Domain, Kind, Space
from enasdsl.semantics import symbols
from enasdsl.semantics.symbols import Chosen, Computed


def conditional() -> Space:
    """Stages of one to three layers, a subset with nested choices, and one requirement."""
    values = (0, 1, 2)
    decisions = [one("depth", 3)]
    decisions += [one(f"layer{i}", 3, at_least(0, i, 3)) for i in range(3)]
    decisions.append(many("some", Domain(Kind.SET, 3, 0, 2), at_least(0, 1, 3)))
    decisions.append(one("inner", 2, (symbols.Test(4, frozenset({1})),)))
    differ = Computed("!=", (Chosen(1, 0, values), Chosen(2, 0, values)))
    return space_of(decisions, Constraint(differ, (), "the first two layers differ"))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(spaces())
def test_rank_and_unrank_invert_each_other(space: Space) -> None:
    for index, architecture in enumerate(enumerate_space(space)):
        assert rank(space, architecture) == index
        assert unrank(space, index) == architecture


@pytest.mark.parametrize("space", [micro(), once_for_all()], ids=["micro", "ofa"])
@given(data=st.data())
def test_big_numbers_come_back(space: Space, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count(space) - 1))
    assert rank(space, unrank(space, index)) == index


def test_numbers_follow_independent_decisions_lexicographically() -> None:
    space = space_of([one("a", 3), many("b", Domain(Kind.SET, 3, 0, 3)), one("c", 2)])
    picks = [architecture.picks for architecture in enumerate_space(space)]
    by_length = [(a, (len(b or ()), b), c) for a, b, c in picks]
    assert by_length == sorted(by_length)


@pytest.mark.slow
def test_sampling_gives_every_architecture_the_same_probability() -> None:
    from scipy.stats import chisquare  # which takes a second

    space = conditional()
    drawn = Tally(sample(space, 40 * count(space), Random(1)))
    assert set(drawn) == set(enumerate_space(space))
    assert chisquare(list(drawn.values())).pvalue > 1e-3


@pytest.mark.slow
def test_sampling_by_decision_would_fail_the_same_test() -> None:
    from scipy.stats import chisquare  # which takes a second

    space = conditional()
    rng = Random(1)
    shallow = [a for a in enumerate_space(space) if a.picks[0] == (0,)]
    deep = [a for a in enumerate_space(space) if a.picks[0] != (0,)]
    drawn = Tally(rng.choice(shallow if rng.random() < 1 / 3 else deep) for _ in range(5000))
    observed = [drawn[a] for a in enumerate_space(space)]
    assert chisquare(observed).pvalue < 1e-6


def test_sampling_depends_on_the_generator_alone() -> None:
    space = micro()
    assert sample(space, 5, Random(3)) == sample(space, 5, Random(3))
    assert sample(space, 5, Random(3)) != sample(space, 5, Random(4))


def test_numbers_out_of_range_are_refused() -> None:
    space = space_of([one("a", 3)])
    for index in (-1, 3):
        with pytest.raises(ValueError, match="3, the size of the space"):
            unrank(space, index)


def test_foreign_architectures_are_refused() -> None:
    space = space_of([one("a", 3), one("b", 2, at_least(0, 2, 3))])
    known = unrank(space, 0)
    for foreign in (
        unrank(micro(), 5),
        replace(known, picks=((0,), (1,))),
        replace(known, picks=((7,), None)),
        Architecture("example", "0" * 12, known.picks),
    ):
        with pytest.raises(RecordError):
            rank(space, foreign)


def test_a_space_without_architectures_cannot_be_sampled() -> None:
    space = space_of([one("a", 3)], Constraint(Chosen(0, 0, (0, 0, 0)), (), "never"))
    assert list(enumerate_space(space)) == []
    with pytest.raises(ValueError, match="no architecture of `example`"):
        sample(space, 1, Random(0))
