"""Requirements: what they keep, by a second interpreter, and how long that takes."""

from __future__ import annotations

from collections import Counter as Tally
from functools import lru_cache
from itertools import combinations_with_replacement, product
from math import comb
from random import Random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpret import Interpreter
from interpreted import Unmet
from programs import IMAGES
from test_meaning import records

from enasdsl.ir.count import TooManyStates, count
from enasdsl.ir.sample import enumerate_space, rank, sample, unrank
from enasdsl.ir.space import Architecture, Space
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Picks
from enasdsl.source import SourceFile

FRAME = """space s
param filters = 4
ops candidate = [relu, tanh]
{top}
cell c(older, newer) {{
{cell}
  {last}
}}
network image_classifier {{
  stem  conv(1)
  stack c
  head  global_avg_pool -> linear(classes)
}}
"""


def compiled(text: str) -> Compilation:
    return Compilation(SourceFile("small.enas", text), task=IMAGES)


def lowered(text: str) -> Space:
    compilation = compiled(text)
    assert compilation.diagnostics == ()
    assert compilation.outline is not None
    return compilation.outline


@lru_cache(maxsize=32)
def free(text: str) -> tuple[Compilation, tuple[Architecture, ...]]:
    """A file without requirements, and its architectures."""
    compilation = compiled(text)
    assert compilation.space is not None, compilation.diagnostics
    return compilation, tuple(enumerate_space(compilation.space))


def kept(
    space: Space, wanted: Compilation, found: tuple[Architecture, ...]
) -> set[tuple[Picks, ...]]:
    """The picks of those architectures of which the second interpreter meets all requirements."""
    checked = wanted.checked
    assert checked is not None
    lawful = set()
    for architecture in found:
        try:
            Interpreter(checked, IMAGES, records(space, architecture, checked)).network()
        except Unmet:
            continue
        lawful.add(architecture.picks)
    return lawful


# ------------------------------------------------------------- generated requirements

NUMBERS = """w = choose 3 from [2, 4, 8] with repeats in order
a, b = choose 2 from 1..2 with repeats"""
NODES = """  node i in 1..2 {
    p, q = choose 2 from earlier with repeats
    f = choose candidate
    (p -> f) + (q -> zero)
  }"""
SETS = """  node i in 1..3 {
    s = choose any from nodes
    sum(older -> zero, s) -> relu
  }"""
DEPTH = """  d = choose 1..3
  y = newer -> repeat d { k = choose [1, 3, 5]; conv(k) -> relu }"""


@st.composite
def numbers(draw: st.DrawFn, depth: int = 2) -> str:
    """A number over the names of NUMBERS."""
    form = draw(st.integers(0, 8 if depth else 1))
    inner = numbers(depth - 1)
    match form:
        case 0:
            return draw(st.sampled_from(["a", "b", "w[1]", "w[2]", "w[3]"]))
        case 1:
            return str(draw(st.integers(0, 12)))
        case 2 | 3:
            name = draw(st.sampled_from(["sum", "min", "max", "product"]))
            return f"{name}({draw(st.sampled_from(['w', 'v - a for v in w', '[a, b]', 'w, b']))})"
        case 4:
            return f"abs({draw(inner)} - {draw(inner)})"
        case 5:
            return f"min({draw(inner)}, {draw(inner)})"
        case 6:
            return f"sum(v > {draw(numbers(0))} for v in w)"
        case _:
            return f"({draw(inner)} {draw(st.sampled_from('+-*'))} {draw(inner)})"


@st.composite
def truths(draw: st.DrawFn, atom: st.SearchStrategy[str], depth: int = 2) -> str:
    """Truths joined out of these."""
    inner = truths(atom, depth - 1)
    match draw(st.integers(0, 4)) if depth else 0:
        case 1:
            return f"({draw(inner)} and {draw(inner)})"
        case 2:
            return f"({draw(inner)} or {draw(inner)})"
        case 3:
            return f"not {draw(inner)}"
        case _:
            return draw(atom)


