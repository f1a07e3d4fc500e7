"""What the recipes do where the paper and the authors' code differ in training: D20 to D37."""

from __future__ import annotations

from itertools import pairwise
from math import exp, factorial, log, prod

import pytest
import torch
from recipes import RECIPES, found, network, operations, recipes, space
from search_worlds import text_data
from torch import Tensor

from enasdsl.ir.count import count
from enasdsl.ir.graph import Scan, Step
from enasdsl.ir.parameters import owned, parameter_count
from enasdsl.ir.parameters import steps as steps_of
from enasdsl.nn.weights import fan_in
from enasdsl.search.losses import aside
from enasdsl.search.problem import Language
from enasdsl.search.schedule import learning_rate
from enasdsl.semantics.recipe import Reward
from enasdsl.semantics.training import Data

SMALL: dict[str, dict[str, int]] = {"macro": {"L": 3}, "micro": {"N": 1}}


pytestmark = pytest.mark.usefixtures("one_thread")


# ------------------------------------------------------------------ recurrent


def test_d20_the_authors_recurrent_search_is_trained_otherwise() -> None:
    """Their loss is the sum over the 35 words of a window, and here it is the mean."""
    keys = ("weights.lr", "weights.clip", "data.batch", "weights.epochs", "weights.init.bound")
    assert found("rnn", *keys)[:2] == [
        (20.0, 0.25, 64, 150, 0.025),
        (pytest.approx(0.25 * 35), pytest.approx(10 / 35), 20, 100, 0.04),
    ]
    paper, official = (recipes("rnn")[r].weights for r in ("paper", "official"))
    assert learning_rate(paper, 16) == pytest.approx(20 * 0.96**2)
    assert learning_rate(official, 12) == pytest.approx(0.25 * 35)
    assert learning_rate(official, 14) == pytest.approx(0.25 * 35 * 0.95**2)
    final = recipes("rnn")["official"].child.weights
    assert (final.schedule.gamma, final.epochs) == (0.9991, 2000)
    assert final.lr * (final.clip or 0) == pytest.approx(20 * 0.25)


def test_d21_the_authors_search_has_two_activations() -> None:
    labels = {r: space("rnn", r).decisions[0].labels for r in RECIPES}
    assert labels["paper"] == labels["quick"] == ("tanh", "relu", "identity", "sigmoid")
    assert labels["official"] == ("highway(tanh)", "highway(relu)")
    assert count(space("rnn", "official")) == 2**12 * factorial(11)


def test_d22_the_authors_weights_are_those_of_an_activation_too() -> None:
    def matrices(recipe: str) -> int:
        net = space("rnn", recipe)
        return sum(p.op == "linear" and p.place.startswith("recurrent/node3/") for p in net.places)

    assert matrices("paper") == matrices("quick") == 2 * 2  # gate and candidate, from two nodes
    assert matrices("official") == 2 * 2 * 2


def test_d23_the_authors_normalise_within_the_cell_and_the_paper_its_output() -> None:
    def norms(recipe: str, *, child: bool) -> list[float]:
        net = network(space("rnn", recipe, child=child))
        return [float(dict(s.args)["eps"]) for s in steps_of(net) if s.op == "batch_norm"]

    assert norms("paper", child=False) == [1e-5]
    assert norms("official", child=False) == [1.0] * 25  # two a node, and the output
    assert norms("quick", child=False) == []  # a layer norm
    assert norms("paper", child=True) == norms("official", child=True) == []


@pytest.mark.parametrize("nll", [2.0, 10.0, 40.0])
def test_d24_no_loss_is_clipped_when_a_model_is_evaluated(nll: float) -> None:
    problem = Language(text_data(), Data(batch=2, eval_batch=2, bptt=5), Reward(), 0)
    batches = list(problem.split("valid"))
    given = iter(batches)

    def model(x: Tensor, states: object) -> tuple[Tensor, None]:
        logits = torch.zeros(*x.shape, len(text_data().vocabulary))
        return logits.scatter(-1, next(given).targets.unsqueeze(-1), -nll), None

    others = len(text_data().vocabulary) - 1
    wanted = nll + log(others + exp(-nll))
    assert problem.measure(model, batches).figure == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("recipe", RECIPES)
def test_d25_the_output_is_the_mean_of_loose_ends(recipe: str) -> None:
    """Another code of the authors', `enas_lm`, has the mean of all nodes; no recipe follows it."""
    (scan,) = (s for s in network(space("rnn", recipe, N=4)).steps if isinstance(s, Scan))
    (mean,) = (s for s in scan.network.steps if isinstance(s, Step) and s.op == "mean")
    assert len(mean.inputs) == 3  # node 1 is read by all of the others


# ------------------------------------------------------------------- training


def test_d26_gradients_of_images_are_not_clipped() -> None:
    for name in ("macro", "micro"):
        assert found(name, "weights.clip", "child.weights.clip") == [(None, None)] * 3


