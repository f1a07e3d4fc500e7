"""What the words of the language mean, each rule by a small file."""

from __future__ import annotations

import pytest
from programs import IMAGES

from enasdsl.ir.count import count
from enasdsl.ir.graph import Network, Step
from enasdsl.ir.parameters import owned
from enasdsl.ir.record import to_json
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Space
from enasdsl.ir.specialize import specialize
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile


def compiled(declarations: str, stack: str = "c") -> Compilation:
    """A file with these declarations whose stack reads 2 x 8 x 8."""
    network = (
        f"network image_classifier {{\n  stem conv(3)\n  stack {stack}\n"
        "  head global_avg_pool -> linear(classes)\n}\n"
    )
    text = f"space s\nparam filters = 2\n{declarations}\n{network}"
    return Compilation(SourceFile("small.enas", text), task=IMAGES)


def lowered(declarations: str, stack: str = "c") -> Space:
    compilation = compiled(declarations, stack)
    assert compilation.space is not None, compilation.diagnostics
    return compilation.space


def cell(*nodes: str, result: str = "previous", head: str = "cell c(x)") -> str:
    lines = [f"node {n} {{ {text} }}" for n, text in enumerate(nodes, 1)]
    return "\n".join([f"{head} {{", *lines, result, "}"])


def paths(space: Space) -> list[str]:
    return [d.path for d in space.decisions]


def places(space: Space) -> list[str]:
    return [p.place for p in space.places if not p.place.startswith(("stem", "head"))]


def networks(space: Space) -> list[Network]:
    return [specialize(space, a) for a in enumerate_space(space)]


def steps(network: Network) -> list[Step]:
    """The operations between the stem and the head."""
    return [s for s in network.steps if isinstance(s, Step)][1:-2]


def ops(network: Network) -> list[str]:
    return [s.op for s in steps(network)]


# ------------------------------------------------------------------- 1: decisions


def test_a_decision_exists_only_where_it_is_reached() -> None:
    space = lowered(cell("x -> choose [conv(choose [1, 3]), relu]"))
    found = [to_json(space, a)["choices"] for a in enumerate_space(space)]
    outer, inner = "c.node1.choice", "c.node1.choice.kernel"
    assert found == [
        {outer: "conv(choose[1,3])", inner: "1"},
        {outer: "conv(choose[1,3])", inner: "3"},
        {outer: "relu"},
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x -> maybe conv(choose [1, 3])", 1 + 2),
        ("x -> repeat choose 0..2 { conv(choose [1, 3, 5]) }", 1 + 3 + 9),
        ("x -> (repeat choose 1..2 { choose [relu, conv(choose [1, 3])] })", 3 + 9),
        ("d = choose [1, 2, 3]; x -> (conv(choose [1, 3]) when d == 3 else relu)", 2 + 2),
        ("x -> conv(3) * choose [1, 2]", 2),
    ],
)
def test_a_smaller_depth_removes_decisions(text: str, wanted: int) -> None:
    assert count(lowered(cell(text))) == wanted


def test_nodes_up_to_a_chosen_number_read_the_nodes_that_are_surely_there() -> None:
    text = (
        "cell c(x) {\nD = choose 1..3\nnode i in 1..D { choose earlier -> conv(1) }\nsum(loose)\n}"
    )
    space = lowered(text)
    assert count(space) == 1 + 1 * 2 + 1 * 2 * 3
    assert {len(ops(n)) for n in networks(space)} == {2, 3, 4}


# --------------------------------------------------------------- 2: once or afresh


def test_a_name_is_decided_once() -> None:
    space = lowered(cell("f = choose [conv(1), conv(3)]; (x -> f) + (x -> f)"))
    assert paths(space) == ["c.node1.f"]
    assert len(places(space)) == 4
    apart = lowered(cell("(x -> choose [conv(1), conv(3)]) + (x -> choose [conv(1), conv(3)])"))
    assert count(apart) == 4


def test_a_cell_is_decided_once_and_stamped_with_weights_of_its_own() -> None:
    space = lowered(cell("x -> choose [conv(1), conv(3)]"), "c * 2, c")
    assert count(space) == 2
    assert len(places(space)) == 3 * 2
    assert all(len({s.args for s in steps(n)}) == 1 for n in networks(space))


