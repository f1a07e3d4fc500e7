"""The commands that train, as words: their messages, their codes, and ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors import safe_open
from search_worlds import write_world

from enasdsl.cli import main
from enasdsl.cli.ending import UsageError
from enasdsl.cli.searching import seconds

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A tiny space and data for it, as words of a command."""
    file, data = write_world(tmp_path_factory.mktemp("world"))
    return str(file), data


@pytest.fixture(scope="module")
def run(world: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a finished search."""
    out = str(tmp_path_factory.mktemp("runs") / "run")
    assert main(["search", world[0], "--data", world[1], "--out", out]) == 0
    return out


@pytest.mark.parametrize(
    ("words", "message", "help"),
    [
        (["--recipe", "fast"], "has no recipe `fast`", "it has: quick"),
        (["--set", "weights.epoch=3"], "no setting `weights.epoch`", "did you mean epochs?"),
        (["--set", "controller.lr=fast"], "`controller.lr`", ""),
        (["--set", "hiden=3"], "unknown param `hiden`", "did you mean `hidden`?"),
        (["--set", "hidden=-3"], "hidden", ""),
        (["--strategy", "luck"], "luck", "random"),
        (["--device", "toaster"], "no device `toaster`", "--device cpu"),
        (["--resume"], "--resume does not say which run", "--out"),
    ],
)
def test_what_a_search_refuses_ends_with_1(
    words: list[str],
    message: str,
    help: str,
    world: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["search", world[0], "--data", world[1], *words]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error")
    assert message in shown.err
    assert help in shown.err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_data_set_is_refused(world: tuple[str, str], capsys: Captured) -> None:
    assert main(["search", world[0], "--data", "pydoc"]) == 1
    assert "pydocs" in capsys.readouterr().err


def test_a_space_with_mistakes_is_shown_as_check_shows_it(tmp_path: Path, capsys: Captured) -> None:
    broken = tmp_path / "broken.enas"
    broken.write_text("space broken\nops candidate = [sepcnv(3), identity]\n", "utf-8")
    assert main(["search", str(broken), "--data", "digits"]) == 1
    assert f"{broken}:2:18" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["derive", "train", "eval"])
def test_a_folder_that_is_no_run_is_refused(command: str, tmp_path: Path, capsys: Captured) -> None:
    assert main([command, str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["search", "rnn"],
        ["search", "rnn", "--data", "pydocs", "--budget", "soon"],
        ["search", "rnn", "--data", "pydocs", "--budget", "0s"],
        ["search", "rnn", "--data", "pydocs", "--budget", "10 parsecs"],
        ["search", "rnn", "--data", "pydocs", "--set", "N"],
        ["search", "rnn", "--data", "pydocs", "--seed", "x"],
        ["derive", "run", "--samples", "0"],
        ["train", "run", "--budget", "m"],
        ["eval", "run", "--output", "xml"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: Captured) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")


@pytest.mark.parametrize(
    ("text", "length"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h30m", 5400), ("1d", 86400)]
)
def test_a_budget_is_a_length_of_time(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "m", "5 m", "-5m", "5x", "5m!", "1e3s"])
def test_what_is_no_length_of_time_is_no_budget(text: str) -> None:
    with pytest.raises(UsageError, match="--budget takes a time"):
        seconds(text)


def test_a_search_in_use_is_not_written_over(
    run: str, world: tuple[str, str], capsys: Captured
) -> None:
    words = ["search", world[0], "--data", world[1], "--out", run]
    assert main(words) == 1
    assert "--resume" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    assert f"next: enasdsl derive {run}" in capsys.readouterr().out


def test_a_token_is_whole_on_a_narrow_terminal(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert main(["derive", run]) == 0
    lines = capsys.readouterr().out.splitlines()
    record = json.loads((Path(run) / "derived.json").read_text("utf-8"))
    tokens = [entry["token"] for entry in record["architectures"]]
    assert [line.split()[-1] for line in lines[1 : 1 + len(tokens)]] == tokens


def test_json_is_all_that_stands_on_standard_output(run: str, capsys: Captured) -> None:
    assert main(["derive", run, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["weights"] == "shared"
    assert main(["eval", run, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["figure"] == "perplexity"


def test_compile_writes_all_that_a_search_begins_with(
    world: tuple[str, str], tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "compiled"
    assert main(["compile", world[0], "-o", str(out), "--output", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {path.name for path in out.iterdir()} == {
        "tiny.enas",
        "recipe.json",
        "space.json",
        "summary.json",
        "supernet.safetensors",
        "controller.safetensors",
    }
    assert json.loads((out / "summary.json").read_text("utf-8")) == facts
    assert len(json.loads((out / "space.json").read_text("utf-8"))["decisions"]) == 5
    for name in ("supernet", "controller"):
        with safe_open(out / f"{name}.safetensors", "pt") as weights:
            stored = sum(weights.get_tensor(key).numel() for key in weights.keys())  # noqa: SIM118
        assert stored == facts[f"{name}_parameters"] > 0


def test_compile_refuses_a_folder_that_holds_something(
    world: tuple[str, str], tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["compile", world[0], "-o", str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_compile_repeats_itself_for_a_seed(world: tuple[str, str], tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["compile", world[0], "-o", str(tmp_path / name), "--seed", seed]) == 0
    a, b, c = ((tmp_path / name / "supernet.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_ctrl_c_saves_and_says_a_command_that_goes_on(
    world: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    search = ["search", world[0], "--data", world[1], "--budget", "15s", "--out", str(out)]
    process = _started([*search, "--set", "weights.epochs=100000"])
    _wait(lambda: _begun(out / "metrics.jsonl"), process)
    process.send_signal(signal.SIGINT)
    shown, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in complaints
    _, said, command = shown.partition("stopped, and saved; go on with: enasdsl ")
    assert said

    resumed = _started(shlex.split(command))
    shown, complaints = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, complaints
    assert "goes on after" in complaints
    assert "the budget is used up" in shown


def _begun(metrics: Path) -> bool:
    return metrics.is_file() and metrics.stat().st_size > 0


def _started(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "enasdsl", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "40"},
    )


def _wait(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not happened() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
