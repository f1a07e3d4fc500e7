"""Drawings: nothing overlaps, nothing is lost, and what they show is what the record says."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enasdsl.ir.record import from_token, to_json, to_token
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Source, Space
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile, shipped
from enasdsl.view.cards import legend_of
from enasdsl.view.catalogue import PICTURES
from enasdsl.view.compose import arranged, compose
from enasdsl.view.dot import to_dot
from enasdsl.view.found_picture import picture_of_architecture
from enasdsl.view.layered import layered, topological
from enasdsl.view.metrics import text_width
from enasdsl.view.picture import Panel, Picture, Role
from enasdsl.view.placement import Path as Route
from enasdsl.view.placement import Placement, Size, column
from enasdsl.view.png import to_png
from enasdsl.view.scene import Point, Rect, Scene, Text
from enasdsl.view.space_picture import picture_of_space
from enasdsl.view.svg import to_svg

SPACES = sorted(path.stem for path in shipped("spaces").glob("*.enas"))
BEYOND = (("macro", "L", 24), ("rnn", "N", 24), ("micro", "B", 9))
"""Larger members of the paper's families, at which a drawing must still be readable."""


@cache
def opened(name: str, param: str = "", value: int = 0) -> Space:
    space = Compilation.open(name, overrides={param: value} if param else {}).space
    assert space is not None
    return space


@cache
def drawn(name: str, param: str = "", value: int = 0) -> tuple[Picture, ...]:
    """The picture of a space, and those of two of its architectures."""
    space = opened(name, param, value)
    found = (picture_of_architecture(space, a) for a in sample(space, 2, Random(1)))
    return picture_of_space(space), *found


EVERY = pytest.mark.parametrize("which", [*((s,) for s in SPACES), *BEYOND], ids=str)

# ---------------------------------------------------------------------- places


def overlaps(a: tuple[Point, Size], b: tuple[Point, Size]) -> bool:
    (ax, ay), (aw, ah) = a
    (bx, by), (bw, bh) = b
    return ax < bx + bw and bx < ax + aw and ay < by + bh and by < ay + ah


def stretches(route: Route) -> Iterator[tuple[Point, ...]]:
    """The pieces of a line, each by its start and the points that bound it."""
    here, pieces = route
    for piece in pieces:
        yield (here, *piece)
        here = piece[-1]


def along(piece: tuple[Point, ...]) -> Iterator[Point]:
    """Points of a straight or of a cubic piece."""
    ends = piece if len(piece) == 4 else (piece[0], piece[0], piece[1], piece[1])
    for n in range(41):
        t = n / 40
        weights = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
        pairs = list(zip(weights, ends, strict=True))
        yield sum(w * p[0] for w, p in pairs), sum(w * p[1] for w, p in pairs)


def crosses(piece: tuple[Point, ...], corner: Point, size: Size) -> bool:
    """Whether a piece of a line runs through the inside of a box."""
    (x, y), (w, h) = corner, size
    xs, ys = zip(*piece, strict=True)
    if max(xs) <= x + 0.1 or min(xs) >= x + w - 0.1 or max(ys) <= y + 0.1 or min(ys) >= y + h - 0.1:
        return False
    return any(x + 0.1 < px < x + w - 0.1 and y + 0.1 < py < y + h - 0.1 for px, py in along(piece))


def check(placement: Placement, sizes: Mapping[str, Size]) -> None:
    """No two boxes overlap, no line passes through a box, every head is below its tail."""
    boxes = {key: (corner, sizes[key]) for key, corner in placement.corners.items()}
    assert boxes.keys() == sizes.keys()
    for a, b in combinations(boxes.values(), 2):
        assert not overlaps(a, b)
    for (x, y), (w, h) in boxes.values():
        assert x >= -1e-6
        assert y >= -1e-6
        assert x + w <= placement.width + 1e-6
        assert y + h <= placement.height + 1e-6
    for (tail, head), route in placement.paths.items():
        assert boxes[tail][0][1] + boxes[tail][1][1] <= boxes[head][0][1]
        for piece in stretches(route):
            assert not any(crosses(piece, corner, size) for corner, size in boxes.values())


@EVERY
def test_no_boxes_overlap_and_no_arrow_runs_through_one(which: tuple[str, str, int]) -> None:
    for picture in drawn(*which):
        for panel in picture.panels:
            legend = {} if panel.found else legend_of(panel.boxes)
            cards, placement = arranged(panel, legend)
            check(placement, {key: (c.width, c.height) for key, c in cards.items()})


@EVERY
def test_no_text_is_wider_than_its_box(which: tuple[str, str, int]) -> None:
    for picture in drawn(*which):
        scene = compose(picture)
        for panel in picture.panels:
            for card in arranged(panel, legend_of(panel.boxes))[0].values():
                frame = card.items[0]
                assert isinstance(frame, Rect)
                for text in (i for i in card.items if isinstance(i, Text)):
                    assert text.width <= frame.width - 6
                    assert text.width >= text_width(text.text, text.size, bold=text.bold) - 0.1
                    assert 0 <= text.x <= text.x + text.width <= frame.width
                    assert 0 < text.y < frame.height
        assert all(0 <= i.x <= scene.width for i in scene.items if isinstance(i, Rect | Text))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[tuple[str, str]], frozenset[str]]:
    count = draw(st.integers(1, 14))
    keys = [f"k{n}" for n in range(count)]
    measure = st.floats(10, 120)
    sizes = {key: (draw(measure), draw(st.floats(10, 60))) for key in keys}
    pairs = [(a, b) for a, b in combinations(keys, 2) if draw(st.integers(0, 3)) == 0]
    return sizes, pairs, frozenset(k for k in keys if draw(st.booleans()))


@given(graphs())
def test_any_graph_without_circles_is_laid_out(
    graph: tuple[dict[str, Size], list[tuple[str, str]], frozenset[str]],
) -> None:
    sizes, pairs, late = graph
    placement = layered(sizes, pairs, late)
    assert set(placement.paths) == set(pairs)
    check(placement, sizes)
    check(column(sizes, pairs, late), sizes)


def test_a_tree_is_drawn_without_crossings() -> None:
    """A binary tree whose boxes come in an order that crosses, were it kept."""
    keys = ["root", *(f"n{n}" for n in (3, 1, 2, 0)), *(f"l{n}" for n in (7, 2, 5, 0, 3, 6, 1, 4))]
    pairs = [("root", f"n{n}") for n in range(4)]
    pairs += [(f"n{n // 2}", f"l{n}") for n in range(8)]
    placement = layered(dict.fromkeys(keys, (30.0, 20.0)), pairs)
    ends = [(placement.corners[a][0], placement.corners[b][0]) for a, b in pairs[4:]]
    assert all((a - c) * (b - d) >= 0 for (a, b), (c, d) in combinations(ends, 2))


def test_boxes_come_after_what_they_read() -> None:
    assert topological(["c", "a", "b"], [("a", "b"), ("b", "c")]) == ["a", "b", "c"]


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
