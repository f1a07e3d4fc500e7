"""The linter: nothing is said of what is right, fixes change no size, comments allow findings."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from programs import Program, programs

from enasdsl.cli import main
from enasdsl.diagnostics import CATALOGUE, Diagnostic
from enasdsl.diagnostics.lint import ENTRIES
from enasdsl.ir.count import count
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile, shipped
from enasdsl.syntax.format import format_source

SHIPPED = sorted(shipped("spaces").glob("*.enas"))
MISTAKES = sorted((Path(__file__).parent / "mistakes").glob("W07*.enas"))
SETTINGS: tuple[dict[str, object], ...] = ({}, {"k": 1}, {"k": 9}, {"norm": "layer"})

Captured = pytest.CaptureFixture[str]


def findings(text: str) -> tuple[Diagnostic, ...]:
    compilation = Compilation(SourceFile("file.enas", text))
    assert compilation.diagnostics == ()
    return compilation.findings


def codes(text: str) -> list[str]:
    return [each.code for each in findings(text)]


def repaired(text: str, found: Diagnostic) -> str:
    assert found.fix is not None
    span = found.fix.span
    return text[: span.start] + found.fix.replacement + text[span.stop :]


def size(text: str, overrides: dict[str, object]) -> int:
    space = Compilation(SourceFile("file.enas", text), overrides).outline
    assert space is not None
    return count(space)


# ------------------------------------------------------------------- nothing that is right


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_nothing_is_found_in_a_shipped_space(path: Path) -> None:
    assert Compilation.open(path).findings == ()


@pytest.mark.parametrize("code", ENTRIES)
def test_an_entry_shows_a_file_with_the_finding_and_one_without(code: str) -> None:
    assert codes(ENTRIES[code].bad + "\n") == [code]
    assert codes(ENTRIES[code].good + "\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "op a { relu }\nparam k = 3\n",  # for files that import it
        "space s\nparam filters = 8\ncell c(x) { x -> conv(1) }\n",
        "space s\nparam _k = 8\ncell c(x, _y) { x -> relu }\n",
        'space s\nparam k = 8\npublished k "here"\ncell c(x) { x -> relu }\n',
        "space s\nparam k = 8 in 1..9\ncell c(x) { x -> conv(3 when k > 1 else 1) }\n",
        "param k = 3 in 1..9\ncell c(x) { x -> (relu when k > 9 else tanh) }\n"
        "cell d like c with k 12\n",  # there k is beyond its range
        "cell c(x) { node 1 { a = choose [1, 3]; x -> conv(a) }; require sum(a) < 9; x }\n",
        "ops two = [relu, tanh]\ncell c(x) { x -> choose [two] }\n",
        "cell c(x, y) { choose inputs -> relu }\n",
        "cell c(x) { node 1 { x -> relu }; node 2 { x -> tanh } }\n",
        "cell c(x) { s = choose 1 from [1, 3] with repeats; x -> conv(s[1]) }\n",
    ],
)
def test_what_is_right_or_may_be_is_let_be(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("imported", "code"),
    [("op a { relu }", "W0703"), ("param filters = 8", None), ("require 2 > 1", None)],
)
def test_an_import_is_used_by_its_widths_and_its_requirements(
    imported: str, code: str | None, tmp_path: Path
) -> None:
    (tmp_path / "other.enas").write_text(imported + "\n", "utf-8")
    path = tmp_path / "file.enas"
    path.write_text('space s\nimport "other.enas"\ncell c(x) { x -> relu }\n', "utf-8")
    assert [each.code for each in Compilation.open(path).findings] == [code] * (code is not None)


# ---------------------------------------------------------------------------------- fixes


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_a_fix_takes_its_finding_away_and_changes_no_size(path: Path) -> None:
    text = path.read_text("utf-8")
    for each in findings(text):
        if each.fix:
            mended = repaired(text, each)
            assert codes(mended).count(each.code) == codes(text).count(each.code) - 1
            for overrides in SETTINGS:
                known = {k: v for k, v in overrides.items() if f"param {k}" in text}
                assert size(mended, known) == size(text, known)


@pytest.mark.parametrize(
    ("guarded", "mended"),
    [
        ("(conv(1) when true else relu) -> tanh", "(conv(1)) -> tanh"),
        ("((conv(1) -> relu) when true else relu) -> tanh", "((conv(1) -> relu)) -> tanh"),
        ("(conv(1) when 1 > 2 else (relu -> exp)) -> tanh", "((relu -> exp)) -> tanh"),
    ],
)
def test_the_fix_of_a_guard_keeps_its_parentheses(guarded: str, mended: str) -> None:
    text = f"cell c(x) {{ x -> {guarded} }}\n"
    (found,) = findings(text)
    assert repaired(text, found) == f"cell c(x) {{ x -> {mended} }}\n"


@pytest.mark.slow
@given(programs())
@settings(max_examples=15)
def test_a_finding_in_a_generated_file_is_true(program: Program) -> None:
    """Its fix changes no size, and what is said to be never read can have another name."""
    compilation = Compilation(SourceFile("file.enas", program.text), task=program.task)
    for found in compilation.findings:
        assert found.code in ENTRIES
        if found.fix and found.code != "W0711":
            mended = repaired(program.text, found)
            assert size_for(mended, program) == size_for(program.text, program)
        span = found.label.span
        if found.code in ("W0701", "W0702"):  # what uses itself has its name twice
            renamed = re.sub(rf"\b{span.text}\b", "_anew", program.text)
            assert size_for(renamed, program) == size_for(program.text, program)
        elif found.code in ("W0704", "W0705"):
            renamed = program.text[: span.start] + "_anew" + program.text[span.stop :]
            assert size_for(renamed, program) == size_for(program.text, program)


def size_for(text: str, program: Program) -> int:
    space = Compilation(SourceFile("file.enas", text), task=program.task).space
    assert space is not None
    return count(space)


# -------------------------------------------------------------------------------- allowed


@pytest.mark.parametrize(
    "text",
    [
        "space s\nparam k = 3  # lint: allow W0701\ncell c(x) { x -> relu }\n",
        "space s\n# lint: allow W0701: later\n\n# more\nparam k = 3\ncell c(x) { x -> relu }\n",
        "space s\nparam k = 3  # mine; lint: allow W0702, W0701\nop unit { relu }\n"
        "cell c(x) { x -> relu }\n",
    ],
    ids=["behind", "above", "several"],
)
def test_a_comment_allows_a_finding_in_one_line(text: str) -> None:
    left = codes(text)
    assert "W0701" not in left
    assert left == ([] if "unit" not in text else ["W0711", "W0702"])
    without = re.sub(r"#.*", "", text)
    assert "W0701" in codes(without)
    result, _ = format_source(SourceFile("file.enas", text))
    assert result is not None
    assert codes(result) == left


@pytest.mark.parametrize(
    ("comment", "mended"),
    [
        ("# lint: allow W0701: some day", ""),
        ("# lint: allow W0701, W0704", "# lint: allow , W0704"),
        ("# mine; lint: allow W0701", None),
    ],
)
def test_a_comment_that_allows_nothing_goes_as_a_whole(comment: str, mended: str | None) -> None:
    found = findings(f"{comment}\ncell c(x) {{ x }}\n")[0]
    assert found.code == "W0711"
    if mended is None:
        assert found.fix is None
    else:
        assert (
            repaired(f"{comment}\ncell c(x) {{ x }}\n", found) == f"{mended}\ncell c(x) {{ x }}\n"
        )


# -------------------------------------------------------------------------------- command


def test_the_command_tells_all_files_and_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unused.enas").write_text("space s\nparam k = 3\ncell c(x) { x }\n", "utf-8")
    (tmp_path / "broken.enas").write_text("space s\ncell c(x) { x -> reluu }\n", "utf-8")
    assert main(["lint", ".", "rnn"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "3 files: 2 found\n"
    assert "warning[W0701]" in captured.err
    assert "error[E0203]" in captured.err
    assert main(["lint", "rnn"]) == 0
    assert capsys.readouterr().out == "1 file: nothing found\n"
    assert main(["lint"]) == 2


@pytest.mark.parametrize("output", ["json", "sarif"])
def test_findings_are_told_to_machines(output: str, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "unused.enas"
    path.write_text("space s\nparam k = 3\ncell c(x) { x }\n", "utf-8")
    assert main(["lint", str(path), "--output", output]) == 1
    facts = json.loads(capsys.readouterr().out)
    if output == "json":
        assert [(d["code"], d["severity"]) for d in facts["diagnostics"]] == [("W0701", "warning")]
    else:
        (result,) = facts["runs"][0]["results"]
        assert (result["ruleId"], result["level"]) == ("W0701", "warning")


def test_the_codes_are_consecutive() -> None:
    assert [code for code in CATALOGUE if code.startswith("W")] == [
        f"W07{number:02}" for number in range(1, len(ENTRIES) + 1)
    ]
