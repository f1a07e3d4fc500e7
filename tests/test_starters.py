"""The files that `enasdsl new` writes: each can be used as it stands."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from enasdsl.cli import main
from enasdsl.cli.starters import STARTERS
from enasdsl.ir.count import count
from enasdsl.ir.sample import enumerate_space, sample
from enasdsl.pipeline import Compilation
from enasdsl.search.compiled import compile_space

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", STARTERS)
def test_a_starter_checks_counts_samples_and_compiles(kind: str, capsys: Captured) -> None:
    assert main(["new", "made/my-space", "--kind", kind]) == 0
    assert main(["check", "made/my-space.enas"]) == 0
    assert "my_space is fine" in capsys.readouterr().out
    compilation = Compilation.open("made/my-space.enas")
    space = compilation.space
    assert space is not None
    assert compilation.diagnostics == ()
    assert count(space) > 1000
    assert len(set(sample(space, 20, Random(0)))) > 10
    compiled = compile_space("made/my-space.enas", recipe=None, settings={}, seed=0)
    assert compiled.facts["count"] == str(count(space))


def test_the_count_of_a_starter_is_that_of_its_records() -> None:
    """The transformer's chosen depth removes decisions."""
    assert main(["new", "t", "--kind", "transformer"]) == 0
    space = Compilation.open("t.enas").space
    assert space is not None
    assert count(space) == len(set(enumerate_space(space))) == 3 * (9**2 + 9**3 + 9**4)


@pytest.mark.trains
@pytest.mark.parametrize("kind", STARTERS)
def test_a_starter_is_searched_as_its_writer_is_told(kind: str, capsys: Captured) -> None:
    assert main(["new", "mine", "--kind", kind]) == 0
    told = capsys.readouterr().out.splitlines()[-1].split()
    assert told[:3] == ["enasdsl", "search", "mine.enas"]
    words = [*told[1 : told.index("--budget")], "--budget", "4s", "--out", "run"]
    assert main(words) == 0
    assert Path("run/run.json").exists()


def test_a_file_that_is_there_is_left_as_it_was(capsys: Captured) -> None:
    Path("mine.enas").write_text("precious", "utf-8")
    assert main(["new", "mine"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert Path("mine.enas").read_text("utf-8") == "precious"


@pytest.mark.parametrize("name", ["3d", "choose", "a b", "", "node."])
def test_a_name_that_no_space_can_have_is_refused(name: str, capsys: Captured) -> None:
    assert main(["new", name]) == 2
    assert "error" in capsys.readouterr().err
    assert list(Path().iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(capsys: Captured) -> None:
    Path("taken").write_text("", "utf-8")
    assert main(["new", "taken/mine"]) == 1
    assert "cannot be written" in capsys.readouterr().err
