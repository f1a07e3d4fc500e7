"""Passes over kernels, and the torch code that they need: equal results, gradients, statistics."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

import pytest
import torch
from drafts import Draft, supernet
from torch import Tensor

from enasdsl.ir import passes
from enasdsl.ir.graph import Network
from enasdsl.ir.kernels import pruned
from enasdsl.ir.passes import PASSES, Pass, lowered
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn import loss as losses
from enasdsl.nn.loss import linear_loss, loss_of
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task

IMAGES = Task("image_classifier", Shape(3, (16, 16)))
WORDS = Task("language_model", Shape(30, (5,), tokens=True), vocabulary=30)
SMALL = {
    "rnn": (WORDS, {"N": "5", "hidden": "6"}),
    "darts_rnn": (WORDS, {"N": "4", "hidden": "6"}),
    "micro": (IMAGES, {"B": "5", "N": "1", "filters": "4", "head_drop": "0.0"}),
    "macro": (IMAGES, {"L": "6", "filters": "4", "head_drop": "0.0"}),
    "nasbench201": (IMAGES, {"N": "1", "width": "4"}),
    "liu2018": (IMAGES, {"width": "4"}),
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@cache
def space(name: str) -> Space:
    task, overrides = SMALL[name]
    found = Compilation.open(name, overrides=overrides, task=task).space
    assert found is not None
    return found


def net_of(name: str) -> Supernet:
    generator = torch.Generator().manual_seed(0)
    net = Supernet(space(name), init=Init(), generator=generator, batch_statistics=False)
    return net.double()


Outcome = tuple[Tensor, dict[str, Tensor | None], dict[str, Tensor]]


def outcome(net: Supernet, run: Callable[[Supernet], Tensor]) -> Outcome:
    """A loss, the gradients that it gives, and the running values that it leaves."""
    before = {name: b.clone() for name, b in net.named_buffers()}
    net.zero_grad()
    loss = run(net)
    torch.autograd.backward(loss)
    grads = {name: None if p.grad is None else p.grad.clone() for name, p in net.named_parameters()}
    after = {name: b.clone() for name, b in net.named_buffers()}
    for name, b in net.named_buffers():
        b.copy_(before[name])
    return loss.detach(), grads, after


def assert_equal(mine: Outcome, wanted: Outcome) -> None:
    grads, right = mine[1], wanted[1]
    assert [n for n, g in grads.items() if g is None] == [n for n, g in right.items() if g is None]
    torch.testing.assert_close(mine, wanted, rtol=1e-8, atol=1e-9)


def batch(name: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    if SMALL[name][0] is WORDS:
        tokens, targets = torch.randint(30, (2, 4, 5), generator=generator)
        return tokens, targets
    images = torch.randn(4, 3, 16, 16, generator=generator, dtype=torch.float64)
    return images, torch.randint(10, (4,), generator=generator)


def loss_after(
    network: Network, some: tuple[Pass, ...], monkeypatch: pytest.MonkeyPatch, name: str
) -> Callable[[Supernet], Tensor]:
    """The loss of a network after some passes alone, through its logits."""
    monkeypatch.setattr("enasdsl.nn.execute.lowered", lambda n, _: lowered(n, some))
    x, targets = batch(name)

    def run(net: Supernet) -> Tensor:
        net.programs.clear()
        return loss_of(net(x, network)[0], targets)

    return run


CHANGED = {
    passes.without_identities: ("rnn", "micro"),
    passes.without_zeros: ("nasbench201", "liu2018"),
    passes.once: ("micro", "nasbench201"),
    passes.blended: ("rnn", "darts_rnn"),
    passes.joined: ("rnn", "darts_rnn"),
    passes.halved: ("micro", "macro"),
    pruned: ("micro", "macro"),
}
"""Each pass with two spaces that it changes."""


@pytest.mark.parametrize(
    ("rewrite", "name"),
    [(rewrite, name) for rewrite, names in CHANGED.items() for name in names],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_pass_changes_kernels_and_not_what_they_give(
    rewrite: Pass, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, changed = net_of(name), False
    for architecture in sample(net.space, 1, Random(0)):
        network = specialize(net.space, architecture)
        before = PASSES[: PASSES.index(rewrite)]
        changed |= lowered(network, before) != lowered(network, (*before, rewrite))
        wanted = outcome(net, loss_after(network, before, monkeypatch, name))
        found = outcome(net, loss_after(network, (*before, rewrite), monkeypatch, name))
        assert_equal(found, wanted)
    assert changed


@pytest.mark.parametrize("name", ["rnn", "darts_rnn"])
def test_a_cell_has_the_gradient_that_autograd_finds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of states that are carried in and out, too; without a plan, autograd records the steps."""
    net = net_of(name)
    tokens, targets = batch(name)
    (architecture,) = sample(net.space, 1, Random(2))

    def run(net: Supernet) -> Tensor:
        net.programs.clear()
        _, states = net(tokens, architecture)
        y, last = net(tokens, architecture, states)
        return loss_of(y, targets) + torch.stack(last).square().mean()

    found = outcome(net, run)
    monkeypatch.setattr("enasdsl.nn.execute._cell", lambda *_: None)
    assert_equal(found, outcome(net, run))


