"""Native programs of recurrent cells against the torch code of the same cells."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_passes import WORDS
from torch import Tensor

from enasdsl.ir.kernels import Call, Kernel, Kernels
from enasdsl.ir.sample import sample
from enasdsl.nn import loss, native
from enasdsl.nn.adjoints import ADJOINTS
from enasdsl.nn.cell import Cell
from enasdsl.nn.kernels import forward_of
from enasdsl.nn.mode import Mode
from enasdsl.nn.native import passage, pointwise
from enasdsl.nn.native.pointwise import Code, Machine
from enasdsl.nn.recurrence import unrolled
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Scalar, Shape

needs_kernels = pytest.mark.skipif(
    not native.built(), reason="the native kernels are not built: no C++ compiler at install"
)
Args = dict[str, Scalar]
Weights = dict[str, Tensor]

# An eps of 1, as a small variance would make much of the last bits.
UNARY: dict[str, Args] = {
    "sigmoid": {},
    "tanh": {},
    "relu": {},
    "affine": {"scale": -1.5, "offset": 0.5},
    "swish": {},
    "softplus": {},
    "dropout": {"rate": 0.3},
    "layer_norm": {"affine": True, "eps": 1.0},
    "batch_norm": {"affine": True, "momentum": 0.1, "eps": 1.0},
}
MERGES = {"sum": (2, 4), "mean": (2, 4), "add": (2, 2), "subtract": (2, 2), "multiply": (2, 2)}
MERGES |= {"blend": (3, 3), "max": (2, 3)}


# ------------------------------------------------------------------------------ cells


@dataclass(frozen=True)
class Sample:
    """A cell and the sizes of what it is run on."""

    body: Kernels
    sequences: tuple[bool, ...]
    batch: int
    length: int

    def cell(self, *, native: bool) -> Cell:
        calls = [call for call in self.body.calls if isinstance(call, Kernel)]
        forwards = [forward_of(call.op) for call in calls]
        args = [dict(call.args) for call in calls]
        return Cell(self.body, forwards, args, self.sequences, native=native)


@dataclass
class Draft:
    """A body that grows; `free` are the values that may be read, by their widths."""

    width: int
    inputs: int
    calls: list[Call]

    @property
    def free(self) -> list[int]:
        own = [
            self.inputs + i
            for i, call in enumerate(self.calls)
            if call.shape.channels == self.width
        ]
        return [*range(self.inputs), *own]

    def add(self, op: str, args: Args, inputs: Sequence[int], width: int) -> int:
        self.calls.append(Kernel(op, tuple(args.items()), tuple(inputs), Shape(width)))
        return self.inputs + len(self.calls) - 1


@st.composite
def samples(draw: st.DrawFn, *, ops: Sequence[str] = (*UNARY, *MERGES)) -> Sample:
    """Cells with products, parts of products, merges and calls that only torch knows."""
    sequences = tuple(draw(st.sampled_from([(True,), (True, False), (True, True)])))
    states = draw(st.integers(1, 3))
    draft = Draft(draw(st.integers(1, 20)), len(sequences) + states, [])
    kinds = ("product", "parts", "concat", *ops)
    _grow(draw, draft, "product")
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=12)):
        _grow(draw, draft, kind)
    read = {i for call in draft.calls for i in call.inputs}
    loose = [i for i in draft.free if i >= draft.inputs and i not in read]
    if len(loose) > 1:
        draft.add("sum", {}, loose, draft.width)
    outputs = [draw(st.sampled_from(draft.free)) for _ in range(states)]
    outputs[draw(st.integers(0, states - 1))] = draft.free[-1]
    body = Kernels((Shape(draft.width),) * draft.inputs, tuple(draft.calls), tuple(outputs))
    return Sample(body, sequences, draw(st.integers(2, 5)), draw(st.integers(1, 4)))


def _grow(draw: st.DrawFn, draft: Draft, kind: str) -> None:
    some, width = st.sampled_from(draft.free), draft.width
    match kind:
        case "product":
            draft.add("linear", {"bias": draw(st.booleans())}, [draw(some)], width)
        case "parts":
            n = draw(st.integers(1, 3))
            whole = draft.add("linears", {"bias": draw(st.booleans())}, [draw(some)], n * width)
            for i in range(n if n > 1 else 0):
                args: Args = {"start": i * width, "stop": (i + 1) * width}
                draft.add("channels", args, [whole], width)
        case "concat":
            whole = draft.add("concat", {}, [draw(some), draw(some)], 2 * width)
            draft.add("linear", {"bias": False}, [whole], width)
        case _ if kind in UNARY:
            draft.add(kind, UNARY[kind], [draw(some)], width)
        case _:
            low, high = MERGES[kind]
            inputs = draw(st.lists(some, min_size=low, max_size=high))
            draft.add(kind, {}, inputs, width)


def weights_of(body: Kernels, dtype: torch.dtype) -> list[Weights]:
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=dtype, generator=generator) / math.sqrt(shape[-1])

    found: list[Weights] = []
    for call in body.calls:
        assert isinstance(call, Kernel)
        width = int(call.shape.channels)  # type: ignore[arg-type]
        before = int(body.shape(call.inputs[0]).channels)  # type: ignore[arg-type]
        own: Weights = {}
        if call.op in ("linear", "linears"):
            own = {"weight": random(width, before).requires_grad_()}
            own |= {"bias": random(width).requires_grad_()} if dict(call.args)["bias"] else {}
        elif call.op.endswith("norm"):
            own = {name: random(width).requires_grad_() for name in ("scale", "offset")}
            own |= {"mean": torch.zeros(width, dtype=dtype)} if call.op == "batch_norm" else {}
            own |= {"variance": torch.ones(width, dtype=dtype)} if call.op == "batch_norm" else {}
        found.append(own)
    return found


# --------------------------------------------------------------------------- one passage


@dataclass(frozen=True)
class Outcome:
    """The sequence and the last states, and the gradients of all that was given."""

    values: list[Tensor]
    grads: list[Tensor | None]
    running: list[Tensor]


def outcome(
    cell: Sample,
    *,
    native: bool,
    dtype: torch.dtype = torch.float32,
    spoilt: float | None = None,
    read: str = "all",
) -> Outcome:
    """Runs a cell there and back; the loss has the sequence, the last states or all, as `read`."""
    generator = torch.Generator().manual_seed(1)
    width = int(cell.body.inputs[0].channels)  # type: ignore[arg-type]
    inputs = [
        torch.randn(cell.batch, cell.length, width, dtype=dtype, generator=generator)
        if sequence
        else torch.randn(cell.batch, width, dtype=dtype, generator=generator)
        for sequence in cell.sequences
    ]
    if spoilt is not None:
        inputs[0][0, 0, 0] = spoilt
    states = [
        torch.randn(cell.batch, width, dtype=dtype, generator=generator) for _ in cell.body.outputs
    ]
    given = [x.requires_grad_() for x in (*inputs, *states)]
    weights = weights_of(cell.body, dtype)
    trained = [w for own in weights for w in own.values() if w.requires_grad]
    running = [w for own in weights for w in own.values() if not w.requires_grad]
    mode = Mode(training=True, generator=torch.Generator().manual_seed(2))
    sequence, last = unrolled(cell.cell(native=native), inputs, states, weights, mode)
    values = [sequence, *last]
    chosen = {"all": values, "sequence": values[:1], "states": values[1:]}[read]
    shares = [torch.randn(v.shape, dtype=dtype, generator=generator) for v in chosen]
    torch.autograd.backward(chosen, shares)
    return Outcome([v.detach() for v in values], [x.grad for x in (*given, *trained)], running)


def everything(found: Outcome) -> Iterator[Tensor | None]:
    yield from found.values
    yield from found.grads
    yield from found.running


def assert_close(mine: Outcome, wanted: Outcome, *, within: float) -> None:
    for a, b in zip(everything(mine), everything(wanted), strict=True):
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            scale = max(1.0, float(b.abs().max()))
            torch.testing.assert_close(a / scale, b / scale, rtol=within, atol=within)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


# ------------------------------------------------------------------------------- tests


@needs_kernels
@given(samples(), st.sampled_from(["all", "sequence", "states"]))
def test_native_programs_are_the_torch_code(cell: Sample, read: str) -> None:
    wanted = outcome(cell, native=False, read=read)
    # Squares of squares overflow, or make much of the last bits.
    assume(all(float(x.abs().max()) < 1e3 for x in everything(wanted) if x is not None))
    assert_close(outcome(cell, native=True, read=read), wanted, within=2e-4)


@needs_kernels
@given(samples(ops=["sigmoid", "tanh", "relu", "mean", "blend", "multiply", "layer_norm"]))
@pytest.mark.parametrize("spoilt", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_stays_so(spoilt: float, cell: Sample) -> None:
    mine, wanted = (outcome(cell, native=n, spoilt=spoilt) for n in (True, False))
    for a, b in zip(everything(mine), everything(wanted), strict=True):
        if a is not None and b is not None:
            assert torch.equal(a.isnan(), b.isnan())
            assert torch.equal(a.isinf(), b.isinf())


@given(samples())
def test_double_precision_is_left_to_torch(cell: Sample) -> None:
    mine, wanted = (outcome(cell, native=n, dtype=torch.float64) for n in (True, False))
    for a, b in zip(everything(mine), everything(wanted), strict=True):
        assert (a is None) == (b is None)
        assert a is None or torch.equal(a, b)  # type: ignore[arg-type]


@needs_kernels
@settings(max_examples=10)
@given(samples())
def test_threads_share_the_rows(cell: Sample) -> None:
    some = replace(cell, batch=23)
    alone = outcome(some, native=True)
    torch.set_num_threads(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pointwise, "GRAIN", 1)
        mine = [x for x in everything(outcome(some, native=True)) if x is not None]
    torch.set_num_threads(1)
    wanted = [x for x in everything(alone) if x is not None]
    torch.testing.assert_close(mine, wanted, rtol=1e-5, atol=1e-5)


@needs_kernels
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_activations_are_exact_to_some_last_bits(name: str) -> None:
    some = torch.cat((torch.linspace(-80, 80, 40_001), torch.logspace(-30, 0, 40_001)))
    x = torch.cat((some, -some)).expand(1, 1, -1)
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    machine = Machine(1, x.shape[2])
    program = machine.program()
    program.add(Code[name.upper()], machine.slot(y), machine.slot(x))
    machine.ready([program])[0](0)
    wanted = getattr(torch, name)(x.double())
    assert float(((y - wanted) / wanted).abs().nan_to_num().max()) < 2.5e-7


@needs_kernels
@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_a_supernet_of_cells_is_the_same(norm: str) -> None:
    params = {"N": 5, "hidden": 24, "norm": norm}
    space = Compilation.open("rnn", overrides=params, task=WORDS).space
    assert space is not None
    architecture = sample(space, 1, Random(3))[0]
    x, y = torch.randint(30, (2, 6, 7), generator=torch.Generator().manual_seed(0))
    found = []
    for asked in (True, False):
        generator = torch.Generator().manual_seed(0)
        net = Supernet(space, init=Init(), generator=generator, native=asked)
        value, states = net.loss(x, y, architecture)
        value.backward()  # type: ignore[no-untyped-call]
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        found.append((value.detach(), states[0].detach(), grads))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-6)


# ------------------------------------------------------------------------------- losses


def losses(logits: Tensor, targets: Tensor, *, native: bool, biased: bool) -> list[Tensor]:
    """The loss of logits that a matrix gives, and its gradients."""
    identity = torch.eye(logits.shape[1], dtype=logits.dtype)
    bias = torch.linspace(-1, 1, len(identity), dtype=logits.dtype) if biased else None
    given = [x.clone().requires_grad_() for x in (identity, logits, bias) if x is not None]
    weight, x, *rest = given
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loss, "LARGE", 0)
        patch.setattr(loss, "ROWS", 3)
        found = loss.linear_loss(x, weight, rest[0] if rest else None, targets, native=native)
    return [found.detach(), *torch.autograd.grad(found, given)]


@needs_kernels
@given(st.integers(1, 7), st.integers(1, 100), st.sampled_from([1.0, 30.0]), st.booleans())
def test_a_loss_by_the_kernel_is_the_loss(
    rows: int, classes: int, spread: float, biased: bool
) -> None:
    generator = torch.Generator().manual_seed(rows)
    logits = spread * torch.randn(rows, classes, generator=generator)
    targets = torch.randint(classes, (rows,), generator=generator)
    mine = losses(logits, targets, native=True, biased=biased)
    wanted = losses(logits.double(), targets, native=False, biased=biased)
    for a, b in zip(mine, wanted, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-5 * spread)


@needs_kernels
@pytest.mark.parametrize("spoilt", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stays_so(spoilt: float) -> None:
    logits = torch.arange(70.0).reshape(2, 35)
    logits[0, 3] = spoilt
    targets = torch.tensor([5, 6])
    mine, wanted = (loss._by_kernel, loss._by_torch)
    ours, theirs = logits.clone(), logits.clone()
    (total, scales), (known, _) = mine(ours, targets), wanted(theirs, targets)
    torch.testing.assert_close(total, known, equal_nan=True)
    torch.testing.assert_close(ours * scales, theirs, equal_nan=True)


@needs_kernels
def test_targets_beyond_the_classes_are_left_to_torch() -> None:
    with pytest.raises((IndexError, RuntimeError), match="out of"):
        losses(torch.zeros(2, 4), torch.tensor([0, 4]), native=True, biased=False)


# ------------------------------------------------------------------------------- tables


def test_every_adjoint_has_its_instructions() -> None:
    assert pointwise.FORWARD.keys() == pointwise.BACKWARD.keys() == ADJOINTS.keys()


def test_instructions_are_numbered_as_in_the_source() -> None:
    source = Path(pointwise.__file__).with_suffix(".cpp").read_text("utf-8")
    found = re.search(r"enum Code[^{]*\{([^}]*)\}", source)
    assert found is not None
    assert re.findall(r"\w+", found[1]) == [code.name for code in Code]


def test_pointwise_calls_stand_together() -> None:
    """Two products of the same value come before all that is pointwise behind them."""
    draft = Draft(4, 2, [])
    x, y = (draft.add("linear", {"bias": False}, [i], 4) for i in (0, 1))
    gate, new = draft.add("sigmoid", {}, [x], 4), draft.add("tanh", {}, [y], 4)
    out = draft.add("blend", {}, [1, new, gate], 4)
    body = Kernels((Shape(4),) * 2, tuple(draft.calls), (out,))
    cell = Sample(body, (True,), 2, 2).cell(native=True)
    before, after = passage.stages(cell)
    assert before == passage.Stage((), ())
    assert after == passage.Stage((x, y), (gate, new, out))
