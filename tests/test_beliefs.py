"""How unsure a controller is of each decision: by its parts, by enumeration, and on the disk."""

from __future__ import annotations

import json
from collections import Counter
from math import log
from pathlib import Path

import pytest
import torch
from handmade import TINY, everything, macro, rnn, seeded
from hypothesis import given, settings
from hypothesis import strategies as st
from search_worlds import LANGUAGE, assembly
from strategies import spaces

from enasdsl.ir.record import from_token
from enasdsl.ir.space import Space
from enasdsl.nn.controller import Controller
from enasdsl.search.beliefs import believing
from enasdsl.search.chance import Uniform
from enasdsl.search.enas import Enas
from enasdsl.search.metrics import Metrics
from enasdsl.search.valuation import Within
from enasdsl.semantics.recipe import Recipe


def sharp(space: Space) -> Controller:
    """A controller that is far from uniform, in float64."""
    return Controller(space, hidden=8, temperature=None, init=1.5, generator=seeded(0)).double()


@settings(max_examples=60)
@given(spaces(constrained=False), st.integers(0, 9))
def test_entropies_of_decisions_add_up_to_that_of_the_policy(space: Space, seed: int) -> None:
    """Each as often as its decision is taken."""
    controller = sharp(space)
    drawn = controller.sample(20, seeded(seed))
    found = controller.beliefs(20, seeded(seed))
    assert len(found) == len(space.decisions)
    total = 0.0
    for index, entropy in enumerate(found):
        taken = sum(a.picks[index] is not None for a in drawn.architectures)
        assert (entropy is None) == (taken == 0)
        total += (entropy or 0.0) * taken / 20
    assert total == pytest.approx(float(drawn.entropy.detach().mean()), abs=1e-5)


@pytest.mark.parametrize("space", [rnn(3), macro(3), TINY], ids=lambda s: s.name)
def test_the_first_decision_is_as_unsure_as_its_odds_say(space: Space) -> None:
    """By enumeration of all architectures."""
    controller = sharp(space)
    architectures = everything(space)
    odds: Counter[object] = Counter()
    for a, p in zip(architectures, controller.log_prob(architectures).exp().tolist(), strict=True):
        odds[a.picks[0]] += p
    expected = -sum(p * log(p) for p in odds.values() if p)
    assert controller.beliefs(8, seeded())[0] == pytest.approx(expected)


def test_beliefs_are_found_through_limits_and_disturb_no_draws() -> None:
    recipe = Recipe()
    asked, quiet = (Enas(rnn(), recipe, 5) for _ in range(2))
    believer = believing(Within(asked, lambda _: True, "pass"))
    assert believer is asked
    first = asked.beliefs(0)
    assert first == asked.beliefs(0) != asked.beliefs(1)
    assert asked.ask(5) == quiet.ask(5)
    assert believing(Uniform(rnn(), recipe, 0)) is None


def test_a_search_writes_the_entropy_of_each_decision_and_what_it_drew(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    searched = assembly(tmp_path, LANGUAGE)
    job = searched.alternation()
    metrics = Metrics(tmp_path, curves=False)
    while not job.done:
        step = job.step()
        metrics.add(step.at, step.values, seconds=0.0, last=step.last)
    metrics.close()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    found = [row for row in rows if row["phase"] == "beliefs"]
    assert [row["epoch"] for row in found] == [0, 1]
    for decision in searched.space.decisions:
        for row in found:
            assert 0 <= row[f"entropy/{decision.path}"] <= log(decision.domain.size) + 1e-5
    assert job.visited.total() == 2 * (6 * 1 + 4 * 2 + 10)
    for token in job.visited:
        from_token(searched.space, token)
