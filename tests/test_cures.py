"""What does not fit an operation is said with its cure, and the cure mends it."""

from __future__ import annotations

import pytest

from enasdsl.diagnostics import Diagnostic
from enasdsl.pipeline import Compilation
from enasdsl.semantics.ops import OPS
from enasdsl.source import SourceFile

_IMAGES = "network image_classifier {{ stem {}\n stack {{}}\n head {{}}linear(classes) }}"
KINDS = {
    "image": _IMAGES.format("conv(3)"),
    "vector": _IMAGES.format("flatten"),
    "sequence": _IMAGES.format("to_sequence"),
    "words": "network language_model { stem {}\n head {}linear(vocabulary) }",
}
"""A network in which an operation reads such a value, with what may stand before the head."""
USES = {
    "attention": "split",
    "auxiliary": "beside",
    "channel_part": "channel_part(1, 3)",
    "channel_shuffle": "channel_shuffle(3)",
    **dict.fromkeys(("add", "subtract", "multiply", "divide"), "twice_{}"),
}
WINDOWS = (
    "conv",
    "depthwise_conv",
    "row_conv",
    "column_conv",
    "sequence_conv",
    "avg_pool",
    "max_pool",
)
OWN = """space tried
op split on x { x, x, x -> attention(1) }
op beside on x { x, x -> auxiliary }
"""


def _mistakes(kind: str, use: str, *, end: str = "") -> list[Diagnostic]:
    return list(Compilation(SourceFile("tried.enas", OWN + _network(kind, use, end))).diagnostics)


def _network(kind: str, use: str, end: str = "") -> str:
    before, between, after = KINDS[kind].split("{}")
    return f"{before}{use}{between}{end}{after}"


def _use(name: str, kind: str) -> str:
    if name in WINDOWS:
        return f"{name}(3, 8)" if kind == "words" and "pool" not in name else f"{name}(3)"
    if name in ("linear", "embedding"):
        return f"{name}(8)"
    return USES.get(name, name)


@pytest.mark.parametrize("name", [op for op in OPS if not USES.get(op, "").startswith("twice")])
@pytest.mark.parametrize("kind", KINDS)
def test_each_operation_on_each_kind_of_value_fits_or_is_said_with_a_cure(
    name: str, kind: str
) -> None:
    for found in _mistakes(kind, _use(name, kind)):
        assert found.code != "E0301" or found.help, found


CURES = [
    ("image", "linear(8)", "`global_avg_pool` or `flatten`", "flatten -> linear(8)", ""),
    ("image", "linear(8)", "`global_avg_pool` or", "global_avg_pool -> linear(8)", ""),
    ("image", "split", "`to_sequence`", "to_sequence -> split", "flatten -> "),
    (
        "image",
        "positional_embedding",
        "`to_sequence`",
        "to_sequence -> positional_embedding",
        "flatten -> ",
    ),
    (
        "image",
        "sequence_conv(3)",
        "`to_sequence`",
        "to_sequence -> sequence_conv(3)",
        "flatten -> ",
    ),
    ("sequence", "conv(3)", "`sequence_conv`", "sequence_conv(3)", "flatten -> "),
    ("vector", "global_avg_pool", "leave it out", "identity", ""),
    ("sequence", "to_sequence", "leave it out", "identity", "flatten -> "),
    ("words", "conv(3, 8)", "`embedding`", "embedding(8) -> sequence_conv(3, causal: true)", ""),
    ("words", "linear(8)", "`embedding`", "embedding(8) -> linear(8)", ""),
    ("words", "relu", "`embedding`", "embedding(8) -> relu", ""),
    ("words", "split", "`embedding`", "embedding(8) -> linear(8)", ""),
    (
        "image",
        "channel_shuffle(2)",
        "multiple",
        "conv(1, filters: 4) -> channel_shuffle(2)",
        "flatten -> ",
    ),
    (
        "image",
        "channel_part(1, 2)",
        "multiple",
        "conv(1, filters: 4) -> channel_part(1, 2)",
        "flatten -> ",
    ),
    (
        "image",
        "conv(3, groups: 2)",
        "multiple",
        "conv(1, 4) -> conv(3, 8, groups: 2)",
        "flatten -> ",
    ),
    ("image", 'conv(64, padding: "valid")', "smaller", 'conv(8, padding: "valid")', "flatten -> "),
    (
        "image",
        'avg_pool(choose [3, 5], padding: "valid")',
        'padding: "same"',
        "avg_pool(choose [3, 5])",
        "flatten -> ",
    ),
]


@pytest.mark.parametrize(("kind", "wrong", "cure", "right", "end"), CURES)
def test_the_cure_mends_it(kind: str, wrong: str, cure: str, right: str, end: str) -> None:
    [found] = [d for d in _mistakes(kind, wrong, end=end) if d.code == "E0301"]
    assert cure in (found.help or "")
    assert _mistakes(kind, right, end=end) == []


def test_a_cell_with_a_state_says_how_it_gets_a_sequence() -> None:
    cell = "cell c(x) state h { concat(x, h) -> linear }\n"
    for kind, cure in (("image", "`to_sequence`"), ("words", "`embedding`"), ("vector", "before")):
        text = "space s\n" + cell + _network(kind, "c")
        found = Compilation(SourceFile("s.enas", text)).diagnostics
        assert cure in next(d.help or "" for d in found if d.code == "E0301"), found


def test_the_end_of_a_network_is_said_for_its_task() -> None:
    for kind, end in (
        ("image", "global_avg_pool -> linear(classes)"),
        ("vector", "linear(classes)"),
    ):
        text = OWN + _network(kind, "relu").replace("linear(classes)", "relu")
        [found] = Compilation(SourceFile("s.enas", text)).diagnostics
        assert found.code == "E0306"
        assert f"`{end}`" in (found.help or "")
