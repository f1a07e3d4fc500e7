"""The shipped recipes of rnn, macro and micro, and the networks that they make."""

from __future__ import annotations

from functools import cache

from enasdsl.ir.count import count
from enasdsl.ir.graph import Network
from enasdsl.ir.parameters import steps as steps_of
from enasdsl.ir.sample import unrank
from enasdsl.ir.space import Space
from enasdsl.ir.specialize import specialize
from enasdsl.pipeline import Compilation
from enasdsl.semantics.recipe import Recipe, validate
from enasdsl.semantics.symbols import Scalar

NAMES = ("rnn", "macro", "micro")
RECIPES = ("paper", "official", "quick")


@cache
def recipes(name: str) -> dict[str, Recipe]:
    checked = Compilation.open(name).checked
    assert checked is not None
    return {key: validate(settings) for key, settings in checked.recipes.items()}


def found(name: str, *keys: str) -> list[tuple[object, ...]]:
    """The values of dotted keys in `paper`, `official` and `quick`."""
    rows = []
    for recipe in RECIPES:
        values = []
        for key in keys:
            value: object = recipes(name)[recipe]
            for part in key.split("."):
                value = value.get(part) if isinstance(value, dict) else getattr(value, part)
            values.append(value)
        rows.append(tuple(values))
    return rows


@cache
def space(name: str, recipe: str, *, child: bool = False, **others: Scalar) -> Space:
    """The space under the params of a recipe's search or child."""
    settings = recipes(name)[recipe]
    params = {**settings.params, **(settings.child.params if child else {}), **others}
    compiled = Compilation.open(name, overrides=params)
    assert compiled.space is not None, [d.message for d in compiled.diagnostics]
    return compiled.space


def network(found: Space, index: int = 0) -> Network:
    """The network of the architecture at `index`, from the end where it is negative."""
    return specialize(found, unrank(found, index if index >= 0 else count(found) + index))


def operations(net: Network) -> list[str]:
    return [step.op for step in steps_of(net)]


def place_ops(found: Space) -> set[str]:
    return {spec.op for spec in found.places}
