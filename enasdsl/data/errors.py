"""The one exception of the data sets."""

from __future__ import annotations


class DataError(Exception):
    """A data set that cannot be used: what is wrong, and what the user can do about it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return f"{self.message}\n{self.help}" if self.help else self.message
