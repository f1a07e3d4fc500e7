"""What a search learns with: schedules, descent on shared weights, REINFORCE, problems."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from search_worlds import IMAGES, LANGUAGE, assembly, image_data, text_data
from torch import Tensor

from enasdsl.ir.parameters import used
from enasdsl.ir.space import Architecture
from enasdsl.search.chance import Uniform
from enasdsl.search.descent import PATIENCE, Descent, mask_of
from enasdsl.search.enas import Enas
from enasdsl.search.errors import SearchError
from enasdsl.search.problem import Batch, Images, Language, loss_of
from enasdsl.search.reinforce import Baseline
from enasdsl.search.schedule import learning_rate
from enasdsl.search.strategy import strategy_of
from enasdsl.search.trainee import Single
from enasdsl.semantics.recipe import Recipe, Reward
from enasdsl.semantics.training import Data, Schedule, Weights

# ------------------------------------------------------------------ schedules


def test_cosine_restarts_where_the_authors_do() -> None:
    weights = Weights(lr=0.05, schedule=Schedule(kind="cosine", min=0.001, period=10, multiply=2))
    rates = [learning_rate(weights, epoch) for epoch in range(631)]
    restarts = [epoch for epoch in range(1, 631) if rates[epoch] > rates[epoch - 1]]
    assert restarts == [10, 30, 70, 150, 310, 630]
    assert rates[0] == rates[10] == rates[310] == 0.05
    assert rates[5] == pytest.approx((0.05 + 0.001) / 2)
    assert min(rates) > 0.001


def test_steps_begin_at_their_epoch_and_stop_at_the_minimum() -> None:
    schedule = Schedule(kind="step", gamma=0.96, from_epoch=15, min=1.0)
    weights = Weights(lr=20, schedule=schedule)
    rates = [learning_rate(weights, epoch) for epoch in (0, 14, 15, 16, 1000)]
    assert rates == pytest.approx([20, 20, 19.2, 18.432, 1.0])


# -------------------------------------------------------------------- descent


def _second_step(tmp_path: Path, settings: Weights) -> dict[str, tuple[Tensor, Tensor]]:
    """What a step moved after another by an architecture that uses more, and what it uses."""
    job = assembly(tmp_path, IMAGES).alternation()
    net = job.supernet
    ordered = sorted(job.strategy.ask(40), key=lambda a: sum(len(p) for p in a.picks if p))
    descent = Descent(net, settings)
    before: dict[str, Tensor] = {}
    for architecture in (ordered[-1], ordered[0]):
        before = {name: tensor.clone() for name, tensor in net.named_parameters()}
        regions = used(net.program(architecture).network, net.places)
        descent.clear()
        loss = loss_of(net(*_images(architecture))[0], torch.arange(8) % 2)
        loss.backward()  # type: ignore[no-untyped-call]
        assert descent.step(0.1, [regions])
    masks = {
        id(net.tensor(*key)): mask_of(region, torch.device("cpu"))
        for key, region in regions.items()
    }
    unused = torch.zeros((), dtype=torch.bool)
    return {
        name: (tensor != before[name], masks.get(id(tensor), unused).expand(tensor.shape))
        for name, tensor in net.named_parameters()
    }


def _images(architecture: Architecture) -> tuple[Tensor, Architecture]:
    images = image_data()
    return images.normalise(images.train.images[:8]), architecture


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_weights_that_are_not_used_rest(optimizer: Literal["sgd", "adam"], tmp_path: Path) -> None:
    settings = Weights(optimizer=optimizer, lr=0.1, momentum=0.9, decay=0.01)
    found = _second_step(tmp_path, settings)
    assert any(mask.any() and not mask.all() for _, mask in found.values())
    assert any(not mask.any() for _, mask in found.values())
    assert not any((moved & ~mask).any() for moved, mask in found.values())
    assert all(moved[mask].any() for moved, mask in found.values() if mask.any())


def test_weights_that_are_not_used_decay_where_the_recipe_says_so(tmp_path: Path) -> None:
    settings = Weights(lr=0.1, momentum=0.9, decay=0.01, inactive="decay")
    found = _second_step(tmp_path, settings)
    kernels = [(m, mask) for name, (m, mask) in found.items() if name.endswith("weight")]
    assert all(moved[~mask].all() for moved, mask in kernels)


def test_gradients_that_are_not_finite_are_passed_over_until_training_is_lost(
    tmp_path: Path,
) -> None:
    net = assembly(tmp_path, IMAGES).alternation().supernet
    descent = Descent(net, Weights(lr=0.1))
    before = [p.clone() for p in net.parameters()]
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, math.nan)
    for _ in range(PATIENCE - 1):
        assert not descent.step(0.1)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    with pytest.raises(SearchError, match="diverged"):
        descent.step(0.1)


def test_gradients_of_several_children_are_averaged(tmp_path: Path) -> None:
    job = assembly(tmp_path, IMAGES).alternation()
    architectures = job.strategy.ask(3)
    batch = Batch(_images(architectures[0])[0], torch.arange(8) % 2)
    job.supernet.train()
    state = job.supernet.noise.get_state() if job.supernet.noise else torch.tensor(0)
    job._states = [None] * 3
    for child, architecture in enumerate(architectures):
        job._backward(batch, child, Single(job.supernet, architecture))
    together = {n: p.grad for n, p in job.supernet.named_parameters() if p.grad is not None}
    job.supernet.zero_grad()
    assert job.supernet.noise is not None
    job.supernet.noise.set_state(state)
    losses = [loss_of(job.supernet(batch.inputs, a)[0], batch.targets) for a in architectures]
    torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
    for name, parameter in job.supernet.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(together[name], parameter.grad)


# ------------------------------------------------------------------ reinforce


def test_the_baseline_begins_at_the_first_reward() -> None:
    baseline = Baseline(0.9)
    assert baseline.advantages(torch.tensor([2.0, 4.0])).tolist() == [-1.0, 1.0]
    assert baseline.value == 3.0
    assert baseline.advantages(torch.tensor([5.0])).tolist() == [2.0]
    assert baseline.value == pytest.approx(3.2)


def _strategy(tmp_path: Path, text: str, **settings: float) -> Enas:
    space = assembly(tmp_path, text).space
    chosen = {"hidden": 16, "lr": 0.02, "beta1": 0.0} | settings
    return Enas(space, Recipe.model_validate({"controller": chosen}), seed=1)


def test_the_controller_learns_what_is_rewarded(tmp_path: Path) -> None:
    strategy = _strategy(tmp_path, LANGUAGE, entropy=0.0)

    def good(architecture: Architecture) -> float:
        return sum(picks == (1,) for picks in architecture.picks) / len(architecture.picks)

    before = sum(map(good, strategy.ask(200))) / 200
    for _ in range(120):
        asked = strategy.ask(8)
        strategy.tell(asked, [good(a) for a in asked])
    after = sum(map(good, strategy.ask(200))) / 200
    assert before < 0.5
    assert after > 0.75  # of 0.8: one decision has no second alternative


def test_without_rewards_entropy_grows(tmp_path: Path) -> None:
    strategy = _strategy(tmp_path, LANGUAGE, entropy=1.0)
    with torch.no_grad():
        for parameter in strategy.controller.parameters():
            parameter.mul_(20)

    def entropy() -> float:
        asked = strategy.ask(100)
        with torch.no_grad():
            return float(strategy.controller.evaluate(asked).entropy.mean())

    before = entropy()
    for _ in range(60):
        asked = strategy.ask(8)
        strategy.tell(asked, [0.0] * 8)
    assert entropy() > before + 0.3


@pytest.mark.parametrize("rate", [0.2, 0.8])
def test_the_skip_penalty_pulls_to_its_rate(rate: float, tmp_path: Path) -> None:
    strategy = _strategy(tmp_path, IMAGES, entropy=0.0, skip_weight=1.0, skip_rate=rate)
    for _ in range(80):
        asked = strategy.ask(8)
        figures = strategy.tell(asked, [0.0] * 8)
    with torch.no_grad():
        rates = strategy.controller.evaluate(strategy.ask(400)).rates
    assert float(rates.mean()) == pytest.approx(rate, abs=0.08)
    assert figures["skip_penalty"] < 0.05


def test_a_strategy_that_does_not_exist_is_said(tmp_path: Path) -> None:
    space = assembly(tmp_path, IMAGES).space
    with pytest.raises(SearchError, match="evolutoin") as caught:
        strategy_of("evolutoin", space, Recipe(), 0)
    assert caught.value.help == "there are: enas, random, evolution, spos, darts, gdas"


def test_chance_draws_each_architecture_alike(tmp_path: Path) -> None:
    strategy = Uniform(assembly(tmp_path, LANGUAGE).space, Recipe(), 0)
    counts = Counter(strategy.ask(3200))  # 16 architectures, 200 of each, deviation 14
    assert len(counts) == 16
    assert all(130 < count < 270 for count in counts.values())


# ------------------------------------------------------------------- problems


@given(nll=st.floats(0.0, 50.0))
def test_a_language_model_earns_c_over_its_perplexity(nll: float) -> None:
    problem = Language(text_data(), Data(batch=4, eval_batch=4, bptt=5), Reward(c=80), 0)
    classes = len(text_data().vocabulary)

    def model(x: Tensor, states: object) -> tuple[Tensor, None]:
        other = math.log(max(-math.expm1(-nll), 1e-30) / (classes - 1))
        logits = torch.full((*x.shape, classes), other, dtype=torch.float64)
        return logits.scatter(-1, batch.targets.unsqueeze(-1), -nll), None

    batch = problem.reward_batch()
    measure = problem.measure(model, [batch])
    assert measure.figure == pytest.approx(nll, abs=1e-5)
    assert measure.reward == pytest.approx(80 * math.exp(-nll), rel=1e-4)


def test_a_classifier_earns_its_accuracy() -> None:
    problem = Images(image_data(), Data(batch=8, eval_batch=5), 0)
    labels = image_data().valid.labels

    def always_light(x: Tensor, states: object) -> tuple[Tensor, None]:
        return torch.tensor([0.0, 1.0]).expand(len(x), 2), None

    measure = problem.measure(always_light, problem.split("valid"))
    assert measure.reward == measure.figure == pytest.approx(labels.float().mean().item())


def test_states_are_carried_over_a_whole_part_and_not_into_rewards() -> None:
    problem = Language(text_data(), Data(batch=2, eval_batch=2, bptt=5), Reward(), 0)
    given: list[bool] = []

    def model(x: Tensor, states: object) -> tuple[Tensor, tuple[Tensor, ...]]:
        given.append(states is not None)
        return torch.zeros(*x.shape, len(text_data().vocabulary)), (torch.zeros(1),)

    problem.measure(model, problem.split("valid"))
    assert given == [False] + [True] * (len(given) - 1)
    assert len(given) > 10
    given.clear()
    for _ in range(3):
        problem.measure(model, [problem.reward_batch()])
    assert given == [False] * 3


def test_training_windows_begin_afresh_with_each_pass() -> None:
    problem = Language(text_data(), Data(batch=4, eval_batch=4, bptt=5), Reward(), 0)
    fresh = [problem.train_batch().fresh for _ in range(2 * problem.steps + 1)]
    assert [at for at, is_fresh in enumerate(fresh) if is_fresh] == [
        0,
        problem.steps,
        2 * problem.steps,
    ]
