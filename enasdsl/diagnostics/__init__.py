"""What can be said against a file: diagnostics as data, and the catalogue of their codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from enasdsl.diagnostics import choices, limits, lint, names, recipes, shapes, syntax
from enasdsl.diagnostics.diagnostic import Diagnostic, Fix, Label, Severity
from enasdsl.diagnostics.entry import Entry

__all__ = ["CATALOGUE", "Diagnostic", "Entry", "Fix", "Label", "Severity"]

CATALOGUE: Mapping[str, Entry] = MappingProxyType(
    {
        **syntax.ENTRIES,
        **names.ENTRIES,
        **shapes.ENTRIES,
        **choices.ENTRIES,
        **limits.ENTRIES,
        **recipes.ENTRIES,
        **lint.ENTRIES,
    }
)
"""Every code that a diagnostic can carry, in order."""
