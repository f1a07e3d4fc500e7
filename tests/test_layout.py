"""Where things stand in a drawing: no box on another, no arrow through a box, no text too wide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import EVERY, drawn
from programs import Program, programs

from enasdsl.ir.sample import sample
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile
from enasdsl.view.cards import legend_of
from enasdsl.view.compose import arranged, compose
from enasdsl.view.found_picture import picture_of_architecture
from enasdsl.view.layered import layered, topological
from enasdsl.view.metrics import text_width
from enasdsl.view.picture import Picture
from enasdsl.view.placement import Path as Route
from enasdsl.view.placement import Placement, Size, column
from enasdsl.view.scene import Point, Rect, Text
from enasdsl.view.space_picture import picture_of_space


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


def check_picture(picture: Picture) -> None:
    for panel in picture.panels:
        legend = {} if panel.found else legend_of(panel.boxes)
        cards, placement = arranged(panel, legend)
        assert len(cards) == len(panel.boxes)
        check(placement, {key: (c.width, c.height) for key, c in cards.items()})


@pytest.mark.slow
@EVERY
def test_no_boxes_overlap_and_no_arrow_runs_through_one(which: tuple[str, str, int]) -> None:
    for picture in drawn(*which):
        check_picture(picture)


@pytest.mark.slow
@settings(max_examples=60)
@given(programs())
def test_a_generated_space_is_drawn_and_so_are_its_architectures(program: Program) -> None:
    space = Compilation(SourceFile("s.enas", program.text), task=program.task).space
    assert space is not None
    check_picture(picture_of_space(space))
    for architecture in sample(space, 2, Random(0)):
        check_picture(picture_of_architecture(space, architecture))


@pytest.mark.slow
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


def test_a_block_with_nodes_in_the_stack_is_one_part() -> None:
    """Its choices of inputs lie between its own operations and the network's."""
    text = """
space s
block part(x) {
  node 1 { choose earlier -> conv(1) }
  node 2 {
    a, b = choose 2 from earlier
    (a -> conv(3)) + (b -> conv(1))
  }
  sum(loose)
}
network image_classifier {
  stem conv(3, filters: 4)
  stack part, relu
  head global_avg_pool -> linear(classes)
}
"""
    space = Compilation(SourceFile("s.enas", text)).space
    assert space is not None
    picture = picture_of_space(space)
    check_picture(picture)
    titles = [b.title for b in picture.panels[0].boxes]
    assert titles == ["input", "stem", "part", "relu", "head", "output"]
    for architecture in sample(space, 5, Random(0)):
        check_picture(picture_of_architecture(space, architecture))
