"""Supernet and child against plain networks: results, states, slices, gradients, names."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from drafts import Draft, conv_net, language_model, sliced, steps_with_spans, supernet
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from enasdsl.ir.graph import Step
from enasdsl.ir.parameters import active_parameter_count, parameter_count, parameter_counts
from enasdsl.ir.space import Architecture
from enasdsl.nn.build import FORWARD
from enasdsl.nn.child import Child
from enasdsl.nn.execute import Program
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.semantics.symbols import Shape


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


# ------------------------------------------------------ against plain networks


def plain_conv_net(net: Supernet) -> nn.Sequential:
    plain = nn.Sequential(
        nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(6, 4),
    )  # fmt: skip
    names = ["0.weight", "0.bias", "1.weight", "1.bias", "5.weight", "5.bias"]
    mine = [
        "stem/conv.weight", "stem/conv.bias", "stem/norm.scale", "stem/norm.offset",
        "head/linear.weight", "head/linear.bias",
    ]  # fmt: skip
    state = net.state_dict()
    plain.load_state_dict({a: state[b] for a, b in zip(names, mine, strict=True)}, strict=False)
    return plain


def test_conv_net_equals_the_plain_one_with_running_statistics() -> None:
    draft = conv_net()
    net = supernet(draft.places, batch_statistics=False)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.rand_like(p) * 0.1)
    plain = plain_conv_net(net)
    for _ in range(3):
        x = torch.randn(5, 3, 8, 8)
        y, _ = net(x, draft.network())
        torch.testing.assert_close(y, plain(x))
    net.zero_grad()
    y.square().sum().backward()
    plain(x).square().sum().backward()
    conv = plain[0]
    assert isinstance(conv.weight, nn.Parameter)
    torch.testing.assert_close(net.tensor("stem/conv", "weight").grad, conv.weight.grad)
    net.eval()
    plain.eval()
    assert net.tensor("stem/norm", "mean").abs().sum() > 0
    # The plain net saw the last batch twice, so its running values are compared with a third road.
    state = net.state_dict()
    norm = plain[1]
    norm.running_mean, norm.running_var = state["stem/norm.mean"], state["stem/norm.variance"]
    torch.testing.assert_close(net(x, draft.network())[0], plain(x))


def test_batch_statistics_keep_nothing_and_act_in_evaluation() -> None:
    draft = conv_net()
    net = supernet(draft.places)
    x = torch.randn(5, 3, 8, 8)
    y, _ = net(x, draft.network())
    assert torch.equal(net.tensor("stem/norm", "mean"), torch.zeros(6))
    net.eval()
    assert torch.equal(net(x, draft.network())[0], y)


def plain_highway(net: Supernet, tokens: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    weights = [p for n, p in net.named_parameters() if n.startswith("net/")]
    table = net.tensor("stem/embedding", "weight")
    outputs = []
    for t in range(tokens.shape[1]):
        joined = torch.cat([table[tokens[:, t]], h], 1)
        gate = torch.sigmoid(joined @ weights[0].T)
        first = gate * torch.tanh(joined @ weights[1].T) + (1 - gate) * h
        gate = torch.sigmoid(first @ weights[2].T)
        second = gate * torch.tanh(first @ weights[3].T) + (1 - gate) * first
        h = (first + second) / 2
        outputs.append(h @ table.T)
    return torch.stack(outputs, 1), h


def test_recurrent_cell_equals_the_plain_loop_and_carries_its_state() -> None:
    draft = language_model()
    net = supernet(draft.places)
    assert sum(p.numel() for p in net.parameters()) == parameter_count(draft.places) == 66 + 216
    first, second = torch.randint(11, (2, 3, 5))
    y, states = net(first, draft.network())
    wanted, h = plain_highway(net, first, torch.zeros(3, 6))
    torch.testing.assert_close(y, wanted)
    torch.testing.assert_close(states, (h,))
    y, _ = net(second, draft.network(), states)
    torch.testing.assert_close(y, plain_highway(net, second, h)[0])
    y.square().sum().backward()
    mine = [p.grad for p in net.parameters()]
    net.zero_grad()
    h = plain_highway(net, first, torch.zeros(3, 6))[1]
    wanted = plain_highway(net, second, h)[0]
    torch.autograd.backward(wanted.square().sum())
    for a, p in zip(mine, net.parameters(), strict=True):
        torch.testing.assert_close(a, p.grad)


def test_running_statistics_in_a_recurrent_cell_allow_the_backward_pass() -> None:
    draft = language_model(norm=True)
    net = supernet(draft.places, batch_statistics=False)
    y, _ = net(torch.randint(11, (4, 5)), draft.network())
    y.sum().backward()
    assert net.tensor("net/node18/batch_norm", "mean").abs().sum() > 0


def test_sequence_dropout_in_a_cell_has_one_mask_for_all_steps() -> None:
    body = Draft(Shape(8), Shape(8))
    body.add("sequence_dropout", 0, rate=0.5)
    draft = Draft(Shape(8, (6,)))
    draft.scan(body, 0, states=1, outputs=(2,))
    net = supernet([])
    y, _ = net(torch.ones(3, 6, 8), draft.network())
    assert set(y.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(y, y[:, :1].expand_as(y))
    assert not torch.equal(y, net(torch.ones(3, 6, 8), draft.network())[0])


def test_a_vector_beside_a_sequence_is_the_same_at_each_step() -> None:
    body = Draft(Shape(2), Shape(2), Shape(2))
    body.add("add", 2, body.add("multiply", 0, 1))
    draft = Draft(Shape(2, (3,)))
    mean = draft.add("global_avg_pool", 0)
    draft.scan(body, 0, mean, states=1, outputs=(4,))
    x = torch.randn(2, 3, 2)
    y, _ = supernet([])(x, draft.network())
    torch.testing.assert_close(y, (x * x.mean(1, keepdim=True)).cumsum(1))


# ------------------------------------------------------ slices, active weights


def test_slices_read_and_write_exactly_their_channels() -> None:
    large, network = sliced()
    net = supernet(large.places, batch_statistics=False)
    x = torch.randn(4, 5, 6, 6)
    net(x, network)[0].square().sum().backward()
    inside, six = [1, 2, 5, 6, 7], [0, 1, 3, 4, 6, 7]
    weight = net.tensor("a", "weight")
    assert isinstance(weight.grad, Tensor)
    touched = torch.zeros_like(weight, dtype=torch.bool)
    touched[torch.tensor(six)[:, None], torch.tensor(inside), :3, :3] = True
    assert torch.equal(weight.grad != 0, touched)
    kernel = weight.detach()[six][:, inside, :3, :3]
    raw = F.conv2d(x, kernel, net.tensor("a", "bias")[six], padding=1).mean((0, 2, 3))
    wanted = torch.zeros(8)
    wanted[six] = 0.1 * raw.detach()
    torch.testing.assert_close(net.tensor("b.norm(0.1)", "mean"), wanted)
    variance = net.tensor("b.norm(0.1)", "variance")
    assert variance[[2, 5]].tolist() == [1, 1]
    assert bool((variance[six] != 1).all())


@pytest.mark.parametrize("batch_statistics", [True, False])
def test_child_of_a_sliced_supernet_gives_the_same(batch_statistics: bool) -> None:
    large, network = sliced()
    net = supernet(large.places, batch_statistics=batch_statistics)
    x = torch.randn(4, 5, 6, 6)
    net(x, network)
    child = Child.from_supernet(net, network)
    assert sum(p.numel() for p in child.parameters()) == 6 * 5 * 9 + 6 + 12 + 24
    assert active_parameter_count(network, large.places) == 6 * 5 * 9 + 6 + 12 + 24
    torch.testing.assert_close(child(x)[0], net(x, network)[0])  # both update running values
    net.eval()
    child.eval()
    torch.testing.assert_close(child(x)[0], net(x, network)[0])
    own = child.tensor("a", "weight")
    assert own.data_ptr() != net.tensor("a", "weight").data_ptr()


def test_child_joins_what_several_steps_use_of_one_place() -> None:
    """One conv shared by two steps with other kernels and other inputs."""
    large = Draft(Shape(6, (5, 5)))
    large.add("conv", 0, place="shared/conv", kernel=5, filters=4)
    small = Draft(Shape(2, (5, 5)))
    first = small.add("conv", 0, place="shared/conv", kernel=3, filters=4)
    second = small.add("conv", 0, place="shared/conv", kernel=1, filters=4)
    small.add("sum", first, second)
    network = small.network()
    one, two, merge = network.steps
    assert isinstance(one, Step)
    assert isinstance(two, Step)
    steps = (replace(one, reads=(((0, 2),),)), replace(two, reads=(((4, 6),),)), merge)
    network = replace(network, steps=steps)
    net = supernet(large.places)
    child = Child.from_supernet(net, network)
    assert child.tensor("shared/conv", "weight").shape == (4, 4, 3, 3)
    x = torch.randn(2, 2, 5, 5)
    torch.testing.assert_close(child(x)[0], net(x, network)[0])


def test_child_of_a_language_model_keeps_the_matrix_tied() -> None:
    draft = language_model(norm=True)
    net = supernet(draft.places)
    child = Child.from_supernet(net, draft.network())
    assert child.state_dict().keys() == net.state_dict().keys()
    assert "head/linear.weight" not in child.state_dict()
    tokens = torch.randint(11, (3, 5))
    torch.testing.assert_close(child(tokens), net(tokens, draft.network()))


def test_gradient_reaches_exactly_the_active_weights() -> None:
    draft = Draft(Shape(3, (5, 5)))
    branches = [draft.add("conv", 0, place=f"op{k}", kernel=k, filters=2) for k in (1, 3, 5)]
    net = supernet(draft.places)
    x = torch.randn(2, 3, 5, 5)
    for chosen in [branches[:1], branches[1:]]:
        network = draft.network(chosen[0])
        if len(chosen) > 1:
            merged = replace(
                network, steps=(*network.steps[1:], Step("sum", (), (1, 2), "", draft.shapes[1]))
            )
            network = replace(merged, outputs=(3,))
        else:
            network = replace(network, steps=network.steps[:1])
        net.zero_grad()
        net(x, network)[0].square().sum().backward()
        active = {id(p) for p in net.active(network)}
        assert len(active) == len(chosen)
        assert {id(p) for p in net.parameters() if p.grad is not None} == active


def test_many_architectures_on_one_minibatch_add_up_their_gradients() -> None:
    draft = conv_net()
    net = supernet(draft.places)
    x = torch.randn(4, 3, 8, 8)
    networks = [draft.network(), draft.network(4)]
    alone = []
    for network in networks:
        net.zero_grad(set_to_none=True)
        net(x, network)[0].sum().backward()
        alone.append({name: p.grad for name, p in net.named_parameters()})
    net.zero_grad(set_to_none=True)
    for network in networks:
        net(x, network)[0].sum().backward()
    for name, p in net.named_parameters():
        parts = [grad for grads in alone if (grad := grads[name]) is not None]
        assert (p.grad is None) == (not parts)
        if p.grad is not None:
            torch.testing.assert_close(p.grad, torch.stack(parts).sum(0))


# ------------------------------------------------------------ names, the store


def test_state_dict_round_trips_and_saves(tmp_path: Path) -> None:
    large, network = sliced()
    net, other = supernet(large.places), supernet(large.places)
    with torch.no_grad():
        for p in other.parameters():
            p.add_(1)
    names = [
        "a%.weight", "a%.bias", "b%2Enorm(0%2E1).scale", "b%2Enorm(0%2E1).offset",
        "b%2Enorm(0%2E1).mean", "b%2Enorm(0%2E1).variance", "c/é=%25.weight",
    ]  # fmt: skip
    assert list(net.state_dict()) == names
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    other.load_state_dict(load_file(tmp_path / "w.safetensors"), strict=True)
    x = torch.randn(2, 5, 6, 6)
    assert torch.equal(net(x, network)[0], other(x, network)[0])
    twin = copy.deepcopy(net)
    with torch.no_grad():
        net.tensor("a", "weight").zero_()
    assert torch.equal(twin(x, network)[0], other(x, network)[0])
    parameters: dict[str, Tensor] = dict(other.named_parameters())
    y, _ = torch.func.functional_call(net, parameters, (x, network))
    assert torch.equal(y, other(x, network)[0])


def test_places_called_like_attributes_do_no_harm() -> None:
    draft = Draft(Shape(3))
    at = 0
    for place in ("training", "forward", "places", "__class__"):
        at = draft.add("linear", at, place=place, units=3)
    net = supernet(draft.places)
    assert net.training
    y, _ = net(torch.randn(2, 3), draft.network())
    assert y.shape == (2, 3)
    assert len(net.state_dict()) == 4


def test_init_has_the_fan_in_of_the_kernel() -> None:
    draft = Draft(Shape(32, (4, 4)))
    draft.add("conv", 0, place="n/conv", kernel=3, filters=64, groups=2)
    draft.add("depthwise_conv", 0, place="n/depthwise", kernel=5)
    (conv, depthwise) = supernet(draft.places).parameters()
    for weight, fan_in in ((conv, 16 * 9), (depthwise, 25)):
        std = (2 / fan_in) ** 0.5
        assert weight.std().item() == pytest.approx(std, rel=0.06)
        assert weight.abs().max().item() <= 2 * std / 0.8796 + 1e-6
    uniform = supernet(draft.places, init=Init("uniform", bound=0.025))
    for p in uniform.parameters():
        assert 0.02 < p.abs().max().item() <= 0.025


def test_counts_need_no_tensors() -> None:
    draft = conv_net()
    counts = parameter_counts(draft.places)
    assert counts == {"stem/conv": 168, "stem/norm": 12, "head/linear": 28}
    assert sum(p.numel() for p in supernet(draft.places).parameters()) == sum(counts.values())


def test_more_than_the_place_holds_is_refused() -> None:
    draft = conv_net(filters=6)
    with pytest.raises(ValueError, match="stem/conv: weight holds 6 along out, 7 are asked"):
        supernet(draft.places)(
            torch.randn(1, 3, 8, 8),
            steps_with_spans(draft.network(), {"stem/conv": (None, ((0, 7),))}),
        )


def test_architecture_of_another_space_is_refused() -> None:
    net = supernet([])
    with pytest.raises(ValueError, match="other"):
        net(torch.zeros(1), Architecture("other", "0" * 12, ()))


def test_programs_are_remembered_up_to_a_bound() -> None:
    draft = conv_net()
    net = supernet(draft.places)
    networks = [draft.network() for _ in range(70)]
    programs: list[Program] = [net.program(n) for n in networks]
    assert net.program(networks[-1]) is programs[-1]
    assert net.program(networks[0]) is not programs[0]
    assert len(net.programs) == net.remembered


def test_values_die_after_their_last_use(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Tensor]] = []
    counts: list[int] = []

    def tracked(inputs: Sequence[Tensor], *rest: object) -> Tensor:
        counts.append(sum(ref() is not None for ref in alive))
        y = inputs[0] + 1
        alive.append(weakref.ref(y))
        return y

    monkeypatch.setitem(FORWARD, "relu", tracked)
    draft = Draft(Shape(3))
    for at in range(6):
        draft.add("relu", at)
    gc.disable()
    try:
        supernet([])(torch.ones(1, 3), draft.network())
    finally:
        gc.enable()
    assert max(counts) <= 1