COMPARISON = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
OF_NUMBERS = truths(
    st.one_of(
        st.builds("({} {} {})".format, numbers(), COMPARISON, numbers()),
        st.builds(
            "all(abs(w[i + 1] - w[i]) {} {} for i in 1..2)".format, COMPARISON, numbers(depth=0)
        ),
        st.sampled_from(["sorted(w)", "distinct(w)", "sorted(a, b)", "any(v == a for v in w)"]),
    )
)
OF_NODES = truths(
    st.one_of(
        st.builds("edges {} {}".format, COMPARISON, st.integers(0, 4)),
        st.builds("edges(nodes[{}]) {} 1".format, st.integers(1, 2), COMPARISON),
        st.builds("count(loose) {} {}".format, COMPARISON, st.integers(0, 2)),
        st.builds("count(loose with inputs) {} {}".format, COMPARISON, st.integers(1, 3)),
        st.builds("reachable({}, {})".format, st.sampled_from(["older", "newer"]),
                  st.sampled_from(["nodes", "nodes[2]", "loose"])),
        st.sampled_from(["distinct(f)", "distinct(p)", "sum(g == relu for g in f) == 1",
                         "f[1] == f[2]", "p[1] == older", "p[2] != q[1]",
                         "all(g != tanh for g in f)"]),
    )
)  # fmt: skip
OF_SETS = truths(
    st.one_of(
        st.builds("edges {} {}".format, COMPARISON, st.integers(0, 3)),
        st.builds("sum(count(t) for t in s) {} {}".format, COMPARISON, st.integers(0, 3)),
        st.builds("count(loose) {} {}".format, COMPARISON, st.integers(0, 3)),
        st.builds("count(s[3]) {} {}".format, COMPARISON, st.integers(0, 3)),
    )
)
OF_DEPTHS = truths(
    st.one_of(
        st.builds("sum(k) {} {}".format, COMPARISON, st.integers(0, 12)),
        st.builds("max(k) {} 2 + d".format, COMPARISON),
        st.builds("count(k) {} {}".format, COMPARISON, st.integers(0, 4)),
        st.sampled_from(["sorted(k)", "distinct(k)", "any(j == 3 for j in k)",
                         "all(j > d for j in k)"]),
    )
)  # fmt: skip

CASES = {
    "numbers": (NUMBERS, "", "older + newer", OF_NUMBERS),
    "nodes": ("", NODES, "sum(loose)", OF_NODES),
    "sets": ("", SETS, "sum(older, nodes)", OF_SETS),
    "depths": ("", DEPTH, "y + older", OF_DEPTHS),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_required_is_what_a_direct_interpreter_keeps(case: str) -> None:
    top, cell, last, requirement = CASES[case]

    @settings(max_examples=40, deadline=None)
    @given(st.lists(requirement, min_size=1, max_size=2))
    def check(required: list[str]) -> None:
        compilation, found = free(FRAME.format(top=top, cell=cell, last=last))
        assert compilation.space is not None
        lines = "\n".join(f"  require {r}" for r in required)
        text = FRAME.format(top=top, cell=f"{cell}\n{lines}", last=last)
        wanted = compiled(text)
        lawful = kept(compilation.space, wanted, found) if wanted.checked else set()
        if wanted.outline is None:
            assert {d.code for d in wanted.diagnostics} == {"E0408"}
            assert not lawful
            return
        space = wanted.outline
        assert [d.path for d in space.decisions] == [d.path for d in compilation.space.decisions]
        left = [a.picks for a in enumerate_space(space)]
        assert len(left) == len(set(left)) == count(space)
        assert set(left) == lawful
        assert wanted.space == space

    check()


# ------------------------------------------------------------------------- by hand


def sized(top: str, cell: str = "  node 1 { older + newer }") -> int:
    return count(lowered(FRAME.format(top=top, cell=cell, last="sum(nodes)")))


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ("k = choose [1, 3]\nd = choose [true, false]\nrequire k > 1 or not d", 3),
        ('m = choose ["a", "b", "c"]\nn = choose ["a", "b"]\nrequire m != n', 4),
        ('m = choose ["a", "b", "c"]\nrequire m <= "b"', 2),
        ("w = choose 1..2 from [1, 2, 4, 8]\nrequire sum(w) <= 5", 5),
        ("w = choose any from [1, 2, 4]\nrequire sorted(w) and distinct(w)", 8),
        ("w = choose any from [4, 2, 1]\nrequire sorted(w)", 4),
        ("w = choose 2 from [1, 2, 3] with repeats\nrequire distinct(w)", 3),
        ("w = choose 2 from [1, 2, 3] in order\nrequire sorted(w)", 3),
        ("a = choose 0..3\nb = choose 1..3\nrequire a // b == 1", 4),
    ],
)
def test_sizes_that_are_known(top: str, expected: int) -> None:
    assert sized(top) == expected


