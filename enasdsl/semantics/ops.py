"""The primitive operations: one record each, read by the checker, the reference and the builder.

A record says what an operation takes, which shape it gives, which weights it owns and what it
costs; its torch code stands in `nn/build.py` under the same name. Compositions of primitives are
written in the language itself, in `grammars/prelude.enas`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enasdsl.semantics import shapes
from enasdsl.semantics.shapes import Args, Rule
from enasdsl.semantics.symbols import Num


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
    fixed: bool = False  # may not be a choice


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor that an operation owns.

    An axis is a fixed size, the name of an integer argument, `in` or `out` (the channels of the
    first input and of the result), `in/groups`, or `positions` (of the first input). `init` is
    `kernel`, `zero`, `one` or `table`; a buffer is state that is not trained.
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
    stride in force. `shape` raises ShapeMismatch. The product of the sizes `macs` along axes, as a
    Weight has them, and of `places`, the positions of the result, is how often it multiplies and
    adds; without any it is taken to cost nothing.
    """

    name: str
    category: str
    summary: str
    shape: Rule
    parameters: tuple[OpParameter, ...] = ()
    weights: tuple[Weight, ...] = ()
    arity: int = 1
    strides: bool = False
    macs: tuple[str | int, ...] = ()


def axis_size(axis: str | int, args: Args, channels: tuple[int, int], positions: int) -> int:
    """The size of an axis of a Weight.

    `channels` are those of the first input and of the result, `positions` those of the first.
    """
    match axis:
        case int():
            return axis
        case "in":
            return channels[0]
        case "out":
            return channels[1]
        case "positions":
            return positions
        case "in/groups":
            return channels[0] // int(args["groups"])  # type: ignore[arg-type]
        case _:
            return int(args[axis])  # type: ignore[arg-type]


# -------------------------------------------------------------------- registry

_KERNEL = OpParameter("kernel", int, implicit=Default.REQUIRED, least=1)
_FILTERS = OpParameter("filters", int, implicit=Default.FILTERS, least=1)
_DILATION = OpParameter("dilation", int, 1, least=1, fixed=True)
_PADDING = OpParameter("padding", str, "same", choices=("same", "valid"), fixed=True)
_AFFINE = (
    Weight("scale", ("out",), "one", when="affine"),
    Weight("offset", ("out",), "zero", when="affine"),
)


def _activation(name: str, summary: str) -> OpSpec:
    return OpSpec(name, "activation", summary, shapes.numeric(name))


def _function(name: str, summary: str) -> OpSpec:
    return OpSpec(name, "function", summary, shapes.numeric(name))


