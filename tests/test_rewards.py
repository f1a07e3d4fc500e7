"""What architectures earn in searches with shared weights, and who searches on in `derive`."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from search_worlds import IMAGES, assembly, write_world
from test_search import _flat, _run  # the same way to run and to compare

from enasdsl.cli import main
from enasdsl.ir.costs import cost
from enasdsl.ir.record import parse_record, to_token
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Architecture, Space
from enasdsl.pipeline import Compilation
from enasdsl.search import SearchError, derive, search
from enasdsl.search import strategy as strategies
from enasdsl.search.chance import Spos, Uniform
from enasdsl.search.clock import Interruption
from enasdsl.search.evolution import Evolution
from enasdsl.search.objective import Objective
from enasdsl.search.problem import Measure
from enasdsl.search.ranking import Ranked, class_key, explored
from enasdsl.search.strategy import refined, strategy_of
from enasdsl.search.valuation import Valuation, Within, timed
from enasdsl.semantics.recipe import Recipe, validate


def _space(name: str = "nasbench201") -> Space:
    space = Compilation.open(name).space
    assert space is not None
    return space


def _score(architecture: Architecture) -> Ranked:
    reward = -float(sum((p or (0,))[0] for p in architecture.picks))
    return Ranked(architecture, Measure(reward, reward))


# ------------------------------------------------------------------------- objectives


def test_an_objective_reads_figures_and_costs(tmp_path: Path) -> None:
    job = assembly(
        tmp_path, IMAGES, reward__of="accuracy - 0.1 * log(params) - macs / 1G"
    ).alternation()
    for architecture in job.strategy.ask(5):
        known = cost(job.supernet.space, architecture)
        found = job.valuation.measure(architecture, Measure(0.5, 0.5))
        expected = 0.5 - 0.1 * math.log(known.params) - known.macs / 1e9
        assert found.reward == pytest.approx(expected)
        assert found.figure == 0.5


def test_without_an_objective_the_reward_is_the_usual_one(tmp_path: Path) -> None:
    job = assembly(tmp_path, IMAGES).alternation()
    (architecture,) = job.strategy.ask(1)
    assert job.valuation.measure(architecture, Measure(0.3, 0.7)) == Measure(0.3, 0.7)


def test_limits_hold_for_all_that_is_trained_and_scored(tmp_path: Path) -> None:
    free = assembly(tmp_path / "free", IMAGES).alternation()
    sizes = sorted(cost(free.supernet.space, a).params for a in free.strategy.ask(40))
    limit = sizes[10]
    job = assembly(tmp_path, IMAGES, reward__of=f"accuracy, params <= {limit}").alternation()
    assert all(cost(job.supernet.space, a).params <= limit for a in job.strategy.ask(40))
    nothing = assembly(
        tmp_path / "none", IMAGES, "random", reward__of="accuracy, params <= 3"
    ).alternation()
    with pytest.raises(SearchError, match="kept the limits of `accuracy, params <= 3`"):
        nothing.strategy.ask(1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acuracy", "which nothing measures"),
        ("perplexity", "which nothing measures"),
        ("params, accuracy >= 0.5", "which only a score tells"),
        ("accuracy +", "cannot be read"),
    ],
)
def test_an_objective_that_cannot_be_is_refused_at_once(
    text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SearchError, match=said):
        assembly(tmp_path, IMAGES, reward__of=text).alternation()


def test_latency_is_measured_once_and_outlives_a_cut(tmp_path: Path) -> None:
    settings = {"reward__of": "accuracy / latency, params <= 1M", "weights__steps": 2}
    _, _ = _run(assembly(tmp_path, IMAGES, "evolution", **settings), stop=_Soon())
    job, _ = _run(assembly(tmp_path, IMAGES, "evolution", **settings), resume=True)
    known = job.valuation.state_dict()
    assert known
    assert all(milliseconds > 0 for milliseconds in known.values())
    other = assembly(tmp_path, IMAGES, "evolution", **settings).alternation()
    other.load_state_dict(job.state_dict())
    assert list(_flat(other.state_dict())) == list(_flat(job.state_dict()))


class _Soon(Interruption):
    def __init__(self) -> None:
        super().__init__()
        self._left = 9

    def __bool__(self) -> bool:
        self._left -= 1
        return self._left < 0


def test_a_time_is_the_median_of_several() -> None:
    calls: list[str] = []
    assert timed(lambda: calls.append("work"), lambda: calls.append("settle")) >= 0
    assert calls.count("work") == 6
    assert calls[:3] == ["settle", "work", "settle"]


def test_derive_prints_the_front_and_writes_it(tmp_path: Path) -> None:
    file, data = write_world(tmp_path)
    shown = io.StringIO()
    search(
        file, data, out=tmp_path / "run", strategy="spos", console=Console(file=io.StringIO()),
        settings={"reward.of": "100 / perplexity - params / 1M", "weights.epochs": 1},
    )  # fmt: skip
    found = derive(tmp_path / "run", samples=16, console=Console(file=shown, width=300))
    assert found.sampled == 16
    assert "the Pareto front, drawn in front.svg:" in shown.getvalue()
    assert "<title>100 / perplexity" in (tmp_path / "run/front.svg").read_text("utf-8")
    record = json.loads((tmp_path / "run/derived.json").read_text())
    assert 1 <= len(record["front"]) <= 16
    rewards = [entry["reward"] for entry in record["architectures"]]
    assert rewards == sorted(rewards, reverse=True)
    for entry in record["architectures"]:
        expected = 100 / entry["perplexity"] - entry["params"] / 1e6
        assert entry["reward"] == pytest.approx(expected)


def test_the_command_takes_a_reward(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, data = write_world(tmp_path)
    words = ["search", str(file), "--data", data, "--out", "run"]
    assert main([*words, "--reward", "1 / perplexty"]) == 1
    assert "did you mean `perplexity`?" in capsys.readouterr().err


# ------------------------------------------------------------------------- searching on


def test_no_class_is_scored_twice() -> None:
    space = _space()
    key = class_key(space)
    scored: list[Architecture] = []

    def score(architecture: Architecture) -> Ranked:
        scored.append(architecture)
        return _score(architecture)

    found = list(explored(refined(Uniform(space, Recipe(), 0)), 200, key, score))
    assert len(found) == len(scored) == 200
    assert len(set(map(key, scored))) == 200


def test_one_shot_search_evolves_over_scores_and_chance_does_not() -> None:
    space = _space()
    recipe = validate({"evolution": {"population": 10, "tournament": 5}})

    def late(strategy: Any) -> float:
        found = list(explored(refined(strategy), 150, to_token, _score))
        return sum(entry.measure.reward for entry in found[-40:]) / 40

    assert late(Spos(space, recipe, 0)) > late(Uniform(space, recipe, 0)) + 3


def test_an_evolution_goes_on_from_its_population() -> None:
    space = _space()
    strategy = Evolution(space, validate({"evolution.population": 6}), 0)
    asked = strategy.ask(9)
    strategy.tell(asked, [float(i) for i in range(9)])
    assert refined(strategy).ask(6) == tuple(dict.fromkeys(asked[3:]))


def test_a_population_ages() -> None:
    """The best of all is forgotten once it is the oldest."""
    space = _space()
    strategy = Evolution(space, validate({"evolution": {"population": 4, "tournament": 40}}), 0)
    best, *others = list(enumerate_space(space))[::3000]
    strategy.tell([best, *others[:3]], [9.0, 1.0, 1.0, 1.0])

    def near(architecture: Architecture) -> bool:
        pairs = zip(architecture.picks, best.picks, strict=True)
        return sum(a != b for a, b in pairs) == 1

    assert all(map(near, strategy.ask(30)))
    strategy.tell(others[3:4], [0.0])
    assert not all(map(near, strategy.ask(30)))


# ------------------------------------------------------------------------- a user's own


class Last:
    """A strategy of a user's: always the last architecture."""

    learns = False

    def __init__(self, space: Space, recipe: Recipe, seed: int) -> None:
        self._last = list(enumerate_space(space))[-1]

    def ask(self, n: int) -> Sequence[Architecture]:
        return [self._last] * n

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> Mapping[str, float]:
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


