"""What a search shows by itself, before any child is trained."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

from enasdsl.ir.count import count
from enasdsl.ir.domain import size
from enasdsl.ir.record import from_token
from enasdsl.ir.space import Decision, Space
from enasdsl.search.alternation import BELIEFS, SAMPLES
from enasdsl.search.beliefs import ENTROPY
from enasdsl.search.deriving import derived_best
from enasdsl.search.errors import SearchError
from enasdsl.search.ranking import class_key
from enasdsl.search.run import Run, open_run

LATEST = 500
"""How many of the architectures, the latest ones, are put into classes at the end of a search."""


@dataclass(frozen=True, slots=True)
class Course:
    """How unsure a search was of a decision: the entropy in nats, at most `most`, by epoch.

    None for an epoch in which the decision was not taken. `place` is the line of the file, and
    `text` what stands there.
    """

    path: str
    place: str
    text: str
    most: float
    entropy: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Visited:
    """How many architectures were drawn, how many different ones, of `total` there are.

    Of those, the latest `sorted` were of `classes` classes under `modulo`.
    """

    drawn: int
    different: int
    sorted: int
    classes: int
    modulo: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Earned:
    """The mean rewards of what a search sampled, with the shared weights, by epoch.

    `best` is the reward of the best derived architecture on the whole validation part, if any.
    """

    folder: str
    seed: int
    rewards: tuple[float, ...]
    best: float | None


@dataclass(frozen=True, slots=True)
class Learned:
    """A search by itself, and beside it one by chance where there is one."""

    folder: str
    strategy: str
    seed: int
    visited: Visited
    earned: Earned
    chance: Earned | None
    courses: tuple[Course, ...]


def learned(run: Run, space: Space, drawn: Counter[str], *, latest: int | None = None) -> Learned:
    """What is known of a run that drew each of these tokens so often; classes of the latest."""
    beside = by_chance(run)
    return Learned(
        str(run.folder), run.info.strategy, run.info.seed,
        visited(space, drawn, latest), earned(run), None if beside is None else earned(beside),
        tuple(courses(run, space)),
    )  # fmt: skip


def visited(space: Space, drawn: Counter[str], latest: int | None) -> Visited:
    """Counts what was drawn, in the order of the first draws."""
    key = class_key(space)
    tokens = list(drawn)[-latest:] if latest else list(drawn)
    classes = {key(from_token(space, token)) for token in tokens}
    return Visited(drawn.total(), len(drawn), len(tokens), len(classes), space.modulo, count(space))


def earned(run: Run) -> Earned:
    """The rewards of a run, from its figures."""
    rewards = tuple(line["reward"] for line in _lines(run.folder, SAMPLES))
    return Earned(str(run.folder), run.info.seed, rewards, derived_best(run))


def courses(run: Run, space: Space) -> Iterator[Course]:
    """The entropy of each decision with two outcomes or more by epoch, from a run's figures."""
    lines = _lines(run.folder, BELIEFS)
    if not lines:
        return
    for decision in (d for d in space.decisions if size(d.domain) > 1):
        found = tuple(line.get(ENTROPY + decision.path) for line in lines)
        place, text = place_of(decision, run.space_file.parent)
        yield Course(decision.path, place, text, log(size(decision.domain)), found)


def place_of(decision: Decision, folder: Path) -> tuple[str, str]:
    """`rnn.enas:17` and the words of the choice there; paths are those below `folder`."""
    span = decision.span
    if span is None:
        return "", ""
    path = Path(span.source.name)
    inside = path.is_relative_to(folder)
    name = str(path.relative_to(folder)) if inside else path.name
    return f"{name}:{span.position[0]}", " ".join(span.text.split())


def by_chance(run: Run) -> Run | None:
    """The newest search by chance beside this one that is like it in all but that."""
    if run.info.strategy == "random":
        return None
    folders = (path.parent for path in run.folder.resolve().parent.glob("*/run.json"))
    alike = [other for folder in folders if (other := _alike(run, folder))]
    return max(alike, key=lambda other: other.info.started, default=None)


def _alike(run: Run, folder: Path) -> Run | None:
    try:
        other = open_run(folder)
    except SearchError:
        return None
    one, two = run.info, other.info
    same = (one.hash, one.data) == (two.hash, two.data) and run.recipe == other.recipe
    return other if same and (two.kind, two.strategy) == ("search", "random") else None


def _lines(folder: Path, phase: str) -> list[dict[str, Any]]:
    """The lines of a phase in `metrics.jsonl`; none where there is no such file yet."""
    path = folder / "metrics.jsonl"
    if not path.is_file():
        return []
    whole, _, _ = path.read_text("utf-8").rpartition("\n")  # a line may be half written
    rows = map(json.loads, whole.splitlines())
    return [row for row in rows if row["phase"] == phase]


def by_line(courses: Sequence[Course]) -> dict[tuple[str, str, str], list[Course]]:
    """Courses by the part of the network, the line and the words that they stand for."""
    found: dict[tuple[str, str, str], list[Course]] = defaultdict(list)
    for course in courses:
        found[course.path.split(".")[0], course.place, course.text].append(course)
    return found
