"""The Pareto front that a search has kept, read from its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from enasdsl.search.errors import SearchError
from enasdsl.search.objective import Objective
from enasdsl.search.run import Run, open_run
from enasdsl.view.front_picture import Front, Values


def kept_front(folder: str | Path) -> Front:
    """The front of the newest `derive` of a search, or of a search by table.

    Raises SearchError where nothing was derived, or nothing is traded.
    """
    run = open_run(Path(folder))
    names = _names(run)
    if not run.derived.is_file():
        raise SearchError(
            f"nothing is derived from {folder} yet", f"run `enasdsl derive {folder}` first"
        )
    record = json.loads(run.derived.read_text("utf-8"))
    front = record.get("front", [])
    tokens = {entry["token"] for entry in front}
    others = [entry for entry in record["architectures"] if entry["token"] not in tokens]
    title = f"{run.info.space}: {run.recipe.reward.of}"
    return Front(title, names, _values(front, names), _values(others, names))


def _names(run: Run) -> tuple[str, ...]:
    text = run.recipe.reward.of
    names = () if text is None else tuple(Objective.parse(text).directions)
    if len(names) < 2:
        raise SearchError(
            f"{run.folder} trades nothing: it is after {text or 'one figure'} alone",
            'a search with --reward "accuracy - 0.1 * log(params)" has a front',
        )
    return names


def _values(entries: Sequence[Mapping[str, Any]], names: Sequence[str]) -> tuple[Values, ...]:
    return tuple(tuple(float(entry[name]) for name in names) for entry in entries)
