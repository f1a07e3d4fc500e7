"""What a search believes at present: architectures drawn as its newest checkpoint left it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enasdsl.ir.space import Space
from enasdsl.search import checkpoint
from enasdsl.search.assembly import Assembly
from enasdsl.search.beliefs import believing
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.errors import SearchError
from enasdsl.search.learned import place_of
from enasdsl.search.run import Run, open_run
from enasdsl.search.strategy import strategy_of
from enasdsl.view.beliefs import Beliefs

DRAWS = 1000
"""Architectures over which probabilities are taken: to two in a hundred, or better."""


def believed(folder: str | Path) -> tuple[Space, Beliefs]:
    """The space of a search, and what its strategy believes of it; no weights are made for that.

    Limits of the reward are not in it: they throw away some of what the strategy draws. Raises
    SearchError where the strategy has no distribution of its own, or never came to a checkpoint.
    """
    run = open_run(Path(folder))
    info = run.info
    if info.kind != "search":
        raise SearchError(f"{folder} is a child, not a search", "name the folder of a search")
    space = _space(run)
    strategy = strategy_of(info.strategy, space, run.recipe, info.seed)
    believer = believing(strategy)
    if believer is None:
        raise SearchError(
            f"{folder} is a search by `{info.strategy}`, which has no beliefs to show: "
            "it gives no probabilities to the alternatives of a choice",
            f"what it draws from is the space itself: enasdsl show {info.file}",
        )
    state, epoch = _left(run)
    with checkpoint.fitting(run.folder / "checkpoints"):
        strategy.load_state_dict(state)
    return space, Beliefs.of(
        space,
        strategy.ask(DRAWS),
        entropy=believer.beliefs(epoch),
        places={d.path: place_of(d, run.space_file.parent)[0] for d in space.decisions},
        origin=f"drawn by {info.strategy} in {run.folder}",
    )


def _space(run: Run) -> Space:
    space = SpaceFile.open(run.space_file).design(run.recipe.params)
    if any(constraint.priced for constraint in space.constraints) and run.info.table is None:
        return Assembly.of(run).space  # what is lawful depends on the sizes of the data
    return space


def _left(run: Run) -> tuple[dict[str, Any], int]:
    """The state of the strategy in the newest checkpoint, and the epoch that it was in."""
    job = checkpoint.newest(run.folder / "checkpoints")["job"]
    return job["strategy"], job.get("place", (0,))[0]
