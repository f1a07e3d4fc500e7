"""`enasdsl fmt`: which files it writes, what it says, and how it ends."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from enasdsl.cli import main
from enasdsl.syntax import format as formatter

ROUGH = "space  a\ncell c(x){x->relu}   # one\n"
NEAT = "space a\ncell c(x) { x -> relu }     # one\n"
BROKEN = "space b\ncell c(x { x }\n"

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a file to be formatted, one that is neat, and one that is hidden."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("rough.enas", ROUGH), ("below/neat.enas", NEAT), (".git/x.enas", BROKEN)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def test_a_folder_is_formatted_once_and_then_left_alone(folder: Path, capsys: Captured) -> None:
    assert main(["fmt", ".", "rough.enas"]) == 0
    assert capsys.readouterr().out == (
        "formatted rough.enas\n2 files: 1 formatted, 1 as it should be\n"
    )
    assert (folder / "rough.enas").read_text("utf-8") == NEAT.replace("     #", "  #")
    before = os.stat("rough.enas").st_mtime_ns
    assert main(["fmt", "."]) == 0
    assert os.stat("rough.enas").st_mtime_ns == before
    assert sorted(path.name for path in folder.iterdir()) == [".git", "below", "rough.enas"]


@pytest.mark.parametrize(("words", "code"), [(["--check"], 1), (["--diff"], 0)])
def test_check_and_diff_write_nothing(
    words: list[str], code: int, folder: Path, capsys: Captured
) -> None:
    assert main(["fmt", *words, "rough.enas"]) == code
    assert (folder / "rough.enas").read_text("utf-8") == ROUGH
    out = capsys.readouterr().out
    assert ("would change rough.enas" in out) == (words == ["--check"])
    assert ("+cell c(x) { x -> relu }" in out) == (words == ["--diff"])
    assert main(["fmt", *words, "below/neat.enas"]) == 0


def test_every_file_is_reported_and_the_sound_ones_are_formatted(
    folder: Path, capsys: Captured
) -> None:
    (folder / "broken.enas").write_text(BROKEN, "utf-8")
    assert main(["fmt", "broken.enas", "nowhere.enas", "rough.enas"]) == 1
    captured = capsys.readouterr()
    assert "3 files: 1 formatted, 2 with mistakes" in captured.out
    assert "error[E0101]" in captured.err
    assert "error[E0150]" in captured.err
    assert (folder / "broken.enas").read_text("utf-8") == BROKEN


def test_the_mode_the_link_and_the_line_breaks_of_a_file_are_kept(folder: Path) -> None:
    target = folder / "below" / "windows.enas"
    target.write_bytes(ROUGH.replace("\n", "\r\n").encode())
    target.chmod(0o640)
    (folder / "link.enas").symlink_to(target)
    assert main(["fmt", "link.enas"]) == 0
    assert (folder / "link.enas").is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.read_bytes() == NEAT.replace("     #", "  #").replace("\n", "\r\n").encode()


def test_standard_input_goes_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(ROUGH.encode())))
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == NEAT.replace("     #", "  #")


@pytest.mark.parametrize("words", [[], ["--nothing"], ["-x"], ["below/empty"]])
def test_wrong_usage_is_told(words: list[str], folder: Path, capsys: Captured) -> None:
    (folder / "below" / "empty").mkdir()
    assert main(["fmt", *words]) == 2
    assert "error: " in capsys.readouterr().err


def test_a_file_is_left_alone_when_the_proof_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(formatter, "lay_out", lambda _: "space other\n")
    assert main(["fmt", "rough.enas"]) == 3
    assert "internal error: `rough.enas` was left as it is" in capsys.readouterr().err
    assert (folder / "rough.enas").read_text("utf-8") == ROUGH


def test_a_folder_that_cannot_be_written_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("enasdsl.cli.formatting.os.replace", refuse)
    assert main(["fmt", "rough.enas"]) == 1
    assert "`rough.enas` cannot be written: permission denied" in capsys.readouterr().err
    assert [path.name for path in folder.glob("*rough*")] == ["rough.enas"]


@pytest.mark.parametrize("kind", ["cell", "macro", "rnn", "transformer"])
def test_a_new_file_is_formatted(kind: str, folder: Path) -> None:
    assert main(["new", "fresh", "--kind", kind]) == 0
    assert main(["fmt", "--check", "fresh.enas"]) == 0