def test_a_requirement_of_two_halves_is_two_requirements() -> None:
    """The half that reads what is not there is met, and the other half still binds."""
    top = "m = choose [1, 2]\nop unit(k) { conv(choose [k, 3]) }"
    cell = "  d = choose 1..2\n  y = older -> repeat d { k = choose [1, 3]; conv(k) -> conv(1) }"
    both = FRAME.format(top=top, cell=f"{cell}\n  require sum(k) >= 3 and d + m <= 3", last="y")
    apart = FRAME.format(
        top=top, cell=f"{cell}\n  require sum(k) >= 3\n  require d + m <= 3", last="y"
    )
    assert count(lowered(both)) == count(lowered(apart)) == 1 * 2 + 3


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("  require sorted(older, newer)", "E0208"),
        ("  require all(v for v in [1, 2])", "E0208"),
        ("  require max(choose any from [1, 2]) > 1", "E0405"),
        ("  f = choose candidate\n  require f == conv(7)", "E0403"),
        ("  f = choose candidate\n  require f < relu", "E0208"),
        ('  k = choose [1, 3]\n  require k < "a"', "E0208"),
        ("  k = choose 0..3\n  m = choose 1..2\n  require m // (k * m) > 1", "E0208"),
        ("  k = choose 0..3\n  require k", "E0208"),
        ("  require edges(older -> relu) > 1", "E0208"),
        ("  k = choose 0..3\n  require factorial(k) > 1", "E0208"),
        ("  d = choose [true, false]\n  f = relu when d else tanh\n  require f == relu", "E0208"),
    ],
)
def test_what_cannot_be_required_is_said(cell: str, code: str) -> None:
    found = compiled(FRAME.format(top="", cell=cell, last="older + newer"))
    assert found.outline is None
    assert [d.code for d in found.diagnostics] == [code]


def test_requirements_that_leave_nothing_are_named_and_no_others() -> None:
    top = (
        "a, b = choose 2 from 1..9 with repeats\nrequire a >= 2\nrequire a + b <= 9\n"
        "require b <= 8\nrequire a - b >= 8"
    )
    (found,) = compiled(FRAME.format(top=top, cell="", last="older + newer")).diagnostics
    assert found.code == "E0408"
    named = {found.label.span.text, *(label.span.text for label in found.others)}
    assert named == {"require a + b <= 9", "require a - b >= 8"}


def test_a_requirement_that_is_too_dear_to_disprove_is_left_to_the_count() -> None:
    top = "w = choose 20 from 1..40 with repeats in order\nrequire distinct(w) and sum(w) <= 300"
    space = lowered(FRAME.format(top=top, cell="", last="older + newer"))
    with pytest.raises(TooManyStates, match=r"ties w together"):
        count(space)


# --------------------------------------------------------------------- how long it takes

WIDTHS = "w = choose 20 from 8..1024 step 8 with repeats in order"
NAMED = "\n".join(f"w{i} = choose 8..1024 step 8" for i in range(1, 21))
LIST = ", ".join(f"w{i}" for i in range(1, 21))


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        (f"{WIDTHS}\nrequire sorted(w)", comb(147, 20)),
        (f"{NAMED}\nrequire sorted({LIST})", comb(147, 20)),
        (f"{WIDTHS}\nrequire all(w[i] < w[i + 1] for i in 1..19)", comb(128, 20)),
        (f"{WIDTHS}\nrequire sum(w) <= 1024", comb(128, 20)),
        (f"{WIDTHS}\nrequire max(w) <= 512 and min(w) > 256", 32**20),
        ("s = choose 13 from 1..26\nrequire count(s) == 13", comb(26, 13)),
        ("s = choose any from 1..60\nrequire count(s) <= 5", sum(comb(60, k) for k in range(6))),
        ("s = choose any from 1..60\nrequire sum(s) <= 10", 43),
    ],
)
def test_large_spaces_are_counted_and_sampled_soon(top: str, expected: int) -> None:
    began = process_time()
    space = lowered(FRAME.format(top=top, cell="", last="older + newer"))
    assert count(space) == expected
    for architecture in sample(space, 20, Random(0)):
        assert unrank(space, rank(space, architecture)) == architecture
    assert process_time() - began < 10


