"""What files may say: constructs in unusual places, each by a small file."""

from __future__ import annotations

import pytest
from every_way import runs
from programs import IMAGES
from small_files import compiled, lowered, refusal, size

from enasdsl.ir.count import count
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Source, Space
from enasdsl.ir.specialize import specialize
from enasdsl.pipeline import Compilation
from enasdsl.semantics import symbols
from enasdsl.semantics.symbols import Condition, Either, limit
from enasdsl.source import SourceFile

# -------------------------------------------------------------------------------- widths


def widths(space: Space, op: str) -> set[int]:
    return {
        limit(value.shape.channels)
        for body in space.bodies
        for value in body.values
        if getattr(value, "op", "") == op
    }


def test_without_filters_the_width_in_force_in_an_operation_is_that_of_its_input() -> None:
    space = lowered("cell c(x) { x -> mbconv(3, choose [3, 6]) }", head="")
    assert widths(space, "depthwise_conv") == {12}
    assert {spec.outputs for spec in space.places if spec.op == "batch_norm"} == {12, 2}


def test_without_filters_the_width_in_force_in_a_cell_is_that_of_its_input() -> None:
    text = "cell c(x) { node i in 1..2 { choose earlier -> conv(3) }; concat(loose) -> conv(1) }"
    assert {s.outputs for s in lowered(text, head="").places if "c/" in s.place} == {2}


def test_without_filters_a_cell_may_double_the_width_of_its_input() -> None:
    text = "cell c(x) { x -> conv(3) }\ncell wide like c with stride 2, filters * 2"
    space = lowered(text, "c, wide * 2, c", head="")
    widest = [s.outputs for s in space.places if s.op == "conv"]
    assert widest == [2, 2, 4, 8, 8]


# ---------------------------------------------------------------------- strides, kinds


@pytest.mark.parametrize("op", ["relu(stride: 2)", "batch_norm(stride: 2)", "identity(stride: 2)"])
def test_a_stride_for_what_moves_no_window_is_refused(op: str) -> None:
    code, message = refusal(f"cell c(x) {{ x -> {op} }}")
    assert (code, message.partition("`")[2]) == (
        "E0207",
        f"{op.partition('(')[0]}` moves no window and takes no stride",
    )


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ("cell", "cell", 2 * 2),
        ("cell", "block", 2 * 2 * 2),
        ("block", "cell", 2 * 2 * 2),
        ("block", "block", 2 * 2 * 2 * 2),
    ],
)
def test_like_takes_the_body_and_not_the_kind(first: str, second: str, wanted: int) -> None:
    text = f"{first} a(x) {{ x -> choose [conv(1), conv(3)] }}\n{second} b like a"
    assert size(text, "a * 2, b * 2") == wanted


# ------------------------------------------------------------------------ language models


def language_model(stack: str) -> Compilation:
    text = (
        f"space s\nnetwork language_model {{\n  stem embedding(8)\n  stack {stack}\n"
        "  head linear(vocabulary)\n}\n"
    )
    return Compilation(SourceFile("small.enas", text))


@pytest.mark.parametrize(
    "stack",
    [
        "self_attention(2, 4, causal: true)",
        "sequence_conv(3, dilation: 2, causal: true)",
        "sequence_conv(choose [1, 3], causal: true) * choose 1..2",
    ],
)
def test_a_language_model_may_look_back(stack: str) -> None:
    assert language_model(stack).diagnostics == ()


@pytest.mark.parametrize(
    "stack",
    [
        "self_attention(2, 4)",
        "self_attention(2, 4, causal: choose [true, false])",
        "sequence_conv(3)",
        "choose [relu, sequence_conv(3)]",
        "squeeze_excite",
    ],
)
def test_a_language_model_that_looks_ahead_is_refused(stack: str) -> None:
    assert [d.code for d in language_model(stack).diagnostics] == ["E0308"]


# -------------------------------------------------------------------------- comprehensions


