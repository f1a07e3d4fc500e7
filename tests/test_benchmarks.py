"""The frame of the benchmarks: ratios, medians, quartiles, and what counts as a loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

import pytest
from benchmarks.frame import Benchmark, Result, alternated, run
from benchmarks.run import BENCHMARKS, is_lost, table

RESULT = Result("work", 1.0, 0.9, 1.1, 1.2, "1 s", "a machine")
STORED: Mapping[str, Mapping[str, object]] = {"work": asdict(RESULT)}


def test_a_result_is_the_median_and_the_quartiles() -> None:
    found = run(Benchmark("b", "1 s", 2.5, lambda quick: [1.0, 2.0, 3.0, 4.0, 5.0]), quick=True)
    assert (found.low, found.ratio, found.high) == (1.5, 3.0, 4.5)
    assert not found.met


def test_a_rival_that_does_twice_the_work_takes_twice_the_time() -> None:
    def action() -> int:
        return sum(range(1_000_000))

    ratios = alternated(action, lambda: (action(), action()), runs=9)
    assert 0.3 < sorted(ratios)[4] < 0.8


@pytest.mark.parametrize(
    ("ratio", "low", "machine", "lost"),
    [
        (1.1, 1.2, "a machine", False),
        (1.3, 1.2, "a machine", True),
        (1.3, 1.05, "a machine", False),  # within the spread of before
        (1.3, 1.2, "another", False),
    ],
)
def test_a_loss_is_one_beyond_the_spread_on_the_same_machine(
    ratio: float, low: float, machine: str, *, lost: bool
) -> None:
    found = replace(RESULT, ratio=ratio, low=low, machine=machine)
    assert is_lost(found, STORED) == lost


def test_the_table_says_which_goal_was_missed() -> None:
    _, met, missed, _ = table([RESULT, replace(RESULT, name="slow", ratio=1.3)], STORED)
    assert "missed" not in met
    assert "missed" in missed


@pytest.mark.parametrize("name", ["count_nasbench101", "unrank", "uniform", "enumerate"])
def test_a_benchmark_runs(name: str) -> None:
    assert run(BENCHMARKS[name], quick=True).ratio > 0
