"""Diagnostics as code frames for people, and as JSON and SARIF for machines."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from urllib.parse import quote

from enasdsl.diagnostics import CATALOGUE, Diagnostic, Fix, Label, Severity
from enasdsl.source import SourceFile, Span

TAB = 4
WIDEST = 160  # columns of a source line that are shown

Json = dict[str, object]

_STYLES = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "frame": "\x1b[1;34m",
    "bold": "\x1b[1m",
}
_RESET = "\x1b[0m"


def render(diagnostics: Sequence[Diagnostic], *, color: bool) -> str:
    """The diagnostics as code frames, a blank line between two of them."""
    return "\n".join("\n".join(_frame(each, color=color)) + "\n" for each in diagnostics)


# ------------------------------------------------------------------------------ code frames


@dataclass(frozen=True, slots=True)
class _Mark:
    """The part of a label that lies in one line: display columns `start` to `stop`, from 0."""

    start: int
    stop: int
    sign: str
    text: str


def _frame(diagnostic: Diagnostic, *, color: bool) -> Iterator[str]:
    def paint(text: str, style: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if color and text else text

    kind = diagnostic.severity.value
    message = _visible(diagnostic.message)
    yield f"{paint(f'{kind}[{diagnostic.code}]', kind)}{paint(f': {message}', 'bold')}"
    labels = (diagnostic.label, *diagnostic.others)
    width = len(str(max(_lines(label.span)[-1] for label in labels)))
    margin = " " * (width + 2)
    for number, source in enumerate(_sources(labels)):
        first = next(label for label in labels if label.span.source == source)
        arrow = "-->" if number == 0 else ":::"
        place = _visible(source.name) + (_position(first.span) if source.text else "")
        yield f"{margin[1:]}{paint(arrow, 'frame')} {place}"
        if not source.text:
            continue
        yield f"{margin}{paint('|', 'frame')}"
        marks = _marks(labels, source, primary=diagnostic.label)
        last = None
        for line in sorted(marks):
            if last is not None and line > last + 1:
                yield paint("...", "frame")
            last = line
            text, shown = _crop(_expand(source.line(line)), marks[line])
            yield f"{paint(f' {line:>{width}} |', 'frame')} {text}".rstrip()
            for row in _rows(shown):
                style = kind if "^" in row else "frame"
                yield f"{margin}{paint('|', 'frame')} {paint(row, style)}"
    if diagnostic.help:
        yield f"{margin}{paint('=', 'frame')} {paint('help', 'bold')}: {_visible(diagnostic.help)}"


def _sources(labels: Sequence[Label]) -> list[SourceFile]:
    """The files of the labels, each once, the primary label's first."""
    return list({id(label.span.source): label.span.source for label in labels}.values())


def _position(span: Span) -> str:
    line, column = span.position
    return f":{line}:{column}"


def _lines(span: Span) -> range:
    """The numbers of the lines that `span` touches."""
    last = max(span.start, span.stop - 1)
    return range(span.position[0], span.source.position(last)[0] + 1)


def _marks(
    labels: Sequence[Label], source: SourceFile, *, primary: Label
) -> dict[int, list[_Mark]]:
    """What is to be underlined in each line; of a long span the first and the last line."""
    marks: dict[int, list[_Mark]] = {}
    for label in labels:
        if label.span.source != source:
            continue
        lines = _lines(label.span)
        for line in sorted({lines[0], lines[-1]}):
            start, stop = _columns(label.span, line)
            text = _visible(label.text) if line == lines[-1] else ""
            mark = _Mark(start, stop, "^" if label is primary else "-", text)
            marks.setdefault(line, []).append(mark)
    return marks


def _columns(span: Span, line: int) -> tuple[int, int]:
    """The display columns of `span` in `line`, at least one wide."""
    text = span.source.line(line)
    begin = span.source.line_starts[line - 1]
    blank = len(text) - len(text.lstrip())
    first = span.start - begin if span.start >= begin else blank
    last = min(span.stop - begin, len(text))
    stops = _stops(text)
    return stops[first], max(stops[first] + 1, stops[last])


@lru_cache(maxsize=64)  # a long line may have thousands of mistakes
def _expand(text: str) -> str:
    """`text` with tabs as blanks and control characters made visible."""
    if text.isascii() and text.isprintable():
        return text
    widths = pairwise(_stops(text))
    return "".join(
        " " * (stop - start) if character == "\t" else _visible(character)
        for character, (start, stop) in zip(text, widths, strict=True)
    )


@lru_cache(maxsize=64)
def _stops(text: str) -> Sequence[int]:
    """The columns on a terminal at which the characters of a line begin, and that of its end."""
    if text.isascii() and text.isprintable():
        return range(len(text) + 1)
    stops = [0]
    for character in text:
        column = stops[-1]
        stops.append(column + (TAB - column % TAB if character == "\t" else _width(character)))
    return stops


