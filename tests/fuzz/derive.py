"""Files derived from the grammar at random: right in syntax, and hardly in anything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import Random

from enasdsl.syntax.parse import parser
from fuzz.vocabulary import NAMES, NUMBERS, TERMINALS, TEXTS

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
            return rng.choice(NAMES)
        case "INT":
            return rng.choice(("1", "2", "3", rng.choice(NUMBERS[:18])))
        case "FLOAT":
            return rng.choice(("0.5", "1e9", "3.0"))
        case "STRING":
            return rng.choice(TEXTS)
        case "_END":
            return "\n"
        case _:
            return TERMINALS[terminal]
