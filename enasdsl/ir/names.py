"""Readable names that stay the same however often a place in a file is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from enasdsl.source import Span

Key: TypeAlias = tuple[object, ...]


def at(span: Span, *extra: object) -> Key:
    """What identifies a place in the text, and `extra` which evaluation of it is meant."""
    return (span.source.name, span.start, span.stop, *extra)


@dataclass(slots=True)
class Namer:
    """Hands out names unique among their siblings; the same key gets the same name again."""

    _names: dict[Key, str] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)  # of each name, the last one given

    def name(self, key: Key, wanted: str) -> str:
        known = self._names.get(key)
        if known is not None:
            return known
        name, number = wanted, self._numbers.get(wanted, 1)
        while name in self._numbers:
            number += 1
            name = f"{wanted}{'_' * wanted[-1:].isdigit()}{number}"
        self._numbers[wanted] = number
        self._numbers.setdefault(name, 1)
        self._names[key] = name
        return name


@dataclass(slots=True, eq=False)
class Scope:
    """A stretch of evaluation that gives the decisions in it a common path.

    Its own name is claimed only when the first decision in it needs one.
    """

    parent: Scope | None = None
    key: Key = ()
    wanted: str = ""
    _decisions: Namer = field(default_factory=Namer)
    _scopes: Namer = field(default_factory=Namer)
    _children: dict[Key, Scope] = field(default_factory=dict)
    _path: str | None = None

    @property
    def path(self) -> str:
        """The dotted path, empty for the whole file."""
        if self.parent is None:
            return ""
        if self._path is None:
            self._path = self.parent._join(self.parent._scopes.name(self.key, self.wanted))
        return self._path

    @property
    def home(self) -> str:
        """The name of the cell in which this scope is, empty outside cells."""
        scope = self
        while scope.parent is not None and scope.parent.parent is not None:
            scope = scope.parent
        return scope.wanted if scope.key[:1] == ("cell",) else ""

    def decision(self, key: Key, wanted: str) -> str:
        """The path of a decision called `wanted` in this scope."""
        return self._join(self._decisions.name(key, wanted))

    def _join(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def child(self, key: Key, wanted: str) -> Scope:
        """The scope inside this one that `key` identifies, made at its first mention."""
        if key not in self._children:
            self._children[key] = Scope(self, key, wanted)
        return self._children[key]


Place: TypeAlias = tuple[tuple[str, str], ...]
"""Where an operation stands: (kind, name) from the outside in; `share` leaves kinds out."""


def place_text(place: Place) -> str:
    """A place as one word; `//` at its head says that all stamps of the cell share it."""
    return "/".join(name for _, name in place)


@dataclass(slots=True)
class Places:
    """The places of one body: where its operations stand and hold their weights."""

    _namers: dict[Place, Namer] = field(default_factory=dict)

    def enter(self, place: Place, kind: str, key: Key, wanted: str) -> Place:
        """The place called `wanted` inside `place`."""
        name = self._namers.setdefault(place, Namer()).name(key, wanted.replace(" ", ""))
        return (*place, (kind, name))
