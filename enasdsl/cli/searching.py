"""The commands that need torch: `search`, `derive`, `train`, `eval`."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import UsageError
from enasdsl.cli.opening import mistakes
from enasdsl.cli.options import Data, DataRoot, Device, File, Seed, Settings, pairs
from enasdsl.cli.tabulating import (
    Asked,
    Queries,
    Reward,
    Strategy,
    Table,
    rewarded,
    search_by_table,
)
from enasdsl.diagnostics.wording import several

if TYPE_CHECKING:
    from rich.console import Console

    from enasdsl.search import Ending, SearchResult, TrainResult

INTERRUPTED = 130
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

Budget = Annotated[str | None, Parameter(help="Time for the whole run: 90s, 20m, 1.5h.")]
Run = Annotated[str, Parameter(help="The folder of a search.")]
Recipe = Annotated[str | None, Parameter(help="A recipe of the file.")]
Arch = Annotated[
    str | None,
    Parameter(help="A rank of `derive`, a token, a record, a file with either, published/NAME."),
]
Output = Literal["text", "json"]


def search(
    file: File,
    /,
    *,
    data: Data = None,
    table: Table = None,
    queries: Queries = None,
    data_root: DataRoot = None,
    recipe: Recipe = None,
    set: Settings = (),
    reward: Reward = None,
    strategy: Strategy = "enas",
    budget: Budget = None,
    seed: Seed = 0,
    out: Annotated[str | None, Parameter(help="The folder to make.")] = None,
    resume: Annotated[bool, Parameter(help="Go on with the search in --out.")] = False,
    device: Device = "auto",
) -> int:
    """Search a space: train its shared weights and its controller, or read a table.

    Everything is kept in the folder of the run. Without --recipe it is `quick`.
    A search that was stopped, by its budget or by ctrl-C, goes on with --resume
    as if it had never stopped.
    """
    from enasdsl.search import search

    asked = Asked(
        recipe=recipe, settings=rewarded(set, reward), strategy=strategy,
        budget=seconds(budget), seed=seed, out=out, resume=resume,
    )  # fmt: skip
    if table is not None:
        found = search_by_table(file, table, data, _positive(queries, "--queries"), asked)
        return ended(found.ending, found.command, "")
    if data is None or queries is not None:
        raise UsageError("search takes --data, or --table and then --queries")
    with mistakes():
        result = search(file, data, data_root=data_root, device=device, **asked)
    return _searched(result)


def _searched(result: SearchResult) -> int:
    """Says how a search ended and what it shows by itself."""
    epochs, steps = several(result.epochs, "epoch"), several(result.steps, "step")
    print(f"{result.run}: {epochs}, {steps}, {result.seconds:.0f} s")
    if result.verdict:
        print(f"\n{result.verdict}\n")
    return ended(result.ending, result.command, f"enasdsl derive {result.run}")


def derive(
    run: Run,
    /,
    *,
    samples: Annotated[int | None, Parameter(help="Architectures to draw.")] = None,
    keep: Annotated[int | None, Parameter(help="How many of them to keep.")] = None,
    output: Output = "text",
    data_root: DataRoot = None,
    device: Device = "auto",
) -> int:
    """Derive the best architectures of a search.

    Draws from the trained controller, scores each with the shared weights on the
    whole validation part, ranks them, and writes the best to `derived.json`.
    """
    from enasdsl.search import derive

    with mistakes():
        found = derive(
            run,
            samples=_positive(samples, "--samples"),
            keep=_positive(keep, "--keep"),
            device=device,
            data_root=data_root,
            console=_console(output),
        )
    if output == "json":
        print(found.file.read_text("utf-8").rstrip())
    else:
        print(f"{found.file}\nnext: enasdsl train {run}")
    return 0


def train(
    source: Annotated[str, Parameter(help="The folder of a search, or an .enas file.")],
    /,
    *,
    arch: Arch = None,
    data: Annotated[str | None, Parameter(help="A data set; a run knows its own.")] = None,
    data_root: DataRoot = None,
    recipe: Recipe = None,
    set: Settings = (),
    from_shared: Annotated[bool, Parameter(help="Start from the shared weights.")] = False,
    budget: Budget = None,
    seed: Annotated[int | None, Parameter(help="Seed of every random number.")] = None,
    out: Annotated[str | None, Parameter(help="The folder to make.")] = None,
    resume: Annotated[bool, Parameter(help="Go on with a training.")] = False,
    output: Output = "text",
    device: Device = "auto",
) -> int:
    """Train one architecture from scratch; then state its figures.

    Of a run it is the best that `derive` found; --arch names another one.
    """
    from enasdsl.search import train

    with mistakes():
        result = train(
            source,
            data,
            arch=arch,
            recipe=recipe,
            settings=pairs(set),
            budget=seconds(budget),
            seed=seed,
            out=out,
            resume=resume,
            from_shared=from_shared,
            device=device,
            data_root=data_root,
            console=_console(output),
        )
    return _trained(result, output)


def _trained(result: TrainResult, output: Output) -> int:
    """Says what a training has come to; the exit code is that of ctrl-C where it was pressed."""
    if output == "json":
        facts = {
            "folder": str(result.folder),
            "architecture": result.architecture,
            "parameters": result.parameters,
            "epochs": result.epochs,
            result.figure: {"valid": result.valid, "test": result.test},
        }
        print(json.dumps(facts, indent=2))
        return INTERRUPTED if result.valid is None else 0
    size, epochs = several(result.parameters, "parameter"), several(result.epochs, "epoch")
    print(f"{result.folder}: {size}, {epochs}")
    if result.valid is not None and result.test is not None:
        print(f"{result.figure}: valid {result.valid:.4g}, test {result.test:.4g}")
    return ended(result.ending, result.command, "")


def eval(
    run: Annotated[str, Parameter(help="The folder of a search or of a training.")],
    /,
    *,
    output: Output = "text",
    data_root: DataRoot = None,
    device: Device = "auto",
) -> int:
    """Evaluate a run on the validation and the test part.

    The trained child where there is one, else the best derived architecture with
    the shared weights.
    """
    from enasdsl.search import evaluate

    with mistakes():
        found = evaluate(run, device=device, data_root=data_root)
    if output == "json":
        print(json.dumps(asdict(found), indent=2))
    else:
        print(f"{found.architecture}  ({found.weights} weights)")
        print(f"{found.figure}: valid {found.valid:.4g}, test {found.test:.4g}")
    return 0


def seconds(text: str | None) -> float | None:
    """A length of time such as `90s`, `20m` or `1h30m` in seconds."""
    if text is None:
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(n + u for n, u in parts) != text or total <= 0:
        raise UsageError(f"--budget takes a time such as 90s, 20m or 1h30m, and this is `{text}`")
    return total


def _positive(number: int | None, option: str) -> int | None:
    if number is not None and number < 1:
        raise UsageError(f"{option} takes a number from 1, and this is {number}")
    return number


def ended(ending: Ending, command: str, next_command: str) -> int:
    """Says how to go on; the exit code is that of ctrl-C where it was pressed."""
    if ending.value == "interrupted":
        print(f"stopped, and saved; go on with: {command}")
        return INTERRUPTED
    if ending.value == "budget":
        print(f"the budget is used up, and all is saved; go on with: {command}")
    if next_command:
        print(f"next: {next_command}")
    return 0


def _console(output: Output) -> Console | None:
    """Where the lines for people go: out of a machine's output."""
    from rich.console import Console

    return Console(stderr=True) if output == "json" else None
