"""`enasdsl eval`: what a run has come to, on the validation and the test part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file

from enasdsl.search.alternation import shared_model
from enasdsl.search.assembly import Assembly, dataset, device_of
from enasdsl.search.deriving import trained
from enasdsl.search.errors import SearchError
from enasdsl.search.offspring import Offspring, chosen, read_architecture
from enasdsl.search.problem import Model, Problem, shown
from enasdsl.search.retraining import evaluated
from enasdsl.search.run import Run, open_run


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of one architecture; `weights` is `own` or `shared`, `figure` names the figures."""

    architecture: str
    weights: str
    figure: str
    valid: float
    test: float


def evaluate(
    run: str | Path, *, device: str = "auto", data_root: str | Path | None = None
) -> Evaluation:
    """The trained child of a run, else the best derived architecture with shared weights.

    `run` is the folder of a search or of a child. Raises SearchError.
    """
    opened = open_run(Path(run))
    if opened.info.kind == "search" and (opened.child / "weights.safetensors").is_file():
        opened = open_run(opened.child)
    if opened.info.kind == "child":
        return _own(opened, device, data_root)
    assembly = Assembly.of(opened, device=device, data_root=data_root)
    token = chosen(opened, None)
    model = shared_model(trained(assembly).supernet, read_architecture(assembly.space, token))
    return _figures(token, "shared", model, assembly.problem)


def _own(run: Run, device: str, data_root: str | Path | None) -> Evaluation:
    weights = run.folder / "weights.safetensors"
    if not weights.is_file():
        raise SearchError(f"{run.folder} is not trained yet", "go on with enasdsl train --resume")
    where = device_of(device)
    data = dataset(run.info.data, data_root or run.info.data_root, where)
    offspring = Offspring(run, data, where)
    child = offspring.child()
    child.load_state_dict(load_file(weights))
    return _figures(run.info.architecture or "", "own", evaluated(child), offspring.problem)


def _figures(token: str, weights: str, model: Model, problem: Problem) -> Evaluation:
    valid, test = (problem.measure(model, problem.split(s)).figure for s in ("valid", "test"))
    name = shown(problem.figure, valid)[0]
    return Evaluation(
        token, weights, name, shown(problem.figure, valid)[1], shown(problem.figure, test)[1]
    )
