"""What a recipe would have a controller prefer, from paths to decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enasdsl.diagnostics.wording import several
from enasdsl.ir.space import Source, Space
from enasdsl.search.errors import SearchError


def leanings(
    space: Space, setting: str, named: Mapping[str, Sequence[float]]
) -> dict[int, tuple[float, ...]]:
    """The numbers for each decision, of the longest of the paths that lead to it.

    A path stands for the choices of operations and values at it or below it among as many
    alternatives as there are numbers. Raises SearchError for one that stands for none.
    """
    found: dict[int, tuple[float, ...]] = {}
    for path, numbers in sorted(named.items(), key=lambda item: len(item[0])):
        below = _below(space, path)
        meant = [n for n in below if space.decisions[n].domain.size == len(numbers)]
        if not meant:
            raise _lost(space, f"controller.{setting}.{path}", len(numbers), below)
        found |= dict.fromkeys(meant, tuple(numbers))
    return found


def biases(space: Space, named: Mapping[str, Sequence[float]]) -> dict[int, tuple[float, ...]]:
    """Where learned biases begin; raises SearchError where choices that share one begin apart."""
    found = leanings(space, "bias", named)
    shared: dict[tuple[str, ...], tuple[float, ...]] = {}
    for n, numbers in found.items():
        decision = space.decisions[n]
        if shared.setdefault(decision.labels, numbers) != numbers:
            raise SearchError(
                f"`controller.bias` begins otherwise at {decision.path} than for other choices "
                f"among {', '.join(decision.labels)}, which share the bias",
                "give them the same numbers; those of `controller.prefer` may differ",
            )
    return found


def _below(space: Space, path: str) -> list[int]:
    """The decisions at a path or below it that choose no inputs."""
    return [
        n
        for n, decision in enumerate(space.decisions)
        if f"{decision.path}.".startswith(f"{path}.") and decision.source is not Source.INPUT
    ]


def _lost(space: Space, key: str, count: int, below: Sequence[int]) -> SearchError:
    if below:
        sizes = sorted({space.decisions[n].domain.size for n in below})
        wanted = " or ".join(several(size, "alternative") for size in sizes)
        return SearchError(
            f"`{key}` has {several(count, 'number')}, and the choices there are among {wanted}",
            "write one number for each alternative, in the order of the file",
        )
    paths = dict.fromkeys(
        d.path.split(".")[0] for d in space.decisions if d.source is not Source.INPUT
    )
    return SearchError(
        f"`{key}` names no choice of operations or values of {space.name}",
        f"there are some below {', '.join(paths)}; enasdsl show FILE --stage ir lists the paths",
    )
