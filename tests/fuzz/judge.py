"""What must hold for any file at all: an answer, soon, in little memory, with a place."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

from enasdsl.diagnostics import CATALOGUE, Diagnostic, Label
from enasdsl.ir.count import TooManyStates, count
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Space
from enasdsl.pipeline import Compilation
from enasdsl.report import render, to_json, to_sarif

SECONDS = {"check": 1.0, "render": 1.0, "count": 4.0, "sample": 1.0}
"""CPU that each part may take. Counting has a limit of its own, on its work, that names itself."""

T = TypeVar("T")


class Overdue(BaseException):
    """Raised by a timer in whatever runs too long; no `except Exception` keeps it."""


@dataclass(slots=True)
class Verdict:
    """What became of a file; `failure` names what must not happen, and where."""

    codes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    outcome: str = ""
    failure: str = ""
    story: str = ""


def judge(path: Path, text: str, *, slack: float = 1.0) -> Verdict:
    """Writes `text` to `path` and takes it through checking, counting and sampling.

    Each may take `slack` times as long as on an idle machine.
    """
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    verdict = Verdict()
    try:
        _through(path, verdict)
    except (Exception, Overdue) as error:
        verdict.failure = _signature(error)
        verdict.story = traceback.format_exc(limit=-12)
    slow = [phase for phase, spent in verdict.seconds.items() if spent > SECONDS[phase] * slack]
    if slow and not verdict.failure:
        verdict.failure = f"slow: {slow[0]}"
        verdict.story = f"{verdict.seconds}\n"
    return verdict


def _through(path: Path, verdict: Verdict) -> None:
    compilation = Compilation.open(path)
    space = _timed("check", verdict, lambda: compilation.outline)
    found = compilation.diagnostics
    verdict.codes = tuple(sorted({each.code for each in found}))
    _timed("render", verdict, lambda: _rendered(found))
    verdict.outcome = "refused"
    if space is None:
        assert found, "refused without a diagnostic"
        for diagnostic in found:
            _placed(diagnostic)
        return
    verdict.outcome = "fine"
    try:
        if _timed("count", verdict, lambda: count(space)):
            _timed("sample", verdict, lambda: _sampled(space))
    except TooManyStates:
        verdict.outcome = "fine, not counted"


def _timed(phase: str, verdict: Verdict, action: Callable[[], T]) -> T:
    start = time.process_time()
    try:
        return action()
    finally:
        verdict.seconds[phase] = time.process_time() - start


def _rendered(found: tuple[Diagnostic, ...]) -> None:
    assert "Traceback" not in render(found, color=False)
    render(found, color=True).encode("utf-8", "surrogatepass")
    json.dumps(to_json(found))
    json.dumps(to_sarif(found))


def _sampled(space: Space) -> None:
    assert sample(space, 2, Random(0)) == sample(space, 2, Random(0))


def _placed(diagnostic: Diagnostic) -> None:
    assert diagnostic.code in CATALOGUE, diagnostic.code
    assert diagnostic.message
    labels: tuple[Label, ...] = (diagnostic.label, *diagnostic.others)
    for label in labels:
        span = label.span
        inside = 0 <= span.start <= span.stop <= max(len(span.source.text), 1)
        assert inside, f"{diagnostic.code} at {span.start}..{span.stop} is outside the file"


def _signature(error: BaseException) -> str:
    """The kind of an error and the place in the package from which it comes."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "enasdsl" in Path(f.filename).parts] or list(frames)
    if isinstance(error, Overdue | RecursionError | MemoryError):
        return f"{type(error).__name__}: {own[min(5, len(own) - 1)].name}"
    return f"{type(error).__name__}: {Path(own[-1].filename).name}:{own[-1].name}"
