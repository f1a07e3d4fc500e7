"""Recipes that the schema accepted before, remembered in the user's cache.

The schema is a third of the time in which a small file is checked, nearly all of it for the
start of its library, and most files are checked with the recipes of the time before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from enasdsl.source import cache_folder

SCHEMA = ("recipe.py", "training.py", "beside.py")
"""The modules that make the schema."""

LONGEST = 65_536
"""The bytes after which the file of digests begins anew."""


def is_accepted(settings: Mapping[str, object]) -> bool:
    """Whether the schema, as it now is, was seen to accept these settings."""
    try:
        return _digest(settings) in _file().read_text("ascii").split()
    except (OSError, ValueError):
        return False


def accept(settings: Mapping[str, object]) -> None:
    """Remembers settings in which the schema found no mistake, where the cache can be written."""
    with suppress(OSError):
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        full = path.exists() and path.stat().st_size > LONGEST
        with path.open("w" if full else "a", encoding="ascii") as file:
            file.write(f"{_digest(settings)}\n")


def _file() -> Path:
    return cache_folder() / "recipes"


def _digest(settings: Mapping[str, object]) -> str:
    said = json.dumps(settings, sort_keys=True, default=repr)
    return hashlib.sha256(_schema() + said.encode()).hexdigest()[:32]


@cache
def _schema() -> bytes:
    """What tells this schema from others: its own text."""
    return b"".join(Path(__file__).with_name(name).read_bytes() for name in SCHEMA)