def cell_of_everything() -> Draft:
    """Matrices with a bias, of an output, side by side; pointwise calls; a norm; an idle state."""
    x, h, c = Shape(3), Shape(4), Shape(4)
    body = Draft(x, h, c)
    joined = body.add("concat", 0, 1)
    gate = body.add("sigmoid", body.add("linear", joined, place="a", units=4, bias=True))
    new = body.add("tanh", body.add("linear", joined, place="b", units=4, bias=True))
    kept = body.add("multiply", gate, 2)
    carried = body.add("subtract", kept, body.add("multiply", new, gate))
    shown = body.add("softplus", body.add("layer_norm", carried, place="n"))
    out = body.add("add", body.add("linear", shown, place="c", units=4), body.add("relu", gate))
    draft = Draft(Shape(3, (6,)))
    draft.scan(body, 0, states=2, outputs=(out, carried))
    return draft


def cell_of_chains() -> Draft:
    """Results of matrices that other matrices, norms and states read, changed in place or not."""
    body = Draft(Shape(3), Shape(4), Shape(4))
    first = body.add("linear", body.add("concat", 0, 1), place="a", units=4)
    second = body.add("tanh", body.add("linear", first, place="b", units=4))
    third = body.add("sigmoid", body.add("linear", second, place="c", units=4))
    normed = body.add("batch_norm", body.add("linear", third, place="d", units=4), place="n")
    swish = body.add("swish", body.add("linear", 2, place="e", units=4))
    draft = Draft(Shape(3, (6,)))
    body.add("multiply", normed, swish)
    out = body.add("relu", body.add("linear", body.add("sum", first, second), place="f", units=4))
    draft.scan(body, 0, states=2, outputs=(len(body.shapes) - 1, out))
    return draft


CELLS = [cell_of_everything, cell_of_chains]


@pytest.mark.parametrize("drafted", CELLS)
@pytest.mark.parametrize("batch_statistics", [True, False])
def test_a_cell_goes_back_as_autograd_does(
    drafted: Callable[[], Draft], monkeypatch: pytest.MonkeyPatch, *, batch_statistics: bool
) -> None:
    draft = drafted()
    net = supernet(draft.places, batch_statistics=batch_statistics).double()
    x = torch.randn(2, 6, 3, dtype=torch.float64, requires_grad=True)

    def run(net: Supernet) -> Tensor:
        net.programs.clear()
        x.grad = None
        y, (h, c) = net(x, draft.network())
        return torch.add(y.square().sum(), (h * c).sum())

    for training in (True, False):
        net.train(training)
        with monkeypatch.context() as patch:
            found, of_x = outcome(net, run), x.grad
            patch.setattr("enasdsl.nn.execute._cell", lambda *_: None)
            assert_equal(found, outcome(net, run))
        torch.testing.assert_close(of_x, x.grad)


def test_the_way_back_is_gone_once_and_has_no_way_back_itself() -> None:
    draft = cell_of_everything()
    net = supernet(draft.places)
    y, _ = net(torch.randn(2, 6, 3), draft.network())
    loss = y.sum()
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(loss, list(net.parameters()), create_graph=True)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="only once"):
        loss.backward()


@pytest.mark.parametrize("biased", [True, False])
def test_a_loss_in_pieces_is_the_loss(monkeypatch: pytest.MonkeyPatch, *, biased: bool) -> None:
    monkeypatch.setattr(losses, "LARGE", 0)
    monkeypatch.setattr(losses, "ROWS", 4)
    generator = torch.Generator().manual_seed(0)
    given = [torch.randn(size, generator=generator) * 20 for size in ((3, 3, 5), (7, 5), (7,))]
    x, weight, bias = (t.double().requires_grad_() for t in given)
    targets = torch.randint(7, (3, 3), generator=generator)
    leaves = [x, weight, bias] if biased else [x, weight]
    offset = bias if biased else None
    pieces = linear_loss(x, weight, offset, targets)
    whole = loss_of(torch.nn.functional.linear(x, weight, offset), targets)
    torch.testing.assert_close(pieces, whole)
    torch.testing.assert_close(
        torch.autograd.grad(3 * pieces, leaves), torch.autograd.grad(3 * whole, leaves)
    )
    with torch.no_grad():
        torch.testing.assert_close(linear_loss(x, weight, offset, targets), whole)


def test_a_loss_runs_the_network_and_carries_its_states() -> None:
    net = net_of("rnn")
    tokens, targets = batch("rnn")
    (architecture,) = sample(net.space, 1, Random(0))
    y, states = net.eval()(tokens, architecture)
    loss, last = net.loss(tokens, targets, architecture)
    torch.testing.assert_close(loss, loss_of(y, targets))
    torch.testing.assert_close(last, states)
