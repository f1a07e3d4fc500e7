"""Any file at all is answered: with a space or with diagnostics, soon, and in little memory.

`python -m tests.fuzz --files 100000` does the same at length.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.corpus import FOUND, found
from fuzz.judge import judge
from fuzz.report import minimise

ROOT = Path(__file__).resolve().parent.parent
FILES = 150
pytestmark = pytest.mark.slow
BUSY = 5.0  # tests run beside one another


@pytest.mark.parametrize("path", sorted(FOUND.glob("*.enas")), ids=lambda path: path.stem)
def test_what_once_broke_something_is_answered(path: Path, tmp_path: Path) -> None:
    verdict = judge(tmp_path / "fuzz.enas", path.read_text("utf-8"), slack=BUSY)
    assert not verdict.failure, verdict.story
    assert verdict.outcome


def test_what_tells_all_apart_is_refused_in_little_memory(tmp_path: Path) -> None:
    """In a process of its own, which may take 500 MB."""
    program = (
        "import sys; from pathlib import Path; from fuzz.judge import judge\n"
        "from fuzz.run import confine; confine(); text = Path(sys.argv[1]).read_text()\n"
        f"found = judge(Path(sys.argv[2]), text, slack={BUSY}); print(found.outcome, found.story)"
    )
    path = FOUND / "sum_that_tells_all_apart.enas"
    command = [sys.executable, "-c", program, str(path), str(tmp_path / "fuzz.enas")]
    ended = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "fine, not counted"


def test_files_of_every_kind_are_answered(tmp_path: Path) -> None:
    """In a process of its own, whose memory can be limited."""
    command = [sys.executable, "-m", "tests.fuzz", "--files", f"{FILES}", "--workers", "1"]
    command += ["--slack", f"{BUSY}"]
    ended = subprocess.run(
        [*command, "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{FILES} files" in ended.stdout


def test_a_failing_file_is_cut_down_to_what_fails() -> None:
    text = "space s\nop a { relu }\ncell c(x) { x -> boom }\nop b { tanh }\n"
    assert minimise(text, lambda part: "boom" in part) == "boom"


def test_what_was_found_is_kept() -> None:
    assert found()
