"""What the recipes of rnn, macro and micro do wherever the paper and the authors' code differ.

One test for each difference, here D1 to D19, of the space and the controller; the rest, of
training, is in test_recipes_authors.py, and spaces/differences.md lists all. `paper` has what the
paper says, `official` what the authors' scripts do, `quick` is the paper's method at a size for
two cores.
"""

from __future__ import annotations

from math import factorial

import pytest
import torch
from recipes import NAMES, RECIPES, found, network, operations, place_ops, recipes, space
from test_lower_published import published_micro

from enasdsl.ir.costs import cost
from enasdsl.ir.count import count
from enasdsl.ir.graph import Network
from enasdsl.ir.parameters import active_parameter_count
from enasdsl.ir.parameters import steps as steps_of
from enasdsl.ir.sample import unrank
from enasdsl.ir.specialize import specialize
from enasdsl.nn.score import Bits, score
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.enas import controller_of
from enasdsl.search.offspring import child_params, read_architecture
from enasdsl.search.reinforce import Baseline
from enasdsl.semantics.symbols import Scalar

pytestmark = pytest.mark.usefixtures("one_thread")


# --------------------------------------------------------------- sizes, method


def test_d1_the_recurrent_space_has_a_factorial_less_than_the_paper_says() -> None:
    assert count(space("rnn", "paper")) == 4**12 * factorial(11) == 669_692_775_628_800
    assert count(space("rnn", "quick")) == count(space("rnn", "paper"))
    (published,) = space("rnn", "paper").published
    assert published.value == 4**12 * factorial(12)
    assert published.why is not None


def test_d2_the_space_of_cells_is_larger_than_the_paper_says() -> None:
    exact = (5**5 * factorial(6)) ** 4
    assert [count(space("micro", r)) for r in ("paper", "official")] == [exact, exact]
    (published,) = space("micro", "paper").published
    assert published.value == (5 * factorial(5)) ** 4
    assert published.why is not None
    assert exact < count(space("macro", "paper"))  # the paper's "significantly smaller" holds


