"""Controllers: how fast they draw, alone and in batches, and how fast they learn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch

from benchmarks.frame import Benchmark, seconds
from benchmarks.supernets import one_thread
from enasdsl.nn.controller import Controller
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.enas import controller_of
from enasdsl.search.reinforce import Reinforce
from enasdsl.semantics.recipe import Recipe

BATCH = 1024
LEARNED = 20
"""Architectures of one update, as in the paper's macro search."""


def _policy(name: str) -> tuple[Controller, Recipe]:
    """The controller of a shipped space by its recipe `paper`."""
    file = SpaceFile.open(name)
    _, recipe = file.recipe("paper", {}, file.task)
    space = file.space(recipe.params, file.task)
    return controller_of(space, recipe.controller, 0), recipe


def _draws(name: str, n: int, wanted: float, quick: bool) -> Sequence[float]:
    """The wanted rate over that of `n` architectures at once, log-probabilities included."""
    controller, _ = _policy(name)
    draws = torch.Generator().manual_seed(0)
    with one_thread(), torch.no_grad():
        times = seconds(
            lambda: controller.sample(n, draws),
            runs=3 if quick else 11,
            times=max(1, 20 // n),
        )
    return [wanted * time / n for time in times]


def _updates(wanted: float, quick: bool) -> Sequence[float]:
    """The time of an update on LEARNED architectures of micro, their rewards aside."""
    controller, recipe = _policy("micro")
    learner = Reinforce(controller, recipe.controller)
    with torch.no_grad():
        drawn = controller.sample(LEARNED, torch.Generator().manual_seed(0)).architectures
    rewards = [0.1 + i / 100 for i in range(LEARNED)]
    with one_thread():
        times = seconds(lambda: learner.update(drawn, rewards), runs=3 if quick else 21)
    return [time / wanted for time in times]


_BATCH = partial(_draws, "micro", BATCH, 2e4)
_ALONE = partial(_draws, "micro", 1, 400.0)
_MACRO = partial(_draws, "macro", BATCH, 3e3)
BENCHMARKS = (
    Benchmark("draws", "20,000 a second, micro by 1,024", 1.0, _BATCH),
    Benchmark("draws_alone", "400 a second, micro singly", 1.0, _ALONE),
    Benchmark("draws_macro", "3,000 a second, macro by 1,024", 1.0, _MACRO),
    Benchmark("update", "20 ms, REINFORCE on 20 of micro", 1.0, partial(_updates, 0.020)),
)
