"""What can be said against a file: diagnostics as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from enasdsl.source import Span


class Severity(Enum):
    """How much a diagnostic matters; only errors stop a compilation."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place in a file and what is to be said of it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A replacement of the text of `span` that mends the file."""

    span: Span
    replacement: str
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: its code, what is wrong, where, why, and how to mend it."""

    code: str
    message: str
    label: Label
    others: tuple[Label, ...] = ()
    help: str | None = None
    fix: Fix | None = None
    severity: Severity = Severity.ERROR
