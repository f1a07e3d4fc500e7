"""What a recipe has a controller prefer: exactly so much, where it is named, or a clear refusal."""

from __future__ import annotations

from math import exp, tanh

import pytest
import torch
from handmade import everything, macro, rnn, seeded

from enasdsl.nn.controller import Controller
from enasdsl.search.enas import controller_of
from enasdsl.search.errors import SearchError
from enasdsl.search.leaning import biases, leanings
from enasdsl.semantics.recipe import Controller as Settings
from enasdsl.semantics.recipe import validate


def blank(controller: Controller) -> Controller:
    """The controller with all weights zero, but for biases."""
    with torch.no_grad():
        for name, parameter in controller.named_parameters():
            if not name.startswith("bias"):
                parameter.zero_()
    return controller


def test_odds_are_those_of_the_numbers() -> None:
    """Against a softmax by hand: a bias is within the bound, and a preference beyond it."""
    space = rnn(2)
    settings = Settings.model_validate(
        {
            "hidden": 4, "tanh": 2.0, "temperature": 3.0,
            "prefer": {"recurrent.node2": (1.0, 0.0, 0.0, -1.0)},
            "bias": {"recurrent": (3.0, 0.0, 0.0, 0.0)},
        }
    )  # fmt: skip
    controller = blank(controller_of(space, settings, 0))
    bound = [2 * tanh(3 / 3), 0.0, 0.0, 0.0]
    first = [exp(b) for b in bound]
    second = [exp(b + p) for b, p in zip(bound, (1.0, 0.0, 0.0, -1.0), strict=True)]
    architectures = everything(space)
    found = controller.log_prob(architectures).exp().tolist()
    for architecture, p in zip(architectures, found, strict=True):
        one, _, two = (picks[0] for picks in architecture.picks if picks)
        assert p == pytest.approx(first[one] / sum(first) * second[two] / sum(second), rel=1e-5)


def test_a_bias_is_learned_and_a_preference_is_not() -> None:
    space = macro(3)
    numbers = {"layers": (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)}
    plain, both = (
        controller_of(space, Settings.model_validate(kind), 0)
        for kind in ({}, {"prefer": numbers, "bias": numbers})
    )
    assert sum(p.numel() for p in both.parameters()) == 6 + sum(
        p.numel() for p in plain.parameters()
    )
    drawn = both.sample(20, seeded())
    drawn.log_prob.sum().backward()  # type: ignore[no-untyped-call]
    (bias,) = both.bias.values()
    assert bias.grad is not None
    assert bool(bias.grad.abs().sum() > 0)
    again = controller_of(space, Settings.model_validate({"prefer": numbers, "bias": numbers}), 1)
    again.load_state_dict(both.state_dict())
    torch.testing.assert_close(again.log_prob(drawn.architectures), drawn.log_prob)


def test_the_longest_path_decides() -> None:
    found = leanings(macro(3), "prefer", {"layers.node2": [1.0] * 6, "layers": [0.0] * 6})
    assert found == {0: (0.0,) * 6, 1: (1.0,) * 6, 3: (0.0,) * 6}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"layer": [0.0] * 6}, "`controller.bias.layer` names no choice of operations"),
        ({"layers.node2.skips": [0.0] * 2}, "names no choice"),
        ({"layers": [0.0] * 5}, "has 5 numbers, and the choices there are among 6 alternatives"),
        ({"layers": [0.0] * 6, "layers.node2": [1.0] * 6}, "begins otherwise at layers.node2.y"),
    ],
)
def test_what_names_nothing_is_refused(named: dict[str, list[float]], said: str) -> None:
    with pytest.raises(SearchError, match=said):
        biases(macro(3), named)


def test_a_recipe_remembers_them() -> None:
    recipe = validate({"controller": {"prefer": {"normal": [0.25, -0.25]}}})
    assert recipe.controller.prefer == {"normal": (0.25, -0.25)}
    assert type(recipe).model_validate_json(recipe.model_dump_json()) == recipe
