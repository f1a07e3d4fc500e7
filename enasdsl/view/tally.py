"""The count of a space, as a person reads it and as a machine does."""

from __future__ import annotations

from collections.abc import Iterator

from enasdsl.ir.count import Breakdown
from enasdsl.ir.space import Published, Space
from enasdsl.view.numbers import agrees, magnitude, power_of_ten


def tally_text(space: Space, factors: Breakdown) -> str:
    """The exact number, its power of ten, its factors by cell and node, and what was published."""
    lines = [headline(space, factors.count)]
    rows = list(_rows(factors, depth=0))
    if rows:
        lines += ["", *_table(rows)]
    for published in space.published:
        lines += ["", _published_text(published, factors.count)]
    return "\n".join(lines)


def headline(space: Space, total: int) -> str:
    """The name of a space, how many architectures it has, and how many decisions."""
    head = f"{space.name}: {_plural(total, 'architecture')}"
    if total >= 10**6:
        head += f" ({power_of_ten(total)})"
    return f"{head}, {_plural(len(space.decisions), 'decision')}"


def tally_facts(space: Space, total: int) -> dict[str, object]:
    """The same for `--output json`; numbers that JSON readers would round are strings."""
    return {
        "space": space.name,
        "hash": space.hash,
        "count": str(total),
        "log10": magnitude(total) if total else None,
        "decisions": len(space.decisions),
        "published": [
            {
                "value": str(published.value),
                "origin": published.origin,
                "agrees": agrees(total, published.value),
                "why": published.why,
            }
            for published in space.published
        ],
    }


def _rows(factor: Breakdown, *, depth: int) -> Iterator[tuple[str, str, str]]:
    """Name, count and decisions of every factor below `factor`, each below the one it divides."""
    for part in factor.parts:
        if part.decisions:
            name = ", ".join(_below(scope, factor.scopes[0]) for scope in part.scopes)
            yield "  " * depth + name, f"{part.count:,}", _plural(part.decisions, "decision")
            yield from _rows(part, depth=depth + 1)


def _below(scope: str, parent: str) -> str:
    """The path of a scope within its parent's."""
    return scope.removeprefix(f"{parent}.") if scope != parent else scope or "the whole"


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    names, counts = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"  {n:<{names}}  {c:>{counts}}  {d}" for n, c, d in rows]


def _published_text(published: Published, total: int) -> str:
    value = published.value
    shown = f"{value:,}" if isinstance(value, int) else power_of_ten(value, digits=2)
    if isinstance(value, int) and value >= 10**6:
        shown += f" ({power_of_ten(value)})"
    line = f"published: {shown}, {published.origin}"
    if agrees(total, value):
        return f"{line}: the same"
    reason = f": {published.why}" if published.why else ""
    return f"{line}\n  differs{reason}"


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
