"""Searches by gradients: slopes of the choices, what is drawn, what is refused, whole runs."""

from __future__ import annotations

from collections import Counter
from math import log
from pathlib import Path

import pytest
import torch
from search_worlds import EDGES, IMAGES, LANGUAGE, assembly, image_data
from torch import Tensor

from enasdsl.ir.constraint import satisfied
from enasdsl.ir.costs import cost
from enasdsl.ir.record import from_token, to_token
from enasdsl.ir.relaxing import alone
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.preferences import Preferences
from enasdsl.nn.relaxed import RelaxedSupernet, Weighing
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.search import derive, evaluate, search, train, verdict
from enasdsl.search.bilevel import Bilevel
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.problem import loss_of
from enasdsl.search.relaxed import Darts, Gdas, Relaxed, refuse_rigid
from enasdsl.search.strategy import refined, strategy_of
from enasdsl.search.tabulating import search_table
from enasdsl.semantics.recipe import Recipe
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task
from enasdsl.source import SourceFile

TINY = Task("image_classifier", Shape(1, (6, 6)), classes=2)
STEP = 1e-5


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


def compiled(text: str) -> Space:
    found = Compilation(SourceFile("tiny.enas", text), task=TINY).space
    assert found is not None
    return found


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def prepared() -> tuple[RelaxedSupernet, Preferences, Tensor, Tensor]:
    """A network with choices of several kinds, in double precision, and a minibatch."""
    space = compiled(EDGES)
    net = Supernet(space, init=Init(), generator=seeded()).double()
    preferences = Preferences(space, init=1.0, generator=seeded(1)).double()
    examples = image_data().train
    return (
        RelaxedSupernet(net),
        preferences,
        examples.images[:6].double() / 255,
        examples.labels[:6],
    )


# -------------------------------------------------------------------------- slopes


@pytest.mark.slow
def test_gradients_of_a_mixture_are_slopes() -> None:
    net, preferences, x, y = prepared()

    def loss() -> Tensor:
        return loss_of(net.run(x, preferences.mixed())[0], y)

    found = torch.autograd.grad(loss(), list(preferences.parameters()))
    for logits, gradient in zip(preferences.parameters(), found, strict=True):
        for index in range(len(logits)):
            ends = []
            for step in (STEP, -STEP):
                with torch.no_grad():
                    logits[index] += step
                    ends.append(float(loss()))
                    logits[index] -= step
            assert (ends[0] - ends[1]) / (2 * STEP) == pytest.approx(
                float(gradient[index]), abs=1e-7
            )


@pytest.mark.slow
def test_gradients_of_a_sample_go_straight_through_to_the_shares() -> None:
    net, preferences, x, y = prepared()
    sampled = preferences.sampled(2.0, seeded(3))
    loss_of(net.run(x, sampled)[0], y).backward()  # type: ignore[no-untyped-call]
    noise = seeded(3)
    for at, (decision, logits) in enumerate(
        zip(preferences.space.decisions, preferences.logits(), strict=True)
    ):
        gumbel = -torch.empty_like(logits).exponential_(generator=noise).log()
        shares = ((logits.log_softmax(0) + gumbel) / 2.0).softmax(0)
        pick = sampled.architecture.picks[at]
        own = preferences.alternatives[at]
        if pick is None:
            assert own.grad is None or not own.grad.any(), decision.path
            continue
        ends = []
        for step in (STEP, -STEP):
            weights = [torch.ones(len(p), dtype=torch.float64) for p in sampled.support.picks]
            weights[at] = weights[at] + step
            weighing = Weighing(sampled.support, weights, sampled.architecture)
            with torch.no_grad():
                ends.append(float(loss_of(net.run(x, weighing)[0], y)))
        slope = (ends[0] - ends[1]) / (2 * STEP)
        share = shares[preferences.everything.picks[at].index(pick)]
        (expected,) = torch.autograd.grad(slope * share, [own])
        torch.testing.assert_close(own.grad, expected, atol=1e-7, rtol=1e-5)


def test_a_sample_is_the_supernet_of_its_architecture() -> None:
    net, preferences, x, _ = prepared()
    for seed in range(5):
        sampled = preferences.sampled(1.0, seeded(seed))
        assert sampled.support == alone(sampled.architecture)
        expected, _ = net.supernet(x, sampled.architecture)
        torch.testing.assert_close(net.run(x, sampled)[0], expected)


