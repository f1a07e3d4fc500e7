"""The files that the fuzzer starts from: written for people, or for the tests, or found by it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from programs import Program, programs

from enasdsl.source import shipped

TESTS = Path(__file__).resolve().parent.parent
FOUND = TESTS / "corpus"
"""Minimised files that once broke something."""


def found() -> tuple[str, ...]:
    return tuple(path.read_text("utf-8") for path in sorted(FOUND.glob("*.enas")))


@cache
def corpus() -> tuple[str, ...]:
    """Shipped spaces, known mistakes, the examples of the reference, and what was found before."""
    paths = [
        *sorted(shipped("spaces").glob("*.enas")),
        *sorted((TESTS / "mistakes").glob("*.enas")),
    ]
    files = [path.read_bytes().decode("utf-8", "replace") for path in paths]
    page = (shipped("grammars") / "README.md").read_text("utf-8")
    examples = re.findall(r"^```enas\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return (*files, *examples, *found())


@cache
def generated(number: int, start: int) -> tuple[str, ...]:
    """Valid files, by the strategy of the other tests; `start` is its seed."""
    files: list[str] = []

    @seed(start)
    @settings(
        max_examples=number,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def collect(program: Program) -> None:
        files.append(program.text)

    collect()
    return tuple(files)
