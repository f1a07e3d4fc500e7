"""Settings of a child that read a choice of the file, and take its pick when it is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from enasdsl.cli import main
from enasdsl.ir.record import to_token
from enasdsl.ir.sample import enumerate_space
from enasdsl.pipeline import Compilation
from enasdsl.semantics.recipe import Recipe, apply, settled, validate
from enasdsl.source import SourceFile

SPACE = """space beside
param filters = 4
learning_rate = choose [0.01, 0.1]
act = choose [relu, tanh]
batch = choose 8..24 step 8
how = choose ["sgd", "adam"]
a, b = choose 2 from [1, 2] with repeats
network image_classifier {
  stem  conv(3) -> act
  stack conv(choose [1, 3])
  head  global_avg_pool -> linear(classes)
}
"""
CHOSEN = (
    "weights { lr: learning_rate; momentum: 1 - learning_rate; optimizer: how }; data.batch: batch"
)


def compiled(recipe: str) -> Compilation:
    return Compilation(SourceFile("beside.enas", f"{SPACE}recipe quick {{ {recipe} }}\n"))


def recipe_of(recipe: str) -> Recipe:
    found = compiled(recipe)
    assert found.checked is not None, found.diagnostics
    return validate(found.checked.recipes["quick"])


def test_a_child_takes_the_pick_of_its_architecture() -> None:
    recipe = recipe_of(f"weights {{ lr: 0.3; epochs: 7 }}; child {{ {CHOSEN} }}")
    picks = {"learning_rate": 1, "batch": 2, "how": 1}
    child = settled(recipe, lambda name, size: picks[name]).child
    assert (child.weights.lr, child.weights.momentum, child.weights.optimizer) == (0.1, 0.9, "adam")
    assert (child.data.batch, child.weights.epochs) == (24, 7)
    assert recipe.weights.lr == 0.3
    first = settled(recipe, lambda name, size: 0).child
    assert (first.weights.lr, first.weights.optimizer, first.data.batch) == (0.01, "sgd", 8)


def test_it_is_written_down_and_read_again() -> None:
    recipe = recipe_of(f"child {{ {CHOSEN} }}")
    again = Recipe.model_validate(json.loads(recipe.model_dump_json()))
    assert again == recipe
    assert settled(again, lambda name, size: 1).child.weights.lr == 0.1


def test_what_is_set_stands_above_what_is_chosen() -> None:
    found = compiled(f"child {{ {CHOSEN} }}").checked
    assert found is not None
    recipe = apply(found.recipes["quick"], {"child.weights.lr": 0.2})
    assert settled(recipe, lambda name, size: 1).child.weights.lr == 0.2
    again = apply(recipe.model_dump(), {"child.weights.momentum": 0.5})
    assert settled(again, lambda name, size: 1).child.weights.momentum == 0.5


@pytest.mark.parametrize(
    ("recipe", "code", "place", "words"),
    [
        ("weights { lr: learning_rate }", "E0616", "learning_rate", "shared weights"),
        ("child { params { filters: batch } }", "E0616", "batch", "param"),
        ("child { weights { lr: act } }", "E0616", "act", "constants"),
        ("child { weights { lr: a } }", "E0616", "a", "one of a list"),
        (
            "child { weights { lr: learning_rate * batch } }",
            "E0616",
            "learning_rate * batch",
            "two",
        ),
        ("child { weights { lr: learning_rate - 0.01 } }", "E0612", "learning_rate - 0.01", "lr"),
        ("child { weights { momentum: batch } }", "E0612", "batch", "momentum"),
        ("child { weights { epochs: learning_rate } }", "E0611", "learning_rate", "epochs"),
    ],
)
def test_what_cannot_be_read_is_refused(recipe: str, code: str, place: str, words: str) -> None:
    (found,) = compiled(recipe).diagnostics
    assert found.code == code
    assert found.label.span.text == place
    assert words in f"{found.message} {found.label.text} {found.help}"


def test_every_alternative_is_validated_wherever_it_comes_from() -> None:
    chosen = {"choice": "learning_rate", "values": [0.1, -1.0]}
    with pytest.raises(ValidationError):
        validate({"child": {"weights": {"lr": chosen}}})
    with pytest.raises(ValidationError):
        validate({"weights": {"lr": {"choice": "learning_rate", "values": [0.1]}}})


@pytest.mark.slow
def test_train_uses_the_pick(tmp_path: Path) -> None:
    file = tmp_path / "beside.enas"
    child = "child { weights { lr: learning_rate; epochs: 1; steps: 2 }; data { batch: batch } }"
    file.write_text(f"{SPACE}recipe quick {{ {child} }}\n", "utf-8")
    space = Compilation.open(file).space
    assert space is not None
    for pick, rate in ((0, 0.01), (1, 0.1)):
        out = tmp_path / f"child{pick}"
        architecture = next(a for a in enumerate_space(space) if a.picks[0] == (pick,))
        token = to_token(architecture)
        words = ["train", str(file), "--arch", token, "--data", "digits", "--out", str(out)]
        assert main(words) == 0
        rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        assert {row["lr"] for row in rows if "lr" in row} == {rate}
