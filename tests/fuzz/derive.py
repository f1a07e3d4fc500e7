"""Files that are derived from the grammar at random: right in syntax, and hardly in anything else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import Random

from fuzz.mutate import NUMBERS, WORDS

from enasdsl.syntax.parse import parser

NAMES = (*"a b c x y f g h k n r motif normal reduction candidate unit image_classifier".split(),)
TEXTS = ('"a"', '""', '"b.enas"', '"\\n"', '"kernels are\\todd"', '"/etc/passwd"', '"é"')
KEYWORD = re.compile(r"(?:\(\?:)?([a-z]+)")

Rules = Mapping[str, Sequence[tuple[str, ...]]]


@cache
def rules() -> Rules:
    """What each rule of the grammar may become, as the parser sees it."""
    found: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for rule in parser().rules:
        found[rule.origin.name].append(tuple(symbol.name for symbol in rule.expansion))
    return found


@cache
def shortest() -> Mapping[str, int]:
    """The least number of rules, one inside the other, that ends each rule."""
    depths: dict[str, int] = {}
    while len(depths) < len(rules()):
        for name, expansions in rules().items():
            ends = [d for e in expansions if (d := _deepest(e, depths)) is not None]
            if ends:
                depths[name] = min(depths.get(name, 1_000), 1 + min(ends))
    return depths


def _deepest(expansion: tuple[str, ...], depths: Mapping[str, int]) -> int | None:
    inner = [name for name in expansion if name in rules()]
    if any(name not in depths for name in inner):
        return None
    return max((depths[name] for name in inner), default=0)


@cache
def keywords() -> Mapping[str, str]:
    """The text of every terminal that has only one."""
    texts = {}
    for terminal in parser().terminals:
        word = KEYWORD.match(terminal.pattern.value)
        is_text = type(terminal.pattern).__name__ == "PatternStr"
        if is_text or (word and "\\b" in terminal.pattern.value[:16]):
            texts[terminal.name] = terminal.pattern.value if is_text or not word else word.group(1)
    return texts


def derived(rng: Random) -> str:
    """A file of some declarations, each of at most some hundred tokens."""
    rooms = [rng.choice((10, 30, 100)) for _ in range(rng.randint(1, 5))]
    lines = (" ".join(_tokens("declaration", rng, room)) for room in rooms)
    return "\n".join(["space derived", *lines, ""])


def _tokens(start: str, rng: Random, room: int) -> Iterator[str]:
    pending = [start]
    while pending:
        name = pending.pop()
        if name in rules():
            room -= 1
            pending.extend(reversed(_expansion(name, rng, short=room < 0)))
        else:
            yield _text(name, rng)


def _expansion(name: str, rng: Random, *, short: bool) -> tuple[str, ...]:
    options = rules()[name]
    if not short:
        return rng.choice(options)
    return min(options, key=lambda option: _deepest(option, shortest()) or 0)


def _text(terminal: str, rng: Random) -> str:
    match terminal:
        case "NAME":
            return rng.choice(rng.choice((NAMES, WORDS[36:])))
        case "INT":
            return rng.choice(("1", "2", "3", rng.choice(NUMBERS[:18])))
        case "FLOAT":
            return rng.choice(("0.5", "1e9", "3.0"))
        case "STRING":
            return rng.choice(TEXTS)
        case "_END":
            return "\n"
        case _:
            return keywords()[terminal]
