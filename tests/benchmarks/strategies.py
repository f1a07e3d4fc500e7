"""Strategies compared on the table of NAS-Bench-Macro: `python -m tests.benchmarks.strategies`.

Nothing is trained: each architecture's mean test accuracy on CIFAR-10, of three trainings, stands
in the table (Su et al. 2021). The seeds are other than those with which defaults were chosen.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import torch

from enasdsl.ir.space import Architecture, Space
from enasdsl.pipeline import Compilation
from enasdsl.search.ranking import class_key
from enasdsl.search.strategy import strategy_of
from enasdsl.search.table import read_table
from enasdsl.search.tabular import DEFAULTS, Prices, Tabular
from enasdsl.semantics.recipe import Recipe, validate

TABLE = Path("../shared/data/nas-bench-macro/nas-bench-macro_cifar10.json")
STRATEGIES = ("random", "evolution", "enas")
MILESTONES = (100, 300, 1000)
FIRST_SEED = 100


@dataclass(frozen=True)
class World:
    """A space, what a table says of it, and what names the classes of its architectures."""

    space: Space
    prices: Prices
    key: Callable[[Architecture], str]
    recipe: Recipe

    @classmethod
    def of(cls, table: Path, space: str = "nasbench_macro") -> World:
        found = Compilation.open(space).space
        assert found is not None
        key = cache(class_key(found))
        prices = Prices.of(found, read_table(table, found, key), None)
        return cls(found, prices, key, validate(DEFAULTS))

    def bests(self, strategy: str, seed: int, milestones: Sequence[int]) -> list[float]:
        """The best reward after each number of queries."""
        job = Tabular(
            strategy_of(strategy, self.space, self.recipe, seed),
            self.prices,
            self.key,
            queries=milestones[-1],
            children=self.recipe.controller.children,
        )
        while not job.done:
            job.step()
        rewards = [entry.measure.reward for entry in job.found.values()]
        return [max(rewards[:queries]) for queries in milestones]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the median best after each milestone, and its regret."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strategies", nargs="*", default=STRATEGIES, metavar="STRATEGY")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--seeds", type=int, default=30)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    world = World.of(asked.table)
    print(f"best of the table: {world.prices.best:.3f}; median of {asked.seeds} seeds (regret)")
    print("strategy  " + "".join(f"{n:>18}" for n in MILESTONES))
    for strategy in asked.strategies:
        seeds = range(FIRST_SEED, FIRST_SEED + asked.seeds)
        runs = [world.bests(strategy, seed, MILESTONES) for seed in seeds]
        middle = [median(column) for column in zip(*runs, strict=True)]
        cells = (f"{best:.3f} ({world.prices.best - best:.3f})" for best in middle)
        print(f"{strategy:10}" + "".join(f"{cell:>18}" for cell in cells), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
