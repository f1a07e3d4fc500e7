"""The command `fmt`: files in the look of the language."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from enasdsl.cli.ending import INTERNAL, WRONG_INPUT, UsageError, say_error
from enasdsl.cli.opening import show
from enasdsl.diagnostics.wording import several

Listed = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,  # for `-` itself
        help="Files; folders, for every .enas file in them; - for standard input.",
    ),
]


def fmt(*files: Listed, check: bool = False, diff: bool = False) -> int:
    """Format files: the same meaning and comments, in the look of the shipped spaces.

    A file is written only when its look changes, and - goes to standard output. The exit code
    is 1 where a file has mistakes.

    Parameters
    ----------
    check
        Write nothing; the exit code is 1 where something would change.
    diff
        Write nothing, and show what would change.
    """
    names = [*each_file(files)]
    ways = _Ways(check=check, diff=diff, quiet=diff or names == ["-"])
    outcomes = Counter(_format(name, ways) for name in names)
    if not ways.quiet:
        print(_summary(outcomes, ways))
    if outcomes["unproven"]:
        return INTERNAL
    wrong = outcomes["mistaken"] or (check and outcomes["changed"])
    return WRONG_INPUT if wrong else 0


def each_file(names: tuple[str, ...]) -> Iterator[str]:
    """The files that were named, each once, and those in the folders that were."""
    if not names:
        raise UsageError("name a file or a folder, or - for standard input")
    seen: set[str] = set()
    for name in names:
        if name.startswith("-") and name != "-":
            raise UsageError(f"there is no option `{name}`")
        for found in _inside(Path(name)) if os.path.isdir(name) else [name]:
            real = os.path.realpath(found)
            if real not in seen:
                seen.add(real)
                yield found


def _inside(folder: Path) -> list[str]:
    """The `.enas` files below a folder, those in hidden folders left out."""
    found = [
        str(path)
        for path in sorted(folder.rglob("*.enas"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise UsageError(f"there is no .enas file in the folder `{folder}`")
    return found


@dataclass(frozen=True, slots=True)
class _Ways:
    check: bool
    diff: bool
    quiet: bool

    @property
    def keeps(self) -> bool:
        """Whether nothing is written."""
        return self.check or self.diff


def _format(name: str, ways: _Ways) -> str:
    """Formats one file: `same`, `changed`, `mistaken` or `unproven`."""
    from enasdsl.syntax.format import Unproven, format_source
    from enasdsl.syntax.read import read

    source, diagnostics = read(name)
    if source is None:
        advice = "`fmt` takes files and folders, not the names of shipped spaces"
        shown = [replace(d, help=advice) if d.code == "E0150" else d for d in diagnostics]
        show(shown, output="text")
        return "mistaken"
    try:
        text, diagnostics = format_source(source)
    except Unproven as error:
        say_error(f"`{name}` was left as it is: {error}", kind="internal error")
        print("  this is a mistake in enasdsl, and the file shows it", file=sys.stderr)
        return "unproven"
    if text is None:
        show(diagnostics, output="text")
        return "mistaken"
    return _keep(name, source.text, text, ways)


def _keep(name: str, before: str, text: str, ways: _Ways) -> str:
    """Writes or shows the formatted text of one file."""
    if ways.diff:
        old, new = before.splitlines(keepends=True), text.splitlines(keepends=True)
        sys.stdout.writelines(unified_diff(old, new, name, f"{name} (formatted)"))
    if name == "-":
        if not ways.keeps:
            sys.stdout.write(text)
        return "same" if text == before else "changed"
    if text == before:
        return "same"
    if not ways.keeps:
        try:
            _write(Path(os.path.realpath(name)), text)
        except OSError as error:
            say_error(f"`{name}` cannot be written: {(error.strerror or str(error)).lower()}")
            return "mistaken"
    if not ways.quiet:
        print(f"{'would change' if ways.keeps else 'formatted'} {name}")
    return "changed"


def _write(path: Path, text: str) -> None:
    """Replaces the file at once, its mode and its kind of line break kept."""
    if path.read_bytes().partition(b"\n")[0].endswith(b"\r"):
        text = text.replace("\n", "\r\n")
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        shutil.copymode(path, beside)
        os.replace(beside, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside)
        raise


def _summary(outcomes: Counter[str], ways: _Ways) -> str:
    said = {
        "changed": "would change" if ways.keeps else "formatted",
        "same": "as it should be",
        "mistaken": "with mistakes",
        "unproven": "left as it was",
    }
    parts = [f"{outcomes[key]} {word}" for key, word in said.items() if outcomes[key]]
    return f"{several(outcomes.total(), 'file')}: {', '.join(parts)}"
