"""The shipped spaces as supernets: active weights, children, and that each operation matters."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest
import torch
from torch import Tensor

from enasdsl.ir.parameters import active_parameter_count, parameter_count
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Source, Space
from enasdsl.nn.child import Child
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task

IMAGES = Task("image_classifier", Shape(3, (16, 16)))
WORDS = Task("language_model", Shape(50, (7,), tokens=True), vocabulary=50)
SMALL = {
    "macro": (IMAGES, {"L": "6", "filters": "6"}),
    "micro": (IMAGES, {"B": "5", "N": "1", "filters": "4"}),
    "rnn": (WORDS, {"N": "5", "hidden": "8"}),
}


@cache
def small(name: str) -> Space:
    task, overrides = SMALL[name]
    return space(name, task, **overrides)


def space(name: str, task: Task, **overrides: str) -> Space:
    found = Compilation.open(name, overrides=overrides, task=task).space
    assert found is not None
    return found


def supernet(name: str) -> tuple[Supernet, Tensor]:
    generator = torch.Generator().manual_seed(0)
    net = Supernet(small(name), init=Init(), generator=generator).eval()
    if name == "rnn":
        return net, torch.randint(50, (4, 7), generator=generator)
    return net, torch.randn(4, 3, 16, 16, generator=generator)


@pytest.mark.parametrize("name", SMALL)
def test_gradient_reaches_the_active_weights_which_are_the_childs(name: str) -> None:
    net, x = supernet(name)
    for architecture in sample(net.space, 3, Random(0)):
        net.zero_grad()
        y, _ = net(x, architecture)
        y.square().sum().backward()
        active = {id(p) for p in net.active(architecture)}
        assert {id(p) for p in net.parameters() if p.grad is not None} == active
        child = Child.from_supernet(net, architecture)
        torch.testing.assert_close(child(x)[0], y)
        network = net.program(architecture).network
        owned = sum(p.numel() for p in child.parameters())
        assert owned == active_parameter_count(network, net.space.places)
        assert owned < parameter_count(net.space.places)


@pytest.mark.parametrize("name", SMALL)
def test_every_choice_of_an_operation_changes_the_output(name: str) -> None:
    """The authors' macro search always ran its last branch; here no two branches agree."""
    net, x = supernet(name)
    (architecture,) = sample(net.space, 1, Random(1))
    for at, decision in enumerate(net.space.decisions):
        if decision.source is not Source.OPERATION:
            continue
        outputs = []
        for pick in range(decision.domain.size):
            picks = (*architecture.picks[:at], (pick,), *architecture.picks[at + 1 :])
            outputs.append(net(x, replace(architecture, picks=picks))[0])
        for i, first in enumerate(outputs):
            assert not any(torch.allclose(first, y) for y in outputs[:i]), decision.path


@pytest.mark.parametrize(("name", "wanted"), [("macro", 697_860), ("micro", 5_373_140)])
def test_the_authors_layers_have_the_authors_number_of_weights(name: str, wanted: int) -> None:
    images = Task("image_classifier", Shape(3, (32, 32)))
    assert parameter_count(space(name, images, official="true").places) == wanted
