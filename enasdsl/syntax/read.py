"""Reading a file from the disk: whatever is wrong with it is a diagnostic."""

from __future__ import annotations

import re
import stat
import sys
from difflib import get_close_matches
from pathlib import Path

from enasdsl.diagnostics import Diagnostic, Label
from enasdsl.source import SourceFile, Span, shipped

SIZE_LIMIT = 250_000  # bytes, a second of parsing; the shipped spaces have 6,000 at most

_NOTHING = re.compile(r"(?:\s|;|#[^\n]*)*")


def read(path: Path | str) -> tuple[SourceFile | None, tuple[Diagnostic, ...]]:
    """The text of a file, or of the standard input (`-`), or why there is none.

    Its only line break is `\\n`.
    """
    name = str(path)
    if name == "-":
        return _limited("<stdin>", sys.stdin.buffer.read(SIZE_LIMIT + 1))
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            return _refused("E0151", name, f"`{name}` is {kind}", "name an `.enas` file")
        if status.st_size > SIZE_LIMIT:
            return _too_large(name, status.st_size)
        with open(path, "rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return _refused("E0150", name, f"there is no file `{name}`", _meant(name))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _refused("E0152", name, f"`{name}` cannot be read: {reason.lower()}", None)
    return _limited(name, data)


def decode(name: str, data: bytes) -> tuple[SourceFile | None, tuple[Diagnostic, ...]]:
    """The source file of `data`, which must be UTF-8 without NUL bytes."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        source = _source(name, data.decode("utf-8", "replace"))
        at = len(_plain(before))
        line = source.position(at)[0]
        return None, (
            Diagnostic(
                "E0153",
                f"`{name}` is not UTF-8: byte {error.start} (line {line}) is "
                f"0x{data[error.start]:02X}",
                Label(Span(source, at, at + 1), "not UTF-8"),
                help="save the file in the encoding UTF-8",
            ),
        )
    source = _source(name, text)
    if (at := source.text.find("\0")) >= 0:
        label = Label(Span(source, at, at + 1), "a NUL character")
        message = f"`{name}` holds a NUL character in line {source.position(at)[0]}"
        advice = "is this a text file? save it as UTF-8, not as UTF-16"
        return None, (Diagnostic("E0155", message, label, help=advice),)
    return source, ()


def empty(source: SourceFile) -> Diagnostic | None:
    """Says that nothing stands in `source`, or only comments."""
    if not _NOTHING.fullmatch(source.text):
        return None
    return Diagnostic(
        "E0156",
        f"`{source.name}` holds no declarations",
        Label(Span(source, 0, 0), "nothing but blanks and comments" if source.text else "empty"),
        help="a file begins with `space my_space`",
    )


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _source(name: str, text: str) -> SourceFile:
    return SourceFile(name, _plain(text))


def _refused(
    code: str, name: str, message: str, advice: str | None
) -> tuple[None, tuple[Diagnostic, ...]]:
    label = Label(Span(SourceFile(name, ""), 0, 0), "")
    return None, (Diagnostic(code, message, label, help=advice),)


def _meant(name: str) -> str:
    """What somebody who named a file that is not there may have wanted."""
    known = (path.stem for path in shipped("spaces").glob("*.enas"))
    close = get_close_matches(name.removesuffix(".enas"), known, n=1)
    return f"did you mean the shipped space `{close[0]}`?" if close else "check the path"


def _limited(name: str, data: bytes) -> tuple[SourceFile | None, tuple[Diagnostic, ...]]:
    return _too_large(name, len(data)) if len(data) > SIZE_LIMIT else decode(name, data)


def _too_large(name: str, size: int) -> tuple[None, tuple[Diagnostic, ...]]:
    message = f"`{name}` has {size:,} bytes; a file may have {SIZE_LIMIT:,}"
    return _refused("E0154", name, message, "split it into files that `import` each other")
