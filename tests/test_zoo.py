"""The published spaces: exact sizes, and that each one trains and gives the same as its child."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from math import factorial
from random import Random

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enasdsl.ir.count import count
from enasdsl.ir.graph import Step
from enasdsl.ir.parameters import active_parameter_count, parameter_counts
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn.child import Child
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task
from enasdsl.source import SourceFile, shipped
from enasdsl.view.catalogue import catalogue, different, shipped_spaces
from enasdsl.view.numbers import agrees

IMAGES = Task("image_classifier", Shape(3, (32, 32)))
WORDS = Task("language_model", Shape(50, (7,), tokens=True), vocabulary=50)
LONGEST = 60

COUNTS = {
    "activations": 393762525,
    "anynet_a": 1846757322198614016,
    "anynet_b": 68398419340689408,
    "anynet_c": 316659348799488,
    "autoformer_t": 3 * (4**12 + 4**13 + 4**14),
    "darts": (180 * 7**8) ** 2,
    "darts_relaxed": 8**28,
    "darts_rnn": 2642411520,
    "fbnet": 9**22,
    "liu2018": 7**46,
    "nasbench101": 139359042,
    "nasbench201": 15625,
    "nasbench_macro": 6561,
    "nasnet": (720**2 * 13**10 * 2**5) ** 2,
    "nats_size": 32768,
    "nb1shot1_s1": 14580,
    "nb1shot1_s2": 29160,
    "nb1shot1_s3": 1312200,
    "ofa_mobilenetv3": (9**2 + 9**3 + 9**4) ** 5,
    "proxylessnas": 6**6 * 7**15,
    "spos": 4**20,
}

LONG = {  # those that take less are asserted in tests/test_unique.py
    "rnn": "32,976,302,800 (recurrent)",
    "nasbench101": "423,624 (module)",
    "micro": "31,355,379,836 (normal) × 31,355,379,836 (reduction)",
    "nasnet": "12,188,092,317,750,882 (normal) × 12,188,092,317,750,882 (reduction)",
}
"""How many architectures are different."""

SMALL: dict[str, dict[str, object]] = {
    "activations": {"filters": 4},
    "anynet_a": {"most": 32, "deepest": 2},
    "anynet_b": {"most": 32, "deepest": 2},
    "anynet_c": {"most": 32, "deepest": 2},
    "autoformer_t": {"unit": 2, "size": 4, "patch": 8},
    "darts": {"N": 0, "filters": 4},
    "darts_relaxed": {"N": 0, "filters": 4},
    "darts_rnn": {"N": 4, "hidden": 8},
    "fbnet": {"unit": 2},
    "liu2018": {"width": 4},
    "nasbench101": {"N": 1, "width": 4},
    "nasbench201": {"N": 1, "width": 4},
    "nasbench_macro": {"width": 4},
    "nasnet": {"B": 3, "N": 0, "filters": 4},
    "nats_size": {"most": 16},
    "nb1shot1_s1": {"N": 1, "width": 4},
    "nb1shot1_s2": {"N": 1, "width": 4},
    "nb1shot1_s3": {"N": 1, "width": 4},
    "ofa_mobilenetv3": {"unit": 2},
    "proxylessnas": {"unit": 2},
    "spos": {"unit": 2},
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@cache
def space(name: str, *, small: bool = False) -> Space:
    task = (WORDS if name.endswith("rnn") else IMAGES) if small else None
    compiled = Compilation.open(name, overrides=SMALL[name] if small else None, task=task)
    assert compiled.diagnostics == ()
    assert compiled.space is not None
    return compiled.space


def batch(found: Space) -> tuple[Tensor, Tensor]:
    """Random data of a task, and random targets for each of its outputs."""
    if found.task == "language_model":
        return torch.randint(50, (4, 7)), torch.randint(50, (4 * 7,))
    return torch.randn(4, 3, 32, 32), torch.randint(10, (4,))


def loss_of(y: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(y.flatten(0, -2), targets)


def train_one_step(net: nn.Module, loss: Tensor) -> None:
    before = [p.detach().clone() for p in net.parameters()]
    assert loss.isfinite()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.optim.SGD(net.parameters(), lr=1e-3).step()
    assert all(p.isfinite().all() for p in net.parameters())
    pairs = zip(net.parameters(), before, strict=True)
    assert any(not torch.equal(p, old) for p, old in pairs)


@pytest.mark.parametrize("name", COUNTS)
def test_the_size_is_exact(name: str) -> None:
    found = space(name)
    print(f"{name:16} {count(found):>45,}")
    assert count(found) == COUNTS[name]


@pytest.mark.parametrize(
    ("name", "size"),
    [("macro", 6**12 * 2**66), ("micro", (5**5 * 720) ** 4), ("rnn", 4**12 * factorial(11))],
)
def test_the_size_of_the_first_three_is_exact(name: str, size: int) -> None:
    found = Compilation.open(name).space
    assert found is not None
    assert count(found) == size


@pytest.mark.parametrize("name", COUNTS)
def test_the_file_is_short(name: str) -> None:
    lines = (shipped("spaces") / f"{name}.enas").read_text("utf-8").splitlines()
    assert len(lines) <= LONGEST
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize("name", COUNTS)
def test_a_printed_size_that_differs_is_explained(name: str) -> None:
    for published in space(name).published:
        assert published.why or agrees(COUNTS[name], published.value)


@pytest.mark.parametrize("name", COUNTS)
def test_supernet_and_child_train_and_agree(name: str) -> None:
    found = space(name, small=True)
    net = Supernet(found, init=Init(), generator=torch.Generator().manual_seed(0))
    x, targets = batch(found)
    first, *others = sample(found, 4, Random(1))
    train_one_step(net, loss_of(net(x, first)[0], targets))
    net.eval()
    for architecture in (first, *others):
        child = Child.from_supernet(net, architecture)
        y = net(x, architecture)[0]
        assert y.isfinite().all()
        torch.testing.assert_close(child(x)[0], y)
    child = Child.from_supernet(net, first).train()
    train_one_step(child, loss_of(child(x)[0], targets))


def test_nasbench101_without_its_constraints() -> None:
    """All graphs of seven vertices, and those of at most nine edges, connected or not."""
    text = (shipped("spaces") / "nasbench101.enas").read_text("utf-8")
    free = "\n".join(line for line in text.splitlines() if "reachable(" not in line)
    for most, size in (("21", 2**21 * 3**5), ("9", 695860 * 3**5)):
        found = Compilation(SourceFile("free.enas", free), {"most": most}).space
        assert found is not None
        assert count(found) == size


# ------------------------------------------------------- networks as in the authors' code


def convolutions(name: str, amount: int) -> Iterator[list[Step]]:
    """The convolutions after the stem of some architectures in turn, in the order they are run."""
    found = space(name, small=True)
    for architecture in sample(found, amount, Random(2)):
        steps = (s for s in specialize(found, architecture).steps if isinstance(s, Step))
        convs = (s for s in steps if s.op in ("conv", "depthwise_conv"))
        yield [s for s in convs if not s.place.startswith("stem")]


def number(step: Step, argument: str) -> int:
    value = dict(step.args)[argument]
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize("name", ["ofa_mobilenetv3", "proxylessnas", "spos"])
def test_the_depthwise_layer_takes_the_stride_of_a_block(name: str) -> None:
    for convs in convolutions(name, 20):
        assert {s.op for s in convs if number(s, "stride") == 2} == {"depthwise_conv"}


@pytest.mark.parametrize("name", ["anynet_a", "anynet_b", "anynet_c"])
def test_the_middle_of_a_bottleneck_is_never_wider_than_its_block(name: str) -> None:
    for convs in convolutions(name, 50):
        pairs = [(a, b) for a, b in pairwise(convs) if number(a, "kernel") == 3]
        assert pairs
        assert all(number(a, "filters") <= number(b, "filters") for a, b in pairs)


def test_the_first_cell_of_nats_keeps_its_input() -> None:
    """Its width is the stem's; two residual blocks and two cells project."""
    for convs in convolutions("nats_size", 5):
        assert sum(number(s, "kernel") == 1 for s in convs) == 4


