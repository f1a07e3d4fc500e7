"""Every code has a file that provokes it, and the exact words that the user then reads.

`ENASDSL_REWRITE=E01 pytest tests/test_mistakes.py` writes the renderings whose names begin with
`E01` anew; none is written that lacks the code of its name.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from enasdsl.diagnostics import CATALOGUE, Diagnostic
from enasdsl.pipeline import Compilation
from enasdsl.report import render
from enasdsl.syntax.read import SIZE_LIMIT

FOLDER = Path(__file__).parent / "mistakes"
FILES = sorted(path.name for path in FOLDER.glob("*.enas"))

MADE: Mapping[str, Callable[[Path], object]] = {
    "E0150_missing": lambda path: path,
    "E0151_folder": lambda path: path.mkdir(),
    "E0154_large": lambda path: path.write_bytes(b"param x = 1\n" * (10 * SIZE_LIMIT // 12)),
}
"""Mistakes that no file of a repository can make, and what makes them."""

UNREADABLE = f"E0152_{'long' * 80}"  # a name that the system refuses


def diagnose(path: Path) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a file, and where nothing is, what is likely wrong."""
    compilation = Compilation.open(path)
    return compilation.diagnostics or compilation.findings


def _compare(name: str, found: tuple[Diagnostic, ...]) -> None:
    stored = FOLDER / f"{name}.txt"
    rendering = render(found, color=False)
    assert name[:5] in {each.code for each in found}
    chosen = os.environ.get("ENASDSL_REWRITE")
    if chosen and name.startswith(chosen):
        stored.write_text(rendering, encoding="utf-8")
    assert rendering == stored.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_a_mistake_reads_as_stored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    _compare(name.removesuffix(".enas"), diagnose(Path(name)))


@pytest.mark.parametrize("name", [*MADE, UNREADABLE])
def test_a_file_that_cannot_be_read_is_reported_at_once(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    if name in MADE:
        MADE[name](Path(f"{name}.enas"))
    start = time.process_time()
    found = diagnose(Path(f"{name}.enas"))
    assert time.process_time() - start < 2
    _compare("E0152_name" if name == UNREADABLE else name, found)


def test_every_code_has_a_file() -> None:
    assert {path.name[:5] for path in FOLDER.glob("*.txt")} == set(CATALOGUE)


def test_every_file_has_a_rendering_and_every_rendering_is_used() -> None:
    stored = {path.stem for path in FOLDER.glob("*.txt")}
    assert stored == {name.removesuffix(".enas") for name in FILES} | set(MADE) | {"E0152_name"}