@pytest.mark.parametrize(
    ("declarations", "wanted"),
    [
        ("ops f = [conv(k) for k in [1, 3, 5]]\ncell c(x) { x -> choose f }", 3),
        ("ops f = [relu, conv(k) for k in [1, 3], tanh]\ncell c(x) { x -> choose f }", 4),
        ("cell c(x) { sum(x, x -> choose [conv(k), tanh] for k in 1..3, x) }", 2**3),
        ("ops f = [conv(k) for k in 1..3]\nops g = [f, relu]\ncell c(x) { x -> choose g }", 4),
        (
            "cell c(x) { x -> choose [conv(k, dilation: d) for k in [3, 5] for d in 1..3] }",
            6,
        ),
        ("cell c(x) { x -> choose [conv(k) -> conv(j) for k in 1..4 for j in k..4 when j > 2] }",
         2 + 2 + 2 + 1),
        (
            "cell c(x) { x -> choose [conv(k) for k in 1..3 when k > 1 for j in [1]] }",
            2,
        ),
        ("cell c(x) { x -> choose [conv(k) when k > 1 else relu for k in 1..3] }", 3),
        ("cell c(x) { x -> choose [conv(k) when k > 1 for k in 1..3] }", 2),
        ("cell c(x) { d = choose [true, false]; sum(x, [x -> choose [conv(1), conv(3)] when d"
         " for k in 1..2]) }", 4 + 1),
        # each alternative decides for itself what is chosen in it
        ("cell c(x) { x -> choose [conv(k, filters: choose [2, 2 * k]) -> conv(1)"
         " for k in 2..3] }", 4),
        ("cell c(x) { x -> conv(choose [2 * i - 1 for i in 1..3]) }", 3),
        ("cell c(x) { a, b = choose 2 from [conv(k) for k in 1..3]; (x -> a) + (x -> b) }", 6),
        ("cell c(x) { sum([x -> f -> g for f in [relu, tanh] for g in [choose [relu, abs]]]) }", 4),
        ("cell c(x) { node i in 1..3 { choose [earlier[k] for k in max(1, i - 1)..i] -> relu };"
         " previous }", 4),
    ],
)  # fmt: skip
def test_comprehensions_list_alternatives(declarations: str, wanted: int) -> None:
    assert size(declarations) == wanted


def test_an_alternative_of_a_comprehension_is_called_after_its_member() -> None:
    space = lowered(
        "cell c(x) { x -> choose [conv(k, dilation: d) for k in [1, 3] for d in 1..2] }"
    )
    (decision,) = space.decisions
    assert decision.labels == (
        "conv(1,dilation:1)",
        "conv(1,dilation:2)",
        "conv(3,dilation:1)",
        "conv(3,dilation:2)",
    )


def test_inputs_that_are_written_out_are_chosen_as_inputs() -> None:
    text = "cell c(p, q) { node 1 { choose [p, q] -> relu }; choose [earlier[k] for k in 2..3] }"
    first, second = lowered(text).decisions
    assert (first.source, first.members) == (Source.INPUT, ("c.p", "c.q"))
    assert (second.source, second.members) == (Source.INPUT, ("c.q", "c.node1"))


def test_a_stack_may_be_a_comprehension() -> None:
    text = "block b(x) { x -> conv(choose [1, 3]) }"
    assert size(text, "[b(filters: w) for w in [2, 4, 8]]") == 2**3
    assert size(text, "[b(filters: w) for w in [2, 4]], [conv(1), b]") == 2**3


# ---------------------------------------------------------------------------------- guards

TRUTHS = "a = choose [true, false]; b = choose [true, false]"
OPS = "choose [conv(1), conv(3)]"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (f"{TRUTHS}; x -> (conv(3) when a and b else relu)", 4),
        (f"{TRUTHS}; x -> ({OPS} when a and b else relu)", 2 + 3),
        (f"{TRUTHS}; x -> ({OPS} when a or b else relu)", 3 * 2 + 1),
        (f"{TRUTHS}; x -> ({OPS} when a == b else choose [relu, tanh, abs])", 2 * 2 + 2 * 3),
        (f"{TRUTHS}; x -> ({OPS} when a != b)", 2 * 2 + 2),
        (f"{TRUTHS}; sum(x, x -> {OPS} when not a or b)", 3 * 2 + 1),
        (f"{TRUTHS}; sum(x, [x -> {OPS} for i in 1..2 when a or i > 1 and b])", 11),
        # widths and depths that two decisions settle
        ("n = choose 1..3; m = choose 1..3; x -> conv(1, filters: 2 * n * m)"
         f" -> conv(1) -> ({OPS} when n * m > 3 else relu)", 4 * 2 + 5),
        (f"n = choose 0..2; m = choose 1..2; x -> (repeat n + m {{ {OPS} }})",
         2 + 4 + 8 + 4 + 8 + 16),
        (f"n = choose 1..2; m = choose 1..2; node i in 1..n + m {{ x -> {OPS} }}; sum(nodes)",
         4 + 8 + 8 + 16),
        # numbers by cases
        ("d = choose 1..3; w = 4 when d == 1 else (8 when d == 2 else 16);"
         " x -> conv(1, filters: w)", 3),
        (f"{TRUTHS}; w = 4 when a else (8 when b else 16); x -> conv(1, filters: w)", 4),
        (f"{TRUTHS}; w = 4 when a else choose [8, 16, 32]; x -> conv(1, filters: w)", 2 * (1 + 3)),
        (f"{TRUTHS}; w = (4 when a else choose [8, 16]) * (1 when b else 3)"
         "; x -> conv(1, filters: w)", 2 * 3),
        # several values side by side
        (f"{TRUTHS}; p, q = (x, (x -> relu)) when a else ((x -> tanh), x); p + q", 4),
        (f"{TRUTHS}; p, q = (x, (x -> relu)) when a and b else ((x -> {OPS}), x); p + q", 1 + 6),
        # members by a chosen number
        ("n = choose 1..3; ws = [2, 4, 8]; x -> conv(1, filters: ws[n]) -> conv(3, filters: ws[n])",
         3),
        ("node i in 1..3 { x -> relu }; n = choose 1..2; nodes[n] + nodes[n + 1]", 2),
        ("n = choose 1..2; m = choose 1..2; fs = [relu, tanh, abs]; x -> fs[n + m - 1]", 4),
        ("fs = [choose [relu, tanh], abs]; x -> fs[choose 1..2]", 2 * 2),
        # a chosen number of members
        ("node i in 1..3 { x -> relu }; n = choose 1..2; sum(choose n from nodes)", 3 + 3),
        ("node i in 1..2 { x -> relu }; n = choose [0, 2]; sum(x, choose n from nodes)", 2),
        ("node i in 1..3 { x -> relu }; n = choose 1..2; sum(choose n from nodes with repeats)",
         3 + 6),
        # `each` where choices say so
        ("node 1 { x -> relu }; d = choose [true, false]; each earlier -> tanh when d;"
         " node 2 { choose earlier -> relu }; sum(nodes)", 4),
        (f"{TRUTHS}; node 1 {{ x -> relu }}; each nodes -> {OPS} when a and b; sum(nodes)", 3 + 2),
    ],
)  # fmt: skip
def test_decisions_settle_guards_together(body: str, wanted: int) -> None:
    assert size(f"cell c(x) {{ {body} }}", "c, conv(1)") == wanted


