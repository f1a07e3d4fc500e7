"""Verdicts on files: children that are trained alike, cut, killed and gone on with."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest
import torch
from rich.console import Console
from search_worlds import write_world

from enasdsl.cli import main
from enasdsl.ir.record import from_token
from enasdsl.pipeline import Compilation
from enasdsl.search import Ending, SearchError, checkpoint, derive, search, verdict
from enasdsl.search.clock import Interruption
from enasdsl.search.learned import by_chance, courses, visited
from enasdsl.search.run import Info, create, open_run, write
from enasdsl.search.seeds import seed_of

Captured = pytest.CaptureFixture[str]
UNEQUAL = ("seconds", "started", "versions", "file", "budget")
"""What may differ between a verdict that was cut and one that was not."""


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that is derived."""
    world = write_world(tmp_path_factory.mktemp("world"))
    out = tmp_path_factory.mktemp("runs") / "run"
    search(*world, out=out, console=_quiet())
    derive(out, console=_quiet())
    return out


@pytest.fixture
def run(searched: Path, tmp_path: Path) -> Path:
    """A copy of that, to be judged."""
    return Path(copytree(searched, tmp_path / "run"))


def _quiet() -> Console:
    return Console(file=io.StringIO())


def _facts(value: Any) -> Any:
    match value:
        case dict():
            return {k: _facts(v) for k, v in value.items() if k not in UNEQUAL}
        case list():
            return [_facts(v) for v in value]
        case _:
            return value


def _kept(run: Path) -> dict[str, object]:
    """All that a verdict has written, but for what time it took."""
    found: dict[str, object] = {}
    for path in sorted((run / "verdict").rglob("*")):
        name = str(path.relative_to(run))
        match path.suffix:
            case ".json":
                found[name] = _facts(json.loads(path.read_text()))
            case ".jsonl":
                found[name] = [_facts(json.loads(line)) for line in path.read_text().splitlines()]
            case ".safetensors":
                found[name] = path.read_bytes()
    found["children"] = _facts(json.loads((run / "verdict.json").read_text())["children"])
    return found