def test_a_strategy_of_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [
        EntryPoint("last", f"{__name__}:Last", strategies.GROUP),
        EntryPoint("gone", "nowhere.at.all:Gone", strategies.GROUP),
        EntryPoint("enas", f"{__name__}:Last", strategies.GROUP),
    ]
    monkeypatch.setattr(strategies, "entry_points", lambda group: points)
    job, _ = _run(assembly(tmp_path, IMAGES, "last"))
    space = job.supernet.space
    assert set(job.strategy.ask(3)) == {list(enumerate_space(space))[-1]}
    assert not isinstance(strategy_of("enas", space, Recipe(), 0), Last)
    with pytest.raises(SearchError, match="nowhere"):
        strategy_of("gone", space, Recipe(), 0)
    with pytest.raises(SearchError) as caught:
        strategy_of("lost", space, Recipe(), 0)
    assert caught.value.help.endswith("gdas, gone, last")


def test_limits_hold_for_whoever_searches_on(tmp_path: Path) -> None:
    space = _space()
    within = Within(Spos(space, Recipe(), 0), lambda a: a.picks[0] == (2,), "fit")
    assert {a.picks[0] for a in refined(within).ask(20)} == {(2,)}
    assert {a.picks[0] for a in within.ask(20)} == {(2,)}


def test_a_token_and_a_measure_survive_the_valuation() -> None:
    space = _space()
    valuation = Valuation(Objective.parse("accuracy - latency"), space, "accuracy", lambda a: 2.0)
    architecture = list(enumerate_space(space))[5]
    assert valuation.measure(architecture, Measure(0.5, 0.75)).reward == 0.75 - 2.0
    (token,) = valuation.state_dict()
    assert parse_record(space, token) == architecture
