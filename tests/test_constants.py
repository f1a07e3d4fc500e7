"""Constants: their arithmetic, their ranges, and what is refused rather than computed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enasdsl.diagnostics import Diagnostic
from enasdsl.pipeline import load
from enasdsl.report import render
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.constants import Interval
from enasdsl.semantics.resolve import resolve
from enasdsl.source import SourceFile
from enasdsl.syntax.parse import parse


def check(text: str) -> tuple[Checked | None, tuple[Diagnostic, ...]]:
    tree, found = parse(SourceFile("test.enas", text))
    assert tree is not None, [d.message for d in found]
    return resolve(tree, overrides={}, load=load)


VALUES = {
    "7 / 2": 3.5,
    "8 / 2": 4,
    "7 // 2 + 7 % 2": 4,
    "-2^2 + 10": 6,
    "2^3^2": 512,
    "factorial(5)": 120,
    "max(1, 2, 9) - min([4, 5])": 5,
    "sum(i^2 for i in 1..3 when i != 2)": 10,
    "count(i for i in 2..8 step 2)": 4,
    "1 when 2 < 1 else 5": 5,
    "true and not (1 == 2)": True,
    '"a" == "a" or 1 / 0 == 1': True,
}


@pytest.mark.parametrize("text", VALUES)
def test_a_constant_has_its_value(text: str) -> None:
    checked, found = check(f"param N = {text} in [N0 for N0 in -9..999]\ncell c(x) {{ x }}\n")
    checked, found = check(f"param N = {text}\ncell c(x) {{ x }}\n")
    assert checked is not None, [d.message for d in found]
    assert checked.params["N"] == VALUES[text]


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 9), st.integers(-60, 60))
def test_an_interval_holds_what_it_lists(low: int, high: int, step: int, value: int) -> None:
    interval = Interval(low, high, step)
    assert (value in interval) == (value in list(interval))
    assert interval.size == len(list(interval))


ENDLESS = [
    "10^10^10",
    "factorial(10^6)",
    "2^30000 * 2^30000",
    "3 in 1..10^40",
    "10^400 in 1..10^500 step 10^3",
    "10^400 in [10^400 + 1]",
    "sum(i for i in 1..10^9)",
    "sum(sum(sum(1 for k in 1..999) for j in 1..999) for i in 1..999)",
    "1.5 in 0.1..10^3000",
    "(0 - 8)^0.5",
    "1e308 * 10",
    "10^400 / 3",
]


@pytest.mark.parametrize("text", ENDLESS)
def test_constants_without_end_are_refused_soon(text: str) -> None:
    start = time.process_time()
    _, found = check(f"param N = {text}\ncell c(x) {{ x -> relu }}\n")
    assert time.process_time() - start < 1
    assert {d.code for d in found} <= {"E0208", "E0222"}
    render(found, color=False)


NUMBERS = st.recursive(
    st.integers(0, 20).map(str),
    lambda below: st.tuples(below, st.sampled_from(["+", "-", "*", "//", "%"]), below).map(
        lambda parts: f"({' '.join(parts)})"
    ),
    max_leaves=8,
)


@given(NUMBERS)
def test_constants_are_those_of_arithmetic(text: str) -> None:
    checked, found = check(f"param N = abs({text})\ncell c(x) {{ x }}\n")
    try:
        expected = abs(eval(text))
    except ZeroDivisionError:
        assert [d.code for d in found] == ["E0208"]
    else:
        assert checked is not None
        assert checked.params["N"] == expected
