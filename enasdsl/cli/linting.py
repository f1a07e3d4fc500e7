"""The command `lint`: what is legal in a file and likely wrong."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import WRONG_INPUT
from enasdsl.cli.formatting import each_file
from enasdsl.cli.opening import show
from enasdsl.diagnostics.wording import several

Listed = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,  # for `-` itself
        help="Files, folders, names of shipped spaces, or - for standard input.",
    ),
]


def lint(*files: Listed, output: Literal["text", "json", "sarif"] = "text") -> int:
    """Say what is legal in files and likely wrong: what is never read, what is always true.

    The exit code is 1 where anything is found. A comment `# lint: allow W0701` allows a
    finding in its line or, alone in a line, in the next one.
    """
    from enasdsl.pipeline import Compilation

    names = [*each_file(files)]
    compilations = [Compilation.open(name) for name in names]
    found = [d for each in compilations for d in (*each.diagnostics, *each.findings)]
    if output != "text":
        show(found, output=output)
    else:
        if found:
            show(found, output="text")
        clean = "nothing found" if not found else f"{len(found)} found"
        print(f"{several(len(names), 'file')}: {clean}")
    return WRONG_INPUT if found else 0
