"""Collecting what is wrong with a file, and guessing what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from enasdsl.diagnostics import Diagnostic, Fix, Label
from enasdsl.source import Span


class Problems:
    """The errors found so far; the same mistake at the same place is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int, int], Diagnostic] = {}

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        why: str,
        *,
        others: tuple[Label, ...] = (),
        help: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        """Notes one mistake: `message` is its headline, `why` stands below `span`."""
        found = Diagnostic(code, message, Label(span, why), others, help, fix)
        self.add((found,))

    def add(self, found: Iterable[Diagnostic]) -> None:
        """Notes diagnostics that another part made."""
        for item in found:
            span = item.label.span
            self._found.setdefault((item.code, span.source.name, span.start, span.stop), item)

    @property
    def all(self) -> tuple[Diagnostic, ...]:
        """The errors of one file after those of another, each file's from top to bottom."""
        files = list(dict.fromkeys(item.label.span.source.name for item in self._found.values()))
        return tuple(
            sorted(
                self._found.values(),
                key=lambda item: (files.index(item.label.span.source.name), item.label.span.start),
            )
        )

    def __len__(self) -> int:
        return len(self._found)


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `name`, or None where none is close."""
    candidates = sorted(set(known))
    if found := get_close_matches(name, candidates, n=1, cutoff=0.66):
        return found[0]
    same = [known for known in candidates if known.lower() == name.lower()]
    return same[0] if same else None


def suggest(name: str, span: Span, known: Iterable[str]) -> tuple[str | None, Fix | None]:
    """The help line and the fix that put the closest known name in the place of `name`."""
    meant = closest(name, known)
    if meant is None:
        return None, None
    return f"did you mean `{meant}`?", Fix(span, meant, f"write `{meant}`")
