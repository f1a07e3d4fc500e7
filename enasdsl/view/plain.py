"""Any value of the compiler as plain data, and as an outline of lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum

from enasdsl.source import SourceFile, Span


def plain(value: object) -> object:
    """The value as JSON can say it; a record has its kind, a span its line and column."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Enum():
            return value.value
        case SourceFile():
            return value.name
        case Span():
            line, column = value.position
            return {"line": line, "column": column, "length": value.stop - value.start}
        case Mapping():
            return {str(k): plain(v) for k, v in value.items()}
        case Set():
            return sorted(map(plain, value), key=repr)
        case Sequence():
            return [plain(v) for v in value]
        case _ if is_dataclass(value):
            found = {f.name: plain(getattr(value, f.name)) for f in fields(value)}
            return {"kind": type(value).__name__, **found}
        case _:
            return str(value)


def outline(value: object, *, depth: int = 0, label: str = "") -> Iterator[str]:
    """A record as lines: its kind, where it stands in the file, and its parts below it."""
    margin = "  " * depth + (f"{label}: " if label else "")
    if not is_dataclass(value):
        yield f"{margin}{_short(value)}"
        return
    parts = {f.name: getattr(value, f.name) for f in fields(value)}
    span = parts.pop("span", None)
    place = ":".join(map(str, span.position)) if isinstance(span, Span) else ""
    small = {k: v for k, v in parts.items() if not _has_parts(v) and v is not None and v != ()}
    words = " ".join(f"{_short(v)}" if k in _MAIN else f"{k}={_short(v)}" for k, v in small.items())
    yield f"{margin}{type(value).__name__} {words}".rstrip() + (f"  {place}" if place else "")
    for name, part in parts.items():
        if not _has_parts(part):
            continue
        for member in part if isinstance(part, tuple) else (part,):
            yield from outline(member, depth=depth + 1, label=name)


_MAIN = {"name", "text", "value", "operator"}
"""The fields that say what a record is, and need no name."""


def _has_parts(value: object) -> bool:
    if isinstance(value, tuple):
        return any(map(_has_parts, value)) or any(map(is_dataclass, value))
    return is_dataclass(value) and not _is_name(value)


def _is_name(value: object) -> bool:
    return {f.name for f in fields(value)} <= {"text", "span"}  # type: ignore[arg-type]


def _short(value: object) -> str:
    if is_dataclass(value):
        return str(getattr(value, "text", type(value).__name__))
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_short, value)) + ")"
    return repr(value) if isinstance(value, str) and not value.isidentifier() else str(value)