# ------------------------------------------------------- sizes that the authors' code reports


def test_darts_has_the_authors_number_of_weights() -> None:
    """Their supernet of 8 cells holds 1,930,618; its norms in the cells have no weights."""
    found = space("darts")
    counts = parameter_counts(found.places)
    norms = {p.place for p in found.places if p.op == "batch_norm" and p.place[:4] != "stem"}
    bias = 10  # of the classifier
    assert sum(n for place, n in counts.items() if place not in norms) + bias == 1_930_618


def test_the_recurrent_darts_has_the_papers_number_of_weights() -> None:
    """23M: an embedding, a matrix for the two inputs and one for each of the eight nodes."""
    counts = parameter_counts(space("darts_rnn").places)
    assert sum(counts.values()) == 10_000 * 850 + (2 + 8) * 850 * (2 * 850)


def test_nasbench201_has_the_authors_number_of_weights() -> None:
    """The network whose edges are all 3 x 3 convolutions has 1,531,546."""
    found = space("nasbench201")
    largest = Architecture(found.name, found.hash, ((3,),) * 6)
    bias = 10
    assert active_parameter_count(specialize(found, largest), found.places) + bias == 1_531_546


def catalogued() -> dict[str, list[str]]:
    """The rows of the stored catalogue, by space."""
    lines = (shipped("spaces") / "README.md").read_text("utf-8").splitlines()
    rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "](" in line)
    return {row[0].split("`")[1]: row for row in rows if row[0].startswith("[`")}


def test_the_catalogue_is_up_to_date() -> None:
    """`python -m enasdsl.view.catalogue` writes it; for the classes see below."""
    different = {name: row[5] for name, row in catalogued().items()}
    assert (shipped("spaces") / "README.md").read_text("utf-8") == catalogue(different)


@pytest.mark.trains
def test_the_table_of_the_zoo(capsys: pytest.CaptureFixture[str]) -> None:
    """Every space with its exact size and its classes, printed; each number is asserted."""
    rows = catalogued()
    with capsys.disabled():
        print()
        for path in shipped_spaces():
            name = path.stem
            total, found = count(space(name)), different(path)
            print(f"{name:<16} {total:>45,}  {found}", flush=True)
            assert rows[name][3] == f"{total:,}"
            assert COUNTS.get(name, total) == total
            assert rows[name][5] == found
            assert LONG.get(name, found) == found