def test_d27_the_authors_penalty_is_without_the_half_and_on_all_weights() -> None:
    keys = ("weights.decay", "child.weights.decay", "weights.inactive")
    assert found("macro", *keys)[:2] == [(1e-4, 4e-4, "rest"), (5e-4, 4e-4, "decay")]
    assert found("micro", *keys)[:2] == [(1e-4, 4e-4, "rest"), (2e-4, 4e-4, "decay")]
    paper, official, quick = found("rnn", *keys)
    assert paper == (1e-7, 5e-7, "rest")
    assert official == (pytest.approx(2e-7 / 35), pytest.approx(1e-6 / 35), "decay")
    assert quick == (0.0, 0.0, "rest")


def test_d28_the_least_learning_rate_differs() -> None:
    keys = ("weights.schedule.min", "child.weights.schedule.min")
    assert found("macro", *keys) == [(0.001, 0.001), (0.0005, 0.001), (0.0001, 0.0001)]
    assert found("micro", *keys) == [(0.001, 0.0001), (0.0005, 0.0001), (0.0001, 0.0001)]


def test_d29_the_authors_head_at_the_side_stays_as_it_began() -> None:
    keys = ("weights.auxiliary.weight", "weights.auxiliary.trained", "params.aux")
    wanted = [(0.4, True, True), (0.4, False, True), (0.4, True, False)]
    assert found("micro", *keys) == wanted
    net = space("micro", "official")
    side = aside(network(net))
    assert sum(parameter_count([p]) for p in net.places if p.place in side) == 412_928
    assert sum(parameter_count([p]) for p in net.places if p.place not in side) == 5_373_140
    assert not recipes("micro")["official"].child.weights.auxiliary.trained


def test_d30_dropout_acts_on_the_rewards_of_the_authors_micro_search() -> None:
    assert found("micro", "reward.dropout") == [(False,), (True,), (False,)]
    for name in ("rnn", "macro"):
        assert found(name, "reward.dropout") == [(False,)] * 3


def test_d31_paths_are_dropped_in_the_last_network_alone() -> None:
    dropped = {
        (name, recipe, child): "drop_path"
        in operations(network(space(name, recipe, child=child, **SMALL[name])))
        for name in ("macro", "micro")
        for recipe in RECIPES
        for child in (False, True)
    }
    wanted = {("micro", "paper", True), ("micro", "official", True)}
    assert {key for key, acts in dropped.items() if acts} == wanted
    for recipe in RECIPES:
        assert "auxiliary" not in operations(network(space("macro", recipe)))


def test_d32_the_authors_micro_search_is_shorter_with_larger_batches() -> None:
    assert found("micro", "weights.epochs", "data.batch")[:2] == [(310, 128), (150, 160)]
    assert found("macro", "weights.epochs", "data.batch")[:2] == [(310, 128), (310, 128)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_d33_a_recurrent_cell_of_n_nodes_is_2_n_less_1_decisions(recipe: str) -> None:
    assert len(space("rnn", recipe).decisions) == 2 * 12 - 1


def test_d34_no_recipe_cuts_out() -> None:
    for name in ("macro", "micro"):
        assert found(name, "data.cutout", "child.data.cutout") == [(0, 0)] * 3


@pytest.mark.parametrize("recipe", ["paper", "official"])
def test_d35_fresh_weights_know_their_fan_in(recipe: str) -> None:
    """The authors' tables of weights count the choices as fan-in; no recipe does."""
    for spec in space("micro", recipe).places:
        for tensor in owned(spec):
            if spec.op in ("conv", "depthwise_conv"):
                assert fan_in(tensor) == prod(tensor.shape[1:])


def test_d36_the_first_step_after_a_restart_has_the_rate_of_mid_cycle() -> None:
    for name in ("macro", "micro"):
        keys = ("weights.schedule.midway", "child.weights.schedule.midway")
        assert found(name, *keys) == [(False, False), (True, True), (False, False)]
        rates = [learning_rate(recipes(name)["official"].weights, e, 0) for e in range(40)]
        later = [learning_rate(recipes(name)["official"].weights, e, 1) for e in range(40)]
        odd = [e for e, (a, b) in enumerate(zip(rates, later, strict=True)) if a != b]
        assert odd == [10, 30]
        rises = [e for e, (a, b) in enumerate(pairwise(later), 1) if b > a]
        assert rises == [10, 30]


def test_d37_no_recipe_claims_what_needs_cutout() -> None:
    """With CutOut the paper has 2.89 %, NASNet-A 2.65 %; without it 3.54 % and 3.41 %."""
    assert all(recipes("micro")[r].child.data.cutout == 0 for r in RECIPES)
    assert all(recipes("micro")[r].child.data.augment for r in ("paper", "official"))


# ------------------------------------------------------------- beside the list


def test_shared_macro_weights_are_as_many_as_the_authors() -> None:
    assert parameter_count(space("macro", "official").places) == 697_860


def test_variational_dropout_is_at_every_place_of_the_recurrent_network() -> None:
    for recipe, child, many in (("paper", False, 3), ("official", True, 3), ("quick", False, 0)):
        net = network(space("rnn", recipe, child=child))
        assert operations(net).count("sequence_dropout") == many
        embedding = next(s for s in steps_of(net) if s.op == "embedding")
        assert (float(dict(embedding.args)["word_dropout"]) > 0) == bool(many)
