"""Runs benchmarks by name, prints their table, and compares it with the stored one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import front_end, limits, policies, searching, spaces, supernets
from benchmarks.frame import Benchmark, Result, run

STORED = Path(__file__).with_name("stored.json")
LOSS = 1.15
"""How much slower than the stored figure a benchmark may be, on the same machine."""

BENCHMARKS: Mapping[str, Benchmark] = {
    each.name: each
    for part in (front_end, spaces, policies, searching, supernets)
    for each in part.BENCHMARKS
}


def main() -> int:
    """0 where no benchmark lost, 1 where one did, 2 for a name that there is not."""
    given = _arguments()
    if given.limits:
        for line in limits.report(given.names, quick=given.quick):
            print(line, flush=True)
        return 0
    results = [run(BENCHMARKS[n], quick=given.quick) for n in given.names or BENCHMARKS]
    if given.output == "json":
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        print("\n".join(table(results, stored())))
    lost = lost_twice(results, stored(), quick=given.quick) if given.compare else []
    if lost:
        print(f"slower than stored by more than {LOSS - 1:.0%}: {', '.join(lost)}")
    if given.store:
        store(results)
    return 1 if lost else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="few runs: does it run at all?")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--compare", action="store_true", help="fails at a loss over 15 %%")
    parser.add_argument("--store", action="store_true", help="keeps the figures to compare with")
    parser.add_argument("--limits", action="store_true", help="where the time of steps goes")
    given = parser.parse_args()
    known = limits.NAMES if given.limits else BENCHMARKS
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"there is no benchmark {', '.join(unknown)}")
    return given


def stored() -> Mapping[str, Mapping[str, Any]]:
    """The stored results by name."""
    if not STORED.exists():
        return {}
    return {entry["name"]: entry for entry in json.loads(STORED.read_text("utf-8"))}


def store(results: Sequence[Result]) -> None:
    """Puts results beside those stored of other benchmarks."""
    kept = {**stored(), **{result.name: asdict(result) for result in results}}
    STORED.write_text(json.dumps(list(kept.values()), indent=2) + "\n", "utf-8")


def lost_twice(
    results: Sequence[Result], before: Mapping[str, Mapping[str, Any]], *, quick: bool
) -> list[str]:
    """The benchmarks that lost, and lost again when they were measured once more."""
    lost = [result.name for result in results if is_lost(result, before)]
    return [name for name in lost if is_lost(run(BENCHMARKS[name], quick=quick), before)]


def is_lost(result: Result, before: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a result is worse than the one stored of the same machine, quartiles apart."""
    entry = before.get(result.name)
    if entry is None or entry["machine"] != result.machine:
        return False
    return bool(result.ratio > LOSS * entry["ratio"] and result.low > entry["high"])


def table(results: Sequence[Result], before: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The results as lines: the ratio, its quartiles, the goal, and what was stored."""
    yield f"{'':18} {'ratio':>7}  {'quartiles':15} {'goal':>5}  {'stored':>7}  of"
    for r in results:
        goal = "" if r.goal is None else f"{r.goal:g}"
        entry = before.get(r.name)
        same = entry is not None and entry["machine"] == r.machine
        was = f"{entry['ratio']:.3f}" if entry is not None and same else ""
        sign = "" if r.met else "  (missed)"
        quartiles = f"{r.low:.3f} to {r.high:.3f}"
        yield f"{r.name:18} {r.ratio:7.3f}  {quartiles:15} {goal:>5}  {was:>7}  {r.unit}{sign}"
    if results:
        yield results[0].machine
