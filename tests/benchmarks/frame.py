"""What a benchmark is, and what one run of it gives."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Action = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Ratios of what is measured to a rival, or to a wanted figure: less is better.

    `measure` gives some of them, fewer where it is told to be `quick`. For a rate it gives the
    wanted rate over the one that was reached. `goal` is the ratio that must not be passed; `unit`
    says what 1 stands for.
    """

    name: str
    unit: str
    goal: float | None
    measure: Callable[[bool], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Result:
    """The median of the ratios, and their quartiles `low` and `high`."""

    name: str
    ratio: float
    low: float
    high: float
    goal: float | None
    unit: str
    machine: str

    @property
    def met(self) -> bool:
        return self.goal is None or self.ratio <= self.goal


def run(benchmark: Benchmark, *, quick: bool) -> Result:
    """Measures once, with a pass before it that does not count."""
    ratios = benchmark.measure(quick)
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
    return Result(
        benchmark.name,
        ratio=round(middle, 4),
        low=round(low, 4),
        high=round(high, 4),
        goal=benchmark.goal,
        unit=benchmark.unit,
        machine=machine(),
    )


def seconds(action: Action, *, runs: int, times: int = 1) -> list[float]:
    """CPU of one `action`, in `runs` runs of `times` each, after one that does not count."""
    action()
    return [spent(action, times) for _ in range(runs)]


def alternated(action: Action, rival: Action, *, runs: int) -> list[float]:
    """Ratios of `action` to `rival` by processor time, in turn: both see the same machine."""
    action(), rival()
    return [spent(action) / spent(rival) for _ in range(runs)]


def spent(action: Action, times: int = 1) -> float:
    """CPU of one `action`, on average."""
    start = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - start) / times


def machine() -> str:
    """Processor, cores and Python: figures of different machines are not compared."""
    version = ".".join(map(str, sys.version_info[:2]))
    return f"{_processor()}, {os.cpu_count()} cores, Python {version}"


def _processor() -> str:
    """Its name; virtual machines shorten that, so the family and the model follow."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    facts = {name.strip(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    name = facts.get("model name", platform.processor() or platform.machine())
    family = [
        f"{k} {facts[f]}" for k, f in (("family", "cpu family"), ("model", "model")) if f in facts
    ]
    return " ".join((name, *family))
