"""The states of interrupted work: taken to the disk and back, and compared number by number."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


def reloaded(state: dict[str, Any]) -> dict[str, Any]:
    """A state as it comes back from the disk."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    found: dict[str, Any] = torch.load(file, weights_only=False)
    return found


def numbers(value: object) -> list[object]:
    """All that a state holds, in its order."""
    return list(_numbers(value))


def _numbers(value: object) -> Iterator[object]:
    match value:
        case Tensor():
            yield value.tolist()
        case dict():
            for key in value:
                yield key
                yield from _numbers(value[key])
        case list() | tuple():
            for item in value:
                yield from _numbers(item)
        case _:
            yield value
