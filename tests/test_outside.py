"""A space in the hands of other optimisers."""

from __future__ import annotations

import pytest

from enasdsl.ir.count import count
from enasdsl.ir.record import RecordError, check, to_json
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Architecture, Space
from enasdsl.pipeline import Compilation
from enasdsl.search.outside import configuration_space, configured, decided, suggest
from enasdsl.source import SourceFile

FILE = """
space outer
cell c(x) {
  node 1 { x -> choose [relu, conv(choose [1, 3, 5])] }
  node i in 2..3 {
    skips = choose any from earlier
    concat(previous, skips) -> conv(1)
  }
  previous
}
"""


@pytest.fixture(scope="module")
def space() -> Space:
    found = Compilation(SourceFile("outer.enas", FILE)).outline
    assert found is not None
    return found


def _shipped(name: str) -> Space:
    found = Compilation.open(name).outline
    assert found is not None
    return found


def _worth(architecture: Architecture) -> float:
    return float(sum(sum(p) for p in architecture.picks if p))


@pytest.mark.parametrize("name", ["nasbench201", "darts", "nasbench101", "ofa_mobilenetv3"])
def test_optuna_runs_a_space(name: str) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = _shipped(name)
    seen = []

    def objective(trial: object) -> float:
        architecture = suggest(trial, space)  # type: ignore[arg-type]
        check(space, architecture)
        live = {
            d.path
            for d, p in zip(space.decisions, architecture.picks, strict=True)
            if p is not None
        }
        assert set(trial.params) == live  # type: ignore[attr-defined]
        seen.append(architecture)
        return _worth(architecture)

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=40)
    assert len(set(seen)) > 10


def test_optuna_reaches_the_whole_of_a_small_space(space: Space) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = set()
    for _ in range(12 * count(space)):
        seen.add(suggest(study.ask(), space))
        if len(seen) == count(space):
            break
    assert seen == set(enumerate_space(space))


@pytest.mark.parametrize("name", ["nasbench201", "ofa_mobilenetv3"])
def test_configspace_samples_architectures(name: str) -> None:
    pytest.importorskip("ConfigSpace")
    space = _shipped(name)
    listed = configuration_space(space, seed=0)
    for configuration in listed.sample_configuration(20):
        architecture = configured(space, dict(configuration))
        check(space, architecture)
        choices = to_json(space, architecture)["choices"]
        assert isinstance(choices, dict)
        for path, label in choices.items():
            assert isinstance(label, list) or configuration[path] == label


def test_what_a_requirement_forbids_is_refused() -> None:
    text = FILE.replace("  previous\n}\n", "  require edges >= 5\n  previous\n}\n")
    space = Compilation(SourceFile("outer.enas", text)).outline
    assert space is not None
    with pytest.raises(RecordError, match="breaks a requirement"):
        decided(space, lambda decision: (0,) if decision.domain.least else ())
