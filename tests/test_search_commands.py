"""Search, derive, train and eval as the command line calls them, on files."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest
import torch
from rich.console import Console
from search_worlds import write_world

from enasdsl import search as public
from enasdsl.search import Ending, SearchError, derive, evaluate, search, train
from enasdsl.search.checkpoint import newest
from enasdsl.search.metrics import Metrics
from enasdsl.search.run import open_run


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def finished(world: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that is done and derived."""
    out = tmp_path_factory.mktemp("runs") / "run"
    search(*world, out=out, console=_quiet())
    derive(out, console=_quiet())
    return out


def _quiet() -> Console:
    return Console(file=io.StringIO())


def test_a_search_writes_down_what_it_was(world: tuple[Path, str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = search(*world, out=out, seed=3, settings={"hidden": 5, "controller.lr": 0.02})
    assert (result.ending, result.epochs) == (Ending.FINISHED, 2)
    assert result.steps == 2 * (6 + 4 + 10 + 1)
    run = open_run(out)
    assert run.recipe.params == {"hidden": 5}
    assert run.recipe.controller.lr == 0.02
    assert run.info.seed == 3
    assert run.info.versions["torch"] == torch.__version__
    assert run.space_file.read_text() == world[0].read_text()
    phases = [
        json.loads(line)["phase"] for line in (out / "metrics.jsonl").read_text().splitlines()
    ]
    assert set(phases) == {"weights", "controller", "samples", "beliefs"}
    assert len(list((out / "checkpoints").iterdir())) == 2
    assert list(out.glob("events.*"))


def test_a_folder_in_use_is_refused(finished: Path, world: tuple[Path, str]) -> None:
    with pytest.raises(SearchError, match="exists already") as caught:
        search(*world, out=finished)
    assert "--resume" in caught.value.help


def test_what_is_no_run_is_not_resumed(world: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(SearchError, match=r"no run\.json"):
        search(*world, out=tmp_path, resume=True)


def test_a_search_keeps_its_recipe_and_its_data(finished: Path, world: tuple[Path, str]) -> None:
    with pytest.raises(SearchError, match="keeps its recipe"):
        search(*world, out=finished, resume=True, settings={"weights.lr": "3"})
    with pytest.raises(SearchError, match="was started on"):
        search(world[0], "digits", out=finished, resume=True)
    assert search(*world, out=finished, resume=True).ending is Ending.FINISHED


@pytest.mark.parametrize(
    ("settings", "message", "help"),
    [
        ({"weights.learning_rate": 1}, "weights.learning_rate", "there are: optimizer, lr, "),
        ({"weights.moment": 0.5}, "weights.moment", "did you mean momentum?"),
        ({"controller.steps": "many"}, "controller.steps", ""),
        ({"hiden": 3}, "hiden", "check"),
    ],
)
def test_wrong_settings_are_said(
    settings: dict[str, object], message: str, help: str, world: tuple[Path, str], tmp_path: Path
) -> None:
    with pytest.raises(SearchError, match=message) as caught:
        search(*world, out=tmp_path / "run", settings=settings)
    assert help in caught.value.help
    assert not (tmp_path / "run").exists()


def test_data_of_another_kind_is_said(world: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="image_classifier"):
        search(world[0], "digits", out=tmp_path / "run")


def test_data_that_is_too_small_is_said(world: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="too few"):
        search(*world, out=tmp_path / "run", settings={"data.eval_batch": 4000})


def test_a_run_keeps_the_files_that_its_space_imports(
    world: tuple[Path, str], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    (folder / "parts").mkdir(parents=True)
    cell, rest = world[0].read_text().split("network language_model")
    (folder / "parts" / "cell.enas").write_text(cell.replace("space tiny_rnn", "space part"))
    text = f'space mine\nimport "parts/cell.enas"\nnetwork language_model{rest}'
    (folder / "mine.enas").write_text(text)
    out = tmp_path / "run"
    search(folder / "mine.enas", world[1], out=out, budget=0.001)
    rmtree(folder)
    result = search(folder / "mine.enas", world[1], out=out, resume=True, budget=60.0)
    assert result.ending is Ending.FINISHED


def test_a_space_of_one_architecture_is_searched_too(
    world: tuple[Path, str], tmp_path: Path
) -> None:
    """There is nothing for the controller to learn, so the weights alone are trained."""
    text = world[0].read_text()
    for chosen in ("choose [tanh, relu]", "choose [tanh, sigmoid]"):
        text = text.replace(chosen, "tanh")
    lone = tmp_path / "lone.enas"
    lone.write_text(text.replace("choose 1 from nodes", "previous"))
    result = search(lone, world[1], out=tmp_path / "run", console=_quiet())
    assert result.ending is Ending.FINISHED
    assert len(derive(result.run, console=_quiet()).best) == 1


def test_the_only_architecture_needs_no_name(world: tuple[Path, str], tmp_path: Path) -> None:
    file = tmp_path / "one.enas"
    text = world[0].read_text("utf-8").replace("choose [tanh, relu]", "tanh")
    with pytest.raises(SearchError, match="no architecture is named"):
        train(world[0], world[1], out=tmp_path / "several", console=_quiet())
    text = text.replace("choose [tanh, sigmoid]", "tanh").replace("choose 1 from nodes", "previous")
    file.write_text(text, "utf-8")
    result = train(file, world[1], out=tmp_path / "child", console=_quiet())
    assert (result.ending, result.epochs) == (Ending.FINISHED, 2)


def test_what_is_derived_is_ranked_by_reward(finished: Path) -> None:
    record = json.loads((finished / "derived.json").read_text())
    rewards = [entry["reward"] for entry in record["architectures"]]
    assert rewards == sorted(rewards, reverse=True)
    assert len({entry["token"] for entry in record["architectures"]}) == len(rewards) == 3
    assert record["sampled"] == 6
    first = record["architectures"][0]
    assert first["reward"] == pytest.approx(80 / first["perplexity"])


def test_shared_weights_are_evaluated_until_a_child_is_trained(finished: Path) -> None:
    best = json.loads((finished / "derived.json").read_text())["architectures"][0]
    shared = evaluate(finished)
    assert (shared.weights, shared.architecture) == ("shared", best["token"])
    assert shared.valid == pytest.approx(best["perplexity"])

    result = train(finished, console=_quiet())
    own = evaluate(finished)
    assert own.weights == "own"
    assert (own.valid, own.test) == (result.valid, result.test)
    record = json.loads((finished / "child" / "result.json").read_text())
    assert record["test_perplexity"] == result.test
    assert record["parameters"] == result.parameters


def test_a_child_can_start_from_shared_weights(finished: Path, tmp_path: Path) -> None:
    settings = {"child.weights.lr": 1e-9, "child.weights.steps": 1, "child.weights.epochs": 1}
    found = [
        train(finished, arch="2", out=tmp_path / name, settings=settings, from_shared=shared)
        for name, shared in (("shared", True), ("fresh", False))
    ]
    second = json.loads((finished / "derived.json").read_text())["architectures"][1]
    assert found[0].architecture == second["token"]
    assert found[0].valid == pytest.approx(second["perplexity"], rel=1e-4)
    assert found[1].valid != pytest.approx(second["perplexity"], rel=1e-4)


def test_a_child_that_was_cut_ends_as_one_that_was_not(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(finished, out=tmp_path / "whole")
    steps = json.loads((tmp_path / "whole" / "result.json").read_text())["steps"]
    for cut in (1, 4, steps - 1):
        out = tmp_path / f"cut{cut}"
        _cut_after(cut, monkeypatch)
        first = train(finished, out=out)
        assert first.ending is Ending.INTERRUPTED
        assert first.valid is None
        assert f"--out {out} --resume" in first.command
        monkeypatch.undo()
        resumed = train(finished, out=out, resume=True)
        assert (resumed.valid, resumed.test) == (whole.valid, whole.test)
        files = [tmp_path / name / "weights.safetensors" for name in ("whole", out.name)]
        assert files[0].read_bytes() == files[1].read_bytes()


def _cut_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends ctrl-C to this process once a session has taken so many steps."""
    add = Metrics.add
    seen = 0

    def add_and_cut(self: object, *args: object, **named: object) -> None:
        nonlocal seen
        add(self, *args, **named)  # type: ignore[arg-type]
        seen += 1
        if seen == steps:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Metrics, "add", add_and_cut)


def test_a_child_must_be_of_the_same_decisions(finished: Path, tmp_path: Path) -> None:
    text = open_run(finished).space_file.read_text().replace("tanh, relu", "tanh, relu, sigmoid")
    other = tmp_path / "other.enas"
    other.write_text(text)
    token = json.loads((finished / "derived.json").read_text())["architectures"][0]["token"]
    data = open_run(finished).info.data
    with pytest.raises(SearchError, match="hash"):
        train(other, data, arch=token, out=tmp_path / "child")
    result = train(finished / "space" / "tiny.enas", data, arch=token, out=tmp_path / "child")
    assert result.architecture == token


def test_training_leaves_time_for_its_figures(finished: Path, tmp_path: Path) -> None:
    settings = {"child.weights.epochs": 10_000}
    began = time.monotonic()
    result = train(finished, out=tmp_path / "child", settings=settings, budget=2.0)
    assert time.monotonic() - began < 6.0  # busy machines
    assert result.ending is Ending.BUDGET
    assert result.valid is not None
    assert "--budget 4s" in result.command


def test_nothing_derived_is_said(world: tuple[Path, str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    search(*world, out=out, budget=0.001)
    with pytest.raises(SearchError, match="no derived") as caught:
        train(out)
    assert f"enasdsl derive {out}" in caught.value.help


def test_a_killed_search_goes_on(world: tuple[Path, str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    settings = {"weights.epochs": 400}
    call = f"search({str(world[0])!r}, {world[1]!r}, out={str(out)!r}, settings={settings!r})"
    code = f"from enasdsl.search import search; {call}"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    checkpoints = out / "checkpoints"
    deadline = time.monotonic() + 60
    while len(list(checkpoints.glob("*.pt"))) < 2 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    saved = newest(checkpoints)
    budget = saved["seconds"] + 1.5
    result = search(*world, out=out, resume=True, budget=budget, settings=settings)
    assert result.steps > saved["steps"] > 0
    assert result.seconds < budget


def test_the_public_face_is_small() -> None:
    assert {"search", "derive", "train", "evaluate", "SearchError"} <= set(public.__all__)
    assert len(public.__all__) <= 16
