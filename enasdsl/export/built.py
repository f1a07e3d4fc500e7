"""What is exported: an architecture with its weights, out of a file or of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from enasdsl.ir.named import named
from enasdsl.ir.record import to_token
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn.child import Child
from enasdsl.nn.weights import Init
from enasdsl.search.assembly import dataset, device_of, initial
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.errors import SearchError
from enasdsl.search.offspring import Offspring, child_params, chosen, read_architecture
from enasdsl.search.run import Run, open_run
from enasdsl.search.seeds import generator


@dataclass(frozen=True, slots=True)
class Built:
    """An architecture and its child in evaluation; `origin` says where its weights are from."""

    space: Space
    architecture: Architecture
    child: Child
    origin: str


def of_space(space: Space, words: str, *, seed: int = 0) -> Built:
    """An architecture with fresh weights; raises RecordError, and ValueError without a network."""
    from random import Random

    architecture = named(space, words, Random(seed))
    drawn = torch.Generator().manual_seed(seed)
    child = Child(specialize(space, architecture), space.places, init=Init(), generator=drawn)
    return Built(space, architecture, child.eval(), f"fresh, seed {seed}")


def of_run(folder: Path, words: str | None = None, *, data_root: str | Path | None = None) -> Built:
    """The trained child of a run, or another architecture of a search, with fresh weights.

    `folder` is that of a search or of a child. Raises SearchError.
    """
    run = open_run(folder)
    weights = run.child / "weights.safetensors"
    if run.info.kind == "search" and weights.is_file():
        child = open_run(run.child)
        if words is None or _is(run, child, words, data_root):
            return _trained(child, data_root)
    if run.info.kind == "search":
        return _fresh(run, words, data_root)
    if words is not None and run.info.architecture != words:
        raise SearchError(
            f"{folder} is one child", "leave --arch out, or name the search for another one"
        )
    return _trained(run, data_root)


def _is(run: Run, child: Run, words: str, data_root: str | Path | None) -> bool:
    """Whether words mean the architecture that a child has."""
    space = _space(run, data_root)
    return to_token(read_architecture(space, chosen(run, words))) == child.info.architecture


def _trained(run: Run, data_root: str | Path | None) -> Built:
    weights = run.folder / "weights.safetensors"
    if not weights.is_file():
        raise SearchError(f"{run.folder} is not trained yet", "go on with enasdsl train --resume")
    device = device_of("cpu")
    offspring = Offspring(
        run, dataset(run.info.data, data_root or run.info.data_root, device), device
    )
    child = offspring.child()
    child.load_state_dict(load_file(weights))
    return Built(offspring.space, offspring.architecture, child.eval(), str(weights))


def _fresh(run: Run, words: str | None, data_root: str | Path | None) -> Built:
    space = _space(run, data_root)
    architecture = read_architecture(space, chosen(run, words))
    child = Child(
        specialize(space, architecture),
        space.places,
        init=initial(run.recipe.child.weights.init),
        generator=generator(run.info.seed, "weights"),
    )
    return Built(space, architecture, child.eval(), f"fresh, seed {run.info.seed}")


def _space(run: Run, data_root: str | Path | None) -> Space:
    """The space of a search as its children have it."""
    data = dataset(run.info.data, data_root or run.info.data_root, device_of("cpu"))
    params = child_params(run.recipe, shared=False)
    return SpaceFile.open(run.space_file).space(params, data.task)
