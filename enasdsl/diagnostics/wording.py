"""Words that depend on a number."""

from __future__ import annotations

_PLURALS = {"child": "children", "class": "classes", "query": "queries"}


def several(count: int, noun: str) -> str:
    """A number of things, as in `1 class`, `2 random children` or `1,000 decisions`."""
    if count == 1:
        return f"1 {noun}"
    head, last = noun[: noun.rfind(" ") + 1], noun[noun.rfind(" ") + 1 :]
    return f"{count:,} {head}{_PLURALS.get(last, f'{last}s')}"