def test_what_a_guard_leaves_has_one_set_of_weights() -> None:
    text = f"cell c(x) {{ {TRUTHS}; x -> (conv(3) when a and b else conv(1)) }}"
    kernels = [dict(s.args)["kernel"] for s in lowered(text).places if "c/" in s.place]
    assert sorted(map(str, kernels)) == ["1", "3"]


def test_a_requirement_reads_numbers_by_cases() -> None:
    text = f"cell c(x) {{ {TRUTHS}; w = 4 when a else choose [8, 16]; require w >= 8 or b;" + (
        " x -> conv(1, filters: w) }"
    )
    assert size(text, "c, conv(1)") == (1 + 2) + (0 + 2)


# ------------------------------------------------------------- widths and ranges by choice


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("n = choose 1..3; sum(x, [x -> choose [conv(1), conv(3)] for k in 1..n])", 2 + 4 + 8),
        ("n = choose 1..2; m = choose 2..3; sum(x, [x -> choose [conv(1), conv(3)] for k in n..m])",
         4 + 8 + 2 + 4),
        ("n = choose 0..2; node i in 1..n { x -> relu }; sum(x, nodes)", 3),
        ("x -> dropout(choose 0.1..0.5 step 0.1)", 5),
        # each width is the one of its case
        ("e = choose [1, 2, 4]; x -> mbconv(3, e)", 3),
        ("w = choose [2, 4]; x -> conv(1, filters: w) -> mbconv(3, choose [1, 2]) -> conv(1)", 4),
        ("w = choose [2, 4]; y = x -> conv(1, filters: w); (x + y) when w == 2 else x", 2),
        # three widths, by a guard in a guard
        ("a = choose 1..3; concat(x, x, x) when a == 1 else (concat(x, x) when a == 2 else x)", 3),
        ("a = choose 1..3; (x when a == 1 else concat(x, x)) when a > 2 else (concat(x, x, x)"
         " when a == 2 else x + x)", 3),
        ("a = choose 1..3; p, q = (concat(x, x), x) when a == 1 else (((x -> relu), x) when a == 2"
         " else (x, x)); (p -> conv(1)) + q", 3),
        # the width of what may be there
        ("D = choose 1..2; node i in 1..D { x -> relu }; y = concat(x, nodes);"
         " y -> conv(1, filters: channels(y) // 2) -> conv(1)", 2),
        ("a = choose [true, false]; y = concat(x, x when a); y -> conv(1, filters: channels(y))"
         " -> conv(1)", 2),
        # a name whose value is there where it is read
        ("a = choose [true, false]; k = choose [1, 3, 5] when a; x -> (conv(k) when a else relu)",
         4),
        ("a = choose [true, false]; y = x -> choose [conv(1), conv(3)] when a;"
         " (y -> relu) when a else x", 3),
    ],
)  # fmt: skip
def test_widths_and_members_follow_choices(body: str, wanted: int) -> None:
    assert size(f"cell c(x) {{ {body} }}", "c, conv(1)") == wanted


