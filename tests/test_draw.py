"""Drawings: nothing is lost, what they show is what the record says, in every format."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from pictures import EVERY, SPACES, drawn, opened

from enasdsl.ir.record import from_token, to_json, to_token
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Source, Space
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile, shipped
from enasdsl.view.catalogue import PICTURES
from enasdsl.view.compose import compose
from enasdsl.view.dot import to_dot
from enasdsl.view.found_picture import picture_of_architecture
from enasdsl.view.metrics import text_width
from enasdsl.view.picture import Panel, Picture, Role
from enasdsl.view.png import to_png
from enasdsl.view.scene import Scene
from enasdsl.view.space_picture import picture_of_space
from enasdsl.view.svg import to_svg

# --------------------------------------------------------------------- content


def panel_of(picture: Picture, title: str) -> Panel:
    return next(p for p in picture.panels if title in re.split(r" and |, | … ", p.title))


def reads(panel: Panel, head: str) -> set[str]:
    """The nodes and inputs that a box reads, operations within its node passed through."""
    found: set[str] = set()
    for arrow in panel.arrows:
        if arrow.head == head:
            inside = arrow.tail.startswith(f"{head}/")
            found |= reads(panel, arrow.tail) if inside else {arrow.tail}
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "macro", "micro", "darts", "nasnet", "nasbench101"])
def test_arrows_are_the_inputs_that_the_record_names(name: str) -> None:
    """Each input that a node picked leads to it, and nothing else does but what is fixed."""
    space = opened(name)
    blank = picture_of_space(space)
    for architecture in sample(space, 5, Random(2)):
        picture = picture_of_architecture(space, architecture)
        for scope, wanted in picked_inputs(space, architecture).items():
            cell, node = scope.split(".")
            possible = panel_of(blank, cell)
            fixed = {a.tail for a in possible.arrows if a.head == node and a.certain}
            found = reads(panel_of(picture, cell), node)
            assert wanted <= found <= wanted | fixed


def picked_inputs(space: Space, architecture: Architecture) -> dict[str, set[str]]:
    """The members of each node's picks of inputs, by the path of the node."""
    found: dict[str, set[str]] = {}
    for decision, picks in zip(space.decisions, architecture.picks, strict=True):
        if decision.source is Source.INPUT and decision.scope.count(".") == 1:
            names = {decision.labels[p] for p in picks or ()}
            found.setdefault(decision.scope, set()).update(names)
    return found


def test_the_loose_ends_are_those_that_nobody_picked() -> None:
    space = opened("rnn")
    nodes = {f"node{n}" for n in range(1, 13)}
    for architecture in sample(space, 5, Random(3)):
        panel = panel_of(picture_of_architecture(space, architecture), "recurrent")
        used = set().union(*picked_inputs(space, architecture).values())
        assert reads(panel, "output 1") == nodes - used


@pytest.mark.slow
@EVERY
def test_every_pick_is_seen(which: tuple[str, str, int]) -> None:
    """What was chosen stands in a title, in a row, or in the arrows."""
    space = opened(*which)
    for architecture in sample(space, 3, Random(4)):
        picture = picture_of_architecture(space, architecture)
        shown = {b.title for p in picture.panels for b in p.boxes}
        rows = [c for p in picture.panels for b in p.boxes for c in b.choices]
        rows += [c for p in picture.panels for c in p.choices]
        shown |= {label for c in rows for label in c.picked or ()}
        for decision, picks in zip(space.decisions, architecture.picks, strict=True):
            nested = decision.path.startswith("activation.")  # its inner picks stand for it
            if decision.source is not Source.INPUT and not nested:
                assert {decision.labels[p] for p in picks or ()} <= shown


def test_the_operations_of_a_cell_are_those_of_the_record() -> None:
    space = opened("micro")
    (architecture,) = sample(space, 1, Random(5))
    choices = to_json(space, architecture)["choices"]
    assert isinstance(choices, dict)
    panel = panel_of(picture_of_architecture(space, architecture), "normal")
    titles = {b.key: b.title for b in panel.boxes}
    for node in range(3, 8):
        for source, operation in (("a", "f"), ("b", "g")):
            at = f"normal.node{node}"
            taken, done = choices[f"{at}.{source}"], choices[f"{at}.{operation}"]
            (key,) = (
                k for k in titles if k.endswith(f"node{node}/{source}={taken}/{operation}={done}")
            )
            assert titles[key] == done
            assert reads(panel, key) == {taken}


def test_a_space_has_all_its_alternatives_and_dashes_where_an_arrow_may_be() -> None:
    panel = panel_of(picture_of_space(opened("rnn")), "recurrent")
    rows = [c for b in panel.boxes for c in b.choices if c.options]
    assert {c.options for c in rows} == {("tanh", "relu", "identity", "sigmoid")}
    assert len(rows) == 12
    certain = {(a.tail, a.head) for a in panel.arrows if a.certain}
    assert certain == {("x", "node1"), ("h", "node1"), ("node1", "node2")}
    between = [a for a in panel.arrows if a.head.startswith("node")]
    assert len(between) == 2 + 11 * 12 // 2


