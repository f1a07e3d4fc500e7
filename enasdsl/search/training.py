"""`enasdsl train`: one architecture by itself, in a folder of its own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console
from safetensors.torch import save as packed

from enasdsl.ir.count import count
from enasdsl.ir.record import to_json, to_token
from enasdsl.ir.sample import unrank
from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.native import wanted
from enasdsl.search.assembly import dataset, device_of, native_kernels
from enasdsl.search.checkpoint import replacing
from enasdsl.search.clock import Clock
from enasdsl.search.compiling import SpaceFile, over_child, read_recipe
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.idle import TRAINING, refuse_idle
from enasdsl.search.offspring import (
    Offspring,
    child_params,
    chosen,
    read_architecture,
    refuse_other_weights,
)
from enasdsl.search.problem import shown
from enasdsl.search.progress import budget_words
from enasdsl.search.run import Info, Run, create, fresh_folder, open_run, write_json
from enasdsl.search.session import Outcome, Session
from enasdsl.semantics.recipe import Recipe
from enasdsl.semantics.task import Task

Settings = Mapping[str, object]
CLOSING = 4.0
"""Measures of the validation part for which a budget leaves time at the end."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a training ended; the figures are None where it was interrupted before its end.

    `figure` is `perplexity` or `accuracy`, `parameters` the child's trained numbers, `command`
    what goes on with it.
    """

    folder: Path
    ending: Ending
    architecture: str
    parameters: int
    figure: str
    valid: float | None
    test: float | None
    epochs: int
    seconds: float
    command: str


class _Origin(NamedTuple):
    """What a new training starts from; `words` mean the architecture, where any were said."""

    file: SpaceFile
    recipe: Recipe
    name: str | None
    words: str | None
    folder: Path


def train(
    source: str | Path,
    data: str | None = None,
    *,
    arch: str | None = None,
    recipe: str | None = None,
    settings: Settings | None = None,
    budget: float | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    from_shared: bool = False,
    device: str = "auto",
    data_root: str | Path | None = None,
    console: Console | None = None,
) -> TrainResult:
    """Trains one architecture, of a search or of a file, and states valid and test figures.

    `source` is a search's folder, and `arch` then a rank or nothing for its best derived one, or
    a space file; `arch` is a token, a record in JSON, or a file with either. `budget` is in
    seconds over all resumptions, the final figures included. Writes `result.json` and
    `weights.safetensors`. Raises SearchError.
    """
    clock = Clock(budget)
    where = device_of(device)
    parent = _parent(source, shares=from_shared)
    if resume:
        folder = Path(out) if out else parent.child if parent else None
        offspring = _resumed(folder, settings or {}, data_root, where)
        clock.budget = budget or offspring.run.info.budget
    else:
        asked = Info(
            kind="child", file=str(source), data=data or "", data_root=_absolute(data_root),
            recipe=recipe, seed=seed or 0, device=str(where), budget=budget, native=wanted(),
        )  # fmt: skip
        asked = _of_search(asked, parent, seed, from_shared=from_shared) if parent else asked
        offspring = _begun(asked, parent, arch, settings or {}, out)
    run = offspring.run.folder
    session = Session(run, clock, resume=resume, closing=CLOSING, console=console)
    return _carry(offspring, session)


def _parent(source: str | Path, *, shares: bool) -> Run | None:
    """The search whose folder `source` is; raises SearchError for another kind of folder.

    So it does for a file where weights are to be shared.
    """
    if not Path(source).is_dir():
        if shares:
            raise SearchError(f"{source} has no shared weights", "name the folder of a search")
        return None
    run = open_run(Path(source))
    if run.info.kind != "search":
        raise SearchError(f"{source} is a child, not a search", "name a search or a space file")
    return run


def _of_search(asked: Info, parent: Run, seed: int | None, *, from_shared: bool) -> Info:
    """What was asked, with the search's data, recipe and seed where nothing else was said."""
    known = parent.info
    return asked.model_copy(
        update={
            "data": asked.data or known.data,
            "data_root": asked.data_root or known.data_root,
            "recipe": known.recipe,
            "seed": known.seed if seed is None else seed,
            "shared": str(parent.folder.resolve()) if from_shared else None,
        }
    )


