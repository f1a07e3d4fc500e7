"""The front end is quick: what a whole file, and a count, may take of a processor's time."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest
from long_files import FILES, LINES

from enasdsl.ir.count import breakdown
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile, shipped
from enasdsl.syntax import ast

pytestmark = pytest.mark.slow
BUSY = 3.0  # tests run beside one another, on processors that others use
SPACES = sorted(path.stem for path in shipped("spaces").glob("*.enas"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Caches of this module's own, and bytecode, as users have."""
    known = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    return {**known, "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}


def seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """The least CPU of two whole processes: the first may fill the caches."""
    command = [sys.executable, "-m", "enasdsl", *arguments]
    spent = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


@pytest.mark.parametrize("kind", FILES)
def test_three_hundred_lines_are_checked_in_half_a_second(
    kind: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    text = FILES[kind]()
    assert text.count("\n") == LINES
    path = tmp_path / "long.enas"
    path.write_text(text, "utf-8")
    assert seconds(["check", str(path)], environment) < 0.5 * BUSY


def test_a_shipped_space_is_checked_in_three_tenths_of_a_second(
    environment: dict[str, str],
) -> None:
    assert seconds(["check", "micro"], environment) < 0.3 * BUSY


def test_help_needs_three_twentieths_of_a_second(environment: dict[str, str]) -> None:
    assert seconds(["--help"], environment) < 0.15 * BUSY


@pytest.mark.parametrize("name", SPACES)
def test_a_shipped_space_can_be_written_out_at_both_ends_of_its_params(name: str) -> None:
    tree = Compilation.open(name).tree
    assert tree is not None
    for param in (each for each in tree.declarations if isinstance(each, ast.Param)):
        ends = param.domain
        for end in (ends.low, ends.high) if isinstance(ends, ast.Range) else ():
            found = Compilation.open(name, overrides={param.name.text: end.span.text})
            assert found.diagnostics == (), f"{param.name.text} = {end.span.text}"


@pytest.mark.parametrize("name", SPACES)
def test_a_shipped_space_is_counted_in_a_twentieth_of_a_second(name: str) -> None:
    space = Compilation.open(name).outline
    assert space is not None
    start = time.process_time()
    breakdown(space)
    assert time.process_time() - start < 0.05 * BUSY


def test_it_does_not_matter_how_deep_the_caller_stands() -> None:
    """The interpreter's stack grows by pieces, and a loop may stand just at the end of one."""
    text = "space s\ncell c(x) { x -> repeat 300 { repeat 2 { relu } } }\n"

    def taken(depth: int) -> float:
        if depth:
            return taken(depth - 1)
        start = time.process_time()
        assert Compilation(SourceFile("s.enas", text)).outline
        return time.process_time() - start

    taken(0)
    each = [min(taken(depth) for _ in range(2)) for depth in range(0, 120, 2)]
    assert max(each) < 2.5 * median(each)
