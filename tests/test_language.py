"""What files may say: constructs in unusual places, each by a small file."""

from __future__ import annotations

import pytest
from programs import IMAGES

from enasdsl.ir.count import count
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Space
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import limit
from enasdsl.source import SourceFile


def compiled(
    declarations: str, stack: str = "c", *, head: str = "param filters = 2"
) -> Compilation:
    network = (
        f"network image_classifier {{\n  stem conv(3, filters: 2)\n  stack {stack}\n"
        "  head global_avg_pool -> linear(classes)\n}\n"
    )
    text = f"space s\n{head}\n{declarations}\n{network}"
    return Compilation(SourceFile("small.enas", text), task=IMAGES)


def lowered(declarations: str, stack: str = "c", *, head: str = "param filters = 2") -> Space:
    compilation = compiled(declarations, stack, head=head)
    assert compilation.space is not None, compilation.diagnostics
    return compilation.space


def size(declarations: str, stack: str = "c", *, head: str = "param filters = 2") -> int:
    """The exact count, which is what enumeration finds."""
    space = lowered(declarations, stack, head=head)
    found = count(space)
    assert found == len(set(enumerate_space(space)))
    return found


def refusal(declarations: str, stack: str = "c") -> tuple[str, str]:
    """The code and the message of the only mistake."""
    (found,) = compiled(declarations, stack).diagnostics
    return found.code, found.message


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


@pytest.mark.parametrize("op", ["relu(stride: 2)", "batch_norm(stride: 2)", "identity(stride: 1)"])
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
