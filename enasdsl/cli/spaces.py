"""The commands that need no data: `check`, `count`, `sample`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import WRONG_INPUT, CommandError, UsageError
from enasdsl.cli.opening import lowered, opened, show
from enasdsl.cli.options import File, Rules, Seed, Settings, Unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enasdsl.ir.space import Architecture, Space
    from enasdsl.ir.unique import Classes
    from enasdsl.pipeline import Compilation


def check(
    file: File, /, *, set: Settings = (), output: Literal["text", "json", "sarif"] = "text"
) -> int:
    """Check a space: its syntax, its names, and the shapes of everything that it can build.

    Every mistake is reported, each with its place; the exit code is 1 where there is one.
    """
    compilation = opened(file, set)
    if output != "text":
        show(compilation.diagnostics, output=output)
        return WRONG_INPUT if compilation.outline is None else 0
    space = lowered(compilation, output=output)
    print(f"{file}: {space.name} is fine")
    return 0


def count(
    file: File,
    /,
    *,
    unique: Unique = False,
    modulo: Rules = None,
    set: Settings = (),
    output: Literal["text", "json"] = "text",
) -> int:
    """Count the architectures of a space, exactly.

    Shows the number, its power of ten, its factors by cell and node, and what was
    published; with `--unique` also how many are left when those that the file's
    `modulo` takes for one count once.
    """
    from enasdsl.ir.count import TooManyStates, breakdown
    from enasdsl.view.tally import tally_facts, tally_text

    compilation = opened(file, set)
    space = lowered(compilation, output=output)
    try:
        factors = breakdown(space)
        found = _classes(compilation, modulo) if unique or modulo is not None else None
    except TooManyStates as error:
        raise CommandError(f"`{space.name}` cannot be counted: {error}") from error
    match output:
        case "text":
            print(tally_text(space, factors, found))
        case "json":
            print(json.dumps(tally_facts(space, factors.count, found), indent=2))
    return 0


def _classes(compilation: Compilation, modulo: str | None) -> Classes:
    from enasdsl.ir.unique import classes

    return classes(*_modulo(compilation, modulo))


def _modulo(compilation: Compilation, modulo: str | None) -> tuple[Space, tuple[str, ...]]:
    """A space with its graphs, and the rules by which its architectures are one."""
    from enasdsl.ir.unique import RULES

    space = compilation.space
    assert space is not None
    if modulo is None and not space.modulo:
        raise CommandError(
            f"`{space.name}` does not say which architectures are one; write a `modulo {{ ... }}` "
            'into the file, or give --modulo "commute; rename"'
        )
    given = (word.strip() for word in (modulo or "").replace(",", ";").split(";"))
    rules = space.modulo if modulo is None else tuple(word for word in given if word)
    for rule in rules:
        if rule not in RULES:
            raise UsageError(f"--modulo takes {'; '.join(RULES)}, and this is `{rule}`")
    return space, rules


def sample(
    file: File,
    /,
    *,
    number: Annotated[int, Parameter(name=["-n", "--number"], help="How many.")] = 1,
    seed: Seed = 0,
    unique: Unique = False,
    modulo: Rules = None,
    set: Settings = (),
    output: Literal["text", "jsonl"] = "text",
) -> int:
    """Draw architectures, each of the space with the same probability.

    The text shows each decision by its path, below a token of one line. Both the
    token and a line of `--output jsonl` are what `train --arch` takes. With
    `--unique`, what `modulo` takes for an earlier one is drawn again.
    """
    from itertools import islice

    from enasdsl.ir.count import TooManyStates
    from enasdsl.ir.record import to_json

    if number < 0:
        raise UsageError(f"-n takes a number from 0, and this is {number}")
    compilation = opened(file, set)
    space = lowered(compilation, output=output)
    rules = _modulo(compilation, modulo)[1] if unique or modulo is not None else None
    try:
        for architecture in islice(_drawn(compilation, seed, rules), number):
            if output == "jsonl":
                print(json.dumps(to_json(space, architecture), ensure_ascii=False))
            else:
                print(_shown(space, architecture))
    except (TooManyStates, ValueError) as error:
        raise CommandError(f"`{space.name}` cannot be sampled: {error}") from error
    return 0


def _drawn(
    compilation: Compilation, seed: int, rules: tuple[str, ...] | None
) -> Iterator[Architecture]:
    """Architectures without end; of those that `rules` take for one, the first."""
    from random import Random

    from enasdsl.ir.sample import endless

    space = compilation.outline if rules is None else compilation.space
    assert space is not None
    drawn = endless(space, Random(seed))
    if rules is None:
        return drawn
    from enasdsl.ir.unique import Canon, different

    return different(Canon(space, rules), drawn)


def _shown(space: Space, architecture: Architecture) -> str:
    """An architecture as text: its token, then the labels of each live decision."""
    from enasdsl.ir.record import to_json, to_token

    choices = to_json(space, architecture)["choices"]
    assert isinstance(choices, dict)
    width = max(map(len, choices), default=0)
    lines = (
        f"  {path:<{width}}  {', '.join(labels) if isinstance(labels, list) else labels}"
        for path, labels in choices.items()
    )
    return "\n".join([to_token(architecture), *lines])
