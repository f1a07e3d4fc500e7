"""The codes for names, arguments and values: E02xx."""

from __future__ import annotations

from enasdsl.diagnostics.entry import Entry

ENTRIES: dict[str, Entry] = {}
