"""`enasdsl derive`: the best of the architectures that the trained strategy samples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from enasdsl.ir.space import Architecture
from enasdsl.search import checkpoint
from enasdsl.search.alternation import Alternation, shared_model
from enasdsl.search.assembly import Assembly
from enasdsl.search.keeping import write_best
from enasdsl.search.listing import front_listing, listing
from enasdsl.search.objective import Objective, front
from enasdsl.search.problem import Measure, shown
from enasdsl.search.ranking import Ranked, class_key, explored, ranked
from enasdsl.search.run import Run, open_run
from enasdsl.search.strategy import refined
from enasdsl.search.valuation import COSTS


@dataclass(frozen=True, slots=True)
class Derivation:
    """The sampled architectures, the best first; `figure` names what `Measure.figure` is.

    `front` are those that no other betters in all that the objective trades.
    """

    file: Path
    figure: str
    sampled: int
    best: tuple[Ranked, ...]
    front: tuple[Ranked, ...] = ()


def derive(
    run: str | Path,
    *,
    samples: int | None = None,
    keep: int | None = None,
    device: str = "auto",
    data_root: str | Path | None = None,
    console: Console | None = None,
) -> Derivation:
    """Samples, scores with shared weights on the whole validation part, ranks, writes the best.

    `samples` and `keep` stand in for the recipe's (Pham et al. 2018, 2.2, scores on a minibatch).
    Writes `derived.json` in the run and prints a table. Raises SearchError.
    """
    console = console or Console()
    assembly = Assembly.of(open_run(Path(run)), device=device, data_root=data_root)
    settings = assembly.run.recipe.derive
    job = trained(assembly)
    found = _scored(assembly, job, samples or settings.samples)
    best = ranked(found)
    derivation = Derivation(
        assembly.run.derived,
        assembly.problem.figure,
        len(found),
        best[: keep or settings.keep],
        traded(job.valuation.objective, best),
    )
    objective = job.valuation.objective
    write_best(
        assembly.run, assembly.space, _about(assembly, len(found)), derivation.best,
        front=derivation.front, objective=objective,
    )  # fmt: skip
    costs = [name for name in COSTS if objective and name in objective.directions]
    console.print(_table(derivation, costs), markup=False, highlight=False, soft_wrap=True)
    return derivation


def _scored(assembly: Assembly, job: Alternation, wanted: int) -> list[Ranked]:
    """Up to `wanted` architectures of the strategy with their scores, and a bar meanwhile."""
    bar = Console(stderr=True)
    found = explored(
        refined(job.strategy),
        wanted,
        class_key(assembly.space),
        lambda architecture: appraised(assembly, job, architecture),
    )
    shown = track(
        found, "scoring", total=wanted, console=bar, transient=True, disable=not bar.is_terminal
    )
    return list(shown)


def trained(assembly: Assembly) -> Alternation:
    """The search as its newest checkpoint left it; raises SearchError without one."""
    job = assembly.alternation()
    folder = assembly.run.folder / "checkpoints"
    state = checkpoint.newest(folder)
    with checkpoint.fitting(folder):
        job.load_state_dict(state["job"])
    return job


def score(assembly: Assembly, job: Alternation, architecture: Architecture) -> Measure:
    """What an architecture does with shared weights on the whole validation part."""
    problem = assembly.problem
    return problem.measure(shared_model(job.supernet, architecture), problem.split("valid"))


def appraised(assembly: Assembly, job: Alternation, architecture: Architecture) -> Ranked:
    """An architecture with its score, and what it earns for it."""
    measure = score(assembly, job, architecture)
    valuation = job.valuation
    values = valuation.values(architecture, measure)
    return Ranked(architecture, valuation.measure(architecture, measure), values)


def traded(objective: Objective | None, found: Sequence[Ranked]) -> tuple[Ranked, ...]:
    """The Pareto front of an objective over several figures and costs, else nothing."""
    if objective is None or len(objective.directions) < 2:
        return ()
    return tuple(found[i] for i in front([objective.gains(entry.values) for entry in found]))


def derived_tokens(run: Run) -> list[str]:
    """The derived architectures, the best first."""
    return [entry["token"] for entry in _derived(run)]


def derived_best(run: Run) -> float | None:
    """The reward of the best derived architecture, None where nothing was derived."""
    return next((float(entry["reward"]) for entry in _derived(run)), None)


def _derived(run: Run) -> list[dict[str, Any]]:
    if not run.derived.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(run.derived.read_text("utf-8"))["architectures"]
    return found


def _about(assembly: Assembly, sampled: int) -> dict[str, object]:
    return {
        "space": assembly.space.name,
        "hash": assembly.space.hash,
        "data": assembly.run.info.data,
        "split": "valid",
        "weights": "shared",
        "sampled": sampled,
    }


def _table(derivation: Derivation, costs: Sequence[str]) -> str:
    """The best, and where several things are traded, those that no other betters in all."""
    name = shown(derivation.figure, 0.0)[0]
    columns = {f"valid {name}": name, **{cost: cost for cost in costs}}
    return listing(derivation.best, columns) + front_listing(derivation.front, columns)
