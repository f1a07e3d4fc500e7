"""Lists inside lists, channels of a value, and numbers that several decisions settle."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path

import pytest
import torch

from enasdsl.ir.count import count
from enasdsl.ir.lower import HISTORY
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn.child import Child
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import OPERATORS, Chosen, Computed, Shape, compute, extremes
from enasdsl.semantics.task import Task
from enasdsl.source import SourceFile

IMAGES = Task("image_classifier", Shape(3, (8, 8)))


def compiled(declarations: str, stack: str) -> Compilation:
    """A file with these declarations whose stack reads 8 x 8 x 8."""
    text = (
        f"space s\n{declarations}\nnetwork image_classifier {{\n  stem conv(3, filters: 8)\n"
        f"  stack {stack}\n  head global_avg_pool -> linear(classes)\n}}\n"
    )
    return Compilation(SourceFile("small.enas", text), task=IMAGES)


def lowered(declarations: str, stack: str) -> Space:
    compilation = compiled(declarations, stack)
    assert compilation.space is not None, compilation.diagnostics
    return compilation.space


def ops(space: Space) -> list[list[str]]:
    """For each architecture the operations between the stem and the head."""
    networks = [specialize(space, a) for a in enumerate_space(space)]
    return [[step.op for step in network.steps[1:-2]] for network in networks]  # type: ignore[union-attr]


def test_a_named_list_in_a_list_stands_for_its_members() -> None:
    lists = "ops pools = [max_pool(3), avg_pool(3)]\nops every = [relu, pools]"
    space = lowered(lists, "choose [tanh, every]")
    assert space.decisions[0].labels == ("tanh", "relu", "max_pool(3)", "avg_pool(3)")
    assert ops(space) == [["tanh"], ["relu"], ["max_pool"], ["avg_pool"]]


def test_an_array_of_cells_in_a_list_stands_for_its_cells() -> None:
    motif = "cell motif[2](x) { x -> choose [relu, tanh] }\nop step { choose [identity, motif] }"
    space = lowered(motif, "step")
    assert space.decisions[0].labels == ("identity", "motif1", "motif2")
    assert count(space) == 3 * 2 * 2


def test_a_plain_list_may_repeat_a_number_and_alternatives_may_not() -> None:
    widths = "widths = [2, 2]\nop layer(n) { conv(1, filters: widths[n]) }"
    assert lowered(widths, "layer(2)").decisions == ()
    codes = [d.code for d in compiled("", "choose [relu, relu]").diagnostics]
    assert codes == ["E0230"]


def test_leaving_members_out_of_a_choice_of_one() -> None:
    """As with a larger set, what is left is there only where it was picked."""
    cell = (
        "cell c(x) {\n  node 1 { x -> relu }\n  node 2 {\n    source = choose 1 from earlier\n"
        "    sum(source except inputs, [y -> tanh for y in source except nodes])\n  }\n"
        "  previous\n}"
    )
    assert ops(lowered(cell, "c")) == [["tanh", "sum"], ["relu", "sum"]]


def test_channels_of_a_value_guard_an_alternative() -> None:
    block = "block layer(x) { x -> choose [conv(3), zero when channels(x) == filters] }"
    space = lowered(block, "layer(filters: 4), layer(filters: 4)")
    assert [d.labels for d in space.decisions] == [("conv(3)",), ("conv(3)", "zero")]


def test_zero_takes_a_stride() -> None:
    space = lowered("op layer { choose [conv(1), zero] }", "layer(stride: 2)")
    shapes = {specialize(space, a).steps[1].shape for a in enumerate_space(space)}
    assert shapes == {Shape(8, (4, 4))}


GROUPED = (
    "width = choose [4, 6, 8]\nsize = choose [1, 2]\n"
    "op layer { conv(1, filters: width // size * size) -> "
    "conv(3, filters: width // size * size, groups: width // size) -> conv(1, filters: 8) }"
)


def test_chosen_groups_use_slices_of_one_weight() -> None:
    """The weights are made for the fewest groups, of which more groups use less."""
    space = lowered(GROUPED, "layer")
    generator = torch.Generator().manual_seed(0)
    net = Supernet(space, init=Init(), generator=generator, batch_statistics=False).eval()
    x = torch.randn(2, 3, 8, 8, generator=generator)
    for architecture in enumerate_space(space):
        child = Child.from_supernet(net, architecture)
        torch.testing.assert_close(child(x)[0], net(x, architecture)[0])


def test_groups_that_may_not_divide_are_refused() -> None:
    op = (
        "n = choose [4, 6]\nm = choose [2, 4]\n"
        "op layer { conv(1, filters: n) -> conv(3, groups: m, filters: n) }"
    )
    (found,) = compiled(op, "layer").diagnostics
    assert found.code == "E0301"
    assert found.message == "2..4 groups do not divide the input channels, 4..6"


def test_extremes_of_arithmetic_are_exact() -> None:
    a, b = Chosen(0, 0, (3, 5, 8)), Chosen(1, 0, (2, 4))
    for name in ("%", "//"):
        values = [OPERATORS[name](x, y) for x, y in product(a.values, b.values)]
        assert extremes(compute(name, a, b)) == (min(values), max(values))
    assert extremes(compute("-", compute("*", a, b), compute("*", b, a))) == (0, 0)


@pytest.mark.parametrize("one", [1, 1.0, True])
def test_extremes_keep_the_kind_of_a_number(one: float) -> None:
    num = Computed("+", (Chosen(0, 0, (one, one)), Chosen(1, 0, (0, 0))))
    expected = one + 0
    assert extremes(one) == (one, one)
    assert type(extremes(one)[0]) is type(one)
    assert type(extremes(num)[0]) is type(expected)


def test_whole_division_gives_a_whole_number() -> None:
    half = compute("//", Chosen(0, 0, (3.5, 4)), 1)
    assert extremes(half) == (3, 4)
    assert isinstance(extremes(half)[0], int)


GRAPH = """cell c(x) {
  node i in 1..2 {
    sources = choose any from earlier
    sum(x -> zero, [y -> relu for y in sources])
  }
  ends = choose any from earlier
  require REQUIREMENT
  sum(x -> zero, [y -> tanh for y in ends])
}"""


def live(ends: set[int], sources: list[set[int]]) -> bool:
    """Whether the input, member 0, reaches one of `ends` (node n is member n)."""
    found = {0}
    for node, read in enumerate(sources, 1):
        found |= {node} if read & found else set()
    return bool(found & ends)


@pytest.mark.parametrize(
    ("requirement", "rule"),
    [
        ("reachable(x, ends)", live),
        ("count(ends) + count(sources[2]) == 3", lambda e, s: len(e) + len(s[1]) == 3),
        ("sum(count(s) for s in sources) < count(ends)", lambda e, s: sum(map(len, s)) < len(e)),
        ("count(ends except nodes) == 0", lambda e, s: 0 not in e),
        ("reachable(x, nodes[2]) or count(ends) == 0", lambda e, s: live({2}, s) or not e),
    ],
)
def test_requirements_over_sets_and_paths(
    requirement: str, rule: Callable[[set[int], list[set[int]]], bool]
) -> None:
    space = lowered(GRAPH.replace("REQUIREMENT", requirement), "c")
    assert [d.domain.size for d in space.decisions] == [1, 2, 3]
    wanted = set()
    for picks in product(*(map(set, subsets(n)) for n in (1, 2, 3))):
        if rule(picks[2], list(picks[:2])):
            wanted.add(tuple(tuple(sorted(p)) for p in picks))
    found = [a.picks for a in enumerate_space(space)]
    assert set(found) == wanted
    assert count(space) == len(found) == len(wanted)


def subsets(n: int) -> list[tuple[int, ...]]:
    return [s for k in range(n + 1) for s in combinations(range(n), k)]


# ------------------------------------------------- what a choice may leave out


def codes(declarations: str, stack: str = "c") -> list[str]:
    return [d.code for d in compiled(declarations, stack).diagnostics]


def test_each_name_of_a_choice_has_its_own_inner_choices() -> None:
    space = lowered(
        "cell c(x) {\n  f, g = choose 2 from [relu, conv(choose [1, 3])] with repeats\n"
        "  x -> f -> g\n}",
        "c",
    )
    assert count(space) == 3 * 3
    assert len(set(enumerate_space(space))) == 9


def test_a_sum_over_a_chosen_set_adds_up_what_was_chosen() -> None:
    space = lowered(
        "s = choose any from [1, 2, 3]\nrequire sum(s) <= 3\ncell c(x) { x -> relu }", "c"
    )
    assert count(space) == 5


@pytest.mark.parametrize(
    ("declarations", "code"),
    [
        (
            "D = choose 1..3\ncell c(x) { node i in 1..D { previous -> conv(3) }\n  previous }",
            "E0405",
        ),
        ("cell c(x) { s = choose 1..2 from [relu, tanh]\n  x -> s[1] }", "E0405"),
        ("cell c(p, x) { sum(choose any from inputs) }", "E0402"),
        ("cell c(x) { x -> conv(3, dilation: choose [1, 2]) }", "E0207"),
        ('cell c(x) { x -> conv(choose [1, 3], padding: "valid") }', "E0301"),
        ("block c(x) state h { x + h }", "E0205"),
        ("op p { relu }\ncell c(x) { x -> relu }\n", "none"),
    ],
)
def test_what_may_be_absent_or_chosen_where_it_cannot_is_a_mistake(
    declarations: str, code: str
) -> None:
    assert codes(declarations) == ([] if code == "none" else [code])


def test_an_argument_whose_guard_fails_is_left_out() -> None:
    space = lowered(
        "param deep = false\ncell c(x) { concat(x, x -> relu when deep) -> conv(1) }", "c"
    )
    assert ops(space) == [["concat", "conv"]]


def test_a_stage_that_does_not_take_its_stride_is_a_mistake() -> None:
    assert codes("op p { relu }", "p(stride: 2)") == ["E0304"]
    assert codes("cell c(x) { x }\ncell r like c with stride 2", "r") == ["E0304"]


@pytest.mark.parametrize(
    "alternatives",
    ["[8 for i in 1..3]", "twice", "[conv(3), conv(kernel: 3)]", "[k, 3]"],
)
def test_an_alternative_that_comes_twice_is_a_mistake(alternatives: str) -> None:
    text = f"param k = 3\ntwice = [1, 1]\na = choose {alternatives}\ncell c(x) {{ x }}"
    assert codes(text) == ["E0230"]


def test_a_requirement_of_an_imported_file_holds(tmp_path: Path) -> None:
    (tmp_path / "base.enas").write_text("d = choose 1..3\nrequire d > 1\n", "utf-8")
    main = tmp_path / "main.enas"
    main.write_text('import "base.enas"\ncell c(x) { x -> conv(d, filters: 8) }\n', "utf-8")
    space = Compilation.open(main).space
    assert space is not None
    assert count(space) == 2


def test_a_block_that_a_cell_uses_is_not_counted_by_itself() -> None:
    text = "block b(x) { x -> choose [relu, tanh] }\ncell c(x) { x -> b -> b }\n"
    space = Compilation(SourceFile("lone.enas", text)).space
    assert space is not None
    assert count(space) == 4


def test_a_cell_reads_at_most_so_many_earlier_outputs() -> None:
    names = ", ".join(f"x{n}" for n in range(HISTORY + 1))
    assert codes(f"cell c({names}) {{ x0 }}") == ["E0302"]