def test_a_block_is_decided_afresh_at_every_use() -> None:
    space = lowered(cell("x -> choose [conv(1), conv(3)]", head="block c(x)"), "c * 2, c")
    assert count(space) == 2**3
    assert len(places(space)) == 3 * 2


def test_an_operation_is_decided_afresh_at_every_use() -> None:
    declared = "op p { conv(choose [1, 3]) }\n"
    assert count(lowered(declared + cell("x -> p -> p", "x -> p"))) == 2**3
    assert count(lowered(declared + cell("q = p; (x -> q) + (x -> q)"))) == 2**2


@pytest.mark.parametrize("flow", ["relu -> p", "p * 1", "repeat 1 { conv(choose [1, 3]) }"])
def test_each_use_of_a_named_flow_has_decisions_and_weights_of_its_own(flow: str) -> None:
    declared = "op p { conv(choose [1, 3]) }\n"
    space = lowered(declared + cell(f"q = ({flow}); (x -> q) + (x -> q)"))
    assert count(space) == 2**2
    assert len(places(space)) == 2


def test_a_choice_outside_a_repeat_is_shared_by_its_iterations() -> None:
    inside = cell("x -> repeat 3 { conv(choose [1, 3]) }")
    outside = cell("k = choose [1, 3]; x -> repeat 3 { conv(k) }")
    assert (count(lowered(inside)), count(lowered(outside))) == (2**3, 2)
    assert len(places(lowered(outside))) == 3


def test_a_choice_of_the_file_is_shared_by_all_places() -> None:
    text = "k = choose [1, 3]\n" + cell("x -> conv(k)", "x -> conv(k)")
    space = lowered(text, "c * 2")
    assert paths(space) == ["k"]
    assert [{dict(s.args)["kernel"] for s in steps(n) if s.place} for n in networks(space)] == [
        {1},
        {3},
    ]


def test_the_designs_of_an_array_are_independent() -> None:
    space = lowered(cell("x -> choose [conv(1), conv(3)]", head="cell c[3](x)"), "c[1], c[2], c[1]")
    assert paths(space) == ["c1.node1.choice", "c2.node1.choice"]


def test_cells_alike_have_decisions_of_their_own() -> None:
    text = cell("x -> choose [conv(1), conv(3)]") + "\ncell r like c with stride 2, filters * 2"
    space = lowered(text, "c, r, c")
    assert paths(space) == ["c.node1.choice", "r.node1.choice"]
    shapes = [s.shape for n in networks(space) for s in steps(n) if s.op == "conv"]
    assert {(s.channels, s.space) for s in shapes} == {(2, (8, 8)), (4, (4, 4))}


# -------------------------------------------------------------------- 3: choosing


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ("choose 2 from earlier", 3),
        ("choose 2 from earlier in order", 6),
        ("choose 2 from earlier with repeats", 6),
        ("choose 2 from earlier with repeats in order", 9),
        ("choose 1..2 from earlier", 3 + 3),
        ("choose any from earlier", 8),
        ("choose any from earlier except previous", 4),
        ("choose 1 from earlier", 3),
    ],
)
def test_each_form_of_choosing_has_its_number_of_ways(chosen: str, wanted: int) -> None:
    space = lowered(cell("x -> relu", "x -> tanh", f"sum(x, {chosen})"))
    assert count(space) == len(set(enumerate_space(space))) == wanted


@pytest.mark.parametrize(("words", "wanted"), [("", 6), (" with repeats", 9)])
def test_members_taken_apart_by_name_are_in_order(words: str, wanted: int) -> None:
    last = f"a, b = choose 2 from earlier{words}; (a -> conv(1)) - (b -> conv(3))"
    assert count(lowered(cell("x -> relu", "x -> tanh", last))) == wanted


def test_a_guard_on_one_of_members_picked_at_once_is_refused() -> None:
    text = "a, b = choose 2 from [1, 2, 3]; sum(x, (x -> conv(3)) when a == 1)"
    assert [d.code for d in compiled(cell(text)).diagnostics] == ["E0406"]
    again = text.replace("[1, 2, 3]", "[1, 2, 3] with repeats")
    assert sum(len(ops(n)) == 2 for n in networks(lowered(cell(again)))) == 3


