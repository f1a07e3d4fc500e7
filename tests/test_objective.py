"""Rewards as expressions: what they are worth, what they refuse, and which way is better."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enasdsl.search.errors import SearchError
from enasdsl.search.objective import Objective, front

VALUES = {"accuracy": 0.9, "params": 5e6, "macs": 1e8, "perplexity": 120.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy", 0.9),
        ("accuracy - 0.1 * log(params)", 0.9 - 0.1 * math.log(5e6)),
        ("accuracy * (macs / 1G) ^ -0.07", 0.9 * 0.1**-0.07),
        ("80 / perplexity", 80 / 120),
        ("-max(perplexity, 2k) + sqrt(4M)", 0.0),
        ("min(accuracy, 0.5, 2) - abs(-1)", -0.5),
        ("2 ^ 3 ^ 2 * accuracy", 512 * 0.9),
        ("exp(log(accuracy))", 0.9),
    ],
)
def test_a_reward_is_arithmetic(text: str, expected: float) -> None:
    assert Objective.parse(text).reward(VALUES) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("accuracy, params <= 5M", True),
        ("accuracy, params < 5M", False),
        ("params <= 4M, accuracy", False),
        ("accuracy, 4k <= params, macs / 1M < 101", True),
        ("accuracy, params + macs >= 1G", False),
    ],
)
def test_comparisons_are_limits(text: str, kept: bool) -> None:
    objective = Objective.parse(text)
    assert objective.reward(VALUES) == 0.9
    assert objective.allows(VALUES) is kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "accuracy, params",
        "params <= 4M",
        "3",
        "accuracy - (params < 3)",
        "accuracy +",
        "log(accuracy, 2)",
        "max(accuracy)",
        "log(x: accuracy)",
        "__import__('os').system('true')",
        "accuracy] \n ops other = [identity",
        "accuracy when params < 3 else 0",
        "choose [accuracy, params]",
        "accuracy for accuracy in earlier",
        "accuracy -> log",
        "open(accuracy)",
        '"accuracy"',
        "true",
        "(" * 300 + "accuracy" + ")" * 300,
    ],
)
def test_what_is_no_reward_is_refused(text: str) -> None:
    with pytest.raises(SearchError) as caught:
        Objective.parse(text)
    assert caught.value.help


@given(st.text("acurpmslog0123456789.,()+-*/^<>= \n#'[]{}", max_size=30))
def test_any_text_is_a_reward_or_refused(text: str) -> None:
    try:
        objective = Objective.parse(text)
    except SearchError:
        return
    assert objective.directions


def test_a_value_that_is_none_is_said() -> None:
    with pytest.raises(SearchError, match="no value where params = 0"):
        Objective.parse("1 / params").reward({"params": 0.0})


def test_an_unknown_name_is_said_with_a_likely_one() -> None:
    with pytest.raises(SearchError, match="`acuracy`") as caught:
        Objective.parse("acuracy").check_names(["accuracy", "params"])
    assert caught.value.help == "did you mean `accuracy`?"


@pytest.mark.parametrize(
    "text",
    [
        "accuracy - params / 1M - 0.1 * macs",
        "accuracy / params * 2 / macs",
        "accuracy * params ^ -0.07 + -(macs)",
        "accuracy + -2 * params - -3 * -macs",
        "accuracy * (params / 3) ^ -1, macs <= 4",
        "min(accuracy, 1000 - params), 2 > macs",
    ],
)
def test_the_expression_says_which_way_is_better(text: str) -> None:
    """Its signs are those of its slopes."""
    objective = Objective.parse(text)
    assert objective.directions == {"accuracy": 1, "params": -1, "macs": -1}
    at = {"accuracy": 1.0, "params": 2.0, "macs": 3.0}
    for name, direction in objective.directions.items():
        more = objective.reward({**at, name: at[name] * 1.01}) - objective.reward(at)
        assert more * direction >= 0


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=12))
def test_the_front_is_what_nothing_betters(points: list[tuple[int, int, int]]) -> None:
    kept = {points[i] for i in front([tuple(map(float, p)) for p in points])}

    def bettered(point: tuple[int, ...]) -> bool:
        return any(
            other != point and all(a >= b for a, b in zip(other, point, strict=True))
            for other in points
        )

    assert kept == {point for point in points if not bettered(point)}
