"""What is said in another way means the same: constructs in one another, each by a small file."""

from __future__ import annotations

import pytest
from small_files import size


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("node i in 1..3 { s = [x, nodes]; choose s -> relu }; sum(loose)", 1 * 2 * 3),
        ("node i in 1..3 { sum(x, choose any from [x, nodes]) }; sum(loose)", 2 * 4 * 8),
        ("node i in 1..3 { s = [x, nodes]; sum(x, choose any from s) }; sum(loose)", 2 * 4 * 8),
        ("node i in 1..2 { s = [nodes when i > 1, x]; choose s -> relu }; sum(loose)", 1 * 2),
        ("a = [1, 3]; b = [a, 5]; x -> conv(b[3]) -> conv(choose b)", 3),
        ("a = [1, 3]; b = [a, [5, 7]]; x -> conv(b[3][1]) -> conv(b[1])", 1),
        ("y = x -> relu; a = [x, y]; s = choose any from a; sum([x, s]) + choose a", 4 * 2),
    ],
)
def test_a_list_with_a_name_says_what_it_says_in_place(body: str, wanted: int) -> None:
    assert size(f"cell c(x) {{ {body} }}") == wanted
