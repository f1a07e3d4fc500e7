"""The command `show`: trees and files, phases as text and JSON, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from enasdsl.cli import main
from enasdsl.ir.record import from_token, to_json
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile
from enasdsl.view.plain import outline, plain

Captured = pytest.CaptureFixture[str]
TOKEN = "nasbench201:b9c8d7fdefcf:4.2.0.3.2.1"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def printed(words: list[str], capsys: Captured) -> str:
    assert main(words) == 0
    return capsys.readouterr().out


def refused(words: list[str], code: int, capsys: Captured) -> str:
    assert main(words) == code
    return capsys.readouterr().err


def test_a_tree_names_every_node_and_what_it_reads(capsys: Captured) -> None:
    tree = printed(["show", "nasbench201", "--arch", TOKEN], capsys)
    assert "node1  avg_pool(3)  <- x" in tree
    assert "node2.x.candidate  unit(1)  <- x" in tree
    assert "node3  sum  <- node3.x.candidate, node3.node1.candidate, node3.node2.candidate" in tree
    space = printed(["show", "nasbench201"], capsys)
    assert "1 of 5, zero | identity | unit(1) | unit(3) | avg_pool(3)" in space


def test_possible_arrows_are_apart_from_certain_ones(capsys: Captured) -> None:
    tree = printed(["show", "rnn", "--set", "N=3"], capsys)
    assert "node1  concat, highway  <- x, h\n" in tree
    assert "node3  highway  <~ node1, node2\n" in tree


@pytest.mark.parametrize("words", [[], ["--arch", "random", "--seed", "7"], ["--arch", TOKEN]])
def test_files_of_every_format(words: list[str], capsys: Captured) -> None:
    for name in ("made/one.svg", "made/one.dot"):
        assert f"written to {name}" in printed(["show", "nasbench201", *words, "-o", name], capsys)
    root = ElementTree.parse("made/one.svg").getroot()
    texts = {e.text for e in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"network", "stem", "node3"} <= texts
    assert Path("made/one.dot").read_text("utf-8").startswith('digraph "nasbench201" {')
    pytest.importorskip("PIL")
    printed(["show", "nasbench201", *words, "-o", "made/one.png"], capsys)
    assert Path("made/one.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_a_drawing_remembers_its_architecture(capsys: Captured) -> None:
    printed(["show", "nasbench201", "--arch", TOKEN, "-o", "one.svg"], capsys)
    description = ElementTree.parse("one.svg").getroot().find("{http://www.w3.org/2000/svg}desc")
    assert description is not None
    assert description.text == TOKEN


def test_a_record_may_lie_in_a_file(capsys: Captured) -> None:
    space = Compilation.open("nasbench201").space
    assert space is not None
    record = to_json(space, from_token(space, TOKEN))
    wanted = printed(["show", "nasbench201", "--arch", TOKEN], capsys)
    texts = (TOKEN, json.dumps(record), json.dumps(record, indent=2))
    for text in (*texts, f"{json.dumps(record)}\n{json.dumps(record)}\n"):
        Path("found").write_text(text, "utf-8")
        assert printed(["show", "nasbench201", "--arch", "found"], capsys) == wanted


@pytest.mark.slow
def test_the_same_seed_draws_the_same_architecture(capsys: Captured) -> None:
    first, again, other = (
        printed(["show", "micro", "--arch", "RANDOM", "--seed", seed], capsys) for seed in "001"
    )
    assert first == again != other


def test_a_picture_as_json(capsys: Captured) -> None:
    picture = json.loads(printed(["show", "rnn", "--output", "json"], capsys))
    assert [p["title"] for p in picture["panels"]] == ["network", "recurrent"]
    assert {b["role"] for b in picture["panels"][1]["boxes"]} == {"input", "node", "output"}


# ---------------------------------------------------------------------- phases


@pytest.mark.parametrize("stage", ["ast", "checked", "ir", "graph"])
def test_every_phase_has_a_text_and_json(stage: str, capsys: Captured) -> None:
    text = printed(["show", "nasbench201", "--stage", stage], capsys)
    assert "candidate" in text
    facts = json.loads(
        printed(["show", "nasbench201", "--stage", stage, "--output", "json"], capsys)
    )
    kinds = {"ast": "Ast", "checked": "Checked", "ir": "Space", "graph": "Space"}
    assert facts["kind"] == kinds[stage]


def test_the_phases_show_what_they_made(capsys: Captured) -> None:
    ast = printed(["show", "nasbench201", "--stage", "ast"], capsys)
    assert ast.startswith("SpaceName nasbench201  1:1\n")
    checked = printed(["show", "nasbench201", "--stage", "checked", "--set", "N=3"], capsys)
    assert "param N = 3\n" in checked
    decisions = printed(["show", "rnn", "--stage", "ir"], capsys).splitlines()[1:]
    assert len(decisions) == 23
    assert decisions[2].endswith(
        "recurrent.node2.act: 1 of 4 operations: tanh, relu, identity, sigmoid"
    )
    graph = printed(["show", "nasbench201", "--stage", "graph"], capsys)
    assert "11: select %0.0 of [2, 3, 6, 9, 10]  [16 x 32 x 32]" in graph
    loose = printed(["show", "rnn", "--set", "N=2", "--stage", "graph"], capsys)
    assert "is loose" in loose


def test_what_runs_for_an_architecture_is_shown_after_the_passes(capsys: Captured) -> None:
    words = ["show", "rnn", "--set", "N=2", "--set", "hidden=64", "--stage", "lowered", "--arch"]
    text = printed([*words, "random"], capsys)
    assert "linears(bias: false) (2)  at recurrent/node1" in text
    assert "blend() (" in text
    assert "affine(" not in text
    facts = json.loads(printed([*words, "random", "--output", "json"], capsys))
    assert facts["kind"] == "Kernels"
    Path("s.enas").write_text("space s\ncell c(x) { x -> relu }\n", "utf-8")
    assert "no network" in refused(["show", "s.enas", "--stage", "lowered"], 1, capsys)


def test_guards_and_requirements_are_spelled_out(capsys: Captured) -> None:
    Path("s.enas").write_text(
        "space s\ncell c(x) {\n  a = choose [1, 3]\n  b = choose [1, 3]\n  require a + b <= 4\n"
        "  x -> conv(a) -> conv(b) -> choose [relu, (conv(3) -> choose [tanh, gelu])]\n}\n",
        "utf-8",
    )
    text = printed(["show", "s.enas", "--stage", "ir"], capsys)
    assert "when %2 in 1" in text
    assert "require ((%0.0[1, 3] + %1.0[1, 3]) <= 4)" in text


def test_an_outline_follows_the_records() -> None:
    tree = Compilation(SourceFile("s.enas", "space s\nparam N = 2\n")).tree
    assert tree is not None
    lines = [line for d in tree.declarations for line in outline(d)]
    assert lines == ["SpaceName s  1:1", "Param N  2:1", "  default: Number 2  2:11"]
    assert plain(tree.declarations[1].span) == {"line": 2, "column": 1, "length": 11}


# --------------------------------------------------------------------- refusals


def test_what_cannot_be_shown_is_said(capsys: Captured) -> None:
    assert "ends in .svg, .png, .dot" in refused(["show", "rnn", "-o", "x.gif"], 2, capsys)
    both = ["show", "rnn", "--stage", "ir", "--arch", "random"]
    assert "only --stage lowered" in refused(both, 2, capsys)
    drawn = ["show", "rnn", "--stage", "lowered", "-o", "x.svg"]
    assert "neither" in refused(drawn, 2, capsys)
    assert "is no architecture" in refused(["show", "rnn", "--arch", "nonsense"], 1, capsys)
    assert "is no architecture" in refused(["show", "rnn", "--arch", TOKEN], 1, capsys)
    Path("taken").write_text("", "utf-8")
    assert "cannot be written" in refused(["show", "rnn", "-o", "taken/x.svg"], 1, capsys)


def test_cells_without_a_network_are_drawn_from_their_decisions(capsys: Captured) -> None:
    Path("s.enas").write_text(
        "space s\nwide = choose [8, 16]\ncell c(x) {\n"
        "  node i in 1..2 { choose earlier -> choose [relu, tanh] }\n"
        "  sum(loose) -> conv(3, filters: wide)\n}\n",
        "utf-8",
    )
    tree = printed(["show", "s.enas"], capsys)
    assert "wide: 8 | 16" in tree
    assert "node1  <- x\n" in tree
    assert "node2  <~ x, node1\n" in tree
    found = printed(["show", "s.enas", "--arch", "random"], capsys)
    assert "<~" not in found
    printed(["show", "s.enas", "-o", "s.svg"], capsys)
    printed(["show", "s.enas", "--arch", "random", "-o", "s.dot"], capsys)
    Path("s.enas").write_text("space s\ncell c(x) { x -> relu }\n", "utf-8")
    printed(["show", "s.enas", "-o", "s.svg"], capsys)


@pytest.mark.parametrize("stage", ["ast", "checked", "ir", "graph", "lowered"])
def test_a_phase_with_mistakes_shows_them(stage: str, capsys: Captured) -> None:
    Path("s.enas").write_text("space s\ncell c(x) { x -> -> }\n", "utf-8")
    assert "E01" in refused(["show", "s.enas", "--stage", stage], 1, capsys)


def test_a_phase_before_the_mistake_is_shown(capsys: Captured) -> None:
    Path("s.enas").write_text("space s\ncell c(x) { x -> sepcnv }\n", "utf-8")
    assert "sepcnv" in printed(["show", "s.enas", "--stage", "ast"], capsys)
    assert "E0203" in refused(["show", "s.enas"], 1, capsys)


def test_a_png_without_pillow_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "pip install" in refused(["show", "nasbench201", "-o", "x.png"], 1, capsys)


def test_showing_imports_no_torch() -> None:
    program = (
        "import sys; from enasdsl.cli import main; "
        "main(['show', 'nasbench201', '--arch', 'random', '-o', 'x.svg']); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