FACTORS = st.sampled_from(["a", "b", "c", "n", "(a + 1)", "(b - c)", "2", "-1", "1.5"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(FACTORS, min_size=2, max_size=5),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(-9, 40),
    st.booleans(),
)
def test_a_product_is_compared_as_python_does(
    factors: list[str], sign: str, limit: int, mirrored: bool
) -> None:
    whole = " * ".join(factors)
    condition = f"{limit} {sign} {whole}" if mirrored else f"{whole} {sign} {limit}"
    head = "a = choose 1..4\nb = choose [0, 2, 5]\nc = choose [1, 3]\nn = choose [-2, 1]\n"
    cell = "cell c0(x) { x -> relu }\n"
    compilation = Compilation(SourceFile("p.enas", f"space p\n{head}{cell}require {condition}\n"))
    picked = product((1, 2, 3, 4), (0, 2, 5), (1, 3), (-2, 1))
    expected = sum(eval(condition, dict(zip("abcn", p, strict=True))) for p in picked)
    space = compilation.outline
    if space is None:
        assert [d.code for d in compilation.diagnostics] == ["E0408"]
    assert (count(space) if space else 0) == expected


def test_a_product_of_many_choices_takes_no_time() -> None:
    began = process_time()
    names = [f"a{n}" for n in range(40)]
    top = "\n".join(f"{name} = choose 1..100" for name in names)
    top += f"\nlast = choose 0..1\nrequire {' * '.join((*names, 'last'))} <= 100"
    space = lowered(FRAME.format(top=top, cell="", last="older + newer"))
    ways = [0, 1] + [0] * 99  # of so many factors from 1..100, by their product
    for _ in names:
        ways = [sum(ways[n // d] for d in range(1, n + 1) if n % d == 0) for n in range(101)]
    assert count(space) == sum(ways) + 100 ** len(names)
    assert process_time() - began < 3


def test_neighbours_and_a_sum_together_take_seconds() -> None:
    began = process_time()
    top = f"{WIDTHS}\nrequire sorted(w) and sum(w) <= 2048"
    space = lowered(FRAME.format(top=top, cell="", last="older + newer"))
    ways = [[0] * 257 for _ in range(21)]  # of so many parts of 1..128 with such a sum
    ways[0][0] = 1
    for part, parts in product(range(1, 129), range(1, 21)):
        for total in range(part, 257):
            ways[parts][total] += ways[parts - 1][total - part]
    assert count(space) == sum(ways[20])
    assert process_time() - began < 20


ANYNET = """space anynet_e
w = choose 4 from 8..1024 step 8 with repeats in order
d = choose 4 from 1..16 with repeats in order
require sorted(w) and sorted(d)

op stage(width, depth) {
  conv(1, filters: width) -> conv(3, filters: width) * depth
}
network image_classifier {
  stem  conv(3, filters: 32)
  stack [stage(w[i], d[i]) for i in 1..4]
  head  global_avg_pool -> linear(classes)
}
"""


def test_stages_whose_widths_and_depths_do_not_decrease() -> None:
    """AnyNetX of types D and E (Radosavovic et al. 2020, section 3.3)."""
    began = process_time()
    space = lowered(ANYNET)
    assert count(space) == comb(128 + 3, 4) * comb(16 + 3, 4)
    for architecture in sample(space, 20, Random(0)):
        assert all(list(picks or ()) == sorted(picks or ()) for picks in architecture.picks)
    assert process_time() - began < 5


def test_samples_under_requirements_are_uniform() -> None:
    top = "w = choose 3 from 1..4 with repeats in order\nrequire sorted(w) and sum(w) <= 8"
    space = lowered(FRAME.format(top=top, cell="", last="older + newer"))
    total = count(space)
    assert total == sum(sum(w) <= 8 for w in combinations_with_replacement(range(1, 5), 3))
    tally = Tally(a.picks for a in sample(space, 200 * total, Random(0)))
    assert len(tally) == total
    assert sum((n - 200) ** 2 / 200 for n in tally.values()) < total + 5 * (2 * total) ** 0.5