def test_a_width_by_choice_is_the_width_of_the_network() -> None:
    text = "cell c(x) { D = choose 1..2; node i in 1..D { x -> relu }; y = concat(x, nodes);"
    space = lowered(f"{text} y -> conv(1, filters: channels(y) // 2) -> conv(1) }}")
    convs = [
        [s.shape.channels for s in specialize(space, a).steps if getattr(s, "op", "") == "conv"]
        for a in enumerate_space(space)
    ]
    assert convs == [[2, 2, 2], [2, 3, 2]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("a = choose [true, false]; k = choose [1, 3] when a; x -> conv(k)", "E0405"),
        ("a = choose [true, false]; y = (x -> relu) when a; y -> tanh", "E0405"),
        ("w = choose [2, 4]; y = x -> conv(1, filters: w); x + y", "E0301"),
        ("w = choose [2, 4]; x -> choose [conv(1), conv(1, filters: w)]", "E0301"),
        ("x -> dropout(choose 0.1..0.5)", "E0402"),
        ("n = choose 1..3; sum(x, [x for k in 1..n step 2])", "E0208"),
        ("s = choose any from [1, 2]; x -> (relu when count(s) > 1)", "E0208"),
        ("s = choose 2 from [1, 2] in order; node i in 1..s[1] { x -> relu }; sum(x, nodes)",
         "E0406"),
        ("n = choose 1..3; xs = [1, 3]; x -> conv(xs[n])", "E0403"),
    ],
)  # fmt: skip
def test_what_choices_cannot_say_is_refused(body: str, code: str) -> None:
    assert refusal(f"cell c(x) {{ {body} }}", "c, conv(1)")[0] == code


# ----------------------------------------------------------- cells that may not be there

CELL = "cell c(x) { x -> choose [conv(1), conv(3), relu] }"


@pytest.mark.parametrize(
    ("declarations", "stack", "wanted"),
    [
        (CELL, "maybe c", 1 + 3),
        (CELL, "c, maybe c", 2 * 3),
        (CELL, "maybe c, maybe c", 1 + 3 * 3),
        (CELL, "maybe c, relu, maybe c, maybe c", 1 + 7 * 3),
        (CELL, "c * choose 0..2", 1 + 2 * 3),
        (f"{CELL}\ncell d like c", "choose [c, d, relu]", 3 + 3 + 1),
        (f"{CELL}\ncell d like c", "choose [c, relu], choose [c, d]", 3 + 9 + 3 + 3),
        (f"{CELL}\ncell d(x) {{ x -> maybe c -> choose [relu, abs] }}", "maybe d, conv(1)",
         1 + 2 * (1 + 3)),
        (f"{CELL}\ncell d(x) {{ x -> maybe c }}", "maybe d, maybe c", (1 + 3) + (1 + 3 + 3 + 3)),
        # the members of an array are a library: all of them are designed
        ("cell m[2](x) { x -> choose [conv(1), conv(3)] }", "choose m", 2 * 2 * 2),
        ("cell c(x) { k = choose [1, 3]; require k > 1; x -> conv(k) }", "maybe c", 1 + 1),
        ("block b(x) { x -> maybe c }\n" + CELL, "b, b", 1 + 3 * 3),
    ],
)  # fmt: skip
def test_the_choices_of_a_cell_exist_where_it_is_stamped(
    declarations: str, stack: str, wanted: int
) -> None:
    space = lowered(declarations, stack)
    assert count(space) == wanted == len(set(enumerate_space(space)))
    if "m[2]" not in declarations:
        assert runs(compiled(declarations, stack), IMAGES) == wanted
    for index, decision in enumerate(space.decisions):
        assert all(d < index for d in read_by(decision.guard))


def read_by(guard: Condition) -> set[int]:
    tests = [t for t in guard if isinstance(t, symbols.Test)]
    inner = [read_by(o) for t in guard if isinstance(t, Either) for o in t.options]
    return {t.decision for t in tests}.union(*inner)


# ------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("declarations", "message"),
    [
        (
            "cell c(x) { s = x -> to_sequence; s, s, s -> attention(choose [1, 3]) }",
            "1..3 heads do not divide 2 channels",
        ),
        (
            "op unit { conv(choose [1, 3]) }\ncell c(x) { node i in 1..2 "
            "{ x -> share unit across nodes }; sum(loose) }",
            "its `kernel` is chosen afresh at each use",
        ),
    ],
)
def test_a_message_says_what_is_wrong(declarations: str, message: str) -> None:
    (found,) = compiled(declarations).diagnostics
    assert message in (found.message, found.label.text)
