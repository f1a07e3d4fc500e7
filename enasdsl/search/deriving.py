"""`enasdsl derive`: the best of the architectures that the trained strategy samples."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from enasdsl.ir.record import to_json, to_token
from enasdsl.ir.space import Architecture
from enasdsl.search import checkpoint
from enasdsl.search.alternation import Alternation, shared_model
from enasdsl.search.assembly import Assembly
from enasdsl.search.problem import Measure, shown
from enasdsl.search.ranking import Ranked, distinct, ranked
from enasdsl.search.run import Run, open_run, write_json


@dataclass(frozen=True, slots=True)
class Derivation:
    """The sampled architectures, the best first; `figure` names what `Measure.figure` is."""

    file: Path
    figure: str
    sampled: int
    best: tuple[Ranked, ...]


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
    wanted = samples or settings.samples
    found = list(distinct(job.strategy, wanted))
    bar = Console(stderr=True)
    scores = [
        score(assembly, job, architecture)
        for architecture in track(
            found, "scoring", console=bar, transient=True, disable=not bar.is_terminal
        )
    ]
    best = ranked(found, scores)[: keep or settings.keep]
    derivation = Derivation(assembly.run.derived, assembly.problem.figure, len(found), best)
    write_json(derivation.file, _record(assembly, derivation))
    console.print(_table(derivation), markup=False, highlight=False, soft_wrap=True)
    return derivation


def trained(assembly: Assembly) -> Alternation:
    """The search as its newest checkpoint left it; raises SearchError without one."""
    job = assembly.alternation()
    state = checkpoint.newest(assembly.run.folder / "checkpoints")
    job.load_state_dict(state["job"])
    return job


def score(assembly: Assembly, job: Alternation, architecture: Architecture) -> Measure:
    """What an architecture does with shared weights on the whole validation part."""
    problem = assembly.problem
    return problem.measure(shared_model(job.supernet, architecture), problem.split("valid"))


def derived_tokens(run: Run) -> list[str]:
    """The derived architectures, the best first."""
    if not run.derived.is_file():
        return []
    record = json.loads(run.derived.read_text("utf-8"))
    return [entry["token"] for entry in record["architectures"]]


def _record(assembly: Assembly, derivation: Derivation) -> dict[str, object]:
    entries = []
    for place, entry in enumerate(derivation.best, 1):
        name, figure = shown(derivation.figure, entry.measure.figure)
        entries.append(
            {
                "rank": place,
                "token": to_token(entry.architecture),
                "reward": entry.measure.reward,
                name: figure,
                "choices": to_json(assembly.space, entry.architecture)["choices"],
            }
        )
    return {
        "space": assembly.space.name,
        "hash": assembly.space.hash,
        "data": assembly.run.info.data,
        "split": "valid",
        "weights": "shared",
        "sampled": derivation.sampled,
        "architectures": entries,
    }


def _table(derivation: Derivation) -> str:
    """The best, one on each line, a token never broken: `train --arch` takes it as it stands."""
    name = shown(derivation.figure, 0.0)[0]
    rows = [("rank", f"valid {name}", "reward", "architecture")]
    for place, entry in enumerate(derivation.best, 1):
        figure = f"{shown(derivation.figure, entry.measure.figure)[1]:.4g}"
        token = to_token(entry.architecture)
        rows.append((str(place), figure, f"{entry.measure.reward:.4f}", token))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return "\n".join("  ".join([*map(str.rjust, row, widths), row[-1]]) for row in rows)
