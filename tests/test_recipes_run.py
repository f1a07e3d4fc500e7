"""Every recipe of rnn, macro and micro in motion, at the least size, and cut in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import pytest
import torch
from recipes import NAMES, RECIPES
from search_worlds import text_data
from states import numbers, reloaded

from enasdsl.data.augment import Augment
from enasdsl.data.images import Examples, ImageData, assemble
from enasdsl.ir.sample import unrank
from enasdsl.ir.specialize import specialize
from enasdsl.nn.child import Child
from enasdsl.search.alternation import Alternation
from enasdsl.search.assembly import Assembly, initial
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.problem import pose
from enasdsl.search.retraining import Retraining
from enasdsl.search.run import Info, Run
from enasdsl.search.seeds import generator
from enasdsl.semantics.recipe import Recipe

SHORT: Mapping[str, object] = {
    "data.batch": 4, "data.eval_batch": 4, "child.data.batch": 4, "child.data.eval_batch": 4,
    "weights.epochs": 1, "weights.steps": 2, "child.weights.epochs": 1, "child.weights.steps": 2,
    "controller.steps": 2, "controller.children": 2,
}  # fmt: skip
SIZES: Mapping[str, Mapping[str, object]] = {
    "rnn": {"params.N": 4, "params.hidden": 8, "child.params.hidden": 8},
    "macro": {"params.L": 3, "params.filters": 4, "child.params.filters": 4},
    "micro": {
        "params.B": 4, "params.N": 1, "params.filters": 4,
        "child.params.N": 1, "child.params.filters": 4,
    },
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")


def _images() -> ImageData:
    draws = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 255, (24, 3, 32, 32), generator=draws).to(torch.uint8)
    parts = [Examples(pixels[n : n + 8], torch.arange(8)) for n in (0, 8, 16)]
    train, valid, test = parts
    names = tuple("0123456789")
    return assemble("noise", names, (train, valid, test), augment=Augment())


class _World:
    """A shipped space under one of its recipes, in memory."""

    def __init__(self, name: str, recipe: str, folder: Any) -> None:
        self.data = text_data() if name == "rnn" else _images()
        self.file = SpaceFile.open(name)
        self.recipe: Recipe = self.file.recipe(recipe, {**SHORT, **SIZES[name]}, self.data.task)[1]
        space = self.file.space(self.recipe.params, self.data.task)
        info = Info(
            kind="search", file=name, main=f"{name}.enas", space=space.name, hash=space.hash,
            data="noise",
        )  # fmt: skip
        (folder / "space").mkdir(exist_ok=True)
        (folder / "space" / f"{name}.enas").write_text(self.file.source.text)
        self.run = Run(folder, info, self.recipe)

    def search(self) -> Alternation:
        return Assembly(self.run, self.data, torch.device("cpu")).alternation()

    def training(self) -> Retraining:
        recipe = self.recipe
        space = self.file.space({**recipe.params, **recipe.child.params}, self.data.task)
        child = Child(
            specialize(space, unrank(space, 7)),
            space.places,
            init=initial(recipe.child.weights.init),
            generator=generator(0, "weights"),
        )
        child.noise = generator(0, "noise")
        problem = pose(self.data, recipe.child.data, recipe.reward, 0)
        return Retraining(child, problem, recipe.child.weights)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", NAMES)
def test_each_recipe_searches_and_trains(name: str, recipe: str, tmp_path: Any) -> None:
    world = _World(name, recipe, tmp_path)
    for job in (world.search(), world.training()):
        while not job.done:
            values = job.step().values
            assert all(map(isfinite, values.values()))
            assert not values.get("skipped")


@pytest.mark.parametrize("name", NAMES)
def test_the_authors_search_goes_on_as_if_it_had_not_been_cut(name: str, tmp_path: Any) -> None:
    world = _World(name, "official", tmp_path)
    for begin in (world.search, world.training):
        whole = begin()
        whole.step()
        whole.step()
        resumed = begin()
        resumed.load_state_dict(reloaded(whole.state_dict()))
        for job in (whole, resumed):
            while not job.done:
                job.step()
        assert numbers(resumed.state_dict()) == numbers(whole.state_dict())
