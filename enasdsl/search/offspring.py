"""One architecture of a run's folder as a module that can be trained and evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from enasdsl.ir.named import named
from enasdsl.ir.parameters import owned
from enasdsl.ir.pricing import unbounded
from enasdsl.ir.record import RecordError
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn.child import Child
from enasdsl.nn.native import built
from enasdsl.search.assembly import Assembly, Dataset, initial
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.deriving import derived_tokens, trained
from enasdsl.search.errors import SearchError
from enasdsl.search.problem import Problem, pose
from enasdsl.search.retraining import Retraining
from enasdsl.search.run import Run, open_run
from enasdsl.search.seeds import device_generator, generator
from enasdsl.semantics.recipe import Recipe, settled
from enasdsl.semantics.task import Task


def child_params(recipe: Recipe, *, shared: bool) -> dict[str, object]:
    """The params of the file for the child: the search's alone if it starts from shared weights."""
    return {**recipe.params} if shared else {**recipe.params, **recipe.child.params}


def refuse_other_weights(parent: Run, space: Space, task: Task) -> None:
    """Raises SearchError where a space has other weights than those that a search shares."""
    shared = SpaceFile.open(parent.space_file).space(parent.recipe.params, task)
    sizes = [[owned(spec) for spec in one.places] for one in (shared, space)]
    if sizes[0] != sizes[1]:
        raise SearchError(
            f"the shared weights of {parent.folder} are not of the sizes that this child has",
            "leave out --from-shared, or the params and the data that are not those of the search",
        )


def read_architecture(space: Space, words: str) -> Architecture:
    """The architecture that a user's words mean; raises SearchError."""
    try:
        return named(space, words)
    except RecordError as error:
        raise SearchError(
            f"this is not an architecture of the space: {error}",
            "the params of the search and of the child may not differ in what is decided",
        ) from error


def chosen(run: Run, words: str | None) -> str:
    """The token that `words` mean for a search: a rank in `derived.json`, 1 without any.

    Raises SearchError where nothing was derived.
    """
    if words is not None and not words.isdigit():
        return words
    tokens = derived_tokens(run)
    place = int(words or 1)
    if not 1 <= place <= len(tokens):
        raise SearchError(
            f"{run.folder} has {len(tokens) or 'no'} derived architectures",
            f"derive them with: enasdsl derive {run.folder}",
        )
    return tokens[place - 1]


@dataclass(frozen=True)
class Offspring:
    """What the folder of a child describes, ready to go."""

    run: Run
    data: Dataset
    device: torch.device

    @cached_property
    def space(self) -> Space:
        shared = self.run.info.shared is not None
        params = child_params(self.run.recipe, shared=shared)
        found = SpaceFile.open(self.run.space_file).space(params, self.data.task)
        return found if shared else unbounded(found)

    @cached_property
    def architecture(self) -> Architecture:
        return read_architecture(self.space, self.run.info.architecture or "")

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe with the picks of the architecture where a setting reads a choice."""
        places = {decision.path: n for n, decision in enumerate(self.space.decisions)}

        def pick(name: str, size: int) -> int:
            picks = self.architecture.picks[places[name]] if name in places else None
            if picks is None or self.space.decisions[places[name]].domain.size != size:
                raise SearchError(
                    f"the recipe reads the choice `{name}`, and the architecture has no such pick",
                    f"choose it at the top of the file, among {size} constants",
                )
            return picks[0]

        return settled(self.run.recipe, pick)

    @cached_property
    def problem(self) -> Problem:
        recipe = self.recipe
        return pose(self.data, recipe.child.data, recipe.reward, self.run.info.seed)

    def child(self) -> Child:
        """The architecture with fresh weights."""
        info = self.run.info
        child = Child(
            specialize(self.space, self.architecture),
            self.space.places,
            init=initial(self.recipe.child.weights.init),
            generator=generator(info.seed, "weights"),
            native=info.native and built(),
        )
        child.noise = device_generator(self.device, info.seed, "noise")
        return child.to(self.device)

    def inherit(self, child: Child) -> None:
        """Gives a child the shared weights of the search that its folder names."""
        parent = Assembly(open_run(Path(self.run.info.shared or "")), self.data, self.device)
        source = Child.from_supernet(trained(parent).supernet, self.architecture)
        child.load_state_dict(source.state_dict())

    def training(self, child: Child) -> Retraining:
        """The training of a child, at its start."""
        return Retraining(child, self.problem, self.recipe.child.weights)
