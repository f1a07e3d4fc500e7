"""What is said in another way means the same: constructs in one another, each by a small file."""

from __future__ import annotations

import pytest
from small_files import refusal, size


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("node i in 1..3 { s = [x, nodes]; choose s -> relu }; sum(loose)", 1 * 2 * 3),
        ("node i in 1..3 { sum(x, choose any from [x, nodes]) }; sum(loose)", 2 * 4 * 8),
        ("node i in 1..3 { s = [x, nodes]; sum(x, choose any from s) }; sum(loose)", 2 * 4 * 8),
        ("node i in 1..2 { s = [nodes when i > 1, x]; choose s -> relu }; sum(loose)", 1 * 2),
        ("a = [1, 3]; b = [a, 5]; d = [7, b]; x -> conv(choose b) -> conv(choose d)", 3 * 4),
        ("a = [1, 3]; b = [a, [5, 7]]; x -> conv(b[2][1]) -> conv(choose b[1])", 2),
        ("y = x -> relu; a = [x, y]; d = [a when true, (x -> abs)]; s = choose any from d;"
         " sum(x, s) + choose d", 8 * 3),
    ],
)  # fmt: skip
def test_a_list_with_a_name_says_what_it_says_in_place(body: str, wanted: int) -> None:
    assert size(f"cell c(x) {{ {body} }}") == wanted


REST = """op rest(n, wide) {
  require n > 0 or wide == 1 "one that is wide"
  identity when n == 0 else choose [
    (conv(3) -> rest(n - 1, wide)), (conv(5) -> rest(n - 1, wide + 1))]
}"""


def test_a_requirement_that_a_branch_never_meets_rules_out_the_branch() -> None:
    assert size(REST, "rest(3, 0)") == 3
    text = "op f(k) { require k > 1; conv(k) }\ncell c(x) { x -> choose [f(1), f(3), relu] }"
    assert size(text) == 2


def test_a_requirement_that_no_branch_meets_is_a_mistake() -> None:
    text = "op f(k) { require k > 3; conv(k) }\ncell c(x) { x -> choose [f(1), f(3)] }"
    assert refusal(text) == ("E0408", "no architecture meets this requirement")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("d = choose [1, 2]; x -> (conv(3, dilation: d) when d == 2 else relu)", 2),
        ("n = choose 1..3; x when n == 1 else (concat([x -> channel_part(g, of: n) for g in 1..2])"
         " when n == 2 else (x -> channel_part(n - 2, of: n - 2) -> relu))", 3),
    ],
)  # fmt: skip
def test_a_number_that_a_guard_settles_may_stand_where_a_fixed_one_must(
    body: str, wanted: int
) -> None:
    assert size(f"cell c(x) {{ {body} }}") == wanted


@pytest.mark.parametrize("op", ["conv(3, dilation: n)", "channel_part(1, of: n)"])
def test_a_number_that_must_be_fixed_is_no_choice(op: str) -> None:
    code, message = refusal(f"cell c(x) {{ n = choose [1, 2]; x -> {op} -> conv(1) }}")
    assert (code, message.endswith("cannot be a choice")) == ("E0207", True)


def test_a_widening_that_is_chosen_may_stand_under_a_stride() -> None:
    text = "block b(x) { x -> mbconv(choose [3, 5], choose [1, 2]) }"
    assert size(text, "b(stride: 2), b") == 4**2


def test_a_stride_of_one_reads_a_value_as_it_is() -> None:
    text = "op half on x { x -> (relu(stride: 1) when choose [true, false] else conv(1, stride: 1))"
    assert size(f"{text} -> conv(3, stride: stride) }}\ncell c(x) {{ x -> half(stride: 2) }}") == 2
