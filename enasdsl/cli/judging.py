"""`enasdsl verdict`: whether a search found more than chance does."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from enasdsl.cli.opening import mistakes
from enasdsl.cli.options import DataRoot, Device, Settings, pairs
from enasdsl.cli.searching import INTERRUPTED, Budget, Output, Run, ended, seconds

_FROM_ONE = Number(gte=1)


def verdict(
    run: Run,
    /,
    *,
    children: Annotated[
        int, Parameter(help="Random children beside the found one.", validator=_FROM_ONE)
    ] = 10,
    seeds: Annotated[int, Parameter(help="Trainings of each child.", validator=_FROM_ONE)] = 1,
    budget: Budget = None,
    set: Settings = (),
    output: Output = "text",
    data_root: DataRoot = None,
    device: Device = "auto",
) -> int:
    """Judge a search: its child beside random ones that are trained alike.

    Trains the best derived child and random ones from scratch, in RUN/verdict, and
    compares them; says how well shared weights foretold what came out, and how sure
    the search became of each decision. What was trained is kept: the same command
    goes on after a budget, ctrl-C or a power cut. It is in `verdict.txt` and
    `verdict.json` too.
    """
    from enasdsl.search.judging import verdict

    with mistakes():
        found = verdict(
            run,
            children=children,
            seeds=seeds,
            budget=seconds(budget),
            settings=pairs(set),
            device=device,
            data_root=data_root,
        )
    if output == "json":
        print((found.run / "verdict.json").read_text("utf-8").rstrip())
        return INTERRUPTED if found.ending.value == "interrupted" else 0
    print(found.text)
    return ended(found.ending, found.command, "")
