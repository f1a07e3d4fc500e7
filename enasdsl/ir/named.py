"""From the words of `--arch` to an architecture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from enasdsl.ir.notations import Foreign
from enasdsl.ir.published import PREFIX, published
from enasdsl.ir.record import RecordError, from_choices, parse_record
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space


def named(space: Space, words: str, rng: Random | None = None) -> Architecture:
    """The architecture that `words` mean: a token, a JSON record, or a file with either.

    `published/NAME` is one of the shipped ones, and `random`, where there is an `rng`, one drawn
    uniformly. Raises RecordError, and what `sample` raises.
    """
    words = words.strip()
    if rng is not None and words.lower() == "random":
        return next(iter(sample(space, 1, rng)))
    if words.startswith(PREFIX) and not Path(words).is_file():
        found = published(words)
        return fitted(space, found.read(), found.name)
    return parse_record(space, _record(words))


def fitted(space: Space, foreign: Foreign, name: str) -> Architecture:
    """What was written elsewhere as an architecture of a space; raises RecordError.

    The message has the params under which the shipped space takes it.
    """
    try:
        return from_choices(space, foreign.choices)
    except RecordError as error:
        needed = "".join(f" --set {word}" for word in settings(foreign.params))
        raise RecordError(f"{name} is of `{foreign.space}{needed}`: {error}") from error


def settings(params: Mapping[str, str]) -> list[str]:
    """Params as `--set` takes them."""
    return [f"{name}={value}" for name, value in params.items()]


def _record(words: str) -> str:
    """What was typed, or the record in the file that it names, the first of several lines."""
    path = Path(words)
    try:
        if ":" in words or not path.is_file():
            return words
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"the file cannot be read: {error}") from error
    first, _, rest = text.partition("\n")
    return first if first.endswith("}") or not first.startswith("{") or not rest else text
