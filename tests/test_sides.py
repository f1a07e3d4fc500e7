"""What stands under a guard: widths of its own, arithmetic that holds there, decisions apart."""

from __future__ import annotations

from random import Random

import pytest
import torch

from enasdsl.ir.costs import cost
from enasdsl.ir.count import count
from enasdsl.ir.sample import enumerate_space, sample
from enasdsl.ir.space import Space
from enasdsl.nn.child import Child
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task
from enasdsl.source import SourceFile

IMAGES = Task("image_classifier", Shape(3, (8, 8)))
CHOICE = "a = choose [true, false]; n = choose 0..2"


def compiled(text: str) -> Compilation:
    return Compilation(SourceFile("sides.enas", f"space sides\n{text}\n"), task=IMAGES)


def lowered(text: str) -> Space:
    found = compiled(text)
    assert found.space is not None, found.diagnostics
    return found.space


def network(flow: str, *, lets: str = CHOICE) -> Space:
    head = "global_avg_pool -> linear(classes)"
    lets = lets.replace("; ", "\n")
    return lowered(f"{lets}\nnetwork image_classifier {{\n  stack {flow}\n  head {head}\n}}")


@pytest.mark.parametrize(
    ("flow", "size"),
    [
        ("(conv(1, filters: 4) when a else conv(1, filters: 6)) -> batch_norm", 6),
        ("(conv(1, filters: 4) when a and n > 0 else conv(3, filters: 2 * n + 2)) -> conv(3)", 6),
        ("repeat n { conv(1, filters: choose [4, 8]) -> relu }, conv(3)", 2 * (1 + 2 + 4)),
        ("conv(3, filters: 5) * n, depthwise_conv(3)", 6),
        ("(conv(1, filters: 4) when a else identity), (conv(1) when n > 0 else conv(3))", 6),
    ],
)  # fmt: skip
def test_the_sides_of_a_guard_may_differ_in_width(flow: str, size: int) -> None:
    torch.set_num_threads(1)
    space = network(flow)
    assert count(space) == len(set(enumerate_space(space))) == size
    net = Supernet(space, init=Init(), generator=torch.Generator().manual_seed(0))
    x = torch.randn(2, 3, 8, 8)
    for architecture in enumerate_space(space):
        child = Child.from_supernet(net, architecture)
        assert torch.equal(net(x, architecture)[0], child(x)[0])
        assert sum(p.numel() for p in child.parameters()) == cost(space, architecture).params


def test_values_under_a_guard_may_differ_in_width() -> None:
    text = "cell c(x) { a = choose [true, false]; y = x -> conv(1, filters: 4); z = x -> conv(3)\n"
    assert count(lowered(f"{text}  (y when a else z) -> conv(1) }}")) == 2
    (found,) = compiled(f"{text}  sum(x, y when a else z) }}").diagnostics
    assert found.code == "E0301"


def test_alternatives_have_one_width() -> None:
    (found,) = compiled("cell c(x) { x -> choose [conv(1), conv(1, filters: 4)] }").diagnostics
    assert found.code == "E0301"


@pytest.mark.parametrize(
    "body",
    [
        "r = choose [0, 4, 8]; x -> (squeeze_excite(r) when r > 0 else identity)",
        "r = choose [0, 4, 8]; w = choose [8, 16]; y = x -> conv(1, filters: w)\n"
        "  y -> (squeeze_excite(r) when r > 0 else identity)",
        "n = choose 0..2; x -> (conv(2 * n - 1) when n > 0 else identity)",
        "n = choose 0..2; m = choose [0, 1]\n"
        "  x -> (conv(1, filters: 8 // (n * m)) when n > 0 and m == 1 else relu)",
    ],
)
def test_arithmetic_under_a_guard_is_that_of_what_gets_there(body: str) -> None:
    assert compiled(f"cell c(x) {{ {body} }}").space is not None


@pytest.mark.parametrize(
    "text",
    [
        "cell c(x) { r = choose [0, 4]; w = choose [8, 16]; x -> conv(1, filters: w // r) }",
        "cell c(x) { r = choose [0, 4]; x -> (conv(1, filters: 8 // r) when r < 4 else relu) }",
        "r = choose [0, 4]\nw = choose [8, 16]\nrequire w // r < 4\ncell c(x) { x -> relu }",
        "r = choose [0, 4]\nrequire 8 % r < 4\ncell c(x) { x -> relu }",
    ],
)
def test_a_division_by_what_may_be_zero_is_a_mistake(text: str) -> None:
    (found,) = compiled(text).diagnostics
    assert found.code == "E0208"


def test_operations_among_alternatives_are_decided_apart() -> None:
    space = lowered(
        "op unit(w) { conv(choose [1, 3], filters: w) -> conv(1, filters: 16) }\n"
        "op other { conv(choose [1, 3, 5]) }\n"
        "cell c(x) { x -> choose [unit(8), unit(16), other] }"
    )
    paths = [decision.path for decision in space.decisions]
    assert paths == ["c.choice", "c.unit.kernel", "c.unit2.kernel", "c.other.kernel"]
    assert count(space) == 2 + 2 + 3


def test_an_operation_may_call_itself_with_other_alternatives() -> None:
    space = lowered(
        "op rest(n, d) {\n  relu when n == 0 else choose [\n"
        "    conv(3) -> rest(n - 1, d), conv(5) -> rest(n - 1, d + 1) when d < 1,\n  ]\n}\n"
        "cell c(x) { x -> choose [rest(n, 0) for n in 1..3] }"
    )
    assert count(space) == len(set(enumerate_space(space))) == (1 + 1) + (1 + 2) + (1 + 3)
    assert sample(space, 1, Random(0))


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("op two on a, b { a + b }\ncell c(x) { x -> choose [relu, x, x -> two] }", "E0302",
         "parentheses"),
        ("op f(memory) on x { sum(x, memory) }\ncell c(x) { y = x -> relu; f([x, y]) }", "E0207",
         "`memory: ...`"),
        ("op f(memory) on x { sum(x, memory) }\n"
         "op g on x { y = x -> relu; x -> f([x, y]) }\ncell c(x) { x -> g }", "E0207",
         "`memory: ...`"),
        ("op f(memory) on x { sum(x, memory) }\nblock b(x) { relu(x) }\n"
         "cell c(x) { e = x -> b * 2; e -> f([e, e]) }", "E0303", "`memory: [...]`"),
        ("cell c(x) { d = choose 1..2; y = x -> repeat d { k = choose [1, 3]; conv(k) }\n"
         "  require k[1] <= k[2]\n  y }", "E0405", "`sorted(w)`"),
        ("cell c(x) { x -> choose [conv(1), conv(1, filters: 4)] }", "E0301", "guard"),
        ("cell c(x) { x -> choose [conv(1), conv(1, stride: 2)] }", "E0301", "global_avg_pool"),
        ("cell c(x) { s = choose [1, 2]; x -> conv(1, stride: s) }", "E0305", "max_pool"),
    ],
)  # fmt: skip
def test_a_mistake_says_what_to_write_instead(text: str, code: str, help: str) -> None:
    (found,) = compiled(text).diagnostics
    assert found.code == code
    assert help in (found.help or "")


def test_a_node_with_a_mistake_leaves_its_names_known() -> None:
    text = "cell c(x) { node i in 1..2 { s = choose 3 from earlier; sum(s) }; require sum(s)>1; x }"
    assert [d.code for d in compiled(text).diagnostics] == ["E0401"]