_SPECS = (
    OpSpec(
        "conv",
        "convolution",
        "k x k convolution to `filters` channels",
        shapes.conv,
        (
            _KERNEL,
            _FILTERS,
            OpParameter("groups", int, 1, least=1),
            _DILATION,
            _PADDING,
            OpParameter("bias", bool, False),
        ),
        (
            Weight("weight", ("out", "in/groups", "kernel", "kernel")),
            Weight("bias", ("out",), "zero", when="bias"),
        ),
        strides=True,
        macs=("out", "in/groups", "kernel", "kernel", "places"),
    ),
    OpSpec(
        "depthwise_conv",
        "convolution",
        "k x k convolution of each channel by itself",
        shapes.keep_channels("depthwise_conv"),
        (_KERNEL, _DILATION, _PADDING),
        (Weight("weight", ("out", 1, "kernel", "kernel")),),
        strides=True,
        macs=("out", "kernel", "kernel", "places"),
    ),
    OpSpec(
        "row_conv",
        "convolution",
        "convolution of 1 x k, along each row",
        shapes.row_conv,
        (_KERNEL, _FILTERS),
        (Weight("weight", ("out", "in", 1, "kernel")),),
        strides=True,
        macs=("out", "in", "kernel", "places"),
    ),
    OpSpec(
        "column_conv",
        "convolution",
        "convolution of k x 1, along each column",
        shapes.row_conv,
        (_KERNEL, _FILTERS),
        (Weight("weight", ("out", "in", "kernel", 1)),),
        strides=True,
        macs=("out", "in", "kernel", "places"),
    ),
    OpSpec(
        "sequence_conv",
        "convolution",
        "convolution of k positions to `units` channels; `causal`: of those up to each",
        shapes.sequence_conv,
        (
            _KERNEL,
            OpParameter("units", int, implicit=Default.HIDDEN, least=1),
            OpParameter("groups", int, 1, least=1),
            _DILATION,
            OpParameter("causal", bool, False),
            OpParameter("bias", bool, False),
        ),
        (
            Weight("weight", ("out", "in/groups", "kernel")),
            Weight("bias", ("out",), "zero", when="bias"),
        ),
        macs=("out", "in/groups", "kernel", "places"),
    ),
    OpSpec(
        "linear",
        "dense",
        "matrix product to `units` channels; `tied` uses the embedding's matrix",
        shapes.linear,
        (
            OpParameter("units", int, implicit=Default.HIDDEN, least=1),
            OpParameter("bias", bool, False),
            OpParameter("tied", bool, False),
        ),
        (
            Weight("weight", ("out", "in")),
            Weight("bias", ("out",), "zero", when="bias"),
        ),
        macs=("out", "in", "places"),
    ),
    OpSpec(
        "embedding",
        "dense",
        "a learned vector of `size` for each token; zero for a share of the words while training",
        shapes.embedding,
        (
            OpParameter("size", int, implicit=Default.HIDDEN, least=1),
            OpParameter("word_dropout", float, 0.0, least=0),
        ),
        (Weight("weight", ("in", "out"), "table"),),
    ),
    OpSpec(
        "positional_embedding",
        "dense",
        "adds a learned vector for each position of a sequence",
        shapes.positions,
        (),
        (Weight("weight", ("positions", "out"), "table"),),
    ),
    OpSpec(
        "attention",
        "dense",
        "for queries, keys and values: each query's mean of the values, weighted by the keys",
        shapes.attention,
        (
            OpParameter("heads", int, implicit=Default.REQUIRED, least=1),
            OpParameter("causal", bool, False),
        ),
        arity=3,
        macs=(2, "out", "places", "places"),
    ),
    OpSpec(
        "learned_scale",
        "dense",
        "each channel times a learned number",
        shapes.numeric("learned_scale"),
        (),
        (Weight("scale", ("out",), "one"),),
    ),
    OpSpec(
        "learned_offset",
        "dense",
        "each channel plus a learned number",
        shapes.numeric("learned_offset"),
        (),
        (Weight("offset", ("out",), "zero"),),
    ),
    OpSpec(
        "batch_norm",
        "normalisation",
        "normalise each channel over the batch",
        shapes.numeric("batch_norm"),
        (
            OpParameter("affine", bool, True),
            OpParameter("momentum", float, 0.1, least=0),
            OpParameter("eps", float, 1e-5, least=0),
        ),
        (
            *_AFFINE,
            Weight("mean", ("out",), "zero", buffer=True),
            Weight("variance", ("out",), "one", buffer=True),
        ),
    ),
    OpSpec(
        "layer_norm",
        "normalisation",
        "normalise the channels of each position",
        shapes.numeric("layer_norm"),
        (OpParameter("affine", bool, True), OpParameter("eps", float, 1e-5, least=0)),
        _AFFINE,
    ),
    OpSpec(
        "avg_pool",
        "pooling",
        "mean over a k x k window, the padding left out of the count",
        shapes.keep_channels("avg_pool"),
        (_KERNEL, _PADDING),
        strides=True,
    ),
    OpSpec(
        "max_pool",
        "pooling",
        "maximum over a k x k window",
        shapes.keep_channels("max_pool"),
        (_KERNEL, _PADDING),
        strides=True,
    ),
    OpSpec(
        "upsample",
        "pooling",
        "each pixel `factor` times in each direction",
        shapes.upsample,
        (OpParameter("factor", int, 2, least=1, fixed=True),),
    ),
    OpSpec("global_avg_pool", "pooling", "mean over all positions", shapes.pool_all),
    _activation("relu", "max(x, 0)"),
    _activation("relu6", "min(max(x, 0), 6)"),
    _activation("tanh", "hyperbolic tangent"),
    _activation("sigmoid", "1 / (1 + exp(-x))"),
    _activation("gelu", "x times the normal distribution function of x"),
    _activation("swish", "x * sigmoid(x)"),
    _activation("hard_swish", "x * min(max(x + 3, 0), 6) / 6"),
    _activation("hard_sigmoid", "min(max(x + 3, 0), 6) / 6"),
    _activation("softmax", "exponentials of the channels, normalised to one"),
    _activation("softplus", "log(1 + exp(x))"),
    _function("abs", "the absolute value"),
    _function("sqrt", "the square root"),
    _function("exp", "the exponential"),
    _function("log", "the natural logarithm"),
    _function("sin", "the sine"),
    _function("cos", "the cosine"),
    _function("sinc", "sin(pi x) / (pi x)"),
    _function("sinh", "the hyperbolic sine"),
    _function("cosh", "the hyperbolic cosine"),
    _function("asinh", "the inverse of the hyperbolic sine"),
    _function("atan", "the inverse of the tangent"),
    _function("erf", "the error function"),
    OpSpec("identity", "structure", "the value unchanged", shapes.same),
    OpSpec("zero", "structure", "zeros in the shape of the value", shapes.zero, strides=True),
    OpSpec(
        "dropout",
        "regularisation",
        "zero a share `rate` of the numbers while training",
        shapes.numeric("dropout"),
        (OpParameter("rate", float, 0.1, least=0),),
    ),
    OpSpec(
        "sequence_dropout",
        "regularisation",
        "dropout with one mask for all positions of a sequence",
        shapes.numeric("sequence_dropout"),
        (OpParameter("rate", float, 0.1, least=0),),
    ),
    OpSpec(
        "drop_path",
        "regularisation",
        "zero a share `rate` of the examples; `ramp`: it grows with depth and with training",
        shapes.numeric("drop_path"),
        (OpParameter("rate", float, 0.1, least=0), OpParameter("ramp", bool, True)),
    ),
    OpSpec(
        "auxiliary",
        "regularisation",
        "x, y: the value x, and the loss of y as logits joins that of the network",
        shapes.beside,
        arity=2,
    ),
    OpSpec(
        "shift", "structure", "the image moved one pixel up and left", shapes.same_image("shift")
    ),
    OpSpec(
        "channel_shuffle",
        "structure",
        "channels dealt out over `groups` in turn",
        shapes.channel_shuffle,
        (OpParameter("groups", int, 2, least=1),),
    ),
    OpSpec(
        "channel_part",
        "structure",
        "part `index` of `of` equal parts of the channels",
        shapes.channel_part,
        (
            OpParameter("index", int, implicit=Default.REQUIRED, least=1, fixed=True),
            OpParameter("of", int, 2, least=1, fixed=True),
        ),
    ),
    OpSpec(
        "to_sequence",
        "structure",
        "the positions of an image, row by row, as a sequence",
        shapes.to_sequence,
    ),
    OpSpec("flatten", "structure", "all numbers as one vector", shapes.flatten),
    OpSpec("sum", "merge", "elementwise sum", shapes.merge("sum"), arity=0),
    OpSpec("mean", "merge", "elementwise mean", shapes.merge("mean"), arity=0),
    OpSpec("product", "merge", "elementwise product", shapes.merge("product"), arity=0),
    OpSpec("min", "merge", "elementwise minimum", shapes.merge("min"), arity=0),
    OpSpec("max", "merge", "elementwise maximum", shapes.merge("max"), arity=0),
    OpSpec("concat", "merge", "channels side by side", shapes.concat, arity=0),
    OpSpec("add", "arithmetic", "x + y", shapes.broadcast("+"), arity=2),
    OpSpec("subtract", "arithmetic", "x - y", shapes.broadcast("-"), arity=2),
    OpSpec("multiply", "arithmetic", "x * y", shapes.broadcast("*"), arity=2),
    OpSpec("divide", "arithmetic", "x / y", shapes.broadcast("/"), arity=2),
    OpSpec(
        "affine",
        "arithmetic",
        "x * scale + offset, with plain numbers",
        shapes.numeric("affine"),
        (OpParameter("scale", float, 1.0), OpParameter("offset", float, 0.0)),
    ),
    OpSpec("reciprocal", "arithmetic", "1 / x", shapes.numeric("reciprocal")),
)

OPS: Mapping[str, OpSpec] = {spec.name: spec for spec in _SPECS}
"""Every primitive operation by name."""
