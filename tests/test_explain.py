"""The commands that look things up: every code and every operation has its page."""

from __future__ import annotations

import json
import re

import pytest

from enasdsl.cli import main
from enasdsl.diagnostics import CATALOGUE
from enasdsl.ir.count import count
from enasdsl.ir.parameters import parameter_count
from enasdsl.pipeline import Compilation
from enasdsl.semantics.ops import OPS, OpSpec
from enasdsl.source import SourceFile
from enasdsl.view.reference import composites, operation_facts, operation_text

Captured = pytest.CaptureFixture[str]


def _printed(words: list[str], capsys: Captured) -> str:
    assert main(words) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_explained_with_both_of_its_examples(code: str, capsys: Captured) -> None:
    page = _printed(["explain", code.lower()], capsys)
    entry = CATALOGUE[code]
    assert page.startswith(f"{code}: {entry.title}\n")
    assert " ".join(entry.explanation.split()) in " ".join(page.split())
    for piece in (entry.bad, entry.good):
        assert all(f"    {line}".rstrip() in page for line in piece.splitlines())
    assert max(map(len, page.splitlines())) <= 100


def test_all_codes_are_listed_in_order(capsys: Captured) -> None:
    lines = _printed(["explain"], capsys).splitlines()
    assert [line.split("  ")[0] for line in lines] == list(CATALOGUE)
    facts = json.loads(_printed(["explain", "--output", "json"], capsys))
    assert [f["code"] for f in facts] == list(CATALOGUE)
    one = json.loads(_printed(["explain", "E0203", "--output", "json"], capsys))
    assert one == next(f for f in facts if f["code"] == "E0203")


def test_an_unknown_code_names_the_nearest(capsys: Captured) -> None:
    assert main(["explain", "E0230x"]) == 2
    assert "`E0230`" in capsys.readouterr().err
    assert main(["explain", "nonsense"]) == 2
    assert "`enasdsl explain` lists" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*OPS, *composites()])
def test_every_operation_has_a_page(name: str, capsys: Captured) -> None:
    page = _printed(["ops", name], capsys)
    assert page.startswith(name)
    assert len(page.splitlines()) > 1
    json.dumps(operation_facts(name))


@pytest.mark.parametrize("spec", OPS.values(), ids=lambda spec: spec.name)
def test_a_primitive_is_shown_on_values_that_it_reads(spec: OpSpec) -> None:
    assert operation_facts(spec.name)["examples"]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("call", ["conv(3, filters: 32)", "depthwise_conv(3)", "batch_norm"])
def test_an_example_says_what_a_compiled_file_has(call: str, stride: int) -> None:
    """The weights on the page are those of a network in which the operation stands alone."""
    (example,) = [
        e
        for e in operation_facts(call.split("(")[0])["examples"]  # type: ignore[attr-defined]
        if (e["input"], e["stride"]) == ("16 x 32 x 32", 1)
    ]
    sizes = []
    for middle in (call, "identity"):
        text = f"""
space s
network image_classifier {{
  stem conv(1, filters: 16)
  stack {middle}
  head global_avg_pool -> linear(classes)
}}"""
        space = Compilation(SourceFile("s.enas", text)).space
        assert space is not None
        assert count(space) == 1
        sizes.append(parameter_count(space.places))
    wider = 10 * (32 - 16) if call.startswith("conv") else 0
    assert sizes[0] - sizes[1] - wider == example["parameters"]


def test_a_page_tells_what_is_chosen_and_what_a_stride_does() -> None:
    page = operation_text("conv")
    assert "takes the stride in force" in page
    assert "16 x 32 x 32, stride 2  -> 32 x 16 x 16" in page
    assert "must be fixed" in page


def test_an_unknown_operation_names_the_nearest(capsys: Captured) -> None:
    assert main(["ops", "sepconv"]) == 2
    assert "`sep_conv`" in capsys.readouterr().err


def test_the_overview_has_every_operation_and_fits_a_page(capsys: Captured) -> None:
    page = _printed(["ops"], capsys)
    shown = re.findall(r"^  (\w+)", page, re.MULTILINE)
    assert {*OPS, *composites()} <= set(shown)
    assert max(map(len, page.splitlines())) <= 100
    facts = json.loads(_printed(["ops", "--output", "json"], capsys))
    assert [f["name"] for f in facts] == [*OPS, *composites()]
