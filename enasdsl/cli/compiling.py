"""The command `compile`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.opening import mistakes
from enasdsl.cli.options import File, Seed, Settings, pairs
from enasdsl.diagnostics.wording import several


def compile(
    file: File,
    /,
    *,
    out: Annotated[
        str | None, Parameter(name=["-o", "--out"], help="A folder to make, for all of it.")
    ] = None,
    recipe: Annotated[str | None, Parameter(help="A recipe of the file, for its params.")] = None,
    set: Settings = (),
    seed: Seed = 0,
    output: Literal["text", "json"] = "text",
) -> int:
    """Compile a space to a supernet with shared weights and a controller that fits it.

    Shows their sizes. With -o the folder holds the space file, its decisions
    (`space.json`), and the weights with which a search of this seed begins.
    """
    from enasdsl.search.compiled import compile_space, write_compiled
    from enasdsl.view.tally import headline

    with mistakes():
        compiled = compile_space(file, recipe=recipe, settings=pairs(set), seed=seed)
        if out is not None:
            write_compiled(compiled, Path(out))
    facts = compiled.facts
    if output == "json":
        print(json.dumps(facts, indent=2))
        return 0
    print(headline(compiled.space, int(str(facts["count"]))))
    places = several(len(compiled.space.places), "place")
    print(f"  supernet    {facts['supernet_parameters']:,} parameters in {places}")
    print(f"  controller  {facts['controller_parameters']:,} parameters")
    if out is not None:
        print(f"written to {out}")
    return 0
