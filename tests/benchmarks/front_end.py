"""The front end: whole processes, from their start to their end, by their processor time."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from long_files import FILES, LINES

from benchmarks.frame import Benchmark


def process(wanted: float, arguments: Sequence[str], quick: bool) -> list[float]:
    """Processor seconds of a command of enasdsl, caches warm, over the `wanted` ones."""
    with _caches() as environment:
        _cpu(arguments, environment)
        return [_cpu(arguments, environment) / wanted for _ in range(3 if quick else 15)]


def _long_files(quick: bool) -> list[float]:
    """Of every kind of file: of each run the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{kind}.enas" for kind in FILES]
        for path in paths:
            path.write_text(FILES[path.stem](), "utf-8")
        every = [process(0.5, ("check", str(path)), quick) for path in paths]
    return [max(ratios) for ratios in zip(*every, strict=True)]


def _cpu(arguments: Sequence[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "enasdsl", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def _caches() -> Iterator[dict[str, str]]:
    """An environment with caches of its own, and with bytecode, as users have it."""
    known = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        yield {**known, "XDG_CACHE_HOME": folder}


BENCHMARKS = (
    Benchmark("help", "0.15 s, `--help`", 1.0, partial(process, 0.15, ("--help",))),
    Benchmark("check", "0.3 s, `check micro`", 1.0, partial(process, 0.3, ("check", "micro"))),
    Benchmark("check_long", f"0.5 s, a file of {LINES} lines", 1.0, _long_files),
)
