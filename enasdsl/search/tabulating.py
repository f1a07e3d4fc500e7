"""`enasdsl search --table`: strategies at work on what others measured, in a run of their own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from enasdsl.search.clock import Clock
from enasdsl.search.compiling import SpaceFile, over_params, read_recipe
from enasdsl.search.deriving import traded
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.idle import Reader, refuse_idle
from enasdsl.search.keeping import write_best
from enasdsl.search.listing import front_listing, listing
from enasdsl.search.progress import budget_words
from enasdsl.search.ranking import Ranked, class_key, ranked
from enasdsl.search.run import Info, Run, create, fresh_folder, open_run
from enasdsl.search.session import Session
from enasdsl.search.strategy import check_strategy, strategy_of
from enasdsl.search.table import read_table
from enasdsl.search.tabular import DEFAULTS, Prices, Tabular

QUERIES = 300


@dataclass(frozen=True, slots=True)
class TableResult:
    """How a search by table ended; `regret` is what the best of the table earns beyond its best.

    `asked` counts every architecture that was proposed, `queries` the classes looked up.
    """

    run: Path
    ending: Ending
    wanted: int
    queries: int
    asked: int
    seconds: float
    best: tuple[Ranked, ...]
    front: tuple[Ranked, ...]
    regret: float
    command: str


def search_table(
    space_file: str | Path,
    table: str | Path,
    *,
    queries: int | None = None,
    recipe: str | None = None,
    settings: Mapping[str, object] | None = None,
    budget: float | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    strategy: str = "enas",
    console: Console | None = None,
) -> TableResult:
    """Searches a space with rewards from a table, and prints the best; raises SearchError.

    `queries` are classes of architectures looked up. A recipe of the file counts only where it is
    named: those of searches with a supernet make small steps.
    """
    clock = Clock(budget)
    if resume:
        run = _reopened(out, settings or {})
        clock.budget = budget or run.info.budget
    else:
        asked = Info(
            kind="search", file=str(space_file), table=str(Path(table).resolve()), recipe=recipe,
            queries=queries or QUERIES, strategy=check_strategy(strategy), seed=seed,
            budget=budget,
        )  # fmt: skip
        run = _begun(asked, settings or {}, out)
    session = Session(run.folder, clock, resume=resume, console=console, curves=False)
    result, objective_names = _carried(run, session)
    _say(result, objective_names, console or Console())
    return result


def _begun(asked: Info, settings: Mapping[str, object], out: str | Path | None) -> Run:
    file = SpaceFile.open(asked.file)
    if asked.recipe is None:
        recipe = read_recipe(DEFAULTS, over_params(settings))
    else:
        recipe = file.recipe(asked.recipe, settings)[1]
    space = file.design(recipe.params)
    refuse_idle(settings, recipe, space, Reader(asked.strategy, table=True))
    found = {"main": file.path.name, "space": space.name, "hash": space.hash}
    run = Run(
        Path(out) if out else fresh_folder(f"{space.name}-table"),
        asked.model_copy(update=found),
        recipe,
    )
    _job(run)  # a table that does not fit leaves no folder behind
    return create(run.folder, run.info, recipe, file.texts())


def _reopened(out: str | Path | None, settings: Mapping[str, object]) -> Run:
    if out is None:
        raise SearchError("--resume does not say which run", "name its folder with --out")
    run = open_run(Path(out))
    if run.info.table is None:
        raise SearchError(f"{out} is no search by table", "go on without --table")
    if read_recipe(run.recipe.model_dump(), over_params(settings)) != run.recipe:
        raise SearchError(
            "a search that resumes keeps its recipe, and --set would change it",
            "start again with another --out",
        )
    return run


def _job(run: Run) -> tuple[Tabular, Prices]:
    """The search of a folder at its start."""
    info, recipe = run.info, run.recipe
    file = SpaceFile.open(run.space_file if run.space_file.is_file() else info.file)
    space = file.design(recipe.params)
    key = class_key(space)
    prices = Prices.of(space, read_table(Path(info.table or ""), space, key), recipe.reward.of)
    job = Tabular(
        strategy_of(info.strategy, space, recipe, info.seed),
        prices,
        key,
        queries=info.queries or QUERIES,
        children=recipe.controller.children,
    )
    return job, prices


def _carried(run: Run, session: Session) -> tuple[TableResult, tuple[str, ...]]:
    job, prices = _job(run)
    outcome = session.run(job)
    found = ranked(list(job.found.values()))
    front = traded(prices.objective, found)
    best = found[: run.recipe.derive.keep]
    earned = best[0].measure.reward if best else float("-inf")
    spent = session.clock.budget if outcome.ending is Ending.BUDGET else None
    result = TableResult(
        run.folder, outcome.ending, run.info.queries or QUERIES, len(job.found), job.asked,
        outcome.seconds, best, front, prices.best - earned,
        _resuming(run, None if spent is None else 2 * spent),
    )  # fmt: skip
    about = {
        "space": run.info.space,
        "hash": run.info.hash,
        "table": run.info.table,
        "weights": "none",
        "sampled": len(found),
        "regret": result.regret,
    }
    write_best(run, prices.space, about, best, front=front, objective=prices.objective)
    return result, tuple(prices.objective.directions)


def _say(result: TableResult, names: tuple[str, ...], console: Console) -> None:
    columns = {name: name for name in names if name != "reward"}
    text = listing(result.best, columns) + front_listing(result.front, columns)
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _resuming(run: Run, budget: float | None) -> str:
    info = run.info
    words = ["enasdsl", "search", info.file, "--table", info.table or ""]
    if budget is not None:
        words += ["--budget", budget_words(budget)]
    return shlex.join([*words, "--out", str(run.folder), "--resume"])
