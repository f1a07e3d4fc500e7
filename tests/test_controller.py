"""The controller: a policy that is a distribution, over spaces of every kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import log, sqrt

import pytest
import torch
from handmade import ACTIVATIONS, TINY, everything, macro, micro, one, read, rnn, runs, seeded
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from enasdsl.ir.space import Architecture, Constraint, Decision, Domain, Kind, Source, Space
from enasdsl.nn.controller import ConstraintError, Controller
from enasdsl.nn.digits import plan
from enasdsl.semantics.symbols import Chosen, Computed
from enasdsl.semantics.symbols import Test as Guard


def sharp(space: Space, *, seed: int = 0) -> Controller:
    """A controller that is far from uniform, in float64."""
    return Controller(space, hidden=8, temperature=None, init=1.5, generator=seeded(seed)).double()


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    kind = draw(st.sampled_from(Kind))
    size = draw(st.integers(1, 3))
    if kind is Kind.ONE:
        return Domain(kind, size)
    top = size if kind in (Kind.SET, Kind.ARRANGEMENT) else 2
    most = draw(st.integers(0, top))
    least = draw(st.integers(0, most)) if kind in (Kind.SET, Kind.MULTISET) else most
    return Domain(kind, size, least, most)


@st.composite
def small_spaces(draw: st.DrawFn) -> Space:
    """Up to four decisions of any kind, guarded by earlier ones, that read nodes and inputs."""
    decisions: list[Decision] = []
    for index in range(draw(st.integers(1, 4))):
        domain = draw(domains())
        source = draw(st.sampled_from(Source))
        seen = [f"c.node{j}" for j in range(index)] + ["c.x", "c.y", "c.z"]
        members = tuple(draw(st.permutations(seen))[: domain.size])
        guard = tuple(
            Guard(j, draw(st.frozensets(st.integers(0, decisions[j].domain.size - 1), min_size=1)))
            for j in range(index)
            if draw(st.integers(0, 2)) == 0
        )
        labels = members if source is Source.INPUT else tuple("abc"[: domain.size])
        paths = members if source is Source.INPUT else ()
        path, scope = f"c.node{index}.d", f"c.node{index}"
        decisions.append(Decision(path, scope, domain, labels, source, guard, paths))
    return Space("small", "vector", tuple(decisions))


@pytest.mark.parametrize(
    ("space", "hidden", "count"),
    [(macro(), 64, 41_856), (micro(), 64, 41_733 - 5), (rnn(), 100, 101_000)],
    ids=["macro", "micro", "rnn"],
)
def test_it_has_the_published_number_of_weights(space: Space, hidden: int, count: int) -> None:
    controller = Controller(space, hidden=hidden, generator=seeded())
    assert sum(p.numel() for p in controller.parameters()) == count


def test_the_macro_controller_starts_where_the_published_one_does() -> None:
    controller = Controller(macro(), hidden=64, tanh=1.5, temperature=None, generator=seeded())
    drawn = controller.sample(500, seeded())
    assert -drawn.log_prob.mean().item() == pytest.approx(67.25, abs=0.05)
    assert drawn.entropy.mean().item() == pytest.approx(12 * log(6) + 66 * log(2), abs=0.05)
    assert drawn.skip_penalty.mean().item() == pytest.approx(0.1225, abs=0.01)
    assert drawn.rates.mean().item() == pytest.approx(0.5, abs=0.02)


def test_an_initial_micro_controller_is_near_the_uniform_one() -> None:
    drawn = Controller(micro(), generator=seeded()).sample(100, seeded())
    assert drawn.entropy.mean().item() == pytest.approx(58.51, abs=0.05)
    assert not drawn.skip_penalty.any()
    assert not drawn.rates.any()


@settings(max_examples=150, deadline=None)
@given(small_spaces(), st.integers(0, 99))
def test_it_is_a_distribution_whose_entropy_is_the_mean_of_its_digits(
    space: Space, seed: int
) -> None:
    found = sharp(space, seed=seed).evaluate(everything(space))
    chance = found.log_prob.exp()
    assert chance.sum().item() == pytest.approx(1, abs=1e-9)
    exact = -(chance * found.log_prob).sum().item()
    assert (chance * found.entropy).sum().item() == pytest.approx(exact, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(small_spaces(), st.integers(0, 99))
def test_samples_belong_to_the_space_and_score_as_evaluated(space: Space, seed: int) -> None:
    controller = sharp(space, seed=seed)
    drawn = controller.sample(40, seeded(seed))
    assert set(drawn.architectures) <= set(everything(space))
    found = controller.evaluate(drawn.architectures)
    for name in ("log_prob", "entropy", "skip_penalty", "rates"):
        torch.testing.assert_close(getattr(found, name), getattr(drawn, name))


@pytest.mark.parametrize("space", [TINY, micro(3), macro(3)], ids=["tiny", "micro", "macro"])
def test_architectures_come_as_often_as_their_probability_says(space: Space) -> None:
    controller = Controller(space, hidden=8, init=1.0, temperature=None, generator=seeded())
    with torch.no_grad():
        drawn = Counter(controller.sample(40_000, seeded(1)).architectures)
        known = everything(space)
        expected = (controller.log_prob(known).double().exp() * 40_000).tolist()
    rare = [i for i, e in enumerate(expected) if e < 5]
    common = [i for i, e in enumerate(expected) if e >= 5]
    pairs = [(drawn[known[i]], expected[i]) for i in common]
    pairs.append((sum(drawn[known[i]] for i in rare), sum(expected[i] for i in rare)))
    assert sum(seen for seen, _ in pairs) == 40_000
    statistic = sum((seen - e) ** 2 / e for seen, e in pairs if e > 0)
    assert len(common) > 5
    assert statistic < len(common) + 4 * sqrt(2 * len(common))


def test_a_batch_scores_its_architectures_as_one_by_one() -> None:
    controller = sharp(TINY)
    known = everything(TINY)
    together = controller.evaluate(known)
    for index in range(0, len(known), 7):
        alone = controller.evaluate([known[index]])
        torch.testing.assert_close(alone.log_prob[0], together.log_prob[index])
        torch.testing.assert_close(alone.skip_penalty[0], together.skip_penalty[index])


def test_a_decision_that_is_not_live_leaves_no_trace() -> None:
    first, last = one("c.a.op", ("a", "b")), one("c.b.op", ("a", "b"))
    extra = one("c.e.op", ("a", "b"), guard=(Guard(0, frozenset({1})),))
    long = Space("long", "vector", (first, extra, last))
    short = Space("short", "vector", (first, last))
    with_extra = sharp(long).log_prob([Architecture("long", long.hash, ((0,), None, (0,)))])
    without = sharp(short).log_prob([Architecture("short", short.hash, ((0,), (0,)))])
    torch.testing.assert_close(with_extra, without)


def test_a_set_that_is_not_live_has_no_members() -> None:
    skips = read("c.b.skips", ("c.a", "c.x"), Domain(Kind.SET, 2, 0, 2))
    space = Space(
        "guarded",
        "vector",
        (
            one("c.a.op", ("a", "b")),
            replace(skips, guard=(Guard(0, frozenset({0})),)),
            one("c.c.op", ("a", "b"), guard=(Guard(1, frozenset({0, 1})),)),
        ),
    )
    drawn = Controller(space, generator=seeded()).sample(200, seeded())
    assert {a.picks for a in drawn.architectures} == set(runs(space))
    assert not drawn.skip_penalty[[a.picks[1] is None for a in drawn.architectures]].any()


def test_anchors_are_the_states_after_nodes_and_inputs_are_shown_once() -> None:
    first, *_, third_y, third_skips = plan(macro(3)).turns
    second_skips = plan(macro(3)).turns[2]
    assert (first.keeps, second_skips.keeps, third_y.keeps, third_skips.keeps) == (
        1,
        None,
        None,
        None,
    )
    assert (second_skips.anchors, third_skips.anchors) == ((0,), (0, 1))
    assert (second_skips.fresh, third_y.fresh, third_skips.fresh) == ((0,), (), ())
    last = plan(micro(4)).turns[-4]
    assert plan(micro(4)).anchors == 6
    assert last.fresh == ()
    assert len(last.anchors) == 3


def test_the_skip_penalty_is_measured_where_bits_are_drawn() -> None:
    space = Space(
        "skips", "vector", (read("c.n.s", ("c.x", "c.y", "c.z"), Domain(Kind.SET, 3, 0, 3)),)
    )
    found = sharp(space).evaluate(known := everything(space))
    chance = found.log_prob.exp().tolist()
    divergence = 0.0
    for member in range(3):
        p = sum(c for a, c in zip(known, chance, strict=True) if member in (a.picks[0] or ()))
        divergence += p * log(p / 0.4) + (1 - p) * log((1 - p) / 0.6)
    torch.testing.assert_close(found.skip_penalty, torch.full_like(found.skip_penalty, divergence))


def test_the_tanh_bounds_the_logits_of_operations_by_their_own_constant() -> None:
    space = Space("ops", "vector", (one("c.a.op", ACTIVATIONS),))
    controller = Controller(space, hidden=8, op_tanh_reduce=2.5, init=50.0, generator=seeded())
    odds = controller.log_prob(everything(space))
    assert 1.0 < (odds.max() - odds.min()).item() <= 2 * 2.5 / 2.5 + 1e-5


def test_a_seed_fixes_weights_and_samples() -> None:
    first, second = (Controller(micro(), generator=seeded(3)).sample(20, seeded(4)) for _ in "ab")
    assert first.architectures == second.architectures
    assert first.log_prob.equal(second.log_prob)
    other = Controller(micro(), generator=seeded(3)).sample(20, seeded(5))
    assert other.architectures != first.architectures


@pytest.mark.parametrize("space", [rnn(), macro(), micro()], ids=["rnn", "macro", "micro"])
def test_every_weight_gets_a_gradient(space: Space) -> None:
    controller = Controller(space, hidden=16, generator=seeded())
    drawn = controller.sample(8, seeded())
    torch.autograd.backward((drawn.log_prob * torch.arange(8.0)).sum())
    for name, parameter in controller.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_without_inputs_to_choose_there_is_no_attention() -> None:
    space = Space("ops", "vector", (one("c.a.op", ("a", "b")),))
    assert Controller(space, generator=seeded()).key.numel() == 0


def test_reinforce_finds_the_best_operation() -> None:
    controller = Controller(rnn(4), hidden=16, generator=seeded())
    optimiser = torch.optim.Adam(controller.parameters(), lr=0.02)
    generator = seeded()

    def rewards(architectures: Sequence[Architecture]) -> Tensor:
        return torch.tensor(
            [sum(a.picks[i] == (2,) for i in (0, 2, 4, 6)) / 4 for a in architectures]
        )

    before = rewards(controller.sample(200, generator).architectures).mean()
    for _ in range(60):
        drawn = controller.sample(32, generator)
        reward = rewards(drawn.architectures)
        optimiser.zero_grad()
        torch.autograd.backward((-drawn.log_prob * (reward - reward.mean())).mean())
        optimiser.step()
    after = rewards(controller.sample(200, generator).architectures).mean()
    assert before < 0.4
    assert after > 0.75


def constrained(value: Computed | bool) -> Space:
    decisions = (one("c.a.op", ("a", "b", "c")), one("c.b.op", ("a", "b", "c")))
    return Space("constrained", "vector", decisions, (Constraint(value, (), "a comes before b"),))


def test_samples_meet_the_constraints() -> None:
    numbers = (0, 1, 2)
    space = constrained(Computed("<", (Chosen(0, 0, numbers), Chosen(1, 0, numbers))))
    controller = Controller(space, generator=seeded())
    drawn = controller.sample(100, seeded())
    assert len(drawn.architectures) == len(drawn.log_prob) == 100
    assert {a.picks for a in drawn.architectures} == {((0,), (1,)), ((0,), (2,)), ((1,), (2,))}
    torch.testing.assert_close(drawn.log_prob, controller.log_prob(drawn.architectures))


def test_a_constraint_that_nothing_meets_is_named() -> None:
    with pytest.raises(ConstraintError, match="a comes before b"):
        Controller(constrained(False), hidden=4, generator=seeded()).sample(1, seeded())


def test_architectures_that_do_not_fit_are_refused_or_impossible() -> None:
    controller = sharp(TINY)
    digest = TINY.hash
    with pytest.raises(ValueError, match="not of tiny"):
        controller.log_prob([Architecture("rnn", rnn().hash, ())])
    with pytest.raises(ValueError, match="decision 3"):
        controller.log_prob([Architecture("tiny", digest, ((0,), (0,), (), (1,), (0,), None))])
    space = Space(
        "rising", "vector", (read("c.n.s", ("c.x", "c.y", "c.z"), Domain(Kind.SET, 3, 2, 2)),)
    )
    falling = Architecture("rising", space.hash, ((2, 0),))
    assert sharp(space).log_prob([falling]).exp().item() == 0


def test_a_space_without_decisions_has_one_architecture() -> None:
    drawn = Controller(Space("fixed", "vector", ()), generator=seeded()).sample(3, seeded())
    assert [a.picks for a in drawn.architectures] == [(), (), ()]
    assert drawn.log_prob.tolist() == [0, 0, 0]


def test_no_architectures_have_no_scores() -> None:
    controller = sharp(TINY)
    assert controller.evaluate([]).log_prob.shape == (0,)
    assert controller.sample(0, seeded()).architectures == ()
