"""Native kernels against torch's in double precision, and what happens where there are none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import IMAGES, Program, image_programs
from test_meaning import lowered
from test_passes import SMALL, Outcome, assert_equal, batch, net_of, outcome, space
from torch import Tensor

from enasdsl.ir.sample import sample
from enasdsl.nn import native
from enasdsl.nn.build import FORWARD
from enasdsl.nn.kernels import forward_of
from enasdsl.nn.mode import Args, Mode
from enasdsl.nn.native import building
from enasdsl.nn.native.images import NATIVE
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init

needs_kernels = pytest.mark.skipif(
    not native.built(), reason="the native kernels are not built: no C++ compiler at install"
)
NORM: Args = {"eps": 1e-5, "momentum": 0.1}
NETWORKS = [name for name in SMALL if not SMALL[name][0].input.tokens]
DTYPES = st.sampled_from([torch.float32, torch.float64])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def image(shape: tuple[int, ...], dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.randn(shape, dtype=dtype, generator=generator) + 3
    return x.contiguous(memory_format=torch.channels_last)


def weights_of(channels: int, dtype: torch.dtype, *, affine: bool) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    scale, offset, mean = torch.randn(3, channels, dtype=dtype, generator=generator)
    known = {"scale": scale, "offset": offset} if affine else {}
    return {**known, "mean": mean, "variance": torch.rand_like(mean) + 0.5}


Found = tuple[Tensor, list[Tensor], list[Tensor]]


def normed(x: Tensor, weights: dict[str, Tensor], mode: Mode, *, relu: bool, mine: bool) -> Found:
    """The result, the gradients of the image and of the weights, and the running values."""
    own = {name: w.clone() for name, w in weights.items()}
    leaves = [x.detach().clone().requires_grad_()]
    leaves += [own[name].requires_grad_() for name in ("scale", "offset") if name in own]
    if mine:
        y = NATIVE["norm_relu" if relu else "batch_norm"](leaves[:1], own, NORM, mode)
    else:
        y = FORWARD["batch_norm"](leaves[:1], own, NORM, mode)
        y = torch.relu(y) if relu else y
    grad = torch.linspace(-1, 2, y.numel(), dtype=x.dtype).reshape(y.shape)
    grads = torch.autograd.grad(y, leaves, grad)
    return y.detach(), list(grads), [own["mean"], own["variance"]]


@needs_kernels
@settings(max_examples=60)
@given(
    st.integers(1, 4), st.integers(1, 70), st.integers(1, 9), st.integers(1, 9),
    st.booleans(), st.booleans(), st.booleans(), st.integers(1, 3),
)  # fmt: skip
def test_a_norm_is_torchs(
    images: int, channels: int, height: int, width: int,
    affine: bool, relu: bool, batch_statistics: bool, threads: int,
) -> None:  # fmt: skip
    if images * height * width == 1:
        return
    x = image((images, channels, height, width))
    weights = weights_of(channels, x.dtype, affine=affine)
    mode = Mode(training=True, batch_statistics=batch_statistics)
    torch.set_num_threads(threads)
    mine = normed(x, weights, mode, relu=relu, mine=True)
    wanted = normed(x, weights, mode, relu=relu, mine=False)
    torch.testing.assert_close(mine, wanted, rtol=1e-9, atol=1e-9)


@needs_kernels
def test_a_norm_in_single_precision_is_nearer_to_the_truth_than_torchs() -> None:
    x = image((64, 20, 32, 32), torch.float32)
    weights = weights_of(20, torch.float32, affine=True)
    doubled = {name: w.double() for name, w in weights.items()}
    mode = Mode(training=True)
    truth = normed(x.double(), doubled, mode, relu=False, mine=False)
    errors = [
        (normed(x, weights, mode, relu=False, mine=mine)[0] - truth[0]).abs().max().item()
        for mine in (True, False)
    ]
    assert errors[0] < 3e-6
    assert errors[0] < errors[1]


@needs_kernels
@settings(max_examples=60)
@given(
    st.sampled_from(["avg_pool", "max_pool"]), DTYPES, st.integers(1, 5), st.integers(1, 3),
    st.sampled_from(["same", "valid"]), st.integers(1, 40), st.integers(1, 12),
    st.integers(1, 12), st.integers(1, 3),
)  # fmt: skip
def test_a_pool_is_torchs(
    op: str, dtype: torch.dtype, kernel: int, stride: int, padding: str, channels: int,
    height: int, width: int, threads: int,
) -> None:  # fmt: skip
    if kernel > min(height, width):
        return
    args: Args = {"kernel": kernel, "stride": stride, "padding": padding}
    torch.set_num_threads(threads)
    found = []
    for forward in (NATIVE[op], FORWARD[op]):
        x = image((3, channels, height, width), dtype).requires_grad_()
        y = forward([x], {}, args, Mode(training=True))
        grad = torch.linspace(-1, 2, y.numel(), dtype=dtype).reshape(y.shape)
        found.append((y.detach(), *torch.autograd.grad(y, x, grad)))
    (mine, mine_back), (wanted, wanted_back) = found
    assert torch.equal(mine, wanted)
    torch.testing.assert_close(mine_back, wanted_back, rtol=1e-5, atol=1e-5)


@needs_kernels
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("op", ["batch_norm", "norm_relu", "avg_pool", "max_pool"])
def test_what_is_no_number_is_handed_on(op: str, value: float) -> None:
    x = image((2, 3, 4, 4), torch.float32)
    x[0, 1] = value
    weights = weights_of(3, torch.float32, affine=True)
    args = {**NORM, "kernel": 3, "stride": 1, "padding": "same"}
    mine = NATIVE[op]([x.clone()], dict(weights), args, Mode(training=True))
    norm = "batch_norm" if op == "norm_relu" else op
    wanted = FORWARD[norm]([x.clone()], dict(weights), args, Mode(training=True))
    wanted = torch.relu(wanted) if op == "norm_relu" else wanted
    assert torch.equal(mine.isnan(), wanted.isnan())
    assert torch.equal(mine.isinf(), wanted.isinf())


@needs_kernels
def test_a_tie_goes_to_the_first_place_also_at_minus_infinity() -> None:
    args = {"kernel": 3, "stride": 1, "padding": "same"}
    for value in (1.0, -torch.inf):
        found = []
        for forward in (NATIVE["max_pool"], FORWARD["max_pool"]):
            x = torch.full((1, 2, 4, 4), value).contiguous(memory_format=torch.channels_last)
            x.requires_grad_()
            y = forward([x], {}, args, Mode(training=True))
            found.append(torch.autograd.grad(y.sum(), x)[0])
        assert torch.equal(*found)


@needs_kernels
def test_tensors_that_kernels_cannot_read_go_to_torch() -> None:
    plain = torch.randn(2, 3, 4, 4)
    assert torch.equal(
        NATIVE["batch_norm"]([plain], {}, NORM, Mode(batch_statistics=True)),
        FORWARD["batch_norm"]([plain], {}, NORM, Mode(batch_statistics=True)),
    )
    half = image((2, 3, 4, 4)).bfloat16()
    assert NATIVE["norm_relu"]([half], {}, NORM, Mode(batch_statistics=True)).dtype == half.dtype


@needs_kernels
def test_second_derivatives_are_refused() -> None:
    x = image((2, 3, 4, 4)).requires_grad_()
    y = NATIVE["batch_norm"]([x], weights_of(3, x.dtype, affine=True), NORM, Mode(training=True))
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(y.square().sum(), x, create_graph=True)


# ------------------------------------------------------------------ whole networks


def ran(net: Supernet, name: str, seed: int, *, mine: bool) -> Outcome:
    x, y = batch(name)
    architecture = sample(space(name), 1, Random(seed))[0]
    net.native = mine
    net.programs.clear()
    return outcome(net, lambda n: n.loss(x, y, architecture)[0])


@needs_kernels
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_those_of_torch(name: str, seed: int) -> None:
    net = net_of(name)
    assert_equal(ran(net, name, seed, mine=True), ran(net, name, seed, mine=False))


@needs_kernels
@settings(max_examples=15)
@given(image_programs(), st.integers(0, 5))
def test_generated_networks_are_those_of_torch(text: str, seed: int) -> None:
    found = lowered(Program(text, IMAGES))
    architecture = sample(found, 1, Random(seed))[0]
    x = torch.randn(3, 3, 8, 8, dtype=torch.float64)
    results = []
    for mine in (True, False):
        generator = torch.Generator().manual_seed(0)
        net = Supernet(found, init=Init(), generator=generator, native=mine).double()
        y, _ = net(x, architecture)
        torch.autograd.backward(y.square().sum())
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        results.append((y.detach(), grads))
    torch.testing.assert_close(*results, rtol=1e-7, atol=1e-8)


@needs_kernels
def test_a_norm_with_a_relu_behind_it_is_one_kernel() -> None:
    net = net_of("micro")
    net.native = True
    program = net.program(sample(space("micro"), 1, Random(0))[0])
    ops = [getattr(call, "op", "") for call in program.bound.kernels.calls]
    assert "norm_relu" in ops
    for native_op in NATIVE:
        assert native_op == "norm_relu" or forward_of(native_op) is not NATIVE[native_op]


# ------------------------------------------------------------ building, and asking


def test_the_library_is_that_of_its_sources(tmp_path: Path) -> None:
    for name, text in (("a.cpp", 'extern "C" void a() {}\n'), ("a.hpp", "\n")):
        (tmp_path / name).write_text(text)
    first = building.library_of(tmp_path)
    (tmp_path / "a.hpp").write_text("// changed\n")
    assert building.library_of(tmp_path) != first


def test_where_no_compiler_is_the_reason_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.cpp").write_text("int a;\n")
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert building.build(tmp_path) == (None, "no C++ compiler was found")


def test_a_compiler_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.cpp").write_text("int a;\n")
    monkeypatch.setenv("CXX", "false")
    library, reason = building.build(tmp_path)
    assert library is None
    assert "failed" in reason
    assert list(tmp_path.iterdir()) == [tmp_path / "a.cpp"]


def test_asking_for_kernels_that_are_not_built_is_refused_with_the_cure(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import enasdsl.nn.native as native; "
        "native.FOLDER = Path(sys.argv[1]); "
        "from enasdsl.cli import main; sys.argv[:] = ['enasdsl', *sys.argv[2:]]; sys.exit(main())"
    )
    command = ["search", "nasbench201", "--data", "digits", "--budget", "1s"]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), *command],
        env={**os.environ, native.VARIABLE: "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "native kernels" in done.stderr
    assert "compiler" in done.stderr
    assert "Traceback" not in done.stderr
