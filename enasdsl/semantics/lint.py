"""What is legal in a file and likely wrong; a comment allows it where it is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from enasdsl.diagnostics import CATALOGUE, Diagnostic, Fix
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.imports import Importer, Load, join
from enasdsl.semantics.problems import Problems
from enasdsl.semantics.settled import settled
from enasdsl.semantics.unused import unused, warning
from enasdsl.source import Span
from enasdsl.syntax.scan import Comment, comments

_ALLOW = re.compile(r"#[^\n]*?\blint:\s*allow\b\s*(?P<codes>[A-Z]\d+(?:[\s,]+[A-Z]\d+\b)*)?")
_CODE = re.compile(r"[A-Z]\d+")
_NOTHING = re.compile(r"\s*(?:#.*)?")


def lint(checked: Checked, *, load: Load) -> tuple[Diagnostic, ...]:
    """The findings in a sound file itself, from top to bottom, imported files left out."""
    tree = checked.tree
    if tree is None:
        return ()
    unit = Importer(load, Problems()).unit(tree, Path(tree.source.name).resolve())
    found = [*unused(unit), *settled(tree, join(unit, Problems()))]
    allowances = [each for comment in comments(tree.source) for each in _allowances(comment)]
    kept = [*_kept(found, allowances), *_idle(found, allowances)]
    return tuple(sorted(kept, key=lambda each: (each.label.span.start, each.code)))


@dataclass(frozen=True, slots=True)
class _Allowance:
    """A code, or "" for none, that a comment allows in a line."""

    code: str
    line: int
    span: Span
    whole: Span | None  # what goes away with it; None where the comment says more


def _allowances(comment: Comment) -> Iterator[_Allowance]:
    found = _ALLOW.match(comment.text)
    if found is None:
        return
    source, start = comment.span.source, comment.span.start
    line = source.position(start)[0]
    if not source.line(line)[: source.position(start)[1] - 1].strip():
        line = _next_line(comment, line)
    whole = comment.span if re.match(r"#\s*lint:", comment.text) else None
    if not found["codes"]:
        yield _Allowance("", line, Span(source, start, start + len(found[0].rstrip())), whole)
        return
    codes = [*_CODE.finditer(comment.text, found.start("codes"), found.end("codes"))]
    for code in codes:
        span = Span(source, start + code.start(), start + code.end())
        yield _Allowance(code[0], line, span, whole if len(codes) == 1 else span)


def _next_line(comment: Comment, line: int) -> int:
    """The first line below that holds more than a comment."""
    source = comment.span.source
    below = range(line + 1, len(source.line_starts) + 1)
    return next((n for n in below if not _NOTHING.fullmatch(source.line(n))), line)


def _kept(found: Sequence[Diagnostic], allowances: Sequence[_Allowance]) -> Iterator[Diagnostic]:
    allowed = {(each.code, each.line) for each in allowances}
    return (f for f in found if (f.code, f.label.span.position[0]) not in allowed)


def _idle(found: Sequence[Diagnostic], allowances: Sequence[_Allowance]) -> Iterator[Diagnostic]:
    """What is said of comments that allow nothing."""
    used = {(each.code, each.label.span.position[0]) for each in found}
    for allowance in allowances:
        if (allowance.code, allowance.line) in used:
            continue
        message, why = "this allows nothing", f"line {allowance.line} has no {allowance.code}"
        if not allowance.code:
            why = "a code must follow, as in `# lint: allow W0701`"
        elif allowance.code not in CATALOGUE or not allowance.code.startswith("W07"):
            why = "only the codes W0701 to W0711 can be allowed"
        yield warning(
            "W0711",
            message,
            allowance.span,
            why,
            help="take it away",
            fix=Fix(allowance.whole, "", "take it away") if allowance.whole else None,
        )
