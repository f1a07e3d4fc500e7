"""Pareto fronts as drawings: what lies where."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enasdsl.search.objective import front
from enasdsl.view.front_picture import HEIGHT, LEFT, TOP, WIDTH, Front, page_of_front
from enasdsl.view.scene import Rect, Text

POINT = st.tuples(st.floats(0.01, 1.0), st.floats(1.0, 1e9))


def _dots(found: Front) -> list[Rect]:
    legend = bool(found.members) + bool(found.others)
    return [item for item in page_of_front(found).items if isinstance(item, Rect)][legend:]


@given(st.lists(POINT, min_size=1, max_size=12, unique=True))
def test_points_lie_in_the_area_in_the_order_of_their_values(
    points: list[tuple[float, float]],
) -> None:
    members = tuple(points[i] for i in front([(a, -p) for a, p in points]))
    others = tuple(p for p in points if p not in members)
    found = Front("f", ("accuracy", "params"), members, others)
    drawn = _dots(found)
    assert len(drawn) == len(points)
    for dot in drawn:
        assert LEFT <= dot.x + dot.width / 2 <= LEFT + WIDTH
        assert TOP <= dot.y + dot.height / 2 <= TOP + HEIGHT
    placed = [*zip((*others, *members), drawn, strict=True)]
    by_cost = sorted(placed, key=lambda pair: pair[0][1])
    assert [d.x for _, d in by_cost] == sorted(d.x for d in drawn)
    by_figure = sorted(placed, key=lambda pair: -pair[0][0])
    assert [d.y for _, d in by_figure] == sorted(d.y for d in drawn)


def test_every_further_value_has_a_panel_and_round_ticks() -> None:
    found = Front("f", ("accuracy", "params", "macs"), ((0.91, 1e5, 2.2e6), (0.95, 3e5, 1.4e7)))
    words = [item.text for item in page_of_front(found).items if isinstance(item, Text)]
    assert words.count("accuracy") == 2
    assert {"params", "macs", "0.92", "150k", "10M"} <= set(words)
    assert len(_dots(found)) == 4
