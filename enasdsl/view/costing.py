"""What the architectures of a space cost, as text and as facts."""

from __future__ import annotations

from collections.abc import Sequence

from enasdsl.ir.costs import Cost
from enasdsl.ir.extent import Extent, Extents
from enasdsl.ir.space import Space

SHARES = (5, 50, 95)
"""The percentages of a sample of which the greatest cost is shown."""

_UNITS = {"image_classifier": "image", "language_model": "token"}


def costs_text(space: Space, found: Extents, sampled: Sequence[Cost]) -> str:
    """A table: the least, the mean and the greatest of both costs, and shares of a sample."""
    named = {"params": found.params, "macs": found.macs}
    head = ["", "least", "mean", "most"]
    rows = [[name, *_extent(extent)] for name, extent in named.items()]
    if sampled:
        head += [f"{share}%" for share in SHARES]
        for row in rows:
            row += [f"{n:,}" for n in quantiles(_numbers(sampled, row[0]))]
    lines = [f"{space.name}: params, and macs for one {_UNITS[space.task]}", ""]
    lines += _table([head, *rows])
    if any(extent.bounds for extent in named.values()):
        lines += ["", "~ a bound: the exact one takes too long to find"]
    if sampled:
        lines += ["", f"percentages of {len(sampled):,} architectures drawn uniformly"]
    return "\n".join(lines)


def cost_text(token: str, cost: Cost) -> str:
    """The costs of one architecture."""
    return f"{token}\n  params  {cost.params:,}\n  macs    {cost.macs:,}"


def costs_facts(space: Space, found: Extents, sampled: Sequence[Cost]) -> dict[str, object]:
    """The same for `--output json`."""
    named = {"params": found.params, "macs": found.macs}
    facts: dict[str, object] = {
        "space": space.name,
        "hash": space.hash,
        "example": _UNITS[space.task],
        "sampled": len(sampled),
    }
    for name, extent in named.items():
        shares = dict(zip(SHARES, quantiles(_numbers(sampled, name)), strict=False))
        facts[name] = {
            "least": extent.least,
            "most": extent.most,
            "exact": not extent.bounds,
            "mean": None if extent.mean is None else float(extent.mean),
            "percentiles": {str(share): n for share, n in shares.items()},
        }
    return facts


def quantiles(numbers: Sequence[int]) -> list[int]:
    """For each of SHARES, the least number that so many per cent are not above; none of none."""
    ranked = sorted(numbers)
    return [ranked[-(-len(ranked) * share // 100) - 1] for share in SHARES] if ranked else []


def _numbers(sampled: Sequence[Cost], name: str) -> list[int]:
    return [cost.params if name == "params" else cost.macs for cost in sampled]


def _extent(extent: Extent) -> list[str]:
    mark = "~" if extent.bounds else ""
    mean = "" if extent.mean is None else f"{round(extent.mean):,}"
    return [f"{mark}{extent.least:,}", mean, f"{mark}{extent.most:,}"]


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            [f"  {row[0]:<{widths[0]}}"]
            + [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        )
        for row in rows
    )
    return [line.rstrip() for line in lines]
