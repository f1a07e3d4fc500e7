"""Spaces: counted, numbered, drawn from and enumerated, inside a process."""

from __future__ import annotations

from functools import cache, partial
from random import Random

from benchmarks.frame import Benchmark, seconds
from enasdsl.ir.count import breakdown
from enasdsl.ir.counter import counter
from enasdsl.ir.sample import enumerate_space, sample, unrank
from enasdsl.ir.space import Space
from enasdsl.pipeline import Compilation
from enasdsl.source import shipped

BATCH = 1_024


@cache
def shipped_space(name: str) -> Space:
    space = Compilation.open(name).outline
    assert space is not None
    return space


def _counted(space: Space) -> None:
    counter.cache_clear()
    breakdown(space)


def _slowest_count(quick: bool) -> list[float]:
    names = sorted(path.stem for path in shipped("spaces").glob("*.enas"))
    runs = 2 if quick else 7
    every = [seconds(partial(_counted, shipped_space(name)), runs=runs) for name in names]
    return [max(spent) / 0.05 for spent in zip(*every, strict=True)]


def _count_nasbench101(quick: bool) -> list[float]:
    space = shipped_space("nasbench101")
    return [s / 1.0 for s in seconds(lambda: _counted(space), runs=2 if quick else 9)]


def _enumeration(quick: bool) -> list[float]:
    space = shipped_space("nasbench201")
    runs = 2 if quick else 9
    return [s / 0.2 for s in seconds(lambda: sum(1 for _ in enumerate_space(space)), runs=runs)]


def _unrank(quick: bool) -> list[float]:
    space, rng = shipped_space("micro"), Random(0)
    total = counter(space).count
    one = seconds(lambda: unrank(space, rng.randrange(total)), runs=9, times=50 if quick else 1000)
    return [s / 100e-6 for s in one]


def _uniform(quick: bool) -> list[float]:
    """Architectures of a batch by the second; the wanted rate over the one that was reached."""
    space, rng = shipped_space("micro"), Random(0)
    runs = seconds(lambda: sample(space, BATCH, rng), runs=3 if quick else 9)
    return [s / BATCH * 100_000 for s in runs]


BENCHMARKS = (
    Benchmark("count", "50 ms, the slowest shipped space", 1.0, _slowest_count),
    Benchmark("count_nasbench101", "1 s", 1.0, _count_nasbench101),
    Benchmark("unrank", "100 us, an architecture of micro", 1.0, _unrank),
    Benchmark("uniform", "100,000 a second, of micro in a batch", 1.0, _uniform),
    Benchmark("enumerate", "0.2 s, all of nasbench201", 1.0, _enumeration),
)
