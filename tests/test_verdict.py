"""The statistics of a verdict by two roads, and the words that they are put into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import inf, isnan, sqrt

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from enasdsl.search.comparison import Comparison, Trained, compare, needed
from enasdsl.search.learned import Course, Earned, Learned, Visited
from enasdsl.search.resampling import Numbers, Statistic, bootstrap, kendall, spearman
from enasdsl.view.verdict import comparison_text, conclusion, learned_text

SCORES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def median(x: Numbers) -> float:
    return float(np.median(x))


def child(test: float, *, name: str = "random", shared: float = 0.0, valid: float = 0.0) -> Trained:
    return Trained(name, "tiny:0:0", shared, (valid,), (test,), 1000, 2.0)


def compared(
    found: float | None, tests: Sequence[float], figure: str = "accuracy", *, resamples: int = 9
) -> Comparison:
    own = None if found is None else child(found, name="found")
    others = [child(test, shared=test, valid=test) for test in tests]
    return compare(
        figure, own, others, asked=len(tests), seeds=1, epochs=3, rng=rng(), resamples=resamples
    )


# ----------------------------------------------------------------- statistics


@settings(max_examples=50)
@given(SCORES)
def test_kendall_is_a_count_of_pairs(pairs: list[tuple[int, int]]) -> None:
    """Of those in order less those out of order, over the geometric mean of those without ties."""
    order = first = second = 0
    for (a, b), (c, d) in combinations(pairs, 2):
        order += np.sign((a - c) * (b - d))
        first += a != c
        second += b != d
    x, y = (np.array(column, float) for column in zip(*pairs, strict=True))
    if first and second:
        assert kendall(x, y) == pytest.approx(order / sqrt(first * second))
    else:
        assert isnan(kendall(x, y))


@given(SCORES)
def test_spearman_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(column, float) for column in zip(*pairs, strict=True))
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
    else:
        assert isnan(spearman(x, y))


def test_a_bootstrap_interval_is_that_of_scipy() -> None:
    draws = np.random.default_rng(1)
    x = draws.normal(size=25)
    y = x + draws.normal(size=25)
    cases: list[tuple[Statistic, tuple[Numbers, ...]]] = [(median, (x,)), (spearman, (x, y))]
    for statistic, samples in cases:
        ours = bootstrap(statistic, *map(list, samples), rng=rng(), resamples=2000)
        theirs = scipy.stats.bootstrap(
            samples, statistic, paired=True, vectorized=False, method="percentile",
            n_resamples=2000, rng=np.random.default_rng(7),
        ).confidence_interval  # fmt: skip
        assert ours is not None
        assert ours.value == pytest.approx(statistic(*samples))
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.08)


def test_what_is_no_number_is_no_estimate() -> None:
    assert bootstrap(median, [], rng=rng()) is None
    assert bootstrap(kendall, [1.0, 2.0], [3.0, 3.0], rng=rng()) is None
    two = bootstrap(kendall, [1.0, 2.0], [3.0, 4.0], rng=rng())  # half the resamples are constant
    assert two is not None
    assert (two.low, two.high) == (1, 1)


# ----------------------------------------------------------------- comparison


@settings(max_examples=30)
@given(st.lists(st.integers(0, 30), min_size=2, max_size=9), st.booleans())
def test_chance_gives_no_rank_more_often_than_is_said(tests: list[int], less: bool) -> None:
    """Whichever of the children is taken for the found one, by enumeration."""
    figure = "perplexity" if less else "accuracy"
    lucks = Counter[float]()
    for place, found in enumerate(tests):
        luck = compared(found, tests[:place] + tests[place + 1 :], figure).luck
        assert luck is not None
        lucks[luck] += 1
    for luck in lucks:
        assert sum(n for other, n in lucks.items() if other <= luck) / len(tests) <= luck + 1e-9


def test_the_lead_is_over_the_median_whichever_way_is_better() -> None:
    up = compared(0.9, [0.5, 0.6, 0.8])
    down = compared(100.0, [150.0, 120.0, 90.0], "perplexity", resamples=500)
    assert up.lead is not None
    assert down.lead is not None
    assert (up.rank, up.median) == (1, 0.6)
    assert up.lead.value == pytest.approx(0.3)
    assert (down.rank, down.median, down.lead.value) == (2, 120, 20)
    assert down.lead.low <= -10 < 30 <= down.lead.high
    assert up.kendall is not None
    assert up.kendall.value == 1


def test_a_perplexity_without_bound_does_no_harm() -> None:
    worst = float(np.exp(700.0))
    found = compared(100.0, [150.0, worst, worst], "perplexity")
    assert found.rank == 1
    assert "rank 1 of 4" in comparison_text(found)


def test_few_children_cannot_tell_and_enough_of_them_can() -> None:
    assert needed() == 19
    few, many = compared(1.0, [0.5] * 18), compared(1.0, [0.5] * 19)
    assert not few.tells
    assert many.tells
    assert conclusion(few).startswith("These children cannot tell")
    assert "19 random children" in conclusion(few)
    assert conclusion(many).startswith("The found child does better than chance mostly would")
    middle = compared(0.5, [0.1 * n for n in range(19)])
    assert conclusion(middle).startswith("No sign that the search found more than chance")
    assert conclusion(compared(None, [0.5])).startswith("No verdict: the found child")
    assert conclusion(compared(0.5, [])).startswith("No verdict: no random child")


def test_where_sizes_differ_that_is_said() -> None:
    assert "parameters than" not in comparison_text(compared(0.5, [0.1, 0.2]))
    small, large = child(0.1), replace(child(0.2), parameters=2000)
    found = replace(child(0.5, name="found"), parameters=1500)
    both = compare("accuracy", found, [small, large], asked=2, seeds=1, epochs=1, rng=rng())
    assert "1 of the 2 have fewer parameters" in " ".join(comparison_text(both).split())


@settings(max_examples=30)
@given(st.none() | st.floats(0, 1), st.lists(st.floats(0, 1), max_size=5))
def test_whatever_is_there_is_said(found: float | None, tests: list[float]) -> None:
    text = comparison_text(compared(found, tests))
    assert "nan" not in text
    assert "None" not in text
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "one search with one seed" in text


# ------------------------------------------------------------ a run by itself


def learnt(courses: Sequence[Course] = (), *, chance: Earned | None = None) -> Learned:
    visited = Visited(50, 30, 20, 10, ("rename",), 10**9)
    earned = Earned("run", 3, (0.25, 0.75, 0.5), None)
    return Learned("run", "enas", 3, visited, earned, chance, tuple(courses))


def test_entropies_are_told_by_line_and_by_decision() -> None:
    courses = [
        Course("cell.node1.a", "x.enas:7", "choose ops", 1.0, (1.0, 0.5, None)),
        Course("cell.node2.a", "x.enas:7", "choose ops", 2.0, (2.0, 1.0, 0.25)),
        Course("other.node1.a", "x.enas:7", "choose ops", 2.0, (None, None, None)),
    ]
    rows = [line.split() for line in learned_text(learnt(courses)).splitlines()]
    assert ["after", "epoch", "1", "2", "3", "at", "most"] in rows
    cell, other = (row for row in rows if row[:1] == ["x.enas:7"])
    assert cell[3:] == ["cell,", "2", "decisions", "1.50", "0.75", "0.25", "1.50"]
    assert other[3:] == ["other,", "1", "decision", "-", "-", "-", "2.00"]
    each = [line.split() for line in learned_text(learnt(courses), each=True).splitlines()]
    assert ["x.enas:7", "choose", "ops", "cell.node1.a", "1.00", "0.50", "-", "1.00"] in each


def test_of_many_epochs_the_first_and_the_last_are_shown() -> None:
    entropy = tuple(float(n) for n in range(41))
    text = learned_text(learnt([Course("c.a", "x.enas:1", "choose ops", inf, entropy)]))
    assert "0.00  10.00  20.00  30.00  40.00" in text


def test_rewards_stand_beside_those_by_chance() -> None:
    text = learned_text(learnt(chance=Earned("beside", 0, (0.125, 0.375), 0.4375)))
    assert "0.5000 in the last epoch, 0.7500 in the best\n" in text
    assert "0.3750 in the last epoch, 0.3750 in the best, 0.4375 of the best derived" in text
    assert "beside" in text
    assert "50 architectures, 30 different, of 1.00e9; the latest 20 are of 10 classes" in text
