"""Changes to a file that keep most of it: of tokens, of lines, and with parts of another file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from fuzz.vocabulary import NUMBERS, ODD, SIGNS, WORDS

TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | "[^"\n]*" | [A-Za-z_]\w* | [0-9][0-9_]*(?:\.[0-9]+)? |
    -> | \.\. | == | != | <= | >= | // | .""",
    re.VERBOSE,
)

BRACKETS = (
    *(("(", ")"), ("[", "]"), ("{", "}"), ("-", ""), ("maybe (", ")"), ("(relu -> ", ")")),
    *(("(choose [", ", relu])"), ("repeat 3 { ", " }"), ("repeat choose 1..9 { ", " }")),
)

Tokens = list[str]
Change = Callable[[Tokens, Random], Tokens]


def tokens(text: str) -> Tokens:
    return TOKEN.findall(text)


def mutated(text: str, others: Sequence[str], rng: Random) -> str:
    """`text` after one to six changes, now and then spliced with one of `others` first."""
    if rng.random() < 0.15:
        text = _spliced(text, rng.choice(others), rng)
    parts = tokens(text)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
        if parts:
            parts = [part for part in rng.choice(CHANGES)(parts, rng) if part]
    return "".join(parts)


def _spliced(text: str, other: str, rng: Random) -> str:
    """The head of one file and the tail of another, or some lines of it in the midst."""
    here, there = text.splitlines(keepends=True), other.splitlines(keepends=True)
    place, start = rng.randint(0, len(here)), rng.randint(0, len(there))
    if rng.random() < 0.4:
        return "".join([*here[:place], *there[start:]])
    return "".join([*here[:place], *there[start : start + rng.randint(1, 6)], *here[place:]])


def _any(rng: Random) -> str:
    word = rng.choice(rng.choice((WORDS, WORDS, NUMBERS, SIGNS, SIGNS, ODD)))
    return f" {word} " if word in WORDS or word in NUMBERS else word


def _delete(parts: Tokens, rng: Random) -> Tokens:
    start = rng.randrange(len(parts))
    return parts[:start] + parts[start + rng.choice((1, 1, 1, 2, 5)) :]


def _swap(parts: Tokens, rng: Random) -> Tokens:
    a, b = rng.randrange(len(parts)), rng.randrange(len(parts))
    parts[a], parts[b] = parts[b], parts[a]
    return parts


def _duplicate(parts: Tokens, rng: Random) -> Tokens:
    start = rng.randrange(len(parts))
    stop = start + rng.choice((1, 2, 4, 12))
    return parts[:stop] + parts[start:stop] * rng.choice((1, 1, 2, 40)) + parts[stop:]


def _insert(parts: Tokens, rng: Random) -> Tokens:
    place = rng.randint(0, len(parts))
    return [*parts[:place], _any(rng), *parts[place:]]


def _alike(parts: Tokens, rng: Random) -> Tokens:
    """Replaces a word by another one of the file, or a number by any: most files still parse."""
    for _ in range(20):
        place = rng.randrange(len(parts))
        if parts[place][0].isdigit():
            parts[place] = rng.choice(NUMBERS)
            return parts
        if parts[place][0].isalpha():
            words = [p for p in parts if p[0].isalpha()]
            parts[place] = rng.choice(words if rng.random() < 0.8 else WORDS)
            return parts
    return parts


def _nest(parts: Tokens, rng: Random) -> Tokens:
    """Puts a stretch into brackets, once or too often."""
    opening, closing = rng.choice(BRACKETS)
    depth = rng.choice((1, 1, 2, 3, 30, 99, 101, 3000))
    start = rng.randrange(len(parts))
    stop = start + rng.choice((1, 1, 3, 8))
    return [*parts[:start], opening * depth, *parts[start:stop], closing * depth, *parts[stop:]]


def _of_lines(change: Change) -> Change:
    def changed(parts: Tokens, rng: Random) -> Tokens:
        lines = "".join(parts).splitlines(keepends=True)
        return tokens("".join(change(lines, rng)))

    return changed


def _foreign(parts: Tokens, rng: Random) -> Tokens:
    """Other line ends, or a file that stops in the midst."""
    if rng.random() < 0.3:
        return [part.replace("\n", "\r\n") for part in parts]
    return parts[: rng.randint(1, len(parts))]


CHANGES: tuple[Change, ...] = (
    *(_delete, _swap, _duplicate, _insert, _alike, _alike, _alike, _nest, _foreign),
    *(_of_lines(change) for change in (_delete, _swap, _duplicate)),
)
