"""`enasdsl compile`: a space as a supernet and a controller, before any training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import save
from torch import nn

from enasdsl.ir.count import count
from enasdsl.ir.space import Space
from enasdsl.nn.controller import Controller
from enasdsl.nn.supernet import Supernet
from enasdsl.search.assembly import initial
from enasdsl.search.checkpoint import replacing
from enasdsl.search.compiling import SpaceFile, over_params, read_recipe
from enasdsl.search.enas import controller_of
from enasdsl.search.errors import SearchError
from enasdsl.search.run import write, write_json
from enasdsl.search.seeds import generator
from enasdsl.semantics.recipe import Recipe, Settings


@dataclass(frozen=True, slots=True)
class Compiled:
    """A supernet and its controller with the weights with which a search begins."""

    file: SpaceFile
    recipe: Recipe
    space: Space
    supernet: Supernet
    controller: Controller

    @property
    def facts(self) -> dict[str, object]:
        """What there is to know of it, as `summary.json` has it."""
        return {
            "space": self.space.name,
            "hash": self.space.hash,
            "task": self.space.task,
            "count": str(count(self.space)),
            "decisions": len(self.space.decisions),
            "places": len(self.space.places),
            "supernet_parameters": parameters(self.supernet),
            "controller_parameters": parameters(self.controller),
        }


def compile_space(
    name: str | Path, *, recipe: str | None, settings: Settings, seed: int
) -> Compiled:
    """Compiles a file, or a shipped space, for data of the usual sizes; raises SearchError.

    Without a recipe the params are those of the file, and the controller is the paper's size.
    """
    file = SpaceFile.open(name)
    task = file.task
    asked = over_params(settings)
    resolved = file.recipe(recipe, settings, task)[1] if recipe else read_recipe({}, asked)
    space = file.space(resolved.params, task)
    supernet = Supernet(
        space, init=initial(resolved.weights.init), generator=generator(seed, "weights")
    )
    controller = controller_of(space, resolved.controller, seed)
    return Compiled(file, resolved, space, supernet, controller)


def write_compiled(compiled: Compiled, folder: Path) -> None:
    """Writes everything into a new folder; raises SearchError where it holds something already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SearchError(f"{folder} exists already", "name another folder with -o")
    for file_name, text in compiled.file.texts().items():
        write(folder / file_name, text)
    write(folder / "recipe.json", compiled.recipe.model_dump_json(indent=2) + "\n")
    write_json(folder / "space.json", decisions(compiled.space))
    for name, module in (("supernet", compiled.supernet), ("controller", compiled.controller)):
        with replacing(folder / f"{name}.safetensors") as target:
            target.write(save(dict(module.state_dict())))
    write_json(folder / "summary.json", compiled.facts)


def decisions(space: Space) -> dict[str, object]:
    """The decisions of a space for other programs: guards by index, alternatives by label."""
    rows = [
        {
            "path": d.path,
            "kind": d.domain.kind.value,
            "least": d.domain.least,
            "most": d.domain.most,
            "labels": list(d.labels),
            "guard": [_plain(asdict(test)) for test in d.guard],
        }
        for d in space.decisions
    ]
    return {"space": space.name, "hash": space.hash, "decisions": rows}


def _plain(value: object) -> object:
    match value:
        case frozenset():
            return sorted(value)
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def parameters(module: nn.Module) -> int:
    """How many numbers of a module are trained."""
    return sum(p.numel() for p in module.parameters())
