"""What can go wrong in a search, as one exception for the command line."""

from __future__ import annotations

from enasdsl.diagnostics import Diagnostic


class SearchError(Exception):
    """A mistake that the user can mend: what is wrong, how to go on, and where in a file."""

    def __init__(
        self, message: str, help: str = "", diagnostics: tuple[Diagnostic, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.diagnostics = diagnostics
