"""The paper's spaces, lowered: worked examples by hand, published cells, layers and counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from enasdsl.ir.count import count
from enasdsl.ir.graph import Network, Scan, Step
from enasdsl.ir.parameters import active_parameter_count
from enasdsl.ir.record import from_json
from enasdsl.ir.sample import unrank
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import LANGUAGE_MODEL, Task
from enasdsl.source import SourceFile, shipped

WORDS = Task("language_model", Shape(9, (5,), tokens=True), vocabulary=9)
IMAGES = Task("image_classifier", Shape(3, (16, 16)))
RNN = (("N", "4"), ("hidden", "6"))
MACRO = (("L", "6"), ("filters", "4"))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@lru_cache
def shipped_space(name: str, task: Task, overrides: tuple[tuple[str, str], ...] = ()) -> Space:
    compilation = Compilation.open(name, overrides=dict(overrides), task=task)
    assert compilation.space is not None, compilation.diagnostics
    return compilation.space


def picked(space: Space, **choices: str | list[str]) -> Architecture:
    """The architecture with these labels, its paths written with `__` for dots."""
    record = {path.replace("__", "."): labels for path, labels in choices.items()}
    return from_json(space, {"space": space.name, "hash": space.hash, "choices": record})


def supernet(space: Space) -> Supernet:
    net = Supernet(space, init=Init(), generator=torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())) * 0.1)
    return net


# ---------------------------------------------------------------- recurrent cell


def test_the_worked_recurrent_example_equals_code_by_hand() -> None:
    """Section 2.1, N = 4: nodes 3 and 4 are loose, and the next state is their mean."""
    space = shipped_space("rnn", WORDS, RNN)
    net = supernet(space)
    cell = {
        "recurrent__node1__act": "tanh",
        "recurrent__node2__source": "node1",
        "recurrent__node2__act": "relu",
        "recurrent__node3__source": "node2",
        "recurrent__node3__act": "relu",
        "recurrent__node4__source": "node1",
        "recurrent__node4__act": "tanh",
    }
    tokens = torch.randint(9, (3, 5), generator=torch.Generator().manual_seed(1))
    y, (last,) = net(tokens, picked(space, **cell))

    def highway(place: str, x: Tensor, carry: Tensor, act: Callable[[Tensor], Tensor]) -> Tensor:
        gate = torch.sigmoid(x @ net.tensor(f"recurrent/{place}/linear", "weight").T)
        new = act(x @ net.tensor(f"recurrent/{place}/linear2", "weight").T)
        return gate * new + (1 - gate) * carry

    table = net.tensor("stem/embedding", "weight")
    scale, offset = (net.tensor("recurrent/batch_norm", name) for name in ("scale", "offset"))
    h, outputs = torch.zeros(3, 6), []
    for t in range(5):
        x = torch.cat([table[tokens[:, t]], h], 1)
        h1 = highway("node1/highway", x, h, torch.tanh)
        h2 = highway("node2/source=node1/highway", h1, h1, torch.relu)
        h3 = highway("node3/source=node2/highway", h2, h2, torch.relu)
        h4 = highway("node4/source=node1/highway", h1, h1, torch.tanh)
        h = F.batch_norm((h3 + h4) / 2, None, None, scale, offset, training=True)
        outputs.append(h @ table.T)
    torch.testing.assert_close(y, torch.stack(outputs, 1))
    torch.testing.assert_close(last, h)


RNN_STRING = "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"
"""The cell that the authors published, `scripts/ptb_final.sh`."""


def published_recurrent(space: Space) -> Architecture:
    tokens = [int(t) for t in RNN_STRING.split()]
    activations = ("tanh", "relu", "identity", "sigmoid")
    choices: dict[str, str | list[str]] = {"recurrent__node1__act": activations[tokens[0]]}
    for n, (source, act) in enumerate(zip(tokens[1::2], tokens[2::2], strict=True), 2):
        choices[f"recurrent__node{n}__source"] = f"node{source + 1}"
        choices[f"recurrent__node{n}__act"] = activations[act]
    return picked(space, **choices)


def final_recurrent() -> tuple[Space, Network]:
    overrides = (("N", "12"), ("hidden", "748"), ("norm", "none"))
    space = shipped_space("rnn", LANGUAGE_MODEL, overrides)
    return space, specialize(space, published_recurrent(space))


def test_the_published_recurrent_cell_has_six_loose_ends() -> None:
    _, network = final_recurrent()
    scan = next(s for s in network.steps if isinstance(s, Scan))
    first = len(scan.network.inputs)
    steps = list(enumerate(scan.network.steps, first))
    nodes = [i for i, s in steps if isinstance(s, Step) and s.op == "add"]  # a highway ends so
    (mean,) = (s for _, s in steps if isinstance(s, Step) and s.op == "mean")
    assert [nodes.index(i) for i in mean.inputs] == [3, 4, 7, 9, 10, 11]


def test_the_published_recurrent_cell_has_the_authors_number_of_weights() -> None:
    space, network = final_recurrent()
    assert active_parameter_count(network, space.places) == 22_027_104


# ------------------------------------------------------------------ micro cells


def micro_of_one_cell() -> Space:
    text = (shipped("spaces") / "micro.enas").read_text("utf-8")
    text = re.sub(r"stack .*\n.*", "stack normal", text)
    found = Compilation(
        SourceFile("one_cell.enas", text), overrides={"B": "4", "filters": "4"}, task=IMAGES
    )
    assert found.space is not None
    return found.space


@dataclass(frozen=True)
class ByHand:
    """The layers of the micro space in plain torch, with the weights of a supernet."""

    net: Supernet

    def conv(self, place: str, x: Tensor, *, depthwise: bool = False) -> Tensor:
        weight = self.net.tensor(place, "weight")
        return F.conv2d(x, weight, None, 1, weight.shape[-1] // 2, 1, len(x[0]) if depthwise else 1)

    def norm(self, place: str, x: Tensor) -> Tensor:
        scale, offset = (self.net.tensor(place, name) for name in ("scale", "offset"))
        return F.batch_norm(x, None, None, scale, offset, training=True)

    def sep_conv(self, place: str, x: Tensor) -> Tensor:
        for n in ("", "2"):
            x = self.conv(f"{place}/sep_conv/depthwise_conv{n}", torch.relu(x), depthwise=True)
            x = self.norm(
                f"{place}/sep_conv/batch_norm{n}", self.conv(f"{place}/sep_conv/conv{n}", x)
            )
        return x

    def calibrate(self, place: str, x: Tensor) -> Tensor:
        return self.norm(f"{place}/batch_norm", self.conv(f"{place}/conv", torch.relu(x)))


def test_the_worked_convolutional_example_equals_code_by_hand() -> None:
    """Section 2.4, B = 4: node 4 is the only loose end, and both inputs are calibrated."""
    space = micro_of_one_cell()
    net = supernet(space)
    nodes = {"node3": ("prev", "prev", "sep_conv(5)", "skip")}
    nodes["node4"] = ("node3", "prev_prev", "avg_pool(3)", "sep_conv(3)")
    choices = {
        f"normal__{node}__{name}": label
        for node, labels in nodes.items()
        for name, label in zip("abfg", labels, strict=True)
    }
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    y, _ = net(x, picked(space, **choices))

    hand = ByHand(net)
    stem = hand.norm("stem/batch_norm", hand.conv("stem/conv", x))
    one, two = (hand.calibrate(f"normal/align{i}/calibrate", stem) for i in (0, 1))
    three = hand.sep_conv("normal/node3/a=prev/f=sep_conv(5)", two) + two
    four = F.avg_pool2d(three, 3, 1, 1, count_include_pad=False)
    four = four + hand.sep_conv("normal/node4/b=prev_prev/g=sep_conv(3)", one)
    last = net.tensor("normal/conv", "weight")
    assert last.shape == (4, 16, 1, 1)  # it reads four values of four channels, node 4 the last
    cell = hand.norm("normal/batch_norm", F.conv2d(torch.relu(four), last[:, 12:]))
    torch.testing.assert_close(
        y, torch.relu(cell).mean((2, 3)) @ net.tensor("head/linear", "weight").T
    )


MICRO_STRINGS = {
    "normal": "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1",
    "reduction": "1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1",
}
"""The cells that the authors published, `scripts/cifar10_micro_final.sh`."""

LOOSE = {"normal": ((8, 28),), "reduction": ((8, 12), (16, 28))}
"""Which of seven times four channels those cells join: nodes 3 to 7; nodes 3, 5, 6 and 7."""


def published_micro(space: Space) -> Architecture:
    operations = ("sep_conv(3)", "sep_conv(5)", "avg_pool(3)", "max_pool(3)", "skip")
    values = ("prev_prev", "prev", "node3", "node4", "node5", "node6")
    choices: dict[str, str | list[str]] = {}
    for cell, string in MICRO_STRINGS.items():
        tokens = [int(t) for t in string.split()]
        for n in range(5):
            a, f, b, g = tokens[4 * n : 4 * n + 4]
            labels = (values[a], values[b], operations[f], operations[g])
            for name, label in zip("abfg", labels, strict=True):
                choices[f"{cell}__node{n + 3}__{name}"] = label
    return picked(space, **choices)


@pytest.mark.parametrize("cell", MICRO_STRINGS)
def test_the_published_convolutional_cells_have_their_loose_ends(cell: str) -> None:
    space = shipped_space("micro", IMAGES, (("N", "1"), ("filters", "4")))
    network = specialize(space, published_micro(space))
    (joined,) = (s for s in network.steps if isinstance(s, Step) and s.place == f"{cell}/conv")
    width = 1 if cell == "normal" else 2
    assert joined.reads == (tuple((width * a, width * b) for a, b in LOOSE[cell]),)
    assert joined.shape == Shape(4 * width, (16 // width, 16 // width))


# ----------------------------------------------------------------------- macro


def macro_architecture(space: Space, **choices: str | list[str]) -> Architecture:
    given = {d.path: d.labels[0] for d in space.decisions if not d.members}
    full = {**given, **{d.path: list[str]() for d in space.decisions if d.members}}
    full.update({f"layers.{path.replace('__', '.')}": labels for path, labels in choices.items()})
    return from_json(space, {"space": space.name, "hash": space.hash, "choices": full})


def test_each_of_the_six_operations_changes_the_output_and_learns() -> None:
    """The authors' search always ran its last branch (discrepancy 3); here each is its own."""
    space = shipped_space("macro", IMAGES, MACRO)
    net = supernet(space)
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    outputs: list[Tensor] = []
    for label in space.decisions[0].labels:
        net.zero_grad()
        y, _ = net(x, macro_architecture(space, node1__candidate=label))
        y.square().sum().backward()
        branch = f"layers/node1/candidate={label}/"
        found = {p: net.tensor(p, "weight").grad for p in net.places if "/conv" in p}
        assert all((g is not None) == (branch in p) for p, g in found.items() if "node1/c" in p)
        assert all(
            bool(g.abs().sum() > 0) for p, g in found.items() if branch in p and g is not None
        )
        assert not any(torch.allclose(y, other) for other in outputs)
        outputs.append(y)
    assert len(outputs) == 6