@pytest.mark.parametrize("recipe", RECIPES)
def test_d3_each_of_six_operations_has_weights_of_its_own(recipe: str) -> None:
    """The authors' search always runs the last branch; no recipe does."""
    net = space("macro", recipe)
    places = [
        {s.place for s in steps_of(network(net, n * count(net) // 6)) if "node1/" in s.place}
        for n in range(6)
    ]
    assert len(places) == 6
    assert all(places)
    assert not any(a & b for i, a in enumerate(places) for b in places[:i])


def test_d4_the_authors_final_macro_network_is_another_than_the_one_searched() -> None:
    assert "depthwise_conv" in place_ops(space("macro", "official"))
    assert "depthwise_conv" not in place_ops(space("macro", "official", child=True))
    assert "depthwise_conv" in place_ops(space("macro", "paper", child=True))
    joined = {
        (recipe, child): operations(
            network(space("macro", recipe, child=child), -1)
        )  # with all skips
        for recipe in RECIPES
        for child in (False, True)
    }
    assert {key for key, ops in joined.items() if "sum" in ops} == {("official", False)}
    widths = {
        (recipe, child): {
            s.shape.channels
            for s in steps_of(network(space("macro", recipe, child=child)))
            if s.op == "conv" and len(s.shape.space) == 2
        }
        for recipe in RECIPES
        for child in (False, True)
    }
    assert widths["official", True] >= {96, 192, 384}
    assert widths["paper", True] <= {48, 96}  # a half of the channels in a factorised reduction


def test_d5_every_recipe_searches_and_trains_one_depth() -> None:
    """The authors trained 24 layers and released no network of the 12 that they searched."""
    assert found("macro", "params.L") == [(12,), (12,), (6,)]
    assert all("L" not in recipes("macro")[r].child.params for r in RECIPES)
    hashes = {r: space("macro", r).hash == space("macro", r, child=True).hash for r in RECIPES}
    assert all(hashes.values())


def test_d5_the_authors_last_network_is_trained_by_name() -> None:
    """`train macro --recipe official --set L=24 --arch published/enas_macro` builds it."""
    file = SpaceFile.open("macro")
    _, recipe = file.recipe("official", {"L": "24"}, file.task)
    net = file.space(child_params(recipe, shared=False), file.task)
    found = read_architecture(net, "published/enas_macro")
    assert cost(net, found).params == 42_559_392


def test_d6_relu_comes_first_in_the_paper_and_last_in_the_authors_macro_search() -> None:
    def order(recipe: str, *, child: bool) -> list[str]:
        steps = list(steps_of(network(space("macro", recipe, child=child))))
        first = next(i for i, s in enumerate(steps) if "node1/" in s.place)
        return [s.op for s in steps[first - 1 : first + 2]]

    stem_last = ["batch_norm", "conv", "batch_norm"]
    assert order("official", child=False) == stem_last
    for recipe, child in (("paper", False), ("paper", True), ("official", True), ("quick", False)):
        assert order(recipe, child=child) == ["relu", "conv", "batch_norm"]
    for recipe in RECIPES:
        ops = operations(network(space("micro", recipe)))
        assert ops[ops.index("depthwise_conv") - 1] == "relu"


@pytest.mark.parametrize("recipe", RECIPES)
def test_d7_a_layer_may_skip_to_the_stem_and_always_reads_its_predecessor(recipe: str) -> None:
    decisions = {d.path: d.labels for d in space("macro", recipe).decisions}
    assert decisions["layers.node2.skips"] == ("image",)
    assert decisions["layers.node5.skips"] == ("image", "node1", "node2", "node3")


# ------------------------------------------------------------------ controller


def _rate_of_least_penalty(slope: float) -> float:
    logits = torch.linspace(-3, 3, 6001).unsqueeze(1)
    sure = torch.ones_like(logits, dtype=torch.bool)
    bits = Bits(slope * logits, sure, sure, torch.ones_like(logits), skips=True)
    zero = torch.zeros(len(logits))
    penalty = score([], [bits], prior=0.4, slope=slope, zero=zero).skip_penalty
    return float((slope * logits[penalty.argmin()]).sigmoid())


def test_d8_the_authors_penalty_is_least_at_another_rate_than_its_prior() -> None:
    keys = ("controller.skip_rate", "controller.skip_weight", "controller.skip_slope")
    assert found("macro", *keys) == [(0.4, 0.8, 1.0), (0.4, 0.8, 2.0), (0.4, 0.01, 1.0)]
    assert _rate_of_least_penalty(1.0) == pytest.approx(0.4, abs=0.002)
    assert _rate_of_least_penalty(2.0) == pytest.approx(0.308, abs=0.002)


def _strides(net: Network) -> set[Scalar]:
    return {
        dict(s.args)["stride"]
        for s in steps_of(net)
        if s.place.startswith("reduction/node") and s.op == "depthwise_conv"
    }


def test_d9_the_authors_search_halves_before_the_reduction_cell() -> None:
    assert _strides(network(space("micro", "paper", N=1))) == {1, 2}
    assert _strides(network(space("micro", "quick", N=1))) == {1, 2}
    assert _strides(network(space("micro", "official", N=1))) == {1}
    assert _strides(network(space("micro", "official", child=True, N=1))) == {1, 2}
    assert any(p.place.startswith("halve/") for p in space("micro", "official", N=1).places)


def test_d10_cells_end_in_a_convolution_in_search_and_in_a_plain_concat_at_last() -> None:
    ends = {
        (recipe, child): any(
            p.place == "normal/conv" for p in space("micro", recipe, child=child, N=1).places
        )
        for recipe in RECIPES
        for child in (False, True)
    }
    plain = {key for key, joined in ends.items() if not joined}
    assert plain == {("paper", True), ("official", True)}


def _parameters_of_the_published_cells(recipe: str) -> int:
    """Without the head at the side, which the authors count apart."""
    found = space("micro", recipe, child=True, aux=False)
    return active_parameter_count(specialize(found, published_micro(found)), found.places)


def test_d11_the_paper_stacks_six_cells_in_a_stage_and_the_authors_script_five() -> None:
    assert found("micro", "child.params.N") == [(6,), (5,), (1,)]
    assert _parameters_of_the_published_cells("official") == 3_894_372
    assert _parameters_of_the_published_cells("paper") == pytest.approx(4.6e6, rel=0.01)


@pytest.mark.parametrize("recipe", RECIPES)
def test_d12_there_are_two_reductions(recipe: str) -> None:
    for child in (False, True):
        net = network(space("micro", recipe, child=child, N=1))
        stamps = {p.place.split("/")[0] for p in space("micro", recipe, child=child, N=1).places}
        assert {s for s in stamps if s.startswith("reduction")} == {"reduction", "reduction2"}
        sizes = [s.shape.space for s in steps_of(net) if len(s.shape.space) == 2]
        assert sizes[0] == (32, 32)
        assert (8, 8) in sizes


def test_d13_the_authors_controllers_are_smaller_for_images() -> None:
    assert found("macro", "controller.hidden") == [(100,), (64,), (100,)]
    assert found("micro", "controller.hidden") == [(100,), (64,), (100,)]
    assert found("rnn", "controller.hidden") == [(100,), (100,), (100,)]


def test_d14_the_authors_controllers_learn_by_another_adam() -> None:
    keys = ("controller.lr", "controller.beta1", "controller.eps")
    for name, lr in (("rnn", 1e-3), ("macro", 1e-3), ("micro", 3.5e-3)):
        paper, official, quick = found(name, *keys)
        assert paper == (3.5e-4, 0.9, 1e-8)
        assert official == (lr, 0.0, 1e-3)
        assert quick == (0.01, 0.9, 1e-8)


def test_d15_logits_are_bounded_otherwise() -> None:
    keys = ("controller.tanh", "controller.temperature", "controller.op_tanh_reduce")
    paper = (2.5, 5.0, 1.0)
    assert found("rnn", *keys) == [paper, paper, paper]
    assert found("macro", *keys) == [paper, (1.5, 1.0, 1.0), paper]
    assert found("micro", *keys) == [paper, (1.1, 1.0, 2.5), paper]


def test_d16_entropy_weighs_otherwise() -> None:
    assert found("rnn", "controller.entropy") == [(1e-4,), (1e-3,), (1e-4,)]
    assert found("macro", "controller.entropy") == [(0.1,), (1e-4,), (1e-4,)]
    assert found("micro", "controller.entropy") == [(0.1,), (1e-4,), (1e-4,)]


def test_d17_entropy_is_that_of_the_sample_in_two_of_the_authors_controllers() -> None:
    wanted = {"rnn": "sample", "macro": "sample", "micro": "reward"}
    for name, official in wanted.items():
        assert found(name, "controller.entropy_of") == [("policy",), (official,), ("policy",)]
    net = space("macro", "official")
    controller = controller_of(net, recipes("macro")["official"].controller, 0)
    with torch.no_grad():
        for parameter in controller.parameters():
            parameter.zero_()  # the uniform policy
        found_score = controller.evaluate([unrank(net, 0)])
    assert float(found_score.entropy) == pytest.approx(67.25, abs=0.01)
    assert float(found_score.surprise) == pytest.approx(26.46, abs=0.01)


def test_d18_the_authors_take_fewer_steps_of_more_children() -> None:
    keys = ("controller.steps", "controller.children")
    assert found("rnn", *keys) == [(2000, 1), (100, 10), (20, 5)]
    assert found("macro", *keys) == [(2000, 1), (50, 20), (10, 5)]
    assert found("micro", *keys) == [(2000, 1), (30, 10), (10, 5)]
    for name in NAMES:
        assert found(name, "controller.baseline_from") == [("first",), ("zero",), ("first",)]
    assert Baseline(0.99, 0.0).advantages(torch.tensor([1.0])).tolist() == [1.0]


def test_d19_the_authors_recurrent_controller_prefers_near_nodes() -> None:
    assert found("rnn", "controller.distance") == [(None,), (6.0,), (None,)]
    net = space("rnn", "official")
    settings = recipes("rnn")["official"].controller
    controller = controller_of(net, settings, 0)
    with torch.no_grad():
        for parameter in controller.parameters():
            parameter.zero_()
    last = next(i for i, d in enumerate(net.decisions) if d.path == "recurrent.node12.source")
    drawn = controller.sample(4000, torch.Generator().manual_seed(0)).architectures
    back = [11 - (a.picks[last] or (0,))[0] for a in drawn]
    shares = [back.count(d) / len(back) for d in (1, 2, 3, 4)]
    assert shares == pytest.approx([0.51, 0.31, 0.13, 0.04], abs=0.025)


def test_d19_the_authors_micro_controller_begins_with_convolutions() -> None:
    """By a bias that it learns, of both cells, and by one of the normal cell that stays."""
    net = space("micro", "official")
    settings = {r: recipes("micro")[r].controller for r in RECIPES}
    assert {r for r, s in settings.items() if s.prefer or s.bias} == {"official"}
    micro = controller_of(net, settings["official"], 0)
    assert sum(p.numel() for p in micro.parameters()) == 41_733
    with torch.no_grad():
        entropy = micro.evaluate([unrank(net, 0)]).entropy
    assert float(entropy) == pytest.approx(57.19, abs=0.01)  # of 58.51
    drawn = micro.sample(2000, torch.Generator().manual_seed(0)).architectures
    operations = [n for n, d in enumerate(net.decisions) if "sep_conv(3)" in d.labels]
    for cell, wanted in (("normal", (0.315, 0.123)), ("reduction", (0.254, 0.164))):
        here = [n for n in operations if net.decisions[n].path.startswith(cell)]
        picks = [pick for a in drawn for n in here for pick in a.picks[n] or ()]
        shares = [picks.count(k) / len(picks) for k in range(5)]
        assert shares == pytest.approx([wanted[0]] * 2 + [wanted[1]] * 3, abs=0.012)
