"""The schema of recipes, and the recipes that come with the shipped spaces."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from enasdsl.pipeline import Compilation
from enasdsl.semantics.layers import overlay
from enasdsl.semantics.recipe import SECTIONS, Recipe, apply, problems, validate


def test_dotted_and_nested_keys_say_the_same() -> None:
    nested = {"weights": {"lr": 2, "schedule": {"kind": "step"}}}
    assert validate({"weights.lr": 2, "weights.schedule.kind": "step"}) == validate(nested)
    assert overlay(nested, {"weights.lr": 3}) == {
        "weights": {"lr": 3, "schedule": {"kind": "step"}}
    }
    assert nested["weights"]["lr"] == 2


def test_the_child_is_trained_as_the_search_unless_it_says_otherwise() -> None:
    recipe = validate(
        {"weights": {"lr": 2, "clip": 1, "schedule": {"min": 0.1}}, "child.weights.clip": "none"}
    )
    assert recipe.child.weights.lr == 2
    assert recipe.child.weights.schedule.min == 0.1
    assert recipe.child.weights.clip is None
    assert apply({"weights.lr": 2}, {"weights.lr": 3}).child.weights.lr == 3
    assert apply({"child.weights.lr": 2}, {"weights.lr": 3}).child.weights.lr == 2


def test_words_from_the_command_line_become_numbers() -> None:
    recipe = validate(
        {"params": {"a": "3", "b": "0.5", "c": "true", "d": "word"}, "weights.lr": "1"}
    )
    assert recipe.params == {"a": 3, "b": 0.5, "c": True, "d": "word"}
    assert recipe.weights.lr == 1.0


@pytest.mark.parametrize(
    ("settings", "path", "known"),
    [
        ({"weights": {"lrr": 1}}, ("weights", "lrr"), "lr"),
        ({"controler": {"lr": 1}}, ("controler",), "controller"),
        ({"child.weights.schedule.knd": "step"}, ("child", "weights", "schedule", "knd"), "kind"),
        ({"weights.lr": -1}, ("weights", "lr"), None),
        ({"weights.momentum": 1.0}, ("weights", "momentum"), None),
        ({"weights.optimizer": "sdg"}, ("weights", "optimizer"), None),
        ({"weights.lr": float("nan")}, ("weights", "lr"), None),
        ({"data": 3}, ("data",), None),
        ({"params": {"a": [1]}}, ("params", "a"), None),
    ],
)
def test_what_the_schema_refuses_is_said_once(
    settings: Mapping[str, object], path: tuple[str, ...], known: str | None
) -> None:
    (problem,) = problems(settings)
    assert problem.path == path
    assert ".".join(path) in problem.message
    assert (known in problem.known) if known else not problem.known
    with pytest.raises(ValidationError):
        validate(settings)


def _fields(section: type[BaseModel]) -> Iterator[FieldInfo]:
    for field in section.model_fields.values():
        yield field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation)


def test_every_key_says_what_it_means() -> None:
    fields = list(_fields(Recipe))
    assert len(fields) > 60
    assert all(field.description for field in fields)
    assert "lr" in SECTIONS["child.weights"]


def _recipes(name: str) -> dict[str, Recipe]:
    checked = Compilation.open(name).checked
    assert checked is not None
    return {key: validate(settings) for key, settings in checked.recipes.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "macro", "micro"])
def test_shipped_recipes_are_whole(name: str) -> None:
    recipes = _recipes(name)
    assert set(recipes) == {"paper", "official", "quick", "small"}
    paper = recipes["paper"]
    assert (paper.controller.hidden, paper.controller.lr) == (100, 3.5e-4)
    assert (paper.controller.tanh, paper.controller.temperature) == (2.5, 5.0)
    assert (paper.controller.steps, paper.weights.children) == (2000, 1)
    assert paper.weights.optimizer == "sgd"
    assert paper.weights.inactive == "rest"
    for recipe in recipes.values():
        space = Compilation.open(name, overrides=recipe.params).space
        child = Compilation.open(name, overrides={**recipe.params, **recipe.child.params}).space
        assert space is not None
        assert child is not None
        assert child.hash == space.hash


def test_the_papers_values_are_the_papers() -> None:
    rnn, macro = _recipes("rnn")["paper"], _recipes("macro")["paper"]
    assert (rnn.weights.lr, rnn.weights.clip, rnn.weights.momentum) == (20, 0.25, 0)
    assert (rnn.weights.schedule.gamma, rnn.weights.schedule.from_epoch) == (0.96, 15)
    assert (rnn.weights.epochs, rnn.reward.c, rnn.controller.entropy) == (150, 80, 1e-4)
    assert (macro.weights.lr, macro.weights.schedule.min) == (0.05, 0.001)
    assert (macro.weights.schedule.period, macro.weights.schedule.multiply) == (10, 2)
    assert (macro.controller.skip_rate, macro.controller.skip_weight) == (0.4, 0.8)
    assert (macro.weights.nesterov, macro.weights.momentum, macro.weights.epochs) == (
        True,
        0.9,
        310,
    )


@pytest.mark.slow
def test_what_the_schema_accepted_is_checked_without_it(tmp_path: Path) -> None:
    """The second check imports no pydantic; another value, or a mistake, asks the schema again."""
    space = tmp_path / "space.enas"
    quick = "space s\ncell c(x) { x -> relu }\nrecipe quick { controller { entropy: 0.1 } }\n"
    program = (
        "import sys; from enasdsl.pipeline import Compilation; "
        f"found = Compilation.open({str(space)!r}).outline; "
        "print(found is not None, 'pydantic' in sys.modules)"
    )

    def checked(text: str) -> str:
        space.write_text(text)
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, capture_output=True, text=True).stdout

    wrong = quick.replace("0.1", "word")
    assert checked(quick) == "True True\n"
    assert checked(quick) == "True False\n"
    assert checked(wrong) == checked(wrong) == "False True\n"
    (tmp_path / "cache" / "enasdsl" / "recipes").write_bytes(b"\xff\n")
    assert checked(quick) == "True True\n"
