"""The command `costs`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import CommandError, UsageError
from enasdsl.cli.opening import opened, show
from enasdsl.cli.options import File, Seed, Settings

if TYPE_CHECKING:
    from enasdsl.ir.costs import Cost
    from enasdsl.ir.space import Space


def costs(
    file: File,
    /,
    *,
    arch: Annotated[
        str | None, Parameter(help="A token, a file with one, or published/NAME: its costs alone.")
    ] = None,
    number: Annotated[
        int, Parameter(name=["-n", "--number"], help="Architectures drawn for the percentages.")
    ] = 100,
    seed: Seed = 0,
    set: Settings = (),
    output: Literal["text", "json"] = "text",
) -> int:
    """Say what the architectures of a space cost: parameters and multiply-accumulates.

    Shows the least, the mean and the greatest over the whole space, exactly where
    that can be found in seconds, else bounds marked ~; and percentages of a sample.
    MACs are for one image, or for one token. No tensor is made.
    """
    from enasdsl.ir.extent import extents
    from enasdsl.view.costing import costs_facts, costs_text

    if number < 0:
        raise UsageError(f"-n takes a number from 0, and this is {number}")
    space = _with_network(file, set, output)
    if arch is not None:
        return _one(space, arch, output)
    try:
        found = extents(space)
        sampled = _sampled(space, number, seed)
    except ValueError as error:
        raise CommandError(f"`{space.name}` costs nothing: {error}") from error
    if output == "json":
        print(json.dumps(costs_facts(space, found, sampled), indent=2))
    else:
        print(costs_text(space, found, sampled))
    return 0


def _with_network(file: str, settings: tuple[str, ...], output: str) -> Space:
    """The space of a file with its network; shows its mistakes."""
    from enasdsl.cli.ending import Reported

    compilation = opened(file, settings)
    space = compilation.space
    if compilation.diagnostics:
        show(compilation.diagnostics, output=output if space is None else "text")
    if space is None:
        raise Reported
    if not space.network:
        raise CommandError(f"`{space.name}` has no network, and cells alone have no costs")
    return space


def _sampled(space: Space, number: int, seed: int) -> list[Cost]:
    """The costs of architectures drawn uniformly; of none where the space cannot be counted."""
    from random import Random

    from enasdsl.ir.costs import cost
    from enasdsl.ir.count import TooManyStates
    from enasdsl.ir.sample import sample

    try:
        return [cost(space, architecture) for architecture in sample(space, number, Random(seed))]
    except TooManyStates:
        return []


def _one(space: Space, words: str, output: str) -> int:
    from enasdsl.ir.costs import cost
    from enasdsl.ir.named import named
    from enasdsl.ir.record import RecordError, to_token
    from enasdsl.view.costing import cost_text

    try:
        architecture = named(space, words)
    except RecordError as error:
        raise CommandError(f"this is not an architecture of the space: {error}") from error
    found = cost(space, architecture)
    token = to_token(architecture)
    if output == "json":
        facts = {"architecture": token, "params": found.params, "macs": found.macs}
        print(json.dumps(facts, indent=2))
    else:
        print(cost_text(token, found))
    return 0
