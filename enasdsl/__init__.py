"""A language for neural-architecture search spaces, and efficient searches over them.

The names here are imported when they are first used, so that `import enasdsl` needs no torch;
whole searches stand in `enasdsl.search`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enasdsl.ir.count import count
    from enasdsl.ir.record import parse_record, to_token
    from enasdsl.ir.sample import rank, sample, unrank
    from enasdsl.ir.space import Architecture, Space
    from enasdsl.nn.child import Child
    from enasdsl.nn.controller import Controller
    from enasdsl.nn.supernet import Supernet
    from enasdsl.pipeline import Compilation

__all__ = [
    "Architecture",
    "Child",
    "Compilation",
    "Controller",
    "Space",
    "Supernet",
    "count",
    "parse_record",
    "rank",
    "sample",
    "to_token",
    "unrank",
]

_HOMES = {
    "Architecture": "ir.space",
    "Child": "nn.child",
    "Compilation": "pipeline",
    "Controller": "nn.controller",
    "Space": "ir.space",
    "Supernet": "nn.supernet",
    "count": "ir.count",
    "parse_record": "ir.record",
    "rank": "ir.sample",
    "sample": "ir.sample",
    "to_token": "ir.record",
    "unrank": "ir.sample",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
