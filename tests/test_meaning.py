"""Generated files by two roads: what the language says of them, and what the pipeline does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from interpret import Interpreter
from interpreted import Graph, Key
from machine import Records
from programs import IMAGES, WORDS, Program, programs
from torch import Tensor

from enasdsl.ir.count import count
from enasdsl.ir.graph import Network, Scan, Step
from enasdsl.ir.kernels import kernels
from enasdsl.ir.parameters import active_parameter_count, parameter_count, regions
from enasdsl.ir.record import from_json, from_token, to_json, to_token
from enasdsl.ir.sample import enumerate_space, rank, sample, unrank
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn.build import FORWARD
from enasdsl.nn.child import Child
from enasdsl.nn.controller import Controller
from enasdsl.nn.execute import Bound
from enasdsl.nn.mode import Mode
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task
from enasdsl.source import SourceFile, Span
from enasdsl.syntax import ast

EXAMPLES = 100
ENUMERABLE = 1_500


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@lru_cache(maxsize=4)
def compiled(program: Program) -> Compilation:
    return Compilation(SourceFile("generated.enas", program.text), task=program.task)


def lowered(program: Program) -> Space:
    compilation = compiled(program)
    assert compilation.diagnostics == ()
    assert compilation.space is not None
    return compilation.space


def some(space: Space, n: int) -> tuple[Architecture, ...]:
    return sample(space, n, Random(0))


def data(task: Task, generator: torch.Generator) -> Tensor:
    if task.input.tokens:
        return torch.randint(task.vocabulary, (3, *task.input.space), generator=generator)
    assert isinstance(task.input.channels, int)
    return torch.randn(3, task.input.channels, *task.input.space, generator=generator)


def supernet(space: Space) -> Supernet:
    return Supernet(space, init=Init(), generator=torch.Generator().manual_seed(0))


# ------------------------------------------------------------- decisions and counts


@settings(max_examples=EXAMPLES)
@given(programs())
def test_the_count_is_the_number_of_different_records(program: Program) -> None:
    space = lowered(program)
    total = count(space)
    assert total > 0
    if total > ENUMERABLE:
        return
    found = list(enumerate_space(space))
    assert len(found) == len(set(found)) == total
    assert [rank(space, a) for a in found] == list(range(total))


@settings(max_examples=EXAMPLES)
@given(programs(), st.randoms(use_true_random=False))
def test_rank_and_unrank_invert_each_other(program: Program, random: Random) -> None:
    space = lowered(program)
    index = random.randrange(count(space))
    architecture = unrank(space, index)
    assert rank(space, architecture) == index
    assert from_token(space, to_token(architecture)) == architecture
    assert from_json(space, to_json(space, architecture)) == architecture


@settings(max_examples=EXAMPLES)
@given(programs())
def test_an_outline_has_the_decisions_of_the_space(program: Program) -> None:
    space = lowered(program)
    outline = compiled(program).outline
    assert outline is not None
    assert outline == space
    assert not outline.network


@settings(max_examples=EXAMPLES)
@given(programs())
def test_paths_are_unique_and_lie_in_their_scope(program: Program) -> None:
    space = lowered(program)
    paths = [d.path for d in space.decisions]
    assert len(set(paths)) == len(paths)
    for d in space.decisions:
        assert d.path.startswith(f"{d.scope}." if d.scope else "")
        assert " " not in d.path
        assert len(set(d.labels)) == d.domain.size


@settings(max_examples=EXAMPLES // 2)
@given(programs())
def test_the_probabilities_of_the_controller_sum_to_one(program: Program) -> None:
    space = lowered(program)
    if space.constraints or count(space) > ENUMERABLE:
        return
    generator = torch.Generator().manual_seed(0)
    controller = Controller(space, hidden=8, init=1.0, generator=generator)
    log_prob = controller.log_prob(list(enumerate_space(space)))
    assert float(log_prob.detach().exp().sum()) == pytest.approx(1, abs=1e-4)


# --------------------------------------------------------------- the second road


def records(space: Space, architecture: Architecture, checked: Checked) -> Records:
    """The live decisions of each cell, and under `""` those outside cells."""
    blocks = {
        n for n, d in checked.names.items() if isinstance(d, ast.CellDecl) and d.kind != "cell"
    }
    cells = {n for n, d in checked.names.items() if isinstance(d, ast.CellDecl | ast.CellLike)}
    found: dict[str, list[tuple[Span, int, tuple[int, ...]]]] = {"": []}
    for d, picks in zip(space.decisions, architecture.picks, strict=True):
        head = d.scope.split(".")[0]
        cell = head if head.rstrip("0123456789") in cells - blocks else ""
        if picks is not None:
            assert d.span is not None
            found.setdefault(cell, []).append((d.span, d.domain.size, picks))
    return found


@dataclass(slots=True)
class Agreement:
    """Whether the networks of a space are those of the interpreter, and share weights alike."""

    weights: dict[str, Key] = field(default_factory=dict)
    places: dict[Key, str] = field(default_factory=dict)

    def of(self, network: Network, graph: Graph) -> None:
        assert len(network.inputs) == graph.inputs
        pairs = list(zip(network.outputs, graph.outputs, strict=True))
        seen: set[tuple[int, int]] = set()
        while pairs:
            pair = pairs.pop()
            if pair not in seen:
                seen.add(pair)
                pairs += self._step(network, graph, *pair)
        reached = {i - len(network.inputs) for i, _ in seen if i >= len(network.inputs)}
        assert reached == set(range(len(network.steps)))

    def _step(self, network: Network, graph: Graph, left: int, right: int) -> list[tuple[int, int]]:
        if left < len(network.inputs):
            assert right == -1 - left
            return []
        step, made = network.steps[left - len(network.inputs)], graph.steps[right]
        assert right >= 0
        assert step.shape == made.shape
        if isinstance(step, Scan):
            assert made.cell is not None
            self.of(step.network, made.cell)
        else:
            assert (step.op, dict(step.args)) == (made.op, made.args)
            self._weights(step, made.weights)
        return list(zip(step.inputs, made.inputs, strict=True))

    def _weights(self, step: Step, weights: Key) -> None:
        assert bool(step.place) == bool(weights)
        if weights:
            assert self.weights.setdefault(step.place, weights) == weights
            assert self.places.setdefault(weights, step.place) == step.place


def check(compilation: Compilation, task: Task, n: int) -> None:
    """Compares both roads for `n` architectures."""
    space, checked = compilation.space, compilation.checked
    assert space is not None
    assert checked is not None
    agreement = Agreement()
    for architecture in some(space, n):
        run = Interpreter(checked, task, records(space, architecture, checked))
        graph = run.network()
        assert run.unreached() == []
        agreement.of(specialize(space, architecture), graph)
    assert set(agreement.weights) <= {spec.place for spec in space.places}


@settings(max_examples=2 * EXAMPLES)
@given(programs())
def test_networks_are_those_of_a_direct_interpreter(program: Program) -> None:
    """Operations, arguments, inputs, shapes, loose ends, live decisions and shared weights."""
    lowered(program)
    check(compiled(program), program.task, 6)


@pytest.mark.parametrize(
    ("name", "task", "overrides"),
    [
        ("rnn", WORDS, {"N": "6", "hidden": "4"}),
        ("macro", IMAGES, {"L": "6", "filters": "4"}),
        ("macro", IMAGES, {"L": "6", "filters": "4", "official": "true"}),
        ("micro", IMAGES, {"B": "5", "N": "2", "filters": "2"}),
        ("micro", IMAGES, {"B": "5", "N": "2", "filters": "2", "official": "true"}),
    ],
)
def test_shipped_networks_are_those_of_a_direct_interpreter(
    name: str, task: Task, overrides: dict[str, str]
) -> None:
    check(Compilation.open(name, overrides=overrides, task=task), task, 10)


MERGES = """space merges
param filters = 4
param fixed = true
cell c(a, b) {
  node i in 1..3 {
    s = choose 1..2 from earlier
    s -> choose [sum, product, mean, max, (sum -> conv(1))] -> conv(choose [1, 3])
  }
  m = choose [sum, (concat -> conv(1, filters: 4))]
  d = choose [true, false]
  y = [a, b] -> (sum when d else product)
  sum((loose -> m), y)
}
network image_classifier {
  stem  conv(1)
  stack c * 2
  head  global_avg_pool -> linear(classes)
}
"""


def test_a_list_flows_into_a_chosen_merge() -> None:
    compilation = Compilation(SourceFile("merges.enas", MERGES), task=IMAGES)
    assert compilation.diagnostics == ()
    check(compilation, IMAGES, 60)


# ------------------------------------------------------------------------- torch


def above_zeros(network: Network) -> Network:
    """The network without what only a `zero` reads, whose result no weight changes."""
    first = len(network.inputs)
    needed = set(network.outputs)
    kept: list[Step | Scan] = []
    for n, step in reversed(list(enumerate(network.steps, first))):
        if n in needed:
            needed.update(() if isinstance(step, Step) and step.op == "zero" else step.inputs)
            inner = (
                replace(step, network=above_zeros(step.network)) if isinstance(step, Scan) else step
            )
            kept.append(inner)
    return replace(network, steps=tuple(kept))


@settings(max_examples=EXAMPLES)
@given(programs())
def test_supernet_is_child_and_gradients_reach_what_is_active(program: Program) -> None:
    space = lowered(program)
    net = supernet(space).double()
    owned = sum(p.numel() for p in net.parameters())
    assert owned == parameter_count(space.places)
    x = data(program.task, torch.Generator().manual_seed(1))
    x = x.double() if x.is_floating_point() else x
    for architecture in some(space, 2):
        net.zero_grad()
        y, states = net(x, architecture)
        y.square().sum().backward()
        reached = {id(p) for p in net.active(above_zeros(specialize(space, architecture)))}
        assert {id(p) for p in net.parameters() if p.grad is not None} == reached
        child = Child.from_supernet(net, architecture)
        again, carried = child(x)
        torch.testing.assert_close((again, carried), (y, states))
        used = active_parameter_count(specialize(space, architecture), space.places)
        assert sum(p.numel() for p in child.parameters()) == used <= owned


def batched(shape: Shape) -> tuple[int, ...]:
    assert isinstance(shape.channels, int)
    if len(shape.space) == 2:
        return (3, shape.channels, *shape.space)
    return (3, *shape.space) if shape.tokens else (3, *shape.space, shape.channels)


@settings(max_examples=EXAMPLES // 2)
@given(programs())
def test_the_shape_of_every_step_is_torchs(program: Program) -> None:
    space = lowered(program)
    net = supernet(space)
    x = data(program.task, torch.Generator().manual_seed(1))
    for architecture in some(space, 2):
        network = specialize(space, architecture)
        values = [x]
        run = Bound(kernels(network), lambda step: regions(step, net.places))
        weights = run.fetch(net)
        for step, call, own in zip(network.steps, run.calls, weights, strict=True):
            inputs = [values[i] for i in step.inputs]
            if isinstance(step, Step):
                value = FORWARD[step.op](inputs, own, dict(step.args), Mode(True, True))
            else:
                value = call.run(inputs, None, net, Mode(True, True))[0]  # type: ignore[union-attr]
            assert tuple(value.shape) == batched(step.shape), step
            values.append(value)
        assert tuple(values[0].shape) == batched(network.inputs[0])