# ------------------------------------------------------------------ probabilities


@pytest.mark.slow
def test_draws_have_the_probabilities_that_the_logits_say() -> None:
    space = compiled(EDGES)
    preferences = Preferences(space, init=0.7, generator=seeded(2))
    shares = [dict(zip(p, w.softmax(0).tolist(), strict=True)) for p, w in zip(
        preferences.everything.picks, preferences.logits(), strict=True)]  # fmt: skip

    def probability(architecture: Architecture) -> float:
        found = 1.0
        for own, picks in zip(shares, architecture.picks, strict=True):
            found *= 1.0 if picks is None else own[picks]
        return found

    chances = {a: probability(a) for a in enumerate_space(space)}
    assert sum(chances.values()) == pytest.approx(1)
    draws = seeded()
    drawn = Counter(preferences.draw(draws).picks[0] for _ in range(2000))
    for pick, share in shares[0].items():
        assert drawn[pick] / 2000 == pytest.approx(share, abs=0.05)
    probable = preferences.probable()
    assert all(
        own is None or shares[at][own] == max(shares[at].values())
        for at, own in enumerate(probable.picks)
    )
    found = [-sum(p * log(p) for p in own.values()) for own in shares]
    assert preferences.entropies() == pytest.approx(found, abs=1e-5)


def test_the_best_members_are_the_most_probable_pick() -> None:
    space = compiled(EDGES.replace("choose 1..2 from earlier", "choose 2 from earlier"))
    preferences = Preferences(space, init=1.0, generator=seeded(4))
    for decision, own, pick in zip(
        space.decisions, preferences.alternatives, preferences.probable().picks, strict=True
    ):
        best = own.topk(decision.domain.most).indices.sort().values
        assert pick is None or tuple(best.tolist()) == pick


REQUIRED = """
space required
cell layers(x) {
  node i in 1..3 { f = choose [identity, conv(1), conv(3)]; previous -> f }
  require sum(g == identity for g in f) <= 1
  previous
}
network image_classifier {
  stem conv(3, filters: 4)
  stack layers
  head global_avg_pool -> linear(classes)
}
"""


@pytest.mark.parametrize("strategy", ["darts", "gdas"])
def test_what_is_drawn_is_lawful(strategy: str) -> None:
    space = compiled(REQUIRED)
    found = strategy_of(strategy, space, Recipe(), 0)
    assert isinstance(found, Relaxed)
    with torch.no_grad():
        for logits in found.preferences.alternatives:
            logits.copy_(torch.tensor([1.0, 0.0, 0.0]))
    weighed = [found.weigh(0.5).architecture for _ in range(20 * (strategy == "gdas"))]
    (constraint,) = space.constraints
    assert not satisfied(constraint, found.preferences.probable().picks)
    for architecture in (*weighed, *found.ask(20), *refined(found).ask(5)):
        assert satisfied(constraint, architecture.picks)


def test_derive_begins_with_the_most_probable_architecture() -> None:
    strategy = Darts(compiled(EDGES), Recipe(), 0)
    probable = strategy.preferences.probable()
    assert refined(strategy).ask(1) == (probable,)
    assert refined(strategy).ask(3)[0] == probable


def test_the_temperature_falls_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = Gdas(compiled(EDGES), Recipe(), 0)
    seen: list[float] = []
    inner = strategy.preferences.sampled

    def sampled(temperature: float, generator: torch.Generator) -> Weighing:
        seen.append(temperature)
        return inner(temperature, generator)

    monkeypatch.setattr(strategy.preferences, "sampled", sampled)
    for progress in (0.0, 0.5, 1.0):
        strategy.weigh(progress)
    assert seen == pytest.approx([10, 5.05, 0.1])