class _Cuts:
    """Interruptions that come at the given looks at the signal, and then no more."""

    def __init__(self, patch: pytest.MonkeyPatch, looks: int) -> None:
        self.left = looks
        patch.setattr(Interruption, "__bool__", lambda _: self.over())

    def over(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_verdict_that_was_cut_goes_on_bit_for_bit(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path(copytree(run, tmp_path / "whole"))
    assert verdict(whole, children=2, console=_quiet()).ending is Ending.FINISHED
    for looks in (1, 9, 21):
        with monkeypatch.context() as patch:
            _Cuts(patch, looks)
            cut = verdict(run, children=2, console=_quiet())
        assert cut.ending is Ending.INTERRUPTED
        assert "No verdict" in cut.text
    assert verdict(run, children=2, console=_quiet()).ending is Ending.FINISHED
    assert _kept(run) == _kept(whole)


def test_children_are_trained_alike_with_seeds_of_their_own(run: Path) -> None:
    found = verdict(run, children=2, seeds=2, console=_quiet()).comparison
    names = ["found", "random1", "random2"]
    folders = [run / "verdict" / f"{name}{turn}" for turn in ("", "-2") for name in names]
    children = [open_run(folder) for folder in folders]
    assert len({child.info.seed for child in children}) == 6
    assert all(child.recipe == children[0].recipe for child in children)
    results = [json.loads((folder / "result.json").read_text()) for folder in folders]
    assert len({(result["steps"], result["epochs"]) for result in results}) == 1
    assert found.found is not None
    best = json.loads((run / "derived.json").read_text())["architectures"][0]
    assert found.found.token == best["token"]
    assert found.found.shared == pytest.approx(best["perplexity"])
    assert found.found.test == tuple(results[n]["test_perplexity"] for n in (0, 3))
    assert [child.name for child in found.chance] == names[1:]


def test_a_longer_verdict_begins_with_the_shorter_one(run: Path) -> None:
    short = verdict(run, children=1, console=_quiet(), budget=1000.0).comparison
    long = verdict(run, children=3, console=_quiet()).comparison
    assert long.chance[:1] == short.chance
    assert long.found == short.found
    again = verdict(run, children=1, console=_quiet()).comparison
    assert again == short
    assert len(list((run / "verdict").glob("random*"))) == 3


def test_where_the_search_went_on_shared_weights_are_asked_again(run: Path) -> None:
    known = verdict(run, children=1, console=_quiet()).comparison
    file = run / "verdict/plan.json"
    plan = json.loads(file.read_text())
    for child in plan["children"]:
        child["shared"] = 1.0
    write(file, json.dumps(plan | {"weights": plan["weights"] - 1}))
    assert verdict(run, children=1, console=_quiet()).comparison == known


def test_a_budget_is_for_all_of_it(run: Path) -> None:
    found = verdict(run, children=2, budget=0.001, console=_quiet())
    assert found.ending is Ending.BUDGET
    assert found.comparison.chance == ()
    assert found.command.endswith("--children 2 --budget 0.002s")
    assert "No verdict: the found child is not trained" in (run / "verdict.txt").read_text()
    assert verdict(run, children=2, budget=1000.0, console=_quiet()).ending is Ending.FINISHED
    done = verdict(run, children=2, budget=0.002, console=_quiet())  # there is nothing left to do
    assert done.ending is Ending.FINISHED


def test_a_child_without_a_checkpoint_is_begun_anew(run: Path) -> None:
    verdict(run, children=1, console=_quiet())
    expected = _kept(run)
    child = run / "verdict/random1"
    rmtree(child / "checkpoints")
    (child / "result.json").unlink()
    verdict(run, children=1, console=_quiet())
    assert _kept(run) == expected


def test_what_is_derived_may_not_change_below_a_verdict(run: Path) -> None:
    verdict(run, children=1, console=_quiet())
    derived = json.loads((run / "derived.json").read_text())
    derived["architectures"].reverse()
    write(run / "derived.json", json.dumps(derived))
    with pytest.raises(SearchError, match="about another architecture") as caught:
        verdict(run, children=1, console=_quiet())
    assert str(run / "verdict") in caught.value.help


def test_settings_are_those_of_all_children(run: Path) -> None:
    for wrong in ({"child.weights.epoch": "1"}, {"hiden": "4"}):
        with pytest.raises(SearchError):
            verdict(run, children=1, settings=wrong, console=_quiet())
    assert not (run / "verdict").exists()
    one = {"child.weights.epochs": "1"}
    assert verdict(run, children=1, settings=one, console=_quiet()).comparison.epochs == 1
    assert verdict(run, children=2, console=_quiet()).comparison.epochs == 1
    with pytest.raises(SearchError, match="trains all children alike"):
        verdict(run, children=1, settings={"child.weights.epochs": "2"}, console=_quiet())


def test_a_run_that_is_not_derived_is_derived_first(run: Path) -> None:
    (run / "derived.json").unlink()
    assert verdict(run, children=1, console=_quiet()).comparison.found is not None
    with pytest.raises(SearchError, match="is a child, not a search"):
        verdict(run / "verdict/found", console=_quiet())


def test_a_checkpoint_of_another_make_is_said(run: Path) -> None:
    path = checkpoint.saved(run / "checkpoints")[0]
    state = torch.load(path, weights_only=True)
    del state["job"]["visited"]
    torch.save(state, path)
    for use in (
        lambda: verdict(run, children=1, console=_quiet()),
        lambda: search(
            open_run(run).info.file, open_run(run).info.data, out=run, resume=True, console=_quiet()
        ),
    ):
        with pytest.raises(SearchError, match="of another version of enasdsl: KeyError"):
            use()


def test_a_search_by_table_has_no_children(searched: Path, tmp_path: Path) -> None:
    run = open_run(searched)
    create(tmp_path / "run", run.info.model_copy(update={"table": "t.json"}), run.recipe, {})
    with pytest.raises(SearchError, match="from a table"):
        verdict(tmp_path / "run", console=_quiet())


# ------------------------------------------------------- a search by itself


def test_a_search_ends_with_what_it_shows_by_itself(searched: Path) -> None:
    text = (searched / "verdict.txt").read_text()
    assert f"enasdsl verdict {searched} --children 10 --budget 1h" in text
    assert "One run is no verdict." in text
    facts = json.loads((searched / "verdict.json").read_text())
    assert "children" not in facts
    assert facts["search"]["visited"]["drawn"] == 2 * (6 + 4 * 2 + 10)
    run = open_run(searched)
    space = Compilation.open(run.space_file).space
    assert space is not None
    found = {course.path: course for course in courses(run, space)}
    lines = run.space_file.read_text().splitlines()
    assert set(found) == {d.path for d in space.decisions if len(d.labels) > 1}
    for course in found.values():
        file, _, line = course.place.partition(":")
        assert file == "tiny.enas"
        assert course.text in lines[int(line) - 1]
        assert len(course.entropy) == 2


def test_of_searches_beside_it_the_newest_alike_by_chance_is_taken(
    searched: Path, tmp_path: Path
) -> None:
    run = open_run(searched)

    def beside(name: str, **changes: object) -> None:
        info = run.info.model_copy(update={"strategy": "random", **changes})
        create(tmp_path / name, info, run.recipe, {})

    own = replace(run, folder=tmp_path / "own")
    assert by_chance(own) is None
    beside("older", started="2020-01-01")
    beside("newer", started="2021-01-01")
    beside("other_data", started="2022-01-01", data="digits")
    beside("other_space", started="2022-01-01", hash="0" * 12)
    beside("other_strategy", started="2022-01-01", strategy="evolution")
    beside("child", started="2022-01-01", kind="child")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    other = run.recipe.model_copy(update={"params": {"hidden": 5}})
    create(tmp_path / "other_recipe", Info(**run.info.model_dump()), other, {})
    found = by_chance(own)
    assert found is not None
    assert found.folder.name == "newer"
    assert by_chance(replace(own, info=found.info)) is None


def test_architectures_of_one_class_are_counted_once() -> None:
    space = Compilation.open("rnn", overrides={"N": 3}).space
    assert space is not None
    drawn = Counter({f"enas_rnn:{space.hash}:{picks}": n for picks, n in _PICKS})
    for token in drawn:
        from_token(space, token)
    found = visited(space, drawn, None)
    assert (found.drawn, found.different, found.sorted, found.classes) == (8, 3, 3, 2)
    assert (found.total, found.modulo) == (4**3 * 2, ("rename",))
    assert visited(space, drawn, 1).classes == 1


_PICKS = (("0.0.1.0.2", 4), ("0.0.2.0.1", 3), ("0.0.1.1.2", 1))
"""Both nodes read the first, tanh: relu beside identity, the same the other way, one after one."""


# ------------------------------------------------------------------- commands


@pytest.mark.parametrize(
    "words", [["--children", "0"], ["--seeds", "0"], ["--budget", "soon"], ["--children", "x"]]
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: Captured) -> None:
    assert main(["verdict", "run", *words]) == 2
    assert capsys.readouterr().out == ""


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: Captured) -> None:
    assert main(["verdict", str(tmp_path)]) == 1
    assert "is not a run" in capsys.readouterr().err


def test_the_command_prints_what_it_keeps(run: Path, capsys: Captured) -> None:
    assert main(["verdict", str(run), "--children", "1"]) == 0
    assert capsys.readouterr().out == (run / "verdict.txt").read_text()
    assert main(["verdict", str(run), "--children", "1", "--output", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["verdict"].startswith("These children cannot tell")
    assert main(["verdict", str(run), "--children", "2", "--budget", "0.001s"]) == 0
    assert f"go on with: enasdsl verdict {run} --children 2" in capsys.readouterr().out


@pytest.mark.trains
def test_a_killed_verdict_on_digits_goes_on(tmp_path: Path) -> None:
    """The whole of it, as a user types it, and a power cut while a child is trained."""
    small = "L=3 filters=4 weights.epochs=1 weights.steps=9 child.weights.epochs=1 derive.samples=3"
    words = ["search", "macro", "--data", "digits", "--out", str(tmp_path / "run")]
    for setting in small.split():
        words += ["--set", setting]
    assert main(words) == 0
    whole = Path(copytree(tmp_path / "run", tmp_path / "whole"))
    command = [sys.executable, "-m", "enasdsl", "verdict", str(tmp_path / "run"), "--children", "2"]
    process = subprocess.Popen(
        command,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    checkpoints = tmp_path / "run/verdict/random1/checkpoints"
    deadline = time.monotonic() + 120
    while not (checkpoints.is_dir() and any(checkpoints.iterdir())):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    for folder in (whole, tmp_path / "run"):
        assert verdict(folder, children=2, console=_quiet()).ending is Ending.FINISHED
    assert _kept(tmp_path / "run") == _kept(whole)
    assert seed_of(0, "verdict", "found", 0) == open_run(whole / "verdict/found").info.seed