def test_a_condition_over_three_values_keeps_its_branches_apart() -> None:
    text = "d = choose 1..3; y = x -> conv(3) when d == 3 else x; y -> conv(1)"
    space = lowered(cell(text))
    assert [ops(n).count("conv") for n in networks(space)] == [1, 1, 2]
    assert len(places(space)) == 1 + 2, "one after each branch, whichever number leads there"


def test_a_choice_of_one_is_a_list_of_one() -> None:
    text = "param k = 1\n" + cell("x -> relu", "sum(j -> conv(1) for j in choose k from earlier)")
    assert count(lowered(text)) == 2


# ------------------------------------------------------------------ 4: loose ends


def test_loose_is_what_no_other_node_reads() -> None:
    text = cell("x -> conv(1)", "choose earlier -> conv(3)", result="concat(loose) -> conv(5)")
    reads = [steps(n)[-1].reads for n in networks(lowered(text))]
    assert reads == [None, (((2, 4),),)]


def test_inputs_are_loose_where_the_file_says_so() -> None:
    text = cell(
        "choose inputs -> conv(1)",
        result="concat(loose with inputs) -> conv(5)",
        head="cell c(x, y)",
    )
    reads = [steps(n)[-1].reads for n in networks(lowered(text))]
    assert reads == [(((2, 6),),), (((0, 2), (4, 6)),)]


def test_a_node_that_a_block_inside_another_node_reads_is_not_loose() -> None:
    block = "block b(y) {\nnode 1 { y -> tanh }\nsum(loose)\n}\n"
    nodes = ("x -> relu", "choose [x, x -> tanh] -> conv(1)", "previous -> b")
    space = lowered(block + cell(*nodes, result="mean(loose)"))
    assert [steps(n)[-1].op for n in networks(space)] == ["mean"] * 2
    assert [len(steps(n)[-1].inputs) for n in networks(space)] == [2, 2], "nodes 1 and 3"


def test_a_cell_that_is_ignored_is_not_computed() -> None:
    text = cell("choose inputs -> conv(3)", result="previous", head="cell c(x, y)")
    assert [len(ops(n)) for n in networks(lowered(text, "c, c"))] == [1, 2]


# --------------------------------------------------------------------- 5: weights


def test_weights_belong_to_the_input_that_was_chosen() -> None:
    space = lowered(cell("x -> relu", "a = choose earlier; a -> conv(3)"))
    assert places(space) == ["c/node2/a=x/conv", "c/node2/a=node1/conv"]


def test_concat_of_a_chosen_set_uses_the_slices_of_those_present() -> None:
    space = lowered(cell("x -> relu", "concat(choose 1..2 from earlier) -> conv(1)"))
    (spec,) = (p for p in space.places if p.place.startswith("c/"))
    assert spec.inputs == (4,)
    reads = [s.reads for n in networks(space) for s in steps(n) if s.op == "conv"]
    assert reads == [(((0, 2),),), (((2, 4),),), None]


def test_a_chosen_width_and_kernel_use_the_leading_slice_of_the_largest() -> None:
    text = "x -> conv(choose [1, 5], filters: choose [4, 6]) -> batch_norm -> conv(1)"
    space = lowered(cell(text))
    shapes = {w.shape for p in space.places for w in owned(p) if p.place == "c/node1/conv"}
    assert shapes == {(6, 2, 5, 5)}
    first, norm, last = steps(networks(space)[0])
    assert (first.writes, norm.writes, last.reads) == (((0, 4),), ((0, 4),), (((0, 4),),))
    assert dict(first.args)["kernel"] == 1


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("stamps", "x -> {}", 3),
        ("nodes", "x -> {}", 2),
        ("inputs", "choose inputs -> {}", 6),
    ],
)
def test_share_widens_sharing(kind: str, text: str, wanted: int) -> None:
    """Two stamps of three nodes each, the nodes of one with a choice of two inputs."""
    plain = 12 if kind == "inputs" else 6
    for op, number in (("conv(3)", plain), (f"(share conv(3) across {kind})", wanted)):
        lines = ["cell c(x, y) {", f"node i in 1..3 {{ {text.format(op)} }}", "previous", "}"]
        assert len(places(lowered("\n".join(lines), "c * 2"))) == number


