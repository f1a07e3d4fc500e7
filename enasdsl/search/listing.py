"""Architectures as lines for a person, and as entries for a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enasdsl.ir.record import to_json, to_token
from enasdsl.ir.space import Space
from enasdsl.search.ranking import Ranked

SHOWN = 12
"""Members of a Pareto front that are printed."""


def listing(found: Sequence[Ranked], columns: Mapping[str, str]) -> str:
    """One on each line, a token never broken: `train --arch` takes it as it stands.

    `columns` name values of each, by what stands above them.
    """
    rows = [("rank", *columns, "reward", "architecture")]
    for place, entry in enumerate(found, 1):
        figures = (_short(entry.values[name]) for name in columns.values())
        reward = f"{entry.measure.reward:.4f}"
        rows.append((str(place), *figures, reward, to_token(entry.architecture)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return "\n".join("  ".join([*map(str.rjust, row, widths), row[-1]]) for row in rows)


def front_listing(front: Sequence[Ranked], columns: Mapping[str, str]) -> str:
    """The Pareto front, where there is one, to stand below a listing."""
    if not front:
        return ""
    rest = f"\nand {len(front) - SHOWN} more in derived.json" if len(front) > SHOWN else ""
    return f"\n\nthe Pareto front, drawn in front.svg:\n{listing(front[:SHOWN], columns)}{rest}"


def entries(space: Space, found: Sequence[Ranked]) -> list[dict[str, object]]:
    """The same as a file has it."""
    return [
        {
            "rank": place,
            "token": to_token(entry.architecture),
            **entry.values,
            "reward": entry.measure.reward,
            "choices": to_json(space, entry.architecture)["choices"],
        }
        for place, entry in enumerate(found, 1)
    ]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 1000 else f"{value:.4g}"
