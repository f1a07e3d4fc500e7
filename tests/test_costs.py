"""Parameters and multiply-accumulates in closed form, against torch's own counts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from random import Random

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from programs import Program, programs
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from enasdsl.ir.costs import ceiling, cost, examples
from enasdsl.ir.extent import extent, extents
from enasdsl.ir.kernels import kernels
from enasdsl.ir.sample import enumerate_space, sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.ir.terms import totals
from enasdsl.nn.child import Child
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.task import Task
from enasdsl.source import SourceFile, shipped

SPACES = sorted(path.stem for path in shipped("spaces").glob("*.enas"))


@pytest.fixture(autouse=True)
def _as_written(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file's own steps are counted: a pass may rather multiply by zeros than compute twice."""
    monkeypatch.setattr("enasdsl.nn.execute.lowered", lambda network, _: kernels(network))
    torch.set_num_threads(1)
    with torch.no_grad():
        yield


@cache
def opened(name: str) -> Space:
    space = Compilation.open(name).space
    assert space is not None
    return space


def compiled(text: str, task: Task | None = None) -> Space:
    compilation = Compilation(SourceFile("test.enas", text), task=task)
    assert compilation.space is not None, compilation.diagnostics
    return compilation.space


def built(space: Space, architecture: Architecture) -> Child:
    generator = torch.Generator().manual_seed(0)
    network = specialize(space, architecture)
    return Child(network, space.places, init=Init(), generator=generator).eval()


def example(space: Space) -> Tensor:
    """One image, or one sequence of tokens."""
    shape = space.bodies[0].values[0].shape
    assert isinstance(shape.channels, int)
    if shape.tokens:
        return torch.zeros(1, shape.space[0], dtype=torch.int64)
    return torch.zeros(1, shape.channels, *shape.space)


def torch_params(child: nn.Module) -> int:
    return sum(p.numel() for p in child.parameters())


def torch_macs(child: nn.Module, x: Tensor) -> int:
    """Half of the floating-point operations of all convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        child(x)
    total = counter.get_total_flops()
    assert isinstance(total, int)
    assert total % 2 == 0
    return total // 2


@pytest.mark.parametrize("name", SPACES)
def test_the_cost_is_what_torch_counts(name: str) -> None:
    space = opened(name)
    for architecture in sample(space, 2, Random(name)):
        child = built(space, architecture)
        found = cost(space, architecture)
        assert found.params == torch_params(child)
        assert found.macs * examples(space) == torch_macs(child, example(space))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_the_cost_of_generated_files_is_what_torch_counts(program: Program) -> None:
    space = compiled(program.text, program.task)
    for architecture in sample(space, 2, Random(0)):
        child = built(space, architecture)
        found = cost(space, architecture)
        assert found.params == torch_params(child)
        assert found.macs * examples(space) == torch_macs(child, example(space))


def test_a_small_network_by_hand() -> None:
    space = compiled(
        "space s\nnetwork image_classifier {\n"
        "  stem conv(3, filters: 8) -> batch_norm -> relu\n"
        "  stack depthwise_conv(5, stride: 2) -> conv(1, filters: 16, bias: true)\n"
        "  head global_avg_pool -> linear(classes)\n}\n"
    )
    (only,) = sample(space, 1, Random(0))
    found = cost(space, only)
    assert found.params == 8 * 3 * 9 + 2 * 8 + 8 * 25 + (8 * 16 + 16) + 16 * 10
    assert found.macs == 32 * 32 * 8 * 27 + 16 * 16 * (8 * 25 + 8 * 16) + 16 * 10


def test_a_language_model_costs_what_one_token_costs() -> None:
    space = compiled(
        "space s\nparam hidden = 6\ncell c(x) state h { concat(x, h) -> linear -> tanh }\n"
        "network language_model {\n  stem embedding(hidden)\n  stack c\n"
        "  head linear(vocabulary, tied: true)\n}\n"
    )
    (only,) = sample(space, 1, Random(0))
    found = cost(space, only)
    assert found.params == 10_000 * 6 + 12 * 6
    assert found.macs == 12 * 6 + 6 * 10_000


# ------------------------------------------------------------------ over a whole space


TANGLED = {"anynet_a"}  # what depth, width, bottleneck and groups cost together takes too long


@pytest.mark.parametrize("name", [name for name in SPACES if name not in TANGLED])
def test_the_costs_of_a_space_are_those_of_its_architectures(name: str) -> None:
    space = opened(name)
    found = totals(space)
    for architecture in sample(space, 10, Random(name)):
        single = cost(space, architecture)
        assert found.params.value(architecture.picks) == single.params
        assert found.macs.value(architecture.picks) == single.macs


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_the_costs_of_generated_spaces_are_those_of_their_architectures(program: Program) -> None:
    space = compiled(program.text, program.task)
    found = totals(space)
    for architecture in sample(space, 10, Random(0)):
        single = cost(space, architecture)
        assert found.params.value(architecture.picks) == single.params
        assert found.macs.value(architecture.picks) == single.macs


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_the_extents_are_those_of_all_architectures(program: Program) -> None:
    space = compiled(program.text, program.task)
    found, loose = extents(space), totals(space)
    picks = [architecture.picks for architecture in enumerate_space(space)]
    for known, total in ((found.params, loose.params), (found.macs, loose.macs)):
        numbers, bounds = [total.value(p) for p in picks], total.bounds
        assert not known.bounds
        assert (known.least, known.most) == (min(numbers), max(numbers))
        assert known.mean == Fraction(sum(numbers), len(numbers))
        assert bounds[0] <= known.least
        assert bounds[1] >= known.most
    assert ceiling(space).params >= found.params.most
    assert ceiling(space).macs >= found.macs.most


def test_where_the_extent_is_too_much_work_bounds_are_named() -> None:
    space = opened("nasbench201")
    found = extent(space, totals(space).params, work=10)
    assert found.bounds
    assert found.mean is None
    exact = extents(space).params
    assert found.least <= exact.least
    assert found.most >= exact.most


def test_extents_are_those_of_the_architectures_that_meet_the_requirements() -> None:
    text = (
        "space s\nwide = choose [4, 8, 16]\ndeep = choose 1..3\nrequire wide * deep <= 16\n"
        "network image_classifier {\n  stem conv(3, filters: wide)\n"
        "  stack depthwise_conv(3) * deep\n  head global_avg_pool -> linear(classes)\n}\n"
    )
    found = extents(compiled(text)).params
    sizes = [w * (27 + 10 + 9 * d) for w, d in ((4, 1), (4, 2), (4, 3), (8, 1), (8, 2), (16, 1))]
    assert (found.least, found.most, found.mean) == (
        min(sizes),
        max(sizes),
        Fraction(sum(sizes), len(sizes)),
    )
