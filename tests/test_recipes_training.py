"""What the settings of training do: each by a second road, and whether it survives a break."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from search_worlds import IMAGES, LANGUAGE, assembly, image_data, text_data
from states import numbers, reloaded
from torch import Tensor, nn

from enasdsl.ir.parameters import used
from enasdsl.ir.sample import unrank
from enasdsl.ir.space import Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn.child import Child
from enasdsl.nn.mode import Trace
from enasdsl.nn.weights import Init
from enasdsl.search.alternation import Alternation
from enasdsl.search.averaging import Averaging
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.losses import aside, beside, hold
from enasdsl.search.problem import Images, Language, Problem, loss_of
from enasdsl.search.retraining import Retraining
from enasdsl.search.schedule import learning_rate
from enasdsl.search.seeds import generator
from enasdsl.semantics.recipe import Reward
from enasdsl.semantics.training import ChildWeights, Data, Schedule, Training
from enasdsl.source import SourceFile

SIDE = IMAGES.replace(
    "network image_classifier {",
    "op beside on x { auxiliary(x, x -> global_avg_pool -> linear(classes)) }\n"
    "network image_classifier {",
).replace("stack layers", "stack layers, beside, conv(1) -> drop_path(0.5)")
"""The tiny convolutional space with a head at the side and dropped paths."""


pytestmark = pytest.mark.usefixtures("one_thread")


# -------------------------------------------------------------------- schedules


def test_the_first_step_after_a_restart_may_have_the_rate_of_mid_cycle() -> None:
    schedule = {"kind": "cosine", "min": 0.0005, "period": 10, "multiply": 2}
    plain, late = (
        Training(lr=0.05, schedule=Schedule.model_validate(schedule | {"midway": midway}))
        for midway in (False, True)
    )
    odd = {
        (epoch, step)
        for epoch in range(320)
        for step in (0, 1)
        if learning_rate(plain, epoch, step) != learning_rate(late, epoch, step)
    }
    assert odd == {(epoch, 0) for epoch in (10, 30, 70, 150, 310)}
    assert learning_rate(late, 30, 0) == pytest.approx((0.05 + 0.0005) / 2)
    assert learning_rate(late, 30, 1) == 0.05


# ----------------------------------------------------------------------- losses


def test_penalties_are_means_over_the_outputs_of_recurrent_cells() -> None:
    sequence = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    settings = Training.model_validate({"penalty": {"activation": 0.5, "slowness": 2.0}})
    found = beside(Trace(sequences=[sequence]), torch.zeros(3, 4).long(), settings)
    numbers = sequence.tolist()
    square = sum(v * v for row in numbers for vector in row for v in vector) / (3 * 4 * 5)
    slow = sum(
        (b - a) ** 2
        for row in numbers
        for one, two in pairwise(row)
        for a, b in zip(one, two, strict=True)
    ) / (3 * 3 * 5)
    assert isinstance(found, Tensor)
    assert found.item() == pytest.approx(0.5 * square + 2.0 * slow)
    assert beside(Trace(sequences=[sequence]), torch.zeros(3, 4).long(), Training()) == 0


@pytest.mark.parametrize("name", ["slowness", "activation"])
def test_a_penalty_changes_what_a_recurrent_cell_says(name: str) -> None:
    moved = []
    for weight in (0.0, 5.0):
        space = assembly_space(LANGUAGE)
        child = Child(
            specialize(space, unrank(space, 0)), space.places, init=Init("uniform", 0.5),
            generator=generator(0, "weights"),
        )  # fmt: skip
        child.noise = torch.Generator().manual_seed(5)
        settings = ChildWeights.model_validate(
            {"lr": 0.1, "epochs": 2, "penalty": {name: weight}, "momentum": 0}
        )
        data = Data(batch=4, eval_batch=4, bptt=5)
        job = Retraining(child, Language(text_data(), data, Reward(), 0), settings)
        while not job.done:
            job.step()
        child.trace = Trace()
        job.model(text_data().valid[:40].view(2, 20), None)
        (sequence,) = child.trace.sequences
        said = sequence.diff(dim=1) if name == "slowness" else sequence
        moved.append(float(said.square().mean()))
    assert moved[1] < 0.7 * moved[0]


def _side_child(*, trained: bool) -> tuple[Child, Problem, ChildWeights]:
    space = assembly_space(SIDE)
    child = Child(
        specialize(space, unrank(space, 3)), space.places, init=Init(),
        generator=generator(0, "weights"),
    )  # fmt: skip
    settings = ChildWeights.model_validate(
        {"lr": 0.1, "epochs": 2, "auxiliary": {"weight": 0.4, "trained": trained}}
    )
    child.noise = torch.Generator().manual_seed(5)
    return child, Images(image_data(), Data(batch=8, eval_batch=16), 0), settings


def assembly_space(text: str) -> Space:
    data = text_data() if text is LANGUAGE else image_data()
    return SpaceFile(SourceFile("tiny.enas", text)).space({}, data.task)


@pytest.mark.parametrize("trained", [False, True])
def test_a_head_at_the_side_trains_the_body_whether_it_is_trained_itself_or_not(
    trained: bool,
) -> None:
    child, problem, settings = _side_child(trained=trained)
    side = [p for key in child.shared if key[0] in aside(child.network)
            for p in [child.tensor(*key)] if isinstance(p, nn.Parameter)]  # fmt: skip
    assert side
    job = Retraining(child, problem, settings)
    before = [p.detach().clone() for p in side]
    body = next(p for p in child.parameters() if p.requires_grad)
    old = body.detach().clone()
    for _ in range(3):
        job.step()
    assert not torch.equal(body, old)
    assert any(not torch.equal(a, b) for a, b in zip(before, side, strict=True)) == trained


def test_the_loss_of_a_head_at_the_side_has_its_weight() -> None:
    child, problem, settings = _side_child(trained=True)
    batch = problem.train_batch()
    child.trace = trace = Trace()
    child.eval()
    logits, _ = child(batch.inputs)
    (side,) = trace.auxiliary
    joined = loss_of(logits, batch.targets) + beside(trace, batch.targets, settings)
    plain = nn.functional.cross_entropy
    wanted = plain(logits, batch.targets) + 0.4 * plain(side, batch.targets)
    torch.testing.assert_close(joined, wanted)


def test_shared_heads_at_the_side_are_held_too(tmp_path: Path) -> None:
    job = assembly(tmp_path, SIDE, weights__auxiliary__trained=False).alternation()
    net = job.supernet
    architecture = job.strategy.ask(1)[0]
    network = net.program(architecture).network
    keys = used(network, net.places)
    side = [net.tensor(*key) for key in keys if key[0] in aside(network)]
    before = [t.clone() for t in side]
    while job.epoch == 0:
        job.step()
    assert all(torch.equal(a, b) for a, b in zip(before, side, strict=True))
    hold(net, network, keys)
    assert not any(t.requires_grad for t in side)


# ---------------------------------------------------------------------- average


def _walked(settings: dict[str, object], rewards: list[float]) -> tuple[Averaging, list[Tensor]]:
    """A weight that wanders, a step and a measure in each epoch."""
    module = nn.Linear(2, 1, bias=False)
    averaging = Averaging(module, ChildWeights.model_validate({"average": settings}).average)
    seen = []
    for epoch, reward in enumerate(rewards):
        with torch.no_grad():
            module.weight.add_(torch.randn(1, 2, generator=torch.Generator().manual_seed(epoch)))
        averaging.step(epoch)
        averaging.told(reward)
        seen.append(module.weight.detach().clone())
    with averaging.applied():
        inside = module.weight.detach().clone()
    assert torch.equal(module.weight, seen[-1])
    return averaging, [*seen, inside]


def test_averages_are_the_mean_of_the_weights_from_their_epoch_on() -> None:
    _, seen = _walked({"kind": "epoch", "from_epoch": 3}, [0.0] * 8)
    torch.testing.assert_close(seen[-1], torch.stack(seen[3:8]).mean(0))


def test_averages_begin_once_validation_stalls() -> None:
    rewards = [1.0, 2.0, 3.0, 2.5, 2.6, 2.7, 2.8, 2.9]  # worse than the best of two before: at 5
    _, seen = _walked({"kind": "stalled", "patience": 2}, rewards)
    torch.testing.assert_close(seen[-1], torch.stack(seen[6:8]).mean(0))


def test_without_averages_the_weights_are_their_own() -> None:
    _, seen = _walked({"kind": "none"}, [0.0] * 3)
    assert torch.equal(seen[-1], seen[2])


# ---------------------------------------------------------------------- resumed


def _retraining(text: str) -> Retraining:
    space = assembly_space(text)
    child = Child(
        specialize(space, unrank(space, 5)), space.places, init=Init("uniform"),
        generator=generator(0, "weights"),
    )  # fmt: skip
    child.noise = torch.Generator().manual_seed(5)
    settings = ChildWeights.model_validate(
        {
            "lr": 0.1, "epochs": 4, "steps": 3,
            "schedule": {"kind": "cosine", "period": 1, "midway": True},
            "average": {"kind": "epoch", "from_epoch": 1},
            "penalty": {"slowness": 0.1, "activation": 0.1},
            "auxiliary": {"trained": False},
        }
    )  # fmt: skip
    data = Data(batch=4, eval_batch=4, bptt=5)
    problem: Problem = (
        Language(text_data(), data, Reward(), 0) if text is LANGUAGE
        else Images(image_data(), data, 0)
    )  # fmt: skip
    return Retraining(child, problem, settings)


@pytest.mark.parametrize("text", [LANGUAGE, SIDE], ids=["language", "images"])
def test_a_training_that_was_cut_anywhere_ends_as_one_that_was_not(text: str) -> None:
    whole = _retraining(text)
    states = []
    while not whole.done:
        states.append(reloaded(whole.state_dict()))
        whole.step()
    wanted = numbers(whole.state_dict())
    for cut in (1, 6, len(states) - 2):
        resumed = _retraining(text)
        resumed.load_state_dict(states[cut])
        while not resumed.done:
            resumed.step()
        assert numbers(resumed.state_dict()) == wanted


def test_a_search_with_dropped_paths_that_was_cut_ends_as_one_that_was_not(tmp_path: Path) -> None:
    def begun(name: str) -> Alternation:
        found = assembly(tmp_path / name, SIDE, reward__dropout=True)
        return found.alternation()

    whole = begun("whole")
    states = []
    while not whole.done:
        states.append(reloaded(whole.state_dict()))
        whole.step()
    resumed = begun("cut")
    resumed.load_state_dict(states[8])  # amid the controller's phase, where paths are dropped too
    while not resumed.done:
        resumed.step()
    assert numbers(resumed.state_dict()) == numbers(whole.state_dict())
