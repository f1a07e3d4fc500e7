"""Diagnostics as people and machines read them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import enasdsl
from enasdsl.diagnostics import CATALOGUE, Diagnostic, Fix, Label, Severity
from enasdsl.diagnostics.wording import several
from enasdsl.report import WIDEST, render, to_json, to_sarif
from enasdsl.source import SourceFile, Span
from enasdsl.syntax.parse import parse

MICRO = SourceFile(
    "spaces/micro.enas", "\n" * 7 + "ops candidate = [identity, sepcnv(3), avg_pool(3)]\n"
)


def label(source: SourceFile, piece: str, text: str) -> Label:
    start = source.text.index(piece)
    return Label(Span(source, start, start + len(piece)), text)


def shown(main: Label, *others: Label) -> str:
    """The frame below the headline."""
    text = render([Diagnostic("E0101", "wrong", main, others)], color=False)
    return text.removeprefix("error[E0101]: wrong\n")


def unknown() -> Diagnostic:
    mark = label(MICRO, "sepcnv", "no operation has this name")
    return Diagnostic(
        "E0203",
        "unknown operation `sepcnv`",
        mark,
        help="did you mean `sep_conv`?",
        fix=Fix(mark.span, "sep_conv", "replace it"),
    )


def test_the_look_of_the_language_page() -> None:
    assert render([unknown()], color=False) == (
        "error[E0203]: unknown operation `sepcnv`\n"
        "  --> spaces/micro.enas:8:28\n"
        "   |\n"
        " 8 | ops candidate = [identity, sepcnv(3), avg_pool(3)]\n"
        "   |                            ^^^^^^ no operation has this name\n"
        "   = help: did you mean `sep_conv`?\n"
    )


def test_colours_change_nothing_but_colours() -> None:
    colored = render([unknown()], color=True)
    assert "\x1b[1;31m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render([unknown()], color=False)


def test_several_labels_in_one_line_and_in_other_files() -> None:
    one, two = SourceFile("a.enas", "aa bb cc\n\n\ndd\n"), SourceFile("b.enas", "ee\n")
    text = shown(
        label(one, "bb", "main"),
        label(one, "aa", "first"),
        label(one, "cc", "third"),
        label(one, "dd", "below"),
        label(two, "ee", "elsewhere"),
    )
    assert text == (
        "  --> a.enas:1:4\n"
        "   |\n"
        " 1 | aa bb cc\n"
        "   | -- ^^ -- third\n"
        "   | |  |\n"
        "   | |  main\n"
        "   | first\n"
        "...\n"
        " 4 | dd\n"
        "   | -- below\n"
        "  ::: b.enas:1:1\n"
        "   |\n"
        " 1 | ee\n"
        "   | -- elsewhere\n"
    )


def test_a_span_of_several_lines_is_marked_at_both_ends() -> None:
    source = SourceFile("a.enas", "x {\n  y\n  z\n} w\n")
    assert shown(label(source, "{\n  y\n  z\n}", "here")) == (
        "  --> a.enas:1:3\n   |\n 1 | x {\n   |   ^\n...\n 4 | } w\n   | ^ here\n"
    )


def test_tabs_and_wide_characters_keep_marks_in_place() -> None:
    assert shown(label(SourceFile("a", "\ta\tb"), "b", "")).splitlines()[2:] == [
        " 1 |     a   b",
        "   |         ^",
    ]
    assert shown(label(SourceFile("a", '"層" b'), "b", "")).splitlines()[2:] == [
        ' 1 | "層" b',
        "   |      ^",
    ]


def test_an_empty_span_and_the_end_of_the_file_have_a_mark() -> None:
    source = SourceFile("a", "ab")
    assert shown(Label(Span(source, 2, 2), "")).splitlines()[-1] == "   |   ^"


def test_nothing_in_a_file_acts_on_the_terminal() -> None:
    source = SourceFile("a\x1b]0;b", "x = \x1b[31m\x07 y")
    text = shown(label(source, "y", "\x1b[2J"))
    assert all(each.isprintable() for each in text.splitlines())


def test_long_lines_are_cut_around_the_mark() -> None:
    source = SourceFile("a", "a + " * 1000 + "here" + " + a" * 1000)
    line, marks = shown(label(source, "here", "this")).splitlines()[2:]
    assert len(line) <= WIDEST + 5
    assert line[marks.index("^") :].startswith("here")


def test_json_has_all_the_facts() -> None:
    (found,) = json.loads(json.dumps(to_json([unknown()])))
    assert found["code"] == "E0203"
    assert (found["file"], found["line"], found["column"]) == ("spaces/micro.enas", 8, 28)
    assert (found["end_line"], found["end_column"]) == (8, 34)
    assert found["labels"][0]["text"] == "no operation has this name"
    assert found["fix"]["replacement"] == "sep_conv"


def test_sarif_has_the_required_members() -> None:
    source = SourceFile("a b.enas", "x y z")
    warning = Diagnostic(
        "E0101",
        "odd",
        label(source, "y", "here"),
        (label(source, "z", "there"),),
        severity=Severity.WARNING,
    )
    log = json.loads(json.dumps(to_sarif([unknown(), warning])))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    first, second = run["results"]
    assert [rules[each["ruleIndex"]]["id"] for each in (first, second)] == ["E0203", "E0101"]
    assert [each["level"] for each in (first, second)] == ["error", "warning"]
    place = second["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b.enas"
    assert place["region"] == {"startLine": 1, "startColumn": 3, "endLine": 1, "endColumn": 4}
    assert second["relatedLocations"][0]["message"]["text"] == "there"
    change = first["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert change["insertedContent"]["text"] == "sep_conv"


def test_entries_of_the_catalogue_are_complete() -> None:
    for code, entry in CATALOGUE.items():
        assert re.fullmatch(r"[EW]0[1-7]\d\d", code)
        assert entry.title
        assert entry.explanation.endswith(".")
        assert entry.bad != entry.good


def test_examples_of_syntax_entries_show_what_they_say() -> None:
    for code, entry in CATALOGUE.items():
        if code < "E0150" and code not in ("E0110", "E0115"):
            found, diagnostics = parse(SourceFile("bad", entry.bad))
            assert found is None
            assert code in {each.code for each in diagnostics}
            assert parse(SourceFile("good", entry.good))[0] is not None


PIECES = st.text(st.sampled_from("ab \t\n層\u0301\x00\x1b→"), max_size=40)


@given(PIECES, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=4))
def test_any_spans_of_any_text_can_be_shown(text: str, places: list[tuple[int, int]]) -> None:
    source = SourceFile("a", text)
    labels = [
        Label(Span(source, min(a, len(text)), min(max(a, b), len(text))), "here") for a, b in places
    ]
    found = [Diagnostic("E0101", "wrong", labels[0], tuple(labels[1:]))]
    assert render(found, color=True)
    json.dumps([to_json(found), to_sarif(found)])


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    sources = Path(enasdsl.__file__).parent.rglob("*.py")
    raised = {code for path in sources for code in re.findall(r'"([EW]0\d{3})"', path.read_text())}
    assert raised == set(CATALOGUE)


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (0, "node", "0 nodes"),
        (1, "alternative", "1 alternative"),
        (1, "random child", "1 random child"),
        (2, "random child", "2 random children"),
        (5425, "class", "5,425 classes"),
        (300, "query", "300 queries"),
    ],
)
def test_one_is_told_from_several(count: int, noun: str, said: str) -> None:
    assert several(count, noun) == said
