"""The arguments that several commands share, and how they are read."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from enasdsl.cli.ending import UsageError

File = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,  # for `-` itself
        help="An .enas file, the name of a shipped space, or - for standard input.",
    ),
]
Settings = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        show_default=False,
        help="KEY=VALUE for a param of the file or a setting of the recipe; may be repeated.",
    ),
]
Data = Annotated[
    str | None,
    Parameter(
        help="pydocs, digits (both embedded), ptb, wikitext2, cifar10, text:FOLDER, images:FOLDER."
    ),
]
DataRoot = Annotated[str | None, Parameter(help="Where data sets are; else the user's cache.")]
Device = Annotated[str, Parameter(help="auto, cpu, cuda, cuda:1.")]
Unique = Annotated[bool, Parameter(help="Take for one what the file's `modulo` takes for one.")]
Rules = Annotated[
    str | None,
    Parameter(
        show_default=False,
        help='With --unique, other rules than the file\'s, as in "commute; rename".',
    ),
]
Seed = Annotated[int, Parameter(help="Seed of every random number.")]


def pairs(settings: tuple[str, ...]) -> dict[str, str]:
    """The `KEY=VALUE` words by key; of one that comes twice the last holds."""
    found: dict[str, str] = {}
    for word in settings:
        key, equals, value = word.partition("=")
        if not (key and equals and value):
            raise UsageError(f"--set takes KEY=VALUE, as in --set B=5, and this is `{word}`")
        found[key.strip()] = value.strip()
    return found
