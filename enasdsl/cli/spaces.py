"""The commands that need no data: `check`, `count`, `sample`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import WRONG_INPUT, CommandError, UsageError
from enasdsl.cli.opening import lowered, opened, show
from enasdsl.cli.options import File, Seed, Settings

if TYPE_CHECKING:
    from enasdsl.ir.space import Architecture, Space


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


def count(file: File, /, *, set: Settings = (), output: Literal["text", "json"] = "text") -> int:
    """Count the architectures of a space, exactly.

    Shows the number, its power of ten, its factors by cell and node, and what was
    published.
    """
    from enasdsl.ir.count import TooManyStates, breakdown
    from enasdsl.view.tally import tally_facts, tally_text

    space = lowered(opened(file, set), output=output)
    try:
        factors = breakdown(space)
    except TooManyStates as error:
        raise CommandError(f"`{space.name}` cannot be counted: {error}") from error
    match output:
        case "text":
            print(tally_text(space, factors))
        case "json":
            print(json.dumps(tally_facts(space, factors.count), indent=2))
    return 0


def sample(
    file: File,
    /,
    *,
    number: Annotated[int, Parameter(name=["-n", "--number"], help="How many.")] = 1,
    seed: Seed = 0,
    set: Settings = (),
    output: Literal["text", "jsonl"] = "text",
) -> int:
    """Draw architectures, each of the space with the same probability.

    The text shows each decision by its path, below a token of one line. Both the
    token and a line of `--output jsonl` are what `train --arch` takes.
    """
    from random import Random

    from enasdsl.ir.count import TooManyStates
    from enasdsl.ir.record import to_json
    from enasdsl.ir.sample import sample

    if number < 0:
        raise UsageError(f"-n takes a number from 0, and this is {number}")
    space = lowered(opened(file, set), output=output)
    rng = Random(seed)
    try:
        for _ in range(number):
            (architecture,) = sample(space, 1, rng)
            if output == "jsonl":
                print(json.dumps(to_json(space, architecture), ensure_ascii=False))
            else:
                print(_shown(space, architecture))
    except (TooManyStates, ValueError) as error:
        raise CommandError(f"`{space.name}` cannot be sampled: {error}") from error
    return 0


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
