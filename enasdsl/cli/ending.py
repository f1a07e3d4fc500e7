"""How a command ends when it cannot do what it was asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence

WRONG_INPUT = 1
USAGE = 2
INTERNAL = 3


class CommandError(Exception):
    """A command that ends with a message: what was read is wrong."""

    code = WRONG_INPUT


class UsageError(CommandError):
    """A command that was typed wrongly."""

    code = USAGE


class Reported(Exception):
    """A command that ends because of mistakes that were already shown."""


def say_error(message: str, *, kind: str = "error") -> None:
    """Writes `error: message` on standard error, in colour on a terminal."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[bold red]{kind}[/]:", end=" ")
    console.print(message, markup=False)


def installed_version() -> str:
    """The version of the installed package."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and few ask

    try:
        return version("enasdsl")
    except PackageNotFoundError:
        return "(not installed)"


def internal_error(error: Exception, given: Sequence[str]) -> int:
    """Puts the traceback into a file of its own and says where."""
    import platform
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="enasdsl-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"enasdsl {installed_version()}, Python {platform.python_version()}, ")
        file.write(f"{platform.platform()}\ncommand: {' '.join(given)}\n\n")
        traceback.print_exception(error, file=file)
    summary = " ".join(str(error).split())[:200]
    say_error(f"{type(error).__name__}: {summary}", kind="internal error")
    print(f"  this is a mistake in enasdsl; the traceback is in {file.name}", file=sys.stderr)
    return INTERNAL
