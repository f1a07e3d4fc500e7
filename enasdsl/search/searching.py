"""`enasdsl search`: trains shared weights and a strategy, in a folder of their own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from enasdsl.search.assembly import Assembly, dataset, device_of
from enasdsl.search.clock import Clock
from enasdsl.search.compiling import SpaceFile, over_params, read_recipe
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.run import Info, Run, create, fresh_folder, open_run
from enasdsl.search.session import Session
from enasdsl.search.strategy import check_strategy

Settings = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """How a search ended; `command` is what goes on with it."""

    run: Path
    ending: Ending
    epochs: int
    steps: int
    seconds: float
    command: str


def search(
    space_file: str | Path,
    data: str,
    *,
    recipe: str | None = None,
    settings: Settings | None = None,
    budget: float | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    strategy: str = "enas",
    device: str = "auto",
    data_root: str | Path | None = None,
    console: Console | None = None,
) -> SearchResult:
    """Searches the space of a file on a data set and returns how it ended.

    `settings` are keys of the recipe or params of the file; `budget` is in seconds over the whole
    search, earlier parts included. A search that resumes keeps its recipe, seed and strategy.
    Raises SearchError.
    """
    clock = Clock(budget)
    if resume:
        run = _reopen(out, data, settings or {})
        assembly = Assembly.of(run, device=device, data_root=data_root)
        clock.budget = budget or run.info.budget
    else:
        where = device_of(device)
        loaded = dataset(data, data_root, where)
        file = SpaceFile.open(space_file)
        chosen, resolved = file.recipe(recipe, settings or {}, loaded.task)
        space = file.space(resolved.params, loaded.task)
        info = Info(
            kind="search",
            file=str(file.path),
            space=space.name,
            hash=space.hash,
            data=data,
            data_root=None if data_root is None else str(Path(data_root).resolve()),
            recipe=chosen,
            strategy=check_strategy(strategy),
            seed=seed,
            device=str(where),
            budget=budget,
        )
        folder = Path(out) if out else fresh_folder(f"{space.name}-{data.partition(':')[0]}")
        assembly = Assembly(create(folder, info, resolved, file.texts()), loaded, where)
    return _carry(assembly, clock, resume=resume, console=console)


def _carry(
    assembly: Assembly, clock: Clock, *, resume: bool, console: Console | None
) -> SearchResult:
    run = assembly.run
    job = assembly.alternation()
    outcome = Session(run.folder, clock, resume=resume, console=console).run(job)
    spent = clock.budget if outcome.ending is Ending.BUDGET else None
    command = resuming(run, None if spent is None else 2 * spent)
    return SearchResult(
        run.folder, outcome.ending, job.epoch, outcome.steps, outcome.seconds, command
    )


def _reopen(out: str | Path | None, data: str, settings: Settings) -> Run:
    if out is None:
        raise SearchError("--resume does not say which run", "name its folder with --out")
    run = open_run(Path(out))
    if run.info.kind != "search":
        raise SearchError(f"{out} is no search", "go on with `enasdsl train --resume`")
    if run.info.data != data:
        raise SearchError(
            f"{out} was started on `{run.info.data}`, not on `{data}`",
            f"go on with {resuming(run, None)}",
        )
    asked = read_recipe(run.recipe.model_dump(), over_params(settings))
    if asked != run.recipe:
        raise SearchError(
            "a search that resumes keeps its recipe, and --set would change it",
            "start again with another --out",
        )
    return run


def resuming(run: Run, budget: float | None) -> str:
    """The command that goes on with a search; `budget` in seconds, None for the same."""
    info = run.info
    words = ["enasdsl", "search", info.file, "--data", info.data]
    if info.data_root is not None:
        words += ["--data-root", info.data_root]
    if budget is not None:
        words += ["--budget", f"{budget:g}s"]
    return shlex.join([*words, "--out", str(run.folder), "--resume"])