def _begun(
    asked: Info, parent: Run | None, arch: str | None, settings: Settings, out: str | Path | None
) -> Offspring:
    """A child in a new folder of its own."""
    if not asked.data:
        raise SearchError("no data is named", "name it with --data")
    native_kernels(asked=asked.native)
    where = torch.device(asked.device)
    loaded = dataset(asked.data, asked.data_root, where)
    if parent is not None:
        origin = _from_search(parent, arch, settings)
    else:
        origin = _from_file(asked, arch, settings, loaded.task)
    params = child_params(origin.recipe, shared=asked.shared is not None)
    space = origin.file.space(params, loaded.task)
    refuse_idle(settings, origin.recipe, space, TRAINING)
    if parent is not None and asked.shared is not None:
        refuse_other_weights(parent, space, loaded.task)
    found = {
        "main": origin.file.path.name,
        "recipe": origin.name,
        "space": space.name,
        "hash": space.hash,
        "architecture": to_token(_architecture(space, origin.words)),
    }
    folder = Path(out) if out else origin.folder
    run = create(folder, asked.model_copy(update=found), origin.recipe, origin.file.texts())
    return Offspring(run, loaded, where)


def _from_search(parent: Run, arch: str | None, settings: Settings) -> _Origin:
    recipe = read_recipe(parent.recipe.model_dump(), over_child(settings))
    file = SpaceFile.open(parent.space_file)
    return _Origin(file, recipe, parent.info.recipe, chosen(parent, arch), parent.child)


def _from_file(asked: Info, arch: str | None, settings: Settings, task: Task) -> _Origin:
    file = SpaceFile.open(asked.file)
    name, recipe = file.recipe(asked.recipe, over_child(settings), task)
    folder = fresh_folder(f"{file.path.stem}-child")
    return _Origin(file, recipe, name, arch, folder)


def _architecture(space: Space, words: str | None) -> Architecture:
    """The named architecture, or the only one; raises SearchError where there are several."""
    if words is not None:
        return read_architecture(space, words)
    if count(space) > 1:
        raise SearchError(
            "no architecture is named", "name it with --arch, or train from a search's folder"
        )
    return unrank(space, 0)


def _resumed(
    folder: Path | None, settings: Settings, data_root: str | Path | None, where: torch.device
) -> Offspring:
    """The child of a folder; raises SearchError where there is none or its recipe would change."""
    if folder is None:
        raise SearchError("--resume does not say which training", "name its folder with --out")
    run = open_run(folder)
    if run.info.kind != "child":
        raise SearchError(f"{folder} is no child", "go on with `enasdsl search --resume`")
    if read_recipe(run.recipe.model_dump(), over_child(settings)) != run.recipe:
        raise SearchError(
            "a training that resumes keeps its recipe, and --set would change it",
            "start again with another --out",
        )
    native_kernels(asked=run.info.native)
    loaded = dataset(run.info.data, data_root or run.info.data_root, where)
    return Offspring(run, loaded, where)


def _carry(offspring: Offspring, session: Session) -> TrainResult:
    run = offspring.run
    child = offspring.child()
    if run.info.shared is not None and not session.resume:
        offspring.inherit(child)
    job = offspring.training(child)
    outcome = session.run(job)
    name = shown(offspring.problem.figure, 0.0)[0]
    valid = test = None
    if outcome.ending is not Ending.INTERRUPTED:
        valid, test = (shown(offspring.problem.figure, m.figure)[1] for m in job.finish())
    spent = session.clock.budget if outcome.ending is Ending.BUDGET else None
    result = TrainResult(
        run.folder, outcome.ending, run.info.architecture or "",
        sum(p.numel() for p in child.parameters()), name, valid, test, job.epoch,
        session.clock.elapsed, resuming(run, None if spent is None else 2 * spent),
    )  # fmt: skip
    if valid is not None:
        with replacing(run.folder / "weights.safetensors") as file:
            file.write(packed({n: t.cpu().contiguous() for n, t in child.state_dict().items()}))
        write_json(run.folder / "result.json", _record(offspring, result, outcome))
    return result


def _record(offspring: Offspring, result: TrainResult, outcome: Outcome) -> dict[str, object]:
    choices = to_json(offspring.space, offspring.architecture)["choices"]
    return {
        "architecture": result.architecture,
        "choices": choices,
        "parameters": result.parameters,
        "data": offspring.run.info.data,
        "seed": offspring.run.info.seed,
        f"valid_{result.figure}": result.valid,
        f"test_{result.figure}": result.test,
        "epochs": result.epochs,
        "steps": outcome.steps,
        "seconds": round(result.seconds, 1),
        "ending": result.ending.value,
    }


def _absolute(path: str | Path | None) -> str | None:
    return None if path is None else str(Path(path).resolve())


def resuming(run: Run, budget: float | None) -> str:
    """The command that goes on with a training; `budget` in seconds, None for the same."""
    words = ["enasdsl", "train", run.info.file, "--out", str(run.folder), "--resume"]
    return shlex.join(words + ([] if budget is None else ["--budget", budget_words(budget)]))