def _width(character: str) -> int:
    if unicodedata.combining(character) or character in "\u200b\ufeff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _visible(text: str) -> str:
    """`text` without characters that would act on the terminal."""
    if text.isprintable():
        return text
    kept = ("\u200b", "\ufeff")
    return "".join(
        c if c.isprintable() else "" if c in kept else " " if c.isspace() else "\ufffd"
        for c in text
    )


def _crop(text: str, marks: list[_Mark]) -> tuple[str, list[_Mark]]:
    """The part of an overlong line around its first mark."""
    if len(text) <= WIDEST:
        return text, marks
    left = max(0, min(mark.start for mark in marks) - WIDEST // 3)
    shown = text[left : left + WIDEST]
    if left:
        shown = "…" + shown[1:]
    if left + WIDEST < len(text):
        shown = shown[:-1] + "…"
    inside = [
        _Mark(mark.start - left, min(mark.stop - left, WIDEST), mark.sign, mark.text)
        for mark in marks
        if mark.start - left < WIDEST
    ]
    return shown, inside


def _rows(marks: list[_Mark]) -> Iterator[str]:
    """The lines below a source line: the underlines, then the labels, rightmost first."""
    order = sorted(marks, key=lambda mark: (mark.start, mark.sign == "^"))
    under = [" "] * max(mark.stop for mark in order)
    for mark in order:
        under[mark.start : mark.stop] = mark.sign * (mark.stop - mark.start)
    last = order[-1]
    overlapped = any(mark.stop > last.start for mark in order[:-1])
    inline = last if last.text and not overlapped else None
    yield "".join(under) + (f" {inline.text}" if inline else "")
    below = [mark for mark in order if mark.text and mark is not inline]
    if below:
        yield _bars(below)
    while below:
        mark = below.pop()
        bars = _bars([other for other in below if other.start < mark.start])
        yield bars.ljust(mark.start) + mark.text


def _bars(marks: Sequence[_Mark]) -> str:
    row = [" "] * (max((mark.start for mark in marks), default=-1) + 1)
    for mark in marks:
        row[mark.start] = "|"
    return "".join(row)


# --------------------------------------------------------------------------------- machines


def to_json(diagnostics: Sequence[Diagnostic]) -> list[Json]:
    """The diagnostics as plain data; lines and columns count from 1, ends are exclusive."""
    return [
        {
            "code": each.code,
            "severity": each.severity.value,
            "message": each.message,
            **_place(each.label.span),
            "labels": [
                {**_place(label.span), "text": label.text, "primary": label is each.label}
                for label in (each.label, *each.others)
            ],
            "help": each.help,
            "fix": _fix(each.fix),
        }
        for each in diagnostics
    ]


def _place(span: Span) -> Json:
    line, column = span.position
    end_line, end_column = span.source.position(span.stop)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _fix(fix: Fix | None) -> Json | None:
    if fix is None:
        return None
    return {**_place(fix.span), "replacement": fix.replacement, "text": fix.text}


def to_sarif(diagnostics: Sequence[Diagnostic]) -> Json:
    """The diagnostics as a SARIF 2.1.0 log."""
    codes = sorted({each.code for each in diagnostics})
    driver = {"name": "enasdsl", "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes.index(each.code)) for each in diagnostics],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }


def _rule(code: str) -> Json:
    if code not in CATALOGUE:
        return {"id": code}
    entry = CATALOGUE[code]
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.explanation},
    }


def _result(diagnostic: Diagnostic, rule: int) -> Json:
    level = "error" if diagnostic.severity is Severity.ERROR else "warning"
    advice = f"\n{diagnostic.help}" if diagnostic.help else ""
    result: Json = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": level,
        "message": {"text": diagnostic.message + advice},
        "locations": [_location(diagnostic.label)],
    }
    if diagnostic.others:
        result["relatedLocations"] = [_location(label) for label in diagnostic.others]
    if diagnostic.fix:
        result["fixes"] = [_sarif_fix(diagnostic.fix)]
    return result


def _location(label: Label) -> Json:
    location: Json = {"physicalLocation": _physical(label.span)}
    if label.text:
        location["message"] = {"text": label.text}
    return location


def _physical(span: Span) -> Json:
    place: Json = {"artifactLocation": _artifact(span)}
    return {**place, "region": _region(span)} if span.source.text else place


def _artifact(span: Span) -> Json:
    return {"uri": quote(span.source.name.replace("\\", "/"))}


def _region(span: Span) -> Json:
    line, column = span.position
    end_line, end_column = span.source.position(span.stop)
    return {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    }


def _sarif_fix(fix: Fix) -> Json:
    replacement = {
        "deletedRegion": _region(fix.span),
        "insertedContent": {"text": fix.replacement},
    }
    change = {"artifactLocation": _artifact(fix.span), "replacements": [replacement]}
    return {"description": {"text": fix.text}, "artifactChanges": [change]}
