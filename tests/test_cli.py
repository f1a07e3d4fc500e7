"""The commands as functions of their words: what they print, and with which code they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from enasdsl.cli import COMMANDS, main, spaces

ROOT = Path(__file__).resolve().parent.parent
BROKEN = """\
space broken
ops candidate = [sepcnv(3), identity]
cell c(x) { x -> choose candidate }
"""

Captured = pytest.CaptureFixture[str]


def _enasdsl(*words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "enasdsl", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def broken(tmp_path: Path) -> str:
    path = tmp_path / "broken.enas"
    path.write_text(BROKEN, "utf-8")
    return str(path)


@pytest.mark.parametrize("space", ["rnn", "macro", "micro"])
def test_check_passes_the_shipped_spaces(space: str, capsys: Captured) -> None:
    assert main(["check", space]) == 0
    assert f"enas_{space} is fine" in capsys.readouterr().out


def test_check_reports_a_mistake_with_its_place(broken: str, capsys: Captured) -> None:
    assert main(["check", broken]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"{broken}:2:18" in shown.err
    assert "sep_conv" in shown.err


def test_every_command_reports_mistakes_in_the_form_that_was_asked_for(
    broken: str, capsys: Captured
) -> None:
    for words in (["check"], ["count"]):
        assert main([*words, broken, "--output", "json"]) == 1
        assert "sepcnv" in json.dumps(json.loads(capsys.readouterr().out))


def test_a_misspelt_shipped_space_is_recognised(capsys: Captured) -> None:
    assert main(["count", "micr"]) == 1
    assert "did you mean the shipped space `micro`?" in capsys.readouterr().err


def test_a_folder_does_not_hide_a_shipped_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (tmp_path / "micro").mkdir()  # such as the run of `search micro --out micro`
    monkeypatch.chdir(tmp_path)
    assert main(["check", "micro"]) == 0
    assert "enas_micro is fine" in capsys.readouterr().out


def test_check_json_of_a_fine_file_is_json_too(capsys: Captured) -> None:
    assert main(["check", "micro", "--output", "json"]) == 0
    json.loads(capsys.readouterr().out)


def test_count_json(capsys: Captured) -> None:
    assert main(["count", "rnn", "--output", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["space"], facts["count"]) == ("enas_rnn", "669692775628800")
    assert facts["decisions"] == 23
    assert facts["log10"] == pytest.approx(14.8259, abs=1e-4)
    assert [p["agrees"] for p in facts["published"]] == [False]


def test_count_text_shows_number_power_factors_and_the_published_number(capsys: Captured) -> None:
    assert main(["count", "micro"]) == 0
    text = capsys.readouterr().out
    assert "25,628,906,250,000,000,000,000,000" in text
    assert "2.56e25" in text
    assert "reduction" in text
    assert "differs: " in text


def test_count_says_differs_only_beyond_the_printed_digits(capsys: Captured) -> None:
    assert main(["count", "macro"]) == 0
    assert "1.6e29, section 2.3: the same" in capsys.readouterr().out


def test_set_changes_a_param(capsys: Captured) -> None:
    assert main(["count", "rnn", "--set", "N=8", "--set", "N=2", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["count"] == "16"


def test_sample_repeats_itself_for_a_seed(capsys: Captured) -> None:
    shown = []
    for seed in ("1", "1", "2"):
        assert main(["sample", "rnn", "-n", "2", "--seed", seed, "--output", "jsonl"]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != shown[2]
    assert [json.loads(line)["space"] for line in shown[0].splitlines()] == ["enas_rnn"] * 2


def test_a_space_on_standard_input() -> None:
    text = (ROOT / "spaces/rnn.enas").read_text("utf-8")
    result = _enasdsl("count", "-", "--output", "json", stdin=text)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["count"] == "669692775628800"


@pytest.mark.parametrize(
    "words",
    [
        ["chekc", "micro"],
        ["check"],
        ["check", "micro", "--bogus"],
        ["check", "--bogus"],
        ["count", "micro", "--output", "sarif"],
        ["count", "micro", "--set", "B"],
        ["sample", "micro", "-n", "many"],
        ["sample", "micro", "-n", "-1"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: Captured) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")


def test_an_internal_error_shows_no_traceback_but_keeps_one(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by design")

    monkeypatch.setattr(spaces, "opened", fail)
    assert main(["check", "micro"]) == 3
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err
    kept = Path(shown.err.split()[-1])
    assert "ZeroDivisionError: by design" in kept.read_text("utf-8")
    assert "command: check micro" in kept.read_text("utf-8")
    kept.unlink()


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(spaces, "opened", interrupt)
    assert main(["check", "micro"]) == 130
    assert capsys.readouterr().err == "\ninterrupted\n"


def test_a_closed_pipe_is_silent() -> None:
    command = f"{sys.executable} -m enasdsl sample rnn -n 2000 | head -n 1"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert result.stdout.startswith("enas_rnn:")
    assert result.stderr == ""


def test_colours_stand_only_on_a_terminal(broken: str) -> None:
    assert "\x1b" not in _enasdsl("check", broken).stderr


WITHOUT_TORCH = [["--help"], ["--version"], *([c, "micro"] for c in ("check", "count", "sample"))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [*WITHOUT_TORCH, *([name, "--help"] for name in COMMANDS)],
    ids=" ".join,
)
def test_torch_is_not_imported(words: list[str]) -> None:
    program = (
        "import sys; from enasdsl.cli import main; code = main(sys.argv[1:]); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", program, *words]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "bound"), [(["--help"], 0.5), (["check", "micro"], 1.0), (["count", "micro"], 1.0)]
)
def test_what_needs_no_torch_is_quick(words: list[str], bound: float) -> None:
    """Seconds of processor, the start included; it takes half of the bound, or less."""
    taken = []
    for _ in range(3):
        before = sum(os.times()[2:4])  # of the processes that have ended, user and system
        assert _enasdsl(*words).returncode == 0
        taken.append(sum(os.times()[2:4]) - before)
    print(f"enasdsl {' '.join(words)}: {median(taken):.2f} s")  # shown with `pytest -rP`
    assert median(taken) < bound


@pytest.mark.parametrize("command", ["check", "new"])
def test_a_name_that_no_file_can_have_is_refused(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "x" * 300]) == 1
