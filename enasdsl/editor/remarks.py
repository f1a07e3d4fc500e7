"""What a line of text is: its code, and the remark behind it or above it."""

from __future__ import annotations

import re

from enasdsl.source import SourceFile, Span

_CODE = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^#])*?(?=\s*(?:#|$))')


def code_length(line: str) -> int:
    """How long a line is without its remark and the blanks before it."""
    found = _CODE.match(line)
    return len(found[0]) if found else len(line)


def is_remark(source: SourceFile, offset: int) -> bool:
    """Whether `offset` stands behind the code of its line."""
    number, column = source.position(offset)
    line = source.line(number)
    code = code_length(line)
    return column - 1 > code and "#" in line[code : column - 1]


def head(span: Span) -> str:
    """The first line of a declaration, without what follows its brace and without its remark."""
    line = span.text.partition("\n")[0]
    text = line[: code_length(line)]
    return f"{text} ... }}" if text.endswith("{") else text


def remark(span: Span) -> str:
    """The remark that ends the line of a declaration, or those on the lines right above it."""
    source = span.source
    number, _ = source.position(span.start)
    line = source.line(number)
    if behind := line[code_length(line) :].strip():
        return behind.lstrip("#").strip()
    lines: list[str] = []
    while number > 1 and (above := source.line(number - 1).strip()).startswith("#"):
        lines.insert(0, above.lstrip("#").strip())
        number -= 1
    return " ".join(lines)
