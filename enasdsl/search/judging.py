"""`enasdsl verdict`: whether a search found more than chance does, by children trained alike."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from enasdsl.search.alternation import Alternation
from enasdsl.search.assembly import Assembly
from enasdsl.search.children import Means, Nursery, Plan, brought_up, outcome, planned, recipe_of
from enasdsl.search.clock import Clock
from enasdsl.search.comparison import Comparison, compare
from enasdsl.search.deriving import derive, derived_tokens, trained
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.learned import LATEST, Learned, learned
from enasdsl.search.progress import budget_words
from enasdsl.search.run import Run, open_run, write, write_json
from enasdsl.search.seeds import seed_of
from enasdsl.view.verdict import comparison_text, conclusion, learned_text, no_verdict

CHILDREN = 10
"""Random children beside the found one, unless another number is asked for."""
USUAL = 3600.0
"""Seconds of the budget that the end of a search proposes for its verdict."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out; `text` says it, and `command` goes on where children are missing."""

    run: Path
    ending: Ending
    learned: Learned
    comparison: Comparison
    text: str
    command: str


def verdict(
    run: str | Path,
    *,
    children: int = CHILDREN,
    seeds: int = 1,
    budget: float | None = None,
    settings: Mapping[str, object] | None = None,
    device: str = "auto",
    data_root: str | Path | None = None,
    console: Console | None = None,
) -> Verdict:
    """Trains the found child and random ones from scratch, alike, and compares them.

    The found child is the best derived one; where none is derived, that comes first. `settings`
    are over the recipe of the search, for all children. `budget` is in seconds over all calls,
    and the same call goes on where the last one stopped. Writes `verdict.json` and `verdict.txt`.
    Raises SearchError.
    """
    clock = Clock(budget)
    console = console or Console(stderr=True)
    opened = _search(Path(run))
    if not derived_tokens(opened):
        derive(run, device=device, data_root=data_root, console=console)
    assembly = Assembly.of(opened, device=device, data_root=data_root)
    job = trained(assembly)
    nursery = Nursery(opened)
    plan = planned(nursery, assembly, job, clock, children=children, settings=settings or {})
    means = Means(device, data_root, console, lambda text: _say(console, text))
    ending = brought_up(nursery, plan, clock, means, seeds=seeds)
    comparison = _compared(nursery, plan, seeds=seeds)
    found = learned(opened, assembly.space, job.visited)
    text = f"{comparison_text(comparison)}\n\n{learned_text(found, each=True)}"
    _keep(opened, text, found, comparison)
    more = clock.budget and clock.budget * (2 if ending is Ending.BUDGET else 1)
    command = going_on(opened.folder, children, more, seeds=seeds)
    return Verdict(opened.folder, ending, found, comparison, text, command)


def _search(folder: Path) -> Run:
    run = open_run(folder)
    if run.info.kind != "search":
        raise SearchError(f"{folder} is a child, not a search", "name the folder of a search")
    if run.info.table is not None:
        raise SearchError(
            f"{folder} took its rewards from a table, which knows without training what is best",
            "its derived.json has the regret",
        )
    return run


def _compared(nursery: Nursery, plan: Plan, *, seeds: int) -> Comparison:
    found, *others = (outcome(nursery, plan, child, seeds=seeds) for child in plan.children)
    epochs = recipe_of(nursery.run, plan.settings).child.weights.epochs
    return compare(
        plan.figure,
        found,
        [child for child in others if child is not None],
        asked=len(others),
        seeds=seeds,
        epochs=epochs,
        rng=np.random.default_rng(seed_of(nursery.run.info.seed, "bootstrap")),
    )


def preliminary(run: Run, assembly: Assembly, job: Alternation) -> str:
    """What is known at the end of a search without training children, which is kept and said."""
    found = learned(run, assembly.space, job.visited, latest=LATEST)
    command = going_on(run.folder, CHILDREN, USUAL)
    text = f"{learned_text(found)}\n\n{no_verdict(command)}"
    _keep(run, text, found, None)
    return text


def _keep(run: Run, text: str, found: Learned, comparison: Comparison | None) -> None:
    record: dict[str, object] = {"search": asdict(found)}
    if comparison is not None:
        record = {"verdict": conclusion(comparison), "children": asdict(comparison), **record}
    write_json(run.folder / "verdict.json", record)
    write(run.folder / "verdict.txt", text + "\n")


def going_on(folder: Path, children: int, budget: float | None, *, seeds: int = 1) -> str:
    """The command for a verdict on a run; `budget` in seconds."""
    words = ["enasdsl", "verdict", str(folder), "--children", str(children)]
    if seeds > 1:
        words += ["--seeds", str(seeds)]
    return shlex.join(words + ([] if budget is None else ["--budget", budget_words(budget)]))


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