# ----------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "soft", "said", "instead"),
    [
        (
            LANGUAGE, True,
            "tiny.enas:7: choose 1 from nodes: settles what is loose in `recurrent`, "
            "and that is joined whole or not at all",
            "join `nodes` instead of `loose`; or take --strategy gdas, enas,",
        ),
        (
            IMAGES, True,
            "tiny.enas:9: choose any from earlier except previous: settles what `concat` joins, "
            "and only `sum` and `mean` join in part",
            "join what is chosen by `sum` or `mean`; or take --strategy gdas, enas,",
        ),
        (
            REQUIRED.replace("conv(3)]", "conv(choose [3, 5])]"), True,
            "settles `kernel` of `conv`, and weights of one operation do not mix",
            "choose among operations instead, as in `choose [conv(3), conv(5)]`; or take "
            "--strategy enas,",
        ),
        (
            REQUIRED.replace("filters: 4", "filters: choose [4, 8]"), False,
            "tiny.enas:9: choose [4, 8]: settles how wide a value is",
            "give the alternatives equal shapes; or take --strategy enas,",
        ),
        (
            REQUIRED + "rate = choose [0.1, 0.2]\nrecipe quick { child { weights { lr: rate } } }",
            False,
            "tiny.enas:13: choose [0.1, 0.2]: picks no value of the network that could be weighed",
            "make it a param; or take --strategy enas,",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_weighed_is_refused(text: str, soft: bool, said: str, instead: str) -> None:
    task = TINY if "image_classifier" in text else None
    space = Compilation(SourceFile("folder/tiny.enas", text), task=task).space
    assert space is not None
    with pytest.raises(SearchError) as caught:
        refuse_rigid(space, "darts" if soft else "gdas", soft=soft)
    assert said in caught.value.message
    assert caught.value.help.startswith(instead)


def test_too_many_picks_are_refused() -> None:
    text = IMAGES.replace("node k in 2..4", "node k in 2..15")
    with pytest.raises(SearchError, match=r"has 8,192 picks, and only up to 4,096"):
        strategy_of("gdas", compiled(text), Recipe(), 0)


@pytest.mark.slow
def test_a_refusal_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "tiny.enas").write_text(IMAGES)
    with pytest.raises(SearchError, match="`darts` weighs every choice"):
        search(tmp_path / "tiny.enas", "digits", strategy="darts", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_table_has_no_gradients(tmp_path: Path) -> None:
    (tmp_path / "tiny.enas").write_text(EDGES)
    token = to_token(next(enumerate_space(compiled(EDGES))))
    (tmp_path / "rewards.csv").write_text(f"architecture,accuracy\n{token},0.5\n")
    with pytest.raises(SearchError, match="`gdas` follows gradients") as caught:
        search_table(
            tmp_path / "tiny.enas", tmp_path / "rewards.csv", strategy="gdas", out=tmp_path / "run"
        )
    assert "with --table take" in caught.value.help
    assert not (tmp_path / "run").exists()


# --------------------------------------------------------------------- whole runs


@pytest.mark.slow
def test_choices_descend_the_loss_of_the_other_part(tmp_path: Path) -> None:
    job = assembly(tmp_path, EDGES, "darts", relaxation__lr=0.1, relaxation__decay=0).alternation()
    assert isinstance(job, Bilevel)
    first = [job.step().values["valid_loss"] for _ in range(6)]
    for _ in range(40):
        job._choose()
    last = [job._choose() for _ in range(6)]
    assert sum(last) < sum(first)
    entropy = Darts(job.supernet.space, Recipe(), 0).preferences.entropies()
    assert sum(job._relaxed.preferences.entropies()) < sum(entropy)


def test_limits_bind_what_is_trained(tmp_path: Path) -> None:
    job = assembly(tmp_path, EDGES, "gdas", reward__of="accuracy, params <= 200").alternation()
    for _ in range(8):
        job.step()
    space = job.supernet.space
    assert job.visited.total() == 8
    assert all(cost(space, from_token(space, token)).params <= 200 for token in job.visited)


@pytest.mark.trains
@pytest.mark.parametrize("strategy", ["darts", "gdas"])
def test_a_run_is_derived_trained_and_judged(
    strategy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.enas").write_text(EDGES)
    run = tmp_path / "run"
    quick = {"weights.steps": 4, "child.weights.epochs": 1, "child.weights.steps": 4}
    result = search(tmp_path / "tiny.enas", "digits", strategy=strategy, settings=quick, out=run)
    assert "choose candidate" in result.verdict
    found = derive(run)
    assert found.sampled == 6
    assert train(run).ending is Ending.FINISHED
    assert 0 <= evaluate(run).test <= 1
    assert "random" in verdict(run, children=1).text
    capsys.readouterr()
