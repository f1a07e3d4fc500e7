"""The command `import`: architectures that others wrote down, as records."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import CommandError
from enasdsl.cli.opening import lowered, opened
from enasdsl.cli.options import Settings, pairs

if TYPE_CHECKING:
    from enasdsl.ir.notations import Foreign
    from enasdsl.ir.space import Architecture, Space

Format = Literal[
    "enas-rnn",
    "enas-lm",
    "enas-macro",
    "enas-micro",
    "carpedm20",
    "darts",
    "darts-rnn",
    "nasbench201",
]


Source = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,
        help="The text, a file with it, published/NAME, or - for standard input.",
    ),
]
Notation = Annotated[
    Format | None, Parameter(help="The notation; else the one that fits the text.")
]
SpaceFile = Annotated[
    str | None, Parameter(help="An .enas file or a shipped space; else the notation's own.")
]
Out = Annotated[
    str | None, Parameter(name=["-o", "--out"], help="Write the JSON record to this file.")
]


def import_(
    source: Source,
    /,
    *,
    format: Notation = None,
    space: SpaceFile = None,
    set: Settings = (),
    out: Out = None,
    output: Literal["text", "json"] = "text",
) -> int:
    """Import an architecture that others wrote in a notation of their own.

    Reads the strings of the authors of ENAS and of enas_lm, the dag of carpedm20,
    genotypes of DARTS, and strings of NAS-Bench-201. Prints its token, then the
    command that draws it.
    """
    from enasdsl.ir.notations import NotationError, read
    from enasdsl.ir.record import RecordError, to_json, to_token

    try:
        foreign = _published(source) or read(_text(source), format)
    except (NotationError, RecordError) as error:
        raise CommandError(f"this cannot be imported: {error}") from error
    file = space or foreign.space
    words = _settings(file, foreign, set)
    loaded, architecture = _fitted(file, words, foreign, output)
    record = json.dumps(to_json(loaded, architecture), indent=2, ensure_ascii=False)
    if out is not None:
        _write(Path(out), record + "\n")
    if output == "json":
        print(record)
        return 0
    token = to_token(architecture)
    print(f"{token}\nlook at it with")
    command = ["enasdsl", "show", file, *(w for s in words for w in ("--set", s))]
    print(f"  {shlex.join([*command, '--arch', out or token])}")
    return 0


def _published(source: str) -> Foreign | None:
    from enasdsl.ir.published import PREFIX, published

    if not source.startswith(PREFIX) or Path(source).is_file():
        return None
    return published(source).read()


def _text(source: str) -> str:
    """What was typed, or what stands in the file that it names."""
    if source == "-":
        return sys.stdin.read()
    try:
        path = Path(source)
        return path.read_text("utf-8") if path.is_file() else source
    except UnicodeDecodeError as error:
        raise CommandError(f"`{source}` is no text: {error}") from error
    except OSError:
        return source  # too long for a file's name


def _settings(file: str, foreign: Foreign, typed: tuple[str, ...]) -> tuple[str, ...]:
    """What is to be set: the architecture's params where the file has others, then what was typed.

    A param that the file lacks is left out: its architectures may have one size only.
    """
    from enasdsl.pipeline import Compilation

    checked = Compilation.open(file).checked
    known = {} if checked is None else checked.params
    found = {n: v for n, v in foreign.params.items() if n in known and str(known[n]) != v}
    return tuple(f"{name}={value}" for name, value in {**found, **pairs(typed)}.items())


def _fitted(
    file: str, settings: tuple[str, ...], foreign: Foreign, output: str
) -> tuple[Space, Architecture]:
    from enasdsl.ir.named import fitted
    from enasdsl.ir.record import RecordError

    space = lowered(opened(file, settings), output=output)
    try:
        return space, fitted(space, foreign, "the architecture")
    except RecordError as error:
        raise CommandError(f"it is no architecture of `{file}`: {error}") from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"`{path}` cannot be written: {error.strerror}") from error
