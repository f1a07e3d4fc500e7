"""Architectures as text: a JSON record with readable labels, and a token of one line.

A token is `space:hash:picks`, as in `enas_rnn:1a2b3c4d5e6f:0.3.0,2._.-`: decisions in order and
apart by `.`, the indices of one decision by `,`; `_` is an empty pick, `-` a decision that is not
live. No shell needs it quoted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from enasdsl.diagnostics.wording import several
from enasdsl.ir.constraint import satisfied
from enasdsl.ir.domain import valid
from enasdsl.ir.space import Architecture, Decision, Kind, Space
from enasdsl.semantics.symbols import Picks, Reading

DEAD, EMPTY = "-", "_"
_PICKS = re.compile(r"-|_|\d{1,9}(,\d{1,9})*", re.ASCII)


class RecordError(ValueError):
    """A record that is not an architecture of the space; the message says what differs."""


def to_json(space: Space, architecture: Architecture) -> dict[str, object]:
    """The record of an architecture: the labels by the path of each live decision."""
    choices: dict[str, str | list[str]] = {}
    for decision, picks in zip(space.decisions, architecture.picks, strict=True):
        if picks is not None:
            labels = [decision.labels[p] for p in picks]
            choices[decision.path] = labels[0] if decision.domain.kind is Kind.ONE else labels
    return {"space": architecture.space, "hash": architecture.hash, "choices": choices}


def from_json(space: Space, record: object) -> Architecture:
    """The architecture that a decoded JSON record says; raises RecordError."""
    match record:
        case {"space": str(name), "hash": str(digest), "choices": dict(choices), **rest}:
            if rest:
                raise RecordError(f"a record has no key `{next(iter(rest))}`")
        case _:
            raise RecordError(
                "a record is an object with the strings `space` and `hash` and an object `choices`"
            )
    _same_space(space, name, digest)
    return from_choices(space, choices)


def from_choices(space: Space, choices: Mapping[str, object]) -> Architecture:
    """The architecture with these labels by the paths of its live decisions; raises RecordError."""
    paths = [d.path for d in space.decisions]
    for path in choices.keys() - set(paths):
        raise RecordError(f"`{space.name}` has no decision `{path}`{_similar(path, paths)}")
    picks = tuple(_indices(d, choices) for d in space.decisions)
    architecture = Architecture(space.name, space.hash, picks)
    check(space, architecture)
    return architecture


def to_token(architecture: Architecture) -> str:
    """An architecture in one line."""
    words = (
        DEAD if picks is None else ",".join(map(str, picks)) or EMPTY
        for picks in architecture.picks
    )
    return f"{architecture.space}:{architecture.hash}:{'.'.join(words)}"


def from_token(space: Space, token: str) -> Architecture:
    """The architecture that a token says; raises RecordError."""
    head = token.split(":")
    if len(head) != 3:
        raise RecordError("a token has three parts, `space:hash:picks`")
    name, digest, body = head
    _same_space(space, name, digest)
    words = body.split(".") if body else []
    if len(words) != len(space.decisions):
        raise RecordError(
            f"the token has {several(len(words), 'decision')}, not {len(space.decisions)}"
        )
    picks = tuple(_word(d, word) for d, word in zip(space.decisions, words, strict=True))
    architecture = Architecture(name, digest, picks)
    check(space, architecture)
    return architecture


def parse_record(space: Space, text: str) -> Architecture:
    """The architecture in a token or in JSON text; raises RecordError."""
    text = text.strip()
    if not text.startswith("{"):
        return from_token(space, text)
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"the record is not JSON: {error}") from error
    return from_json(space, record)


def check(space: Space, architecture: Architecture) -> None:
    """Raises RecordError where `architecture` is not one of the space's."""
    _same_space(space, architecture.space, architecture.hash)
    found = len(architecture.picks)
    if found != len(space.decisions):
        raise RecordError(
            f"the architecture has {several(found, 'decision')}, not {len(space.decisions)}"
        )
    reading = Reading(architecture.picks)
    for decision, picks in zip(space.decisions, architecture.picks, strict=True):
        _check_picks(decision, picks, live=reading.holds(decision.guard))
    for constraint in space.constraints:
        if not satisfied(constraint, architecture.picks):
            raise RecordError(f"the architecture breaks a requirement: {constraint.message}")


def _check_picks(decision: Decision, picks: Picks, *, live: bool) -> None:
    path, domain = decision.path, decision.domain
    if picks is None:
        if live:
            raise RecordError(f"the decision `{path}` is missing")
        return
    if not live:
        raise RecordError(f"the decision `{path}` should not be there: others leave it unreached")
    if not domain.least <= len(picks) <= domain.most:
        least, most = domain.least, domain.most
        number = str(least) if least == most else f"{least} to {most}"
        raise RecordError(f"`{path}` picks {number}, not {len(picks)}")
    for pick in picks:
        if not 0 <= pick < domain.size:
            raise RecordError(
                f"`{path}` has {several(domain.size, 'alternative')}, and no index {pick}"
            )
    if not valid(domain, picks):
        reason = "out of order" if domain.kind is Kind.MULTISET else "twice, or out of order"
        raise RecordError(f"`{path}` picks an alternative {reason}: {_shown(decision, picks)}")


def _same_space(space: Space, name: str, digest: str) -> None:
    if name != space.name:
        raise RecordError(f"the record is of the space `{name}`, not of `{space.name}`")
    if digest != space.hash:
        raise RecordError(
            f"the record's hash {digest} is not {space.hash}: the decisions of `{space.name}` "
            "have changed, or another param was set"
        )


def _indices(decision: Decision, choices: Mapping[str, object]) -> Picks:
    labels = choices.get(decision.path)
    if labels is None and decision.path not in choices:
        return None
    if decision.domain.kind is Kind.ONE:
        labels = [labels]
    if not isinstance(labels, list):
        raise RecordError(f"`{decision.path}` takes a list of labels")
    return _canonical(decision, (_index(decision, label) for label in labels))


def _index(decision: Decision, label: object) -> int:
    if not isinstance(label, str):
        raise RecordError(f"`{decision.path}` takes labels, which are strings, not {label!r}")
    if label not in decision.labels:
        similar = _similar(label, decision.labels)
        raise RecordError(f"`{decision.path}` has no alternative `{label}`{similar}")
    return decision.labels.index(label)


def _word(decision: Decision, word: str) -> Picks:
    if not _PICKS.fullmatch(word):
        raise RecordError(f"`{word}` is not a pick of `{decision.path}`")
    if word == DEAD:
        return None
    return _canonical(decision, () if word == EMPTY else map(int, word.split(",")))


def _canonical(decision: Decision, picks: Iterable[int]) -> tuple[int, ...]:
    ordered = decision.domain.kind not in (Kind.SET, Kind.MULTISET)
    return tuple(picks) if ordered else tuple(sorted(picks))


def _shown(decision: Decision, picks: tuple[int, ...]) -> str:
    return ", ".join(decision.labels[p] for p in picks)


def _similar(word: str, words: Iterable[str]) -> str:
    close = get_close_matches(word, list(words), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""