# ---------------------------------------------------------------------- 6: shapes


def test_a_mismatch_names_both_origins() -> None:
    text = cell("x -> conv(3, filters: 4)", "x -> conv(1)", "sum(nodes)")
    (found,) = compiled(text).diagnostics
    assert found.code == "E0301"
    assert found.label.span.text == "sum(nodes)"
    assert [o.text for o in found.others] == ["this is 4 x 8 x 8", "this is 2 x 8 x 8"]
    assert [o.span.text for o in found.others] == [
        "node 1 { x -> conv(3, filters: 4) }",
        "node 2 { x -> conv(1) }",
    ]


def test_a_stride_that_is_not_taken_is_a_mistake() -> None:
    text = cell("x -> relu") + "\ncell r like c with stride 2"
    assert [d.code for d in compiled(text, "r").diagnostics] == ["E0304"]


def test_align_mends_inputs_and_loose_ends_of_different_sizes() -> None:
    mend = "op mend { relu -> (conv(1) when stride == 1 else factorized_reduction) }\n"
    body = cell(
        "(y -> conv(3)) + (x -> conv(1))",
        result="concat(loose with inputs) -> conv(1)",
        head="cell c(x, y) align mend",
    )
    text = mend + body + "\ncell r like c with stride 2, filters * 2"
    space = lowered(text, "c, r, c")
    (network,) = networks(space)
    assert steps(network)[-1].shape.channels == 4
    assert steps(network)[-1].shape.space == (4, 4)
    assert compiled(text.replace(" align mend", ""), "c, r, c").space is None
    shrunk = [s for s in steps(network) if "factorized_reduction" in s.place and s.op == "conv"]
    assert len(shrunk) == 2, "the older input of the last cell alone is of twice the size"


def test_a_choice_made_for_some_inputs_alone_is_live_for_those_alone() -> None:
    """Node 2 reads p or x, each strided and so with a kernel to choose, or node 1: 2 + 2 + 1."""
    space = Compilation(
        SourceFile(
            "inputs.enas",
            "op reduce { identity when stride == 1 else conv(choose [1, 3], filters: 16) }\n"
            "cell c(p, x) {\n  node i in 1..2 { choose earlier -> reduce }\n  sum(loose)\n}\n"
            "cell r like c with stride 2\n",
        )
    ).space
    assert space is not None
    assert count(space) == (2 * 3) * (4 * 5)
    assert len(set(enumerate_space(space))) == 120


def test_the_last_level_of_a_recursion_leaves_out_what_would_call_deeper() -> None:
    space = Compilation(
        SourceFile(
            "depth.enas",
            "op r depth 3 { conv(1) -> choose [identity, relu, r] }\ncell c(x) { x -> r }\n",
        )
    ).space
    assert space is not None
    assert count(space) == 1 + 1 + (1 + 1 + 2)


def test_a_cell_that_ends_with_nodes_gives_the_last_of_them() -> None:
    nodes = ("x -> relu", "previous -> choose [conv(1), conv(3)]")
    with_result = lowered(cell(*nodes, result="previous"))
    without = lowered(cell(*nodes, result=""))
    assert [ops(n) for n in networks(without)] == [ops(n) for n in networks(with_result)]


@pytest.mark.parametrize(
    ("uses", "wanted"),
    [
        ("s = conv(3)\n(x -> s) + (x -> s)", 2),
        ("s = share conv(3) across uses\n(x -> s) + (x -> s)", 1),
        ("s = share sep_conv(3) across uses\n(x -> s) + (x -> s)", 6),
        ("s = share (conv(3) -> batch_norm) across uses\n(x -> s) + (x -> s)", 2),
        ("x -> share sep_conv(3) across uses", 6),
    ],
)
def test_an_operation_is_shared_across_its_uses_part_by_part(uses: str, wanted: int) -> None:
    space = lowered(f"cell c(x) {{\n{uses}\n}}")
    assert len(places(space)) == wanted
    found = {p.place: p.op for p in space.places}
    assert all(found[s.place] == s.op for n in networks(space) for s in steps(n) if s.place)
