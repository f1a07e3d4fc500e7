"""Rewards from a file: what others measured of the architectures of a space."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enasdsl.ir.record import RecordError, from_json, from_token
from enasdsl.ir.space import Architecture, Kind, Space
from enasdsl.search.errors import SearchError

KEYS = ("architecture", "token", "choices")
"""The keys, or columns, of an entry that say which architecture it is about."""

Numbers = dict[str, float]


@dataclass(slots=True)
class Table:
    """Numbers by architecture; where several are of one class, any of them speaks for it.

    `names` are those of the first entry, in its order.
    """

    path: Path
    rows: dict[Architecture, Numbers]
    key: Callable[[Architecture], str]
    _classes: dict[str, Numbers] = field(default_factory=dict, init=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(next(iter(self.rows.values())))

    def numbers(self, architecture: Architecture) -> Numbers | None:
        """What the table says of an architecture, or of another of its class."""
        found = self.rows.get(architecture)
        if found is None:
            if not self._classes:
                self._classes = {self.key(a): numbers for a, numbers in self.rows.items()}
            found = self._classes.get(self.key(architecture))
        return found


def read_table(path: Path, space: Space, key: Callable[[Architecture], str]) -> Table:
    """A table in CSV, JSON or lines of JSON; raises SearchError.

    An architecture is a token, the picks of one (`0.2.1`, or `021` where each is one digit), or
    the `choices` of a record. Of an entry the numbers count, and whatever else it has is passed
    over; an entry that is a number is the reward.
    """
    try:
        text = path.read_text("utf-8")
        entries = _csv(text) if path.suffix.lower() == ".csv" else _json(text)
        rows: dict[Architecture, Numbers] = {}
        for words, entry in entries:
            rows[_architecture(space, words)] = _numbers(entry)
    except (OSError, UnicodeDecodeError) as error:
        raise SearchError(f"the table {path} cannot be read: {error}") from error
    except ValueError as error:
        raise SearchError(
            f"the table {path} does not fit: {error}",
            f"an entry says what it is about by a token, its picks, or {', '.join(KEYS)}",
        ) from error
    if not rows or not next(iter(rows.values())):
        raise SearchError(f"the table {path} holds no number")
    return Table(path, rows, key)


def _csv(text: str) -> Iterator[tuple[object, Mapping[str, object]]]:
    for row in csv.DictReader(io.StringIO(text)):
        yield _subject(row), {name: _number(word) for name, word in row.items()}


def _number(word: object) -> object:
    try:
        return float(str(word))
    except ValueError:
        return word


def _json(text: str) -> Iterator[tuple[object, object]]:
    try:
        value = json.loads(text)
    except ValueError:
        value = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(value, list):
        yield from ((_subject(entry), entry) for entry in value)
    elif isinstance(value, dict):
        yield from value.items()
    else:
        raise ValueError("it is neither an object nor a list")


def _subject(entry: Any) -> object:
    """What says the architecture of an entry; raises ValueError where nothing does."""
    for key in KEYS:
        if isinstance(entry, dict) and entry.get(key) is not None:
            return entry[key]
    raise ValueError(f"{str(entry)[:60]} does not say its architecture")


def _numbers(entry: object) -> Numbers:
    if isinstance(entry, int | float) and not isinstance(entry, bool):
        return {"reward": float(entry)}
    if not isinstance(entry, Mapping):
        raise ValueError(f"{str(entry)[:60]} is neither a number nor an object of numbers")
    return {
        str(name): float(value)
        for name, value in entry.items()
        if name not in KEYS and isinstance(value, int | float) and not isinstance(value, bool)
    }


def _architecture(space: Space, words: object) -> Architecture:
    """The architecture that an entry is about; raises RecordError, a ValueError."""
    if isinstance(words, str) and words.lstrip().startswith("{"):
        words = json.loads(words)
    if isinstance(words, Mapping):
        if "choices" in words:
            return from_json(space, dict(words))
        return from_json(space, {"space": space.name, "hash": space.hash, "choices": dict(words)})
    if not isinstance(words, str):
        raise RecordError(f"{words!r} is no architecture")
    if ":" not in words:
        words = f"{space.name}:{space.hash}:{_dotted(space, words)}"
    return from_token(space, words)


def _dotted(space: Space, picks: str) -> str:
    """The picks of a token, apart by dots, where each may be a digit beside the next."""
    short = all(d.domain.kind is Kind.ONE and d.domain.size <= 10 for d in space.decisions)
    return ".".join(picks) if short and len(picks) == len(space.decisions) else picks
