"""The count of a space, as a person reads it and as a machine does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from enasdsl.diagnostics.wording import several
from enasdsl.ir.count import Breakdown
from enasdsl.ir.space import Published, Space
from enasdsl.view.numbers import agrees, magnitude, power_of_ten

if TYPE_CHECKING:
    from enasdsl.ir.unique import Classes


def tally_text(space: Space, factors: Breakdown, found: Classes | None = None) -> str:
    """The exact number, its power of ten, its factors by cell and node, its classes where they
    were `found`, and what was published."""
    lines = [headline(space, factors.count)]
    rows = list(_rows(factors, depth=0))
    if rows:
        lines += ["", *_table(rows)]
    if found is not None:
        from enasdsl.view.classes import classes_text

        lines += ["", classes_text(found)]
    unique = None if found is None else found.count
    for published in space.published:
        lines += ["", _published_text(published, factors.count, unique)]
    return "\n".join(lines)


def headline(space: Space, total: int) -> str:
    """The name of a space, how many architectures it has, and how many decisions."""
    head = f"{space.name}: {several(total, 'architecture')}"
    if total >= 10**6:
        head += f" ({power_of_ten(total)})"
    return f"{head}, {several(len(space.decisions), 'decision')}"


def tally_facts(space: Space, total: int, found: Classes | None = None) -> dict[str, object]:
    """The same for `--output json`; numbers that JSON readers would round are strings."""
    return {
        "space": space.name,
        "hash": space.hash,
        "count": str(total),
        "log10": magnitude(total) if total else None,
        "decisions": len(space.decisions),
        **(_unique(found)),
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


def _unique(found: Classes | None) -> dict[str, object]:
    if found is None:
        return {}
    from enasdsl.view.classes import classes_facts

    return {"unique": classes_facts(found)}


def _rows(factor: Breakdown, *, depth: int) -> Iterator[tuple[str, str, str]]:
    """Name, count and decisions of every factor below `factor`, each below the one it divides."""
    for part in factor.parts:
        if part.decisions:
            name = ", ".join(_below(scope, factor.scopes[0]) for scope in part.scopes)
            yield "  " * depth + name, f"{part.count:,}", several(part.decisions, "decision")
            yield from _rows(part, depth=depth + 1)


def _below(scope: str, parent: str) -> str:
    """The path of a scope within its parent's."""
    return scope.removeprefix(f"{parent}.") if scope != parent else scope or "the whole"


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    names, counts = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"  {n:<{names}}  {c:>{counts}}  {d}" for n, c, d in rows]


def _published_text(published: Published, total: int, unique: int | None) -> str:
    value = published.value
    shown = f"{value:,}" if isinstance(value, int) else power_of_ten(value, digits=2)
    if isinstance(value, int) and value >= 10**6:
        shown += f" ({power_of_ten(value)})"
    line = f"published: {shown}, {published.origin}"
    if agrees(total, value):
        return f"{line}: the same"
    if unique is not None and agrees(unique, value):
        return f"{line}: as many as modulo leaves"
    reason = f": {published.why}" if published.why else ""
    return f"{line}\n  differs{reason}"
