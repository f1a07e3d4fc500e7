"""The torch code of the operations against plain formulas and the registry's shapes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from drafts import Draft, arguments, channels, steps_with_spans, supernet
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from enasdsl.ir.parameters import active_parameter_count, join, parameter_count, within
from enasdsl.nn.build import FORWARD
from enasdsl.nn.child import Child
from enasdsl.nn.mode import Mode
from enasdsl.semantics.ops import OPS, OpParameter
from enasdsl.semantics.shapes import ShapeMismatch
from enasdsl.semantics.symbols import Scalar, Shape, Spans, width


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


# ------------------------------------------------------------------ operations


def test_every_operation_has_torch_code() -> None:
    assert FORWARD.keys() == OPS.keys()


def test_asymmetric_padding_puts_the_rest_after() -> None:
    x = torch.randn(2, 3, 7, 6)
    weight = torch.randn(4, 3, 4, 4)
    args = dict(arguments("conv", {"kernel": 4, "filters": 4, "stride": 2}))
    y = FORWARD["conv"]([x], {"weight": weight}, args, Mode())
    assert torch.allclose(y, F.conv2d(F.pad(x, (1, 2, 1, 2)), weight, stride=2), atol=1e-5)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("op", ["avg_pool", "max_pool"])
def test_pools_leave_the_padding_out(op: str, kernel: int, stride: int) -> None:
    x = torch.randn(1, 2, 5, 6) - 3  # mostly negative: a padded zero would win the maximum
    args = dict(arguments(op, {"kernel": kernel, "stride": stride}))
    y = FORWARD[op]([x], {}, args, Mode())
    before = (kernel - 1) // 2
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            top, left = i * stride - before, j * stride - before
            window = x[:, :, max(top, 0) : top + kernel, max(left, 0) : left + kernel]
            wanted = window.mean((2, 3)) if op == "avg_pool" else window.amax((2, 3))
            assert torch.allclose(y[:, :, i, j], wanted, atol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dilation", [1, 2])
def test_a_sequence_conv_is_a_sum_over_its_window(dilation: int, causal: bool) -> None:
    x, weight = torch.randn(2, 7, 4), torch.randn(6, 2, 3)
    given = {"kernel": 3, "dilation": dilation, "groups": 2, "causal": causal}
    y = FORWARD["sequence_conv"](
        [x], {"weight": weight}, dict(arguments("sequence_conv", given)), Mode()
    )
    for t in range(7):
        wanted = torch.zeros(2, 6)
        for tap in range(3):
            at = t + dilation * (tap - (2 if causal else 1))
            for group in range(2 if 0 <= at < 7 else 0):
                read, made = slice(2 * group, 2 * group + 2), slice(3 * group, 3 * group + 3)
                wanted[:, made] += x[:, at, read] @ weight[made, :, tap].T
        assert torch.allclose(y[:, t], wanted, atol=1e-5)


def test_upsample_repeats_pixels() -> None:
    x = torch.tensor([[[[1.0, 2], [3, 4]]]])
    y = FORWARD["upsample"]([x], {}, {"factor": 2}, Mode())
    assert y[0, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]


def test_shift_moves_up_and_left() -> None:
    x = torch.arange(9.0).view(1, 1, 3, 3)
    wanted = torch.tensor([[4.0, 5, 0], [7, 8, 0], [0, 0, 0]])
    assert torch.equal(FORWARD["shift"]([x], {}, {}, Mode())[0, 0], wanted)


@pytest.mark.parametrize("scale", [-1, 1, 0.5])
def test_affine_is_scale_and_offset(scale: float) -> None:
    x = torch.randn(4, 3)
    y = FORWARD["affine"]([x], {}, {"scale": scale, "offset": 2}, Mode())
    assert torch.allclose(y, x * scale + 2)


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3), (4, 3, 5, 5)])
@pytest.mark.parametrize("op", ["batch_norm", "layer_norm", "softmax"])
def test_channel_axis_of_every_layout(op: str, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape) * 3 + 1
    y = FORWARD[op]([x], {}, {"eps": 1e-5, "affine": False}, Mode(batch_statistics=True))
    rows = (y.movedim(1, -1) if len(shape) == 4 else y).reshape(-1, 3)
    if op == "softmax":
        assert torch.allclose(rows.sum(1), torch.ones(len(rows)), atol=1e-5)
    else:
        axis = 0 if op == "batch_norm" else 1
        assert torch.allclose(rows.mean(axis), torch.zeros(rows.shape[1 - axis]), atol=1e-5)
        assert torch.allclose(
            rows.var(axis, correction=0), torch.ones(rows.shape[1 - axis]), atol=1e-2
        )


def test_a_vector_broadcasts_over_positions() -> None:
    vector, sequence, image = torch.randn(2, 3), torch.randn(2, 4, 3), torch.randn(2, 3, 3, 3)
    subtract = FORWARD["subtract"]
    assert torch.equal(subtract([vector, sequence], {}, {}, Mode()), vector[:, None] - sequence)
    assert torch.equal(subtract([image, vector], {}, {}, Mode()), image - vector[:, :, None, None])


@pytest.mark.parametrize("given_generator", [False, True])
def test_dropout_keeps_the_mean_and_only_while_training(given_generator: bool) -> None:
    x = torch.ones(50, 40, 3)
    generator = torch.Generator().manual_seed(3) if given_generator else None
    args = {"rate": 0.25}
    for op in ("dropout", "sequence_dropout"):
        assert torch.equal(FORWARD[op]([x], {}, args, Mode(generator=generator)), x)
        y = FORWARD[op]([x], {}, args, Mode(training=True, generator=generator))
        assert sorted(set(y.flatten().tolist())) == pytest.approx([0, 4 / 3])
        assert y.mean().item() == pytest.approx(1, abs=0.15)
        assert bool((y == y[:, :1]).all()) == (op == "sequence_dropout")


# --------------------------------------------------- generated networks, shapes

SHAPES = st.one_of(
    st.builds(Shape, st.integers(1, 5), st.tuples(st.integers(3, 7), st.integers(3, 7))),
    st.builds(Shape, st.integers(1, 5), st.tuples(st.integers(1, 4))),
    st.builds(Shape, st.integers(1, 5)),
    st.builds(Shape, st.integers(2, 9), st.tuples(st.integers(1, 4)), st.just(True)),
)


def draw_argument(data: st.DataObject, parameter: OpParameter) -> Scalar:
    if parameter.choices:
        return data.draw(st.sampled_from(parameter.choices))
    if parameter.kind is bool:
        return data.draw(st.booleans())
    if parameter.kind is int:
        return data.draw(st.integers(1, 4))
    return data.draw(st.sampled_from([0.25, 0.5]))


def draw_step(data: st.DataObject, draft: Draft, op: str) -> None:
    """Adds `op` over drawn inputs and arguments, where its shape rule takes them."""
    spec = OPS[op]
    count = spec.arity or data.draw(st.integers(1, 3))
    inputs = [data.draw(st.integers(0, len(draft.shapes) - 1)) for _ in range(count)]
    given = {p.name: draw_argument(data, p) for p in spec.parameters if p.name != "tied"}
    given["stride"] = data.draw(st.integers(1, 2))
    try:
        draft.add(op, *inputs, place=f"{len(draft.steps)}/{op}", ties=None, **given)
    except ShapeMismatch:
        return


def draw_network(data: st.DataObject) -> Draft:
    draft = Draft(data.draw(SHAPES), data.draw(SHAPES))
    for op in data.draw(st.permutations(sorted(OPS))):
        draw_step(data, draft, op)
    return draft


def example(shape: Shape, batch: int = 2) -> Tensor:
    assert isinstance(shape.channels, int)
    if shape.tokens:
        return torch.randint(shape.channels, (batch, *shape.space))
    return torch.randn(tensor_shape(shape, batch))


def tensor_shape(shape: Shape, batch: int = 2) -> tuple[int, ...]:
    (c,) = channels((shape,))
    if shape.tokens:
        return (batch, *shape.space)
    return (batch, c, *shape.space) if len(shape.space) == 2 else (batch, *shape.space, c)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_generated_networks_have_the_shapes_of_the_registry(data: st.DataObject) -> None:
    torch.manual_seed(0)
    draft = draw_network(data)
    net = supernet(draft.places)
    everything = draft.network(*range(len(draft.shapes)))
    program = net.program(everything)
    inputs = [example(s) for s in draft.inputs]
    values, _ = program.run(net, inputs, mode=Mode(training=True, batch_statistics=True))
    for value, shape in zip(values, draft.shapes, strict=True):
        assert tuple(value.shape) == tensor_shape(shape)


def draw_spans(data: st.DataObject, size: int, *, among: int) -> Spans:
    """`size` of `among` channels as ranges."""
    picked = data.draw(st.permutations(range(among)))[:size]
    return join((), tuple((c, c + 1) for c in picked))


@settings(max_examples=30)
@given(st.data())
def test_a_child_gives_what_the_supernet_gives_with_slices(data: st.DataObject) -> None:
    """Places of generated networks are larger than the steps, which read and write some of it."""
    torch.manual_seed(0)
    draft = draw_network(data)
    spans: dict[str, tuple[tuple[Spans, ...] | None, Spans | None]] = {}
    places = []
    for spec in draft.places:
        args, more = dict(spec.args), data.draw(st.integers(0, 3))
        args |= {"kernel": int(args["kernel"]) + 1} if "kernel" in args else {}  # type: ignore[call-overload]
        more = 0 if args.get("groups", 1) != 1 else more
        inputs, outputs = spec.inputs[0] + more, spec.outputs + more
        reads = draw_spans(data, spec.inputs[0], among=inputs)
        spans[spec.place] = ((reads,), draw_spans(data, spec.outputs, among=outputs))
        grown = replace(spec, args=tuple(args.items()), inputs=(inputs,), outputs=outputs)
        places.append(grown)
    network = steps_with_spans(draft.network(*range(len(draft.shapes))), spans)
    net = supernet(places, batch_statistics=False)
    child = Child.from_supernet(net, network)
    assert sum(p.numel() for p in child.parameters()) == parameter_count(draft.places)
    assert active_parameter_count(network, places) == parameter_count(draft.places)
    inputs_ = [example(s) for s in draft.inputs]
    for training in (True, False):
        mode = Mode(training=training, generator=torch.Generator().manual_seed(0))
        shared, _ = net.program(network).run(net, inputs_, mode=mode)
        mode = replace(mode, generator=torch.Generator().manual_seed(0))
        own, _ = child.program.run(child, inputs_, mode=mode)
        for a, b in zip(own, shared, strict=True):
            torch.testing.assert_close(a, b, equal_nan=True)


@pytest.mark.parametrize("op", sorted(OPS))
def test_every_operation_gives_the_shape_of_the_registry(op: str) -> None:
    """Each operation by itself, over every layout that its shape rule takes."""
    taken = 0
    for shape in (Shape(4, (6, 5)), Shape(4, (3,)), Shape(4), Shape(7, (3,), tokens=True)):
        for kernel, stride in ((1, 1), (2, 1), (3, 2), (4, 2)):
            draft = Draft(shape)
            inputs = [0] * (OPS[op].arity or 3)
            try:
                at = draft.add(op, *inputs, kernel=kernel, stride=stride, filters=6, rate=0.5)
            except ShapeMismatch:
                continue
            net = supernet(draft.places)
            y, _ = net(example(shape), draft.network())
            assert tuple(y.shape) == tensor_shape(draft.shapes[at])
            taken += 1
    assert taken


RANGES = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=5)


@given(RANGES, RANGES)
def test_ranges_are_sets_of_channels(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    inner = join((), tuple((a, a + n) for a, n in first))
    outer = join(inner, tuple((a, a + n) for a, n in second))
    members = [c for a, b in outer for c in range(a, b)]
    assert members == sorted(members)
    assert len(members) == width(outer) == len(set(members))
    chosen = [members[c] for a, b in within(inner, outer) for c in range(a, b)]
    assert chosen == [c for a, b in inner for c in range(a, b)]
