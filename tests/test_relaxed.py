"""Relaxed choices by two roads: at the corners they are architectures, and gradients are slopes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest
import torch
from hypothesis import given, settings
from programs import Program, programs
from test_export import SIZES, WORDY, space
from test_meaning import data, lowered, some, supernet
from test_zoo import IMAGES as LARGE
from test_zoo import WORDS
from torch import Tensor

from enasdsl.ir.parameters import used
from enasdsl.ir.relaxing import alone, everything
from enasdsl.ir.rigid import obstacles
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.relaxed import RelaxedSupernet, Weighing
from enasdsl.nn.supernet import Supernet

RIGID = {"anynet_a", "anynet_b", "anynet_c", "autoformer_t", "nats_size", "ofa_mobilenetv3"}
HARD = {"macro", "micro", "rnn", "nasnet", "nb1shot1_s1", "nb1shot1_s2", "nb1shot1_s3"}
SOFT = SIZES.keys() - RIGID - HARD


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@cache
def shared(name: str) -> Supernet:
    return supernet(space(name))


def inputs(name: str) -> Tensor:
    return data(WORDS if name in WORDY else LARGE, torch.Generator().manual_seed(0))


def corner(space: Space, architecture: Architecture) -> Weighing:
    """All picks, that of the architecture with the whole weight."""
    every = everything(space)
    pairs = zip(every.picks, architecture.picks, strict=True)
    weights = [torch.tensor([float(pick == own) for pick in picks]) for picks, own in pairs]
    return Weighing(every, weights, architecture)


def hard(architecture: Architecture) -> Weighing:
    """The picks of the architecture alone."""
    support = alone(architecture)
    return Weighing(support, [torch.ones(len(p)) for p in support.picks], architecture)


def same(net: Supernet, x: Tensor, weighing: Weighing) -> None:
    """The blend and the architecture give the same, states included, rounding aside."""
    net.eval().double()
    x = x.double() if x.is_floating_point() else x
    weighing = replace(weighing, weights=[weight.double() for weight in weighing.weights])
    with torch.no_grad():
        expected, before = net(x, weighing.architecture)
        found, after = RelaxedSupernet(net).run(x, weighing)
    torch.testing.assert_close(found, expected, equal_nan=True)
    torch.testing.assert_close(after, before)


# ------------------------------------------------------------------------ corners


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SOFT))
def test_a_mixture_that_is_all_one_architecture_is_that(name: str) -> None:
    for architecture in sample(space(name), 1, Random(0)):
        same(shared(name), inputs(name), corner(space(name), architecture))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SOFT | HARD))
def test_a_hard_sample_is_its_architecture(name: str) -> None:
    net, known = shared(name), space(name)
    for architecture in sample(known, 1, Random(1)):
        weighing = hard(architecture)
        same(net, inputs(name), weighing)
        mine = used(RelaxedSupernet(net).operations(weighing.support), net.places)
        assert mine == used(net.program(architecture).network, net.places)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(programs())
def test_generated_spaces_are_their_architectures_at_the_corners(program: Program) -> None:
    known = lowered(program)
    net = supernet(known)
    x = data(program.task, torch.Generator().manual_seed(0))
    (architecture,) = some(known, 1)
    same(net, x, hard(architecture))
    if not obstacles(known, soft=True):
        same(net, x, corner(known, architecture))
