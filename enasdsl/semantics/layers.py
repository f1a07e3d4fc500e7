"""Settings laid over settings."""

from __future__ import annotations

from collections.abc import Mapping


def overlay(settings: Mapping[str, object], overrides: Mapping[str, object]) -> dict[str, object]:
    """`settings` with `overrides` put over them section by section, dotted keys unfolded."""
    merged: dict[str, object] = {}
    for key, value in [*settings.items(), *overrides.items()]:
        head, _, rest = key.partition(".")
        if rest:
            value = {rest: value}
        if isinstance(value, Mapping):
            below = merged.get(head)
            value = overlay(below if isinstance(below, Mapping) else {}, value)
        merged[head] = value
    return merged