def test_what_changes_nothing_is_faint() -> None:
    """Of NAS-Bench-201 with the operation `zero` on each edge into the last node but one."""
    space = opened("nasbench201")
    (architecture,) = sample(space, 1, Random(0))
    token = ":".join([*to_token(architecture).split(":")[:2], "3.3.3.0.0.1"])
    panel = panel_of(picture_of_architecture(space, from_token(space, token)), "c")
    faint = {b.title for b in panel.boxes if b.faint}
    assert faint == {"zero"}
    token = ":".join([*to_token(architecture).split(":")[:2], "3.3.3.3.0.0"])
    panel = panel_of(picture_of_architecture(space, from_token(space, token)), "c")
    assert {b.key for b in panel.boxes if b.faint and "/" not in b.key} == {"node1", "node2"}


def test_a_choice_inside_a_block_and_a_maybe_are_drawn() -> None:
    text = """
space odd
op unit { conv(3) -> maybe batch_norm -> relu }
block twice(x) { x -> choose [conv(1), unit] }
cell c(x) {
  node 1 { x -> choose [unit, (relu -> choose [conv(3), conv(5)])] }
  node 2 { twice(previous) + x }
  previous
}
network image_classifier {
  stem conv(3, filters: 8)
  stack c
  head global_avg_pool -> linear(classes)
}
"""
    space = Compilation(SourceFile("odd.enas", text)).space
    assert space is not None
    for architecture in sample(space, 20, Random(0)):
        picture = picture_of_architecture(space, architecture)
        to_svg(compose(picture))
        node = next(b for b in panel_of(picture, "c").boxes if b.key == "node1")
        choices = to_json(space, architecture)["choices"]
        assert isinstance(choices, dict)
        assert node.title in {"unit", choices["c.node1.choice"]}
    to_svg(compose(picture_of_space(space)))


# --------------------------------------------------------------------- formats


def scene_of(name: str) -> Scene:
    return compose(drawn(name)[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_a_shipped_space_is_drawn_soon_and_well_formed(name: str) -> None:
    space = opened(name)
    start = time.process_time()
    svg = to_svg(compose(picture_of_space(space)))
    assert time.process_time() - start < 2
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(svg.encode()) < 60_000
    assert svg == to_svg(compose(picture_of_space(space)))


@pytest.mark.parametrize("name", SPACES)
def test_the_stored_picture_is_up_to_date(name: str) -> None:
    stored = shipped("spaces") / PICTURES / f"{name}.svg"
    assert stored.exists(), "python -m enasdsl.view.catalogue writes it"
    made = to_svg(compose(picture_of_space(opened(name))))
    assert stored.read_text("utf-8") == made, "python -m enasdsl.view.catalogue writes it anew"


def test_no_picture_is_of_a_space_that_is_gone() -> None:
    assert sorted(p.stem for p in (shipped("spaces") / PICTURES).iterdir()) == SPACES


@pytest.mark.slow
def test_a_drawing_is_the_same_in_every_process() -> None:
    program = (
        "from enasdsl.pipeline import Compilation;"
        "from enasdsl.view.space_picture import picture_of_space as p;"
        "from enasdsl.view.compose import compose; from enasdsl.view.svg import to_svg;"
        "print(to_svg(compose(p(Compilation.open('nasbench101').space))))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent.parent)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


def test_names_are_escaped() -> None:
    text = 'space s\nparam way = "a<b" in ["a<b", "c&d"]\nw = choose ["x<&", "same"]\n'
    text += "network image_classifier { stem conv(3, filters: choose [8, 16])\n stack relu\n"
    text += " head global_avg_pool -> linear(classes) }"
    space = Compilation(SourceFile("s.enas", text)).space
    assert space is not None
    svg = to_svg(compose(picture_of_space(space)), note="a < b & c")
    ElementTree.fromstring(svg)
    assert "a &lt; b &amp; c" in svg


@pytest.mark.slow
def test_dot_has_every_box_and_every_arrow() -> None:
    for picture in drawn("micro"):
        dot = to_dot(picture)
        boxes = sum(len(p.boxes) for p in picture.panels)
        arrows = [a for p in picture.panels for a in p.arrows]
        assert len(re.findall(r"^    p\d+b\d+ \[", dot, re.MULTILINE)) == boxes
        assert len(re.findall(r"^    p\d+b\d+ -> p\d+b\d+", dot, re.MULTILINE)) == len(arrows)
        assert dot.count("style=dashed]") == sum(not a.certain or a.faint for a in arrows)
        assert dot.count("{") == dot.count("}")
        assert dot.count('"') % 2 == 0


def test_png_has_the_size_of_the_scene_and_is_not_blank() -> None:
    image_module = pytest.importorskip("PIL.Image")
    from io import BytesIO

    scene = scene_of("nasbench201")
    image = image_module.open(BytesIO(to_png(scene, scale=1.5)))
    assert image.size == (int(scene.width * 1.5), int(scene.height * 1.5))
    colours = image.convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 20


def test_long_text_is_cut_and_measured() -> None:
    assert text_width("iiii", 10) < text_width("wwww", 10)
    assert text_width("漢字", 10) == 20
    box = next(b for b in drawn("micro")[1].panels[1].boxes if b.role is Role.MERGE)
    assert box.detail == "+"
