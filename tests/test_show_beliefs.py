"""A controller's beliefs as a picture: its shares are those of what it draws, in every format."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from handmade import everything, macro, rnn, seeded
from pictures import BEYOND, EVERY, opened
from search_worlds import write_world

from enasdsl.cli import main
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import read_off
from enasdsl.nn.controller import Controller
from enasdsl.pipeline import Compilation
from enasdsl.search.believed import believed
from enasdsl.source import SourceFile
from enasdsl.view.beliefs import Beliefs
from enasdsl.view.compose import compose
from enasdsl.view.dot import to_dot
from enasdsl.view.outline_picture import picture_of_decisions
from enasdsl.view.picture import Choice, Panel, Picture
from enasdsl.view.scene import Curve, Rect
from enasdsl.view.space_picture import distinct, name_of, nodes_of, picture_of_space
from enasdsl.view.svg import to_svg
from enasdsl.view.walking import Walk

Captured = pytest.CaptureFixture[str]
MANY = 30


@cache
def drawn(*which: Any) -> tuple[Architecture, ...]:
    return tuple(sample(opened(*which), MANY, Random(0)))


def beliefs_of(space: Space, architectures: tuple[Architecture, ...]) -> Beliefs:
    entropy = {d.path: 0.25 for d in space.decisions}
    places = {d.path: "file.enas:7" for d in space.decisions}
    return Beliefs.of(space, architectures, entropy=entropy, places=places, origin="of a test")


@cache
def pictured(*which: Any) -> Picture:
    space = opened(*which)
    return picture_of_space(space, beliefs_of(space, drawn(*which)))


def panel_of(picture: Picture, title: str) -> Panel:
    return next(p for p in picture.panels if title in re.split(r" and |, | … ", p.title))


# ---------------------------------------------------------------------- shares


@EVERY
def test_an_arrow_is_as_likely_as_many_architectures_have_it(which: tuple[str, str, int]) -> None:
    """Each architecture is read by itself."""
    space = opened(*which)
    shares = {
        (body.name, a.tail, a.head): a.share
        for body in distinct(space.bodies[1:])
        for a in panel_of(pictured(*which), body.name).arrows
        if a.head in {name_of(body, ref) for ref in nodes_of(body)}
    }
    counts: Counter[tuple[str, str, str]] = Counter()
    for architecture in drawn(*which):
        reading = read_off(space, architecture.picks)
        for body in distinct(space.bodies[1:]):
            walk = Walk(body, frozenset(nodes_of(body)), reading)
            for ref in nodes_of(body):
                tails = walk.sources(ref) if _lives(walk, ref) else ()
                counts.update((body.name, name_of(body, t), name_of(body, ref)) for t in tails)
    assert counts.keys() <= shares.keys()
    assert shares == {key: counts[key] / MANY for key in shares}


def _lives(walk: Walk, ref: int) -> bool:
    assert walk.reading is not None
    return walk.reading.holds(getattr(walk.body.values[ref], "guard", ()))


@EVERY
def test_every_row_has_the_odds_of_its_options(which: tuple[str, str, int]) -> None:
    space, architectures = opened(*which), drawn(*which)
    wanted = set()
    for n, decision in enumerate(space.decisions):
        taken = [set(a.picks[n] or ()) for a in architectures if a.picks[n] is not None]
        size = decision.domain.size
        wanted.add(tuple(sum(k in t for t in taken) / max(len(taken), 1) for k in range(size)))
    rows = [c for p in pictured(*which).panels for b in p.boxes for c in b.choices]
    rows += [c for p in pictured(*which).panels for c in p.choices]
    assert rows or not space.decisions
    for row in rows:
        assert any(row.odds == pytest.approx(odds) for odds in wanted)
        assert "file.enas:7" in row.note


@pytest.mark.parametrize("space", [rnn(4), macro(4)], ids=lambda s: s.name)
def test_odds_are_the_marginals_of_the_policy(space: Space) -> None:
    """Exact ones, by the probabilities of all architectures."""
    controller = Controller(
        space, hidden=8, temperature=None, init=1.5, generator=seeded(3)
    ).double()
    architectures = everything(space)
    odds = controller.log_prob(architectures).exp().tolist()
    found = beliefs_of(space, controller.sample(4000, seeded(1)).architectures)
    for n, decision in enumerate(space.decisions):
        exact = [0.0] * decision.domain.size
        for architecture, p in zip(architectures, odds, strict=True):
            for pick in set(architecture.picks[n] or ()):
                exact[pick] += p
        assert found.odds(n, decision.domain.size) == pytest.approx(exact, abs=0.04)


def test_a_file_without_a_network_has_arrows_as_likely_as_they_are_picked() -> None:
    text = "space s\ncell c(x) {\n  node i in 1..3 { choose earlier -> choose [relu, tanh] }\n}\n"
    space = Compilation(SourceFile("s.enas", text)).space
    assert space is not None
    architectures = tuple(sample(space, MANY, Random(0)))
    picture = picture_of_decisions(space, beliefs=beliefs_of(space, architectures))
    third = next(n for n, d in enumerate(space.decisions) if d.scope == "c.node3")
    shares = [a.share for a in panel_of(picture, "c").arrows if a.head == "node3"]
    picks = Counter(a.picks[third] for a in architectures)
    assert shares == [picks[(n,)] / MANY for n in range(3)]


# --------------------------------------------------------------------- formats


@pytest.mark.parametrize("which", [("rnn", "N", 12), BEYOND[0]], ids=str)
def test_no_box_covers_another_and_all_is_on_the_page(which: tuple[str, str, int]) -> None:
    scene = compose(pictured(*which))
    boxes = [i for i in scene.items if isinstance(i, Rect) and i.height > 20]
    for n, a in enumerate(boxes):
        assert min(a.x, a.y) >= 0
        assert a.x + a.width <= scene.width
        assert a.y + a.height <= scene.height
        for b in boxes[:n]:
            assert (
                a.x >= b.x + b.width or b.x >= a.x + a.width
                or a.y >= b.y + b.height or b.y >= a.y + a.height
            )  # fmt: skip
    ElementTree.fromstring(to_svg(scene))


def test_what_is_likelier_is_thicker_and_darker_and_lies_above() -> None:
    items = compose(pictured("rnn")).items
    curves = [c for c in items if isinstance(c, Curve)]
    assert len({c.width for c in curves}) > 4
    pairs = {(c.width, c.stroke) for c in curves if len(c.pieces) > 1}
    by_width = [int(stroke[1:3], 16) for _, stroke in sorted(pairs)]
    assert by_width == sorted(by_width, reverse=True)
    svg = to_svg(compose(pictured("rnn")))
    heads = set(re.findall(r"url\(#(head-[^)]+)\)", svg))
    assert heads == set(re.findall(r'<marker id="([^"]+)"', svg))


def test_shares_stand_in_dot() -> None:
    dot = to_dot(pictured("rnn"))
    shares = [a.share for p in pictured("rnn").panels for a in p.arrows]
    assert None not in shares
    assert dot.count("penwidth=") == len(shares)
    assert "style=dashed" not in dot


def test_only_what_is_sure_is_said_to_be() -> None:
    row = Choice("f", "1 of 3", ("a", "b", "c"), odds=(0.999, 0.001, 0.0), note="0.01 nats")
    assert str(row) == "f: 1 of 3, a >99 % | b <1 % | c 0 %; 0.01 nats"


# --------------------------------------------------------------------- command


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two searches, by the controller and by chance."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("world")
    file, data = write_world(folder)
    for strategy in ("enas", "random"):
        words = ["--data", data, "--strategy", strategy, "--out", str(folder / strategy)]
        assert main(["search", str(file), *words]) == 0
    return folder


def test_a_search_is_shown_with_what_it_believes(runs: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert main(["show", str(runs / "enas"), "--beliefs"]) == 0
    tree = capsys.readouterr().out
    assert "1,000 architectures drawn by enas" in tree
    assert re.search(r"source: 1 of 2; 0\.\d\d of 0\.69 nats, tiny\.enas:7\n", tree)
    assert re.search(r"tanh \d+ % \| relu \d+ %; 0\.\d\d of 0\.69 nats, tiny\.enas:5\n", tree)
    assert re.search(r"node3  linear  <~ node1 \d+ %, node2 \d+ %\n", tree)
    assert main(["show", str(runs / "enas"), "--beliefs"]) == 0
    assert capsys.readouterr().out == tree
    for name in ("b.svg", "b.dot"):
        assert main(["show", str(runs / "enas"), "--beliefs", "-o", str(runs / name)]) == 0
        assert (runs / name).stat().st_size > 1000


def test_the_drawing_disturbs_no_search(runs: Path) -> None:
    before = {p: p.read_bytes() for p in (runs / "enas").rglob("*") if p.is_file()}
    space, beliefs = believed(runs / "enas")
    assert len(beliefs) == 1000
    assert beliefs.entropy.keys() == {d.path for d in space.decisions}
    assert before == {p: p.read_bytes() for p in (runs / "enas").rglob("*") if p.is_file()}


def test_what_has_no_beliefs_is_said(runs: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert main(["show", str(runs / "random"), "--beliefs"]) == 1
    assert "by `random`, which has no beliefs" in capsys.readouterr().err
    assert main(["show", "rnn", "--beliefs"]) == 1
    assert "is not a run" in capsys.readouterr().err
    assert main(["show", str(runs / "enas"), "--beliefs", "--stage", "ir"]) == 2
    assert "goes with neither --beliefs nor -o" in capsys.readouterr().err
