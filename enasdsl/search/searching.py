"""`enasdsl search`: trains shared weights and a strategy, in a folder of their own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from enasdsl.nn.native import wanted
from enasdsl.search.assembly import Assembly, dataset, device_of, native_kernels
from enasdsl.search.clock import Clock
from enasdsl.search.compiling import SpaceFile, over_params, read_recipe
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.idle import Reader, refuse_idle, say_idle, say_own
from enasdsl.search.judging import preliminary
from enasdsl.search.progress import budget_words
from enasdsl.search.run import Info, Run, create, fresh_folder, open_run
from enasdsl.search.session import Session
from enasdsl.search.strategy import check_strategy, strategy_of

Settings = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """How a search ended; `command` is what goes on with it.

    `verdict` says what it shows by itself, and nothing where it was interrupted.
    """

    run: Path
    ending: Ending
    epochs: int
    steps: int
    seconds: float
    command: str
    verdict: str


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
        root = None if data_root is None else str(Path(data_root).resolve())
        asked = Info(
            kind="search", file=str(space_file), data=data, data_root=root, recipe=recipe,
            strategy=check_strategy(strategy), seed=seed, device=device, budget=budget,
            native=wanted(),
        )  # fmt: skip
        assembly = _begun(asked, settings or {}, out)
        say_idle(assembly.run.recipe, assembly.space, console)
        say_own(settings or {}, assembly.run.recipe, console)
    return _carry(assembly, Session(assembly.run.folder, clock, resume=resume, console=console))


def _begun(asked: Info, settings: Settings, out: str | Path | None) -> Assembly:
    """A search in a new folder of its own."""
    native_kernels(asked=asked.native)
    where = device_of(asked.device)
    loaded = dataset(asked.data, asked.data_root, where)
    file = SpaceFile.open(asked.file)
    name, recipe = file.recipe(asked.recipe, settings, loaded.task)
    space = file.space(recipe.params, loaded.task)
    refuse_idle(settings, recipe, space, Reader(asked.strategy))
    strategy_of(asked.strategy, space, recipe, asked.seed)  # one that cannot be leaves no folder
    found = {
        "main": file.path.name,
        "recipe": name,
        "space": space.name,
        "hash": space.hash,
        "device": str(where),
    }
    folder = Path(out) if out else fresh_folder(f"{space.name}-{asked.data.partition(':')[0]}")
    run = create(folder, asked.model_copy(update=found), recipe, file.texts())
    return Assembly(run, loaded, where)


def _carry(assembly: Assembly, session: Session) -> SearchResult:
    run = assembly.run
    job = assembly.alternation()
    outcome = session.run(job)
    spent = session.clock.budget if outcome.ending is Ending.BUDGET else None
    command = resuming(run, None if spent is None else 2 * spent)
    said = "" if outcome.ending is Ending.INTERRUPTED else preliminary(run, assembly, job)
    return SearchResult(
        run.folder, outcome.ending, job.epoch, outcome.steps, outcome.seconds, command, said
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
    native_kernels(asked=run.info.native)
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
        words += ["--budget", budget_words(budget)]
    return shlex.join([*words, "--out", str(run.folder), "--resume"])
