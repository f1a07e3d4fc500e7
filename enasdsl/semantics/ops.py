"""The primitive operations: one record each, read by the checker, the reference and the builder.

A record says what an operation takes, which shape it gives, which weights it owns and what it
costs; its torch code stands in `nn/build.py` under the same name. Compositions of primitives are
written in the language itself, in `grammars/prelude.enas`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from enasdsl.semantics.symbols import Dim, Num, Parts, Shape, compute, extremes

Args = Mapping[str, Num]


class ShapeMismatch(Exception):
    """Inputs that an operation cannot take; `input` is the one at fault, by position."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


class Default:
    """How a parameter that was not given is found."""

    REQUIRED = "required"
    FILTERS = "filters"  # the `filters` in force, else the channels of the input
    HIDDEN = "hidden"  # the `hidden` in force, else the channels of the input
    NONE = "none"


@dataclass(frozen=True, slots=True)
class OpParameter:
    """A parameter of an operation; `least` bounds a number from below."""

    name: str
    kind: type
    default: Num | type[Default] | None = None
    implicit: str = ""  # one of the fields of Default, or "" where `default` holds
    least: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor that an operation owns.

    An axis is a fixed size, the name of an integer argument, `in` or `out` (the channels of the
    first input and of the result), or `in/groups`. `init` is `kernel`, `zero`, `one` or `table`;
    a buffer is state that is not trained.
    """

    name: str
    axes: tuple[str | int, ...]
    init: str = "kernel"
    buffer: bool = False
    when: str | None = None  # a boolean argument without which the weight does not exist


@dataclass(frozen=True, slots=True)
class OpSpec:
    """One primitive operation.

    `arity` is how many inputs it reads, 0 for any number. `strides` is whether it takes the
    stride in force. `shape` raises ShapeMismatch. `macs` counts multiplications with addition of
    one example from concrete shapes (inputs, output).
    """

    name: str
    category: str
    summary: str
    shape: Callable[[Args, tuple[Shape, ...]], Shape]
    parameters: tuple[OpParameter, ...] = ()
    weights: tuple[Weight, ...] = ()
    arity: int = 1
    strides: bool = False
    macs: Callable[[Args, tuple[Shape, ...], Shape], int] = lambda args, inputs, output: 0


def axis_size(axis: str | int, args: Args, channels: tuple[int, int]) -> int:
    """The size of an axis of a Weight; `channels` are those of the first input and the result."""
    match axis:
        case int():
            return axis
        case "in":
            return channels[0]
        case "out":
            return channels[1]
        case "in/groups":
            return channels[0] // int(args["groups"])  # type: ignore[arg-type]
        case _:
            return int(args[axis])  # type: ignore[arg-type]


# ---------------------------------------------------------------------- shapes


def _same(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    return inputs[0]


def _image(shape: Shape, what: str) -> None:
    if len(shape.space) != 2 or shape.tokens:
        raise ShapeMismatch(f"{what} reads an image, and this is {shape}")


def _no_tokens(shape: Shape, what: str) -> None:
    if shape.tokens:
        raise ShapeMismatch(f"{what} reads numbers, and this is {shape}; embed them first")


def strided(size: int, *, stride: int, kernel: int, padding: str) -> int:
    """The length along one side after a window of `kernel` moved by `stride`."""
    if padding == "valid":
        return (size - kernel) // stride + 1
    return -(-size // stride)


def _windowed(args: Args, shape: Shape, what: str) -> tuple[int, ...]:
    _image(shape, what)
    stride = int(args["stride"])  # type: ignore[arg-type]
    span = (int(extremes(args["kernel"])[1]) - 1) * int(args.get("dilation", 1)) + 1  # type: ignore[arg-type]
    padding = str(args.get("padding", "same"))
    sizes = tuple(
        strided(s, stride=stride, kernel=span, padding=padding) for s in shape.space
    )
    if stride > min(shape.space) or min(sizes) < 1:
        raise ShapeMismatch(f"stride {stride} and a window of {span} do not fit an image of {shape}")
    return sizes


def _conv(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    space = _windowed(args, x, "conv")
    groups = args["groups"]
    for name, channels in (("input", x.channels), ("filters", args["filters"])):
        if not _divides(groups, channels):
            raise ShapeMismatch(f"groups: {groups} does not divide the {name} channels, {channels}")
    return Shape(args["filters"], space)  # type: ignore[arg-type]


def _divides(groups: Num, channels: object) -> bool:
    if groups == 1:
        return True
    if isinstance(channels, Parts):
        return False
    rest = compute("%", channels, groups)  # type: ignore[arg-type]
    return extremes(rest) == (0, 0)


def _keep_channels(what: str) -> Callable[[Args, tuple[Shape, ...]], Shape]:
    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        return Shape(inputs[0].channels, _windowed(args, inputs[0], what))

    return shape


def _linear(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "linear")
    if len(x.space) == 2:
        raise ShapeMismatch(f"linear reads a vector or a sequence, and this is an image of {x}")
    return Shape(args["units"], x.space)  # type: ignore[arg-type]


def _embedding(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    if not x.tokens:
        raise ShapeMismatch(f"embedding reads token indices, and this is {x}")
    return Shape(args["size"], x.space)  # type: ignore[arg-type]


def _numeric(what: str) -> Callable[[Args, tuple[Shape, ...]], Shape]:
    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        _no_tokens(inputs[0], what)
        return inputs[0]

    return shape


def _shift(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    _image(inputs[0], "shift")
    return inputs[0]


def _pool_all(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "global_avg_pool")
    if not x.space:
        raise ShapeMismatch("global_avg_pool reads an image or a sequence, and this is a vector")
    return Shape(x.channels)


def _flatten(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "flatten")
    if not isinstance(x.channels, int):
        raise ShapeMismatch("flatten needs a fixed number of channels")
    return Shape(x.channels * prod(x.space))


def _concat(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    """The channels of a fixed list; the lowering joins those that may be absent itself."""
    _alike(inputs, "concat", channels=False)
    channels: Num = 0
    for shape in inputs:
        if isinstance(shape.channels, Parts):
            parts: list[tuple[tuple[()], Dim]] = [((), s.channels) for s in inputs]
            return Shape(Parts(tuple(parts)), inputs[0].space)
        channels = compute("+", channels, shape.channels)
    return Shape(channels, inputs[0].space)  # type: ignore[arg-type]


def _alike(inputs: tuple[Shape, ...], what: str, *, channels: bool = True) -> None:
    first = inputs[0]
    for at, shape in enumerate(inputs):
        _no_tokens(shape, what)
        if shape.space != first.space or (channels and shape.channels != first.channels):
            raise ShapeMismatch(f"{what} joins values of one shape: {first} here, {shape} there", at)


def _merge(what: str) -> Callable[[Args, tuple[Shape, ...]], Shape]:
    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        _alike(inputs, what)
        return inputs[0]

    return shape


def _broadcast(what: str) -> Callable[[Args, tuple[Shape, ...]], Shape]:
    """Elementwise with a vector allowed on either side: one number for each channel."""

    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        wide = max(inputs, key=lambda s: len(s.space))
        for at, x in enumerate(inputs):
            _no_tokens(x, what)
            if x.channels != wide.channels or x.space not in ((), wide.space):
                raise ShapeMismatch(
                    f"{what} joins values of one shape: {inputs[0]} here, {x} there", at
                )
        return wide

    return shape


# ----------------------------------------------------------------------- costs


def _window_macs(args: Args, inputs: tuple[Shape, ...], output: Shape) -> int:
    """A convolution: k^2 * C_in / groups for each output number."""
    per = int(args["kernel"]) ** 2 * int(inputs[0].channels) // int(args["groups"])  # type: ignore[arg-type]
    return per * int(output.channels) * prod(output.space)  # type: ignore[arg-type]


def _depthwise_macs(args: Args, inputs: tuple[Shape, ...], output: Shape) -> int:
    return int(args["kernel"]) ** 2 * int(output.channels) * prod(output.space)  # type: ignore[arg-type]


def _linear_macs(args: Args, inputs: tuple[Shape, ...], output: Shape) -> int:
    return int(inputs[0].channels) * int(output.channels) * prod(output.space)  # type: ignore[arg-type]


# -------------------------------------------------------------------- registry

_KERNEL = OpParameter("kernel", int, implicit=Default.REQUIRED, least=1)
_FILTERS = OpParameter("filters", int, implicit=Default.FILTERS, least=1)
_DILATION = OpParameter("dilation", int, 1, least=1)
_PADDING = OpParameter("padding", str, "same", choices=("same", "valid"))
_AFFINE = (
    Weight("scale", ("out",), "one", when="affine"),
    Weight("offset", ("out",), "zero", when="affine"),
)


def _activation(name: str, summary: str) -> OpSpec:
    return OpSpec(name, "activation", summary, _numeric(name))


_SPECS = (
    OpSpec(
        "conv", "convolution", "k x k convolution to `filters` channels", _conv,
        (
            _KERNEL, _FILTERS, OpParameter("groups", int, 1, least=1), _DILATION, _PADDING,
            OpParameter("bias", bool, False),
        ),
        (
            Weight("weight", ("out", "in/groups", "kernel", "kernel")),
            Weight("bias", ("out",), "zero", when="bias"),
        ),
        strides=True, macs=_window_macs,
    ),
    OpSpec(
        "depthwise_conv", "convolution", "k x k convolution of each channel by itself",
        _keep_channels("depthwise_conv"), (_KERNEL, _DILATION, _PADDING),
        (Weight("weight", ("out", 1, "kernel", "kernel")),), strides=True, macs=_depthwise_macs,
    ),
    OpSpec(
        "linear", "dense", "matrix product to `units` channels; `tied` uses the embedding's matrix",
        _linear,
        (
            OpParameter("units", int, implicit=Default.HIDDEN, least=1),
            OpParameter("bias", bool, False), OpParameter("tied", bool, False),
        ),
        (
            Weight("weight", ("out", "in")),
            Weight("bias", ("out",), "zero", when="bias"),
        ),
        macs=_linear_macs,
    ),
    OpSpec(
        "embedding", "dense", "a learned vector of `size` for each token", _embedding,
        (OpParameter("size", int, implicit=Default.HIDDEN, least=1),),
        (Weight("weight", ("in", "out"), "table"),),
    ),
    OpSpec(
        "batch_norm", "normalisation", "normalise each channel over the batch",
        _numeric("batch_norm"),
        (
            OpParameter("affine", bool, True), OpParameter("momentum", float, 0.1, least=0),
            OpParameter("eps", float, 1e-5, least=0),
        ),
        (
            *_AFFINE,
            Weight("mean", ("out",), "zero", buffer=True),
            Weight("variance", ("out",), "one", buffer=True),
        ),
    ),
    OpSpec(
        "layer_norm", "normalisation", "normalise the channels of each position",
        _numeric("layer_norm"),
        (OpParameter("affine", bool, True), OpParameter("eps", float, 1e-5, least=0)), _AFFINE,
    ),
    OpSpec(
        "avg_pool", "pooling", "mean over a k x k window, the padding left out of the count",
        _keep_channels("avg_pool"), (_KERNEL, _PADDING), strides=True,
    ),
    OpSpec(
        "max_pool", "pooling", "maximum over a k x k window", _keep_channels("max_pool"),
        (_KERNEL, _PADDING), strides=True,
    ),
    OpSpec("global_avg_pool", "pooling", "mean over all positions", _pool_all),
    _activation("relu", "max(x, 0)"),
    _activation("tanh", "hyperbolic tangent"),
    _activation("sigmoid", "1 / (1 + exp(-x))"),
    _activation("gelu", "x times the normal distribution function of x"),
    _activation("swish", "x * sigmoid(x)"),
    _activation("hard_swish", "x * min(max(x + 3, 0), 6) / 6"),
    _activation("hard_sigmoid", "min(max(x + 3, 0), 6) / 6"),
    _activation("softmax", "exponentials of the channels, normalised to one"),
    OpSpec("identity", "structure", "the value unchanged", _same),
    OpSpec("zero", "structure", "zeros in the shape of the value", _numeric("zero")),
    OpSpec(
        "dropout", "regularisation", "zero a share `rate` of the numbers while training",
        _numeric("dropout"), (OpParameter("rate", float, 0.1, least=0),),
    ),
    OpSpec(
        "sequence_dropout", "regularisation",
        "dropout with one mask for all positions of a sequence",
        _numeric("sequence_dropout"), (OpParameter("rate", float, 0.1, least=0),),
    ),
    OpSpec("shift", "structure", "the image moved one pixel up and left", _shift),
    OpSpec("flatten", "structure", "all numbers as one vector", _flatten),
    OpSpec("sum", "merge", "elementwise sum", _merge("sum"), arity=0),
    OpSpec("mean", "merge", "elementwise mean", _merge("mean"), arity=0),
    OpSpec("product", "merge", "elementwise product", _merge("product"), arity=0),
    OpSpec("concat", "merge", "channels side by side", _concat, arity=0),
    OpSpec("add", "arithmetic", "x + y", _broadcast("+"), arity=2),
    OpSpec("subtract", "arithmetic", "x - y", _broadcast("-"), arity=2),
    OpSpec("multiply", "arithmetic", "x * y", _broadcast("*"), arity=2),
    OpSpec("divide", "arithmetic", "x / y", _broadcast("/"), arity=2),
    OpSpec(
        "affine", "arithmetic", "x * scale + offset, with plain numbers", _numeric("affine"),
        (OpParameter("scale", float, 1.0), OpParameter("offset", float, 0.0)),
    ),
    OpSpec("reciprocal", "arithmetic", "1 / x", _numeric("reciprocal")),
)

OPS: Mapping[str, OpSpec] = {spec.name: spec for spec in _SPECS}
"""Every primitive operation by name."""
