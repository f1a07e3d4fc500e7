"""What a search has found, kept in its folder: `derived.json`, and a front also as `front.svg`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enasdsl.ir.space import Space
from enasdsl.search.checkpoint import replacing
from enasdsl.search.listing import entries
from enasdsl.search.objective import Objective
from enasdsl.search.ranking import Ranked
from enasdsl.search.run import Run, write_json
from enasdsl.view.front_picture import Front, page_of_front
from enasdsl.view.svg import to_svg


def write_best(
    run: Run,
    space: Space,
    about: Mapping[str, object],
    best: Sequence[Ranked],
    *,
    front: Sequence[Ranked] = (),
    objective: Objective | None = None,
) -> None:
    """Writes the best architectures and the Pareto front of an objective; `about` stands first.

    Raises SearchError where the disk refuses.
    """
    record = {**about, "architectures": entries(space, best)}
    if not front or objective is None:
        write_json(run.derived, record)
        return
    write_json(run.derived, record | {"front": entries(space, front)})
    with replacing(run.front) as file:
        file.write(to_svg(page_of_front(_picture(objective, front, best))).encode())


def _picture(objective: Objective, front: Sequence[Ranked], best: Sequence[Ranked]) -> Front:
    """The front, with those of the best that are not on it."""
    names = tuple(objective.directions)
    on_it = {entry.architecture for entry in front}
    others = [entry for entry in best if entry.architecture not in on_it]
    members, beside = (
        tuple(tuple(entry.values[name] for name in names) for entry in found)
        for found in (front, others)
    )
    return Front(objective.text, names, members, beside)
