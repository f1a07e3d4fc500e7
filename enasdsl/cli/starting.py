"""The command `new`: a space file to begin with."""

from __future__ import annotations

import re
from os.path import exists  # of a name that no file can have it is False
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import CommandError, UsageError


def new(
    name: Annotated[str, Parameter(help="Of the space, perhaps with a folder: models/first.")],
    /,
    *,
    kind: Annotated[
        Literal["cell", "macro", "rnn", "transformer"],
        Parameter(help="What is searched: a cell, whole layers, a recurrent cell, a transformer."),
    ] = "cell",
) -> int:
    """Write a starter file NAME.enas, with comments, that can be searched as it stands.

    A file that is there already is left alone.
    """
    from enasdsl.cli.starters import STARTERS

    path = Path(name.removesuffix(".enas") + ".enas")
    space = _space_name(path.stem)
    starter = STARTERS[kind]
    text = starter.text.replace("NAME", space)
    if exists(path):
        raise CommandError(f"`{path}` is there already, and is left as it was")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"`{path}` cannot be written: {error.strerror}") from error
    print(f"written to {path}; go on with")
    print(f"  enasdsl count {path}")
    print(f"  enasdsl search {path} --data {starter.data} --budget 2m")
    return 0


def _space_name(stem: str) -> str:
    """The name of the space in a file of this name; raises UsageError where there is none."""
    from enasdsl.pipeline import Compilation
    from enasdsl.source import SourceFile

    name = stem.replace("-", "_")
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is not None
    if plain and Compilation(SourceFile("", f"space {name}\ncell c(x) {{ x }}")).tree is not None:
        return name
    reason = "a word of the language" if plain else "no name: letters, digits and _, a letter first"
    raise UsageError(f"`{stem}` is {reason}")
