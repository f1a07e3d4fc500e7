"""From what was typed to a compiled space, with every complaint on the way shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from enasdsl.cli.ending import Reported, UsageError, say_error
from enasdsl.cli.options import pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enasdsl.diagnostics import Diagnostic
    from enasdsl.ir.space import Space
    from enasdsl.pipeline import Compilation
    from enasdsl.search import SearchError


def opened(file: str, settings: tuple[str, ...]) -> Compilation:
    """The compilation of a file, of a shipped space, or of standard input (`-`)."""
    from enasdsl.pipeline import Compilation

    if file.startswith("-") and file != "-":
        raise UsageError(f"there is no option `{file}`")
    return Compilation.open(file, overrides=pairs(settings))


def lowered(compilation: Compilation, *, output: str) -> Space:
    """The space of a compilation, its warnings shown; raises Reported where it has mistakes."""
    space = compilation.outline
    if space is None:
        show(compilation.diagnostics, output=output)
        raise Reported
    if compilation.diagnostics:
        show(compilation.diagnostics, output="text")
    return space


def show(diagnostics: Sequence[Diagnostic], *, output: str) -> None:
    """Diagnostics for a person on standard error, for a machine on standard output."""
    from enasdsl import report

    match output:
        case "text":
            print(report.render(diagnostics, color=_colours()), end="", file=sys.stderr)
        case "sarif":
            print(json.dumps(report.to_sarif(diagnostics), indent=2))
        case "jsonl":
            for fact in report.to_json(diagnostics):
                print(json.dumps(fact))
        case _:
            print(json.dumps({"diagnostics": report.to_json(diagnostics)}, indent=2))


def _colours() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


@contextmanager
def mistakes() -> Iterator[None]:
    """Shows what a search cannot do as any other mistake of the user's."""
    from enasdsl.search import SearchError

    try:
        yield
    except SearchError as error:
        raise _shown(error) from error


def _shown(error: SearchError) -> Exception:
    if error.diagnostics:
        show(error.diagnostics, output="text")
        return Reported()
    say_error(error.message)
    if error.help:
        from rich.console import Console

        Console(stderr=True, highlight=False, soft_wrap=True).print(f"  {error.help}", markup=False)
    return Reported()