def test_each_skip_changes_the_output() -> None:
    space = shipped_space("macro", IMAGES, MACRO)
    net = supernet(space)
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    plain, _ = net(x, macro_architecture(space))
    for decision in space.decisions:
        for member in decision.labels if decision.members else ():
            path = decision.path.removeprefix("layers.").replace(".", "__")
            y, _ = net(x, macro_architecture(space, **{path: [member]}))
            assert not torch.allclose(y, plain), f"{decision.path} reads {member}"


def test_images_are_halved_after_each_third_of_the_layers() -> None:
    space = shipped_space("macro", Task("image_classifier", Shape(3, (32, 32))))
    network = specialize(space, macro_architecture(space))
    sizes = {
        s.place.split("/")[1]: s.shape.space
        for s in network.steps
        if isinstance(s, Step) and "candidate=" in s.place
    }
    assert list(sizes.values()) == [(32, 32)] * 4 + [(16, 16)] * 4 + [(8, 8)] * 4


# ---------------------------------------------------------------- paths and counts

PATHS = {
    "rnn": "recurrent.node1.act recurrent.node2.source recurrent.node2.act",
    "macro": "layers.node1.candidate layers.node2.candidate layers.node2.skips",
    "micro": "normal.node3.a normal.node3.b normal.node3.f normal.node3.g normal.node4.a",
}


@pytest.mark.parametrize("name", PATHS)
def test_paths_say_where_a_decision_is_taken(name: str) -> None:
    space = shipped_space(name, WORDS if name == "rnn" else IMAGES)
    wanted = PATHS[name].split()
    assert [d.path for d in space.decisions[: len(wanted)]] == wanted
    numbers = {"rnn": 2 * 12 - 1, "macro": 2 * 12 - 1, "micro": 2 * 5 * 4}
    assert len(space.decisions) == numbers[name]


@pytest.mark.parametrize(
    ("name", "size", "wanted"),
    [
        ("rnn", "N=12", 669_692_775_628_800),
        ("rnn", "N=4", 1_536),
        ("macro", "L=12", 160_618_186_625_454_535_808_756_219_904),
        ("macro", "L=3", 1_728),
        ("micro", "B=7", 25_628_906_250_000_000_000_000_000),
        ("micro", "B=4", 22_500**2),
    ],
)
def test_counts_are_exact(name: str, size: str, wanted: int) -> None:
    param, value = size.split("=")
    space = shipped_space(name, WORDS if name == "rnn" else IMAGES, ((param, value),))
    assert count(space) == wanted
    last = unrank(space, wanted - 1)
    assert all(p is not None for p in last.picks)
