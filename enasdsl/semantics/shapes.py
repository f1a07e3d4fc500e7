"""The shape rules of the primitive operations, and what they cost: plain functions of arguments.

A rule takes the arguments and the shapes of the inputs, gives the shape of the result, and raises
ShapeMismatch. A cost takes concrete shapes and counts multiplications with addition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from enasdsl.semantics.symbols import Dim, Num, Parts, Shape, compute, describe, extremes

Args = Mapping[str, Num]
Rule = Callable[[Args, tuple[Shape, ...]], Shape]


class ShapeMismatch(Exception):
    """Inputs that an operation cannot take; `input` is the one at fault, by position."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


# ---------------------------------------------------------------------- shapes


def same(args: Args, inputs: tuple[Shape, ...]) -> Shape:
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
    if padding == "valid" and not isinstance(args["kernel"], int):
        raise ShapeMismatch(
            f"{what} without padding needs a fixed kernel: its size would be chosen"
        )
    sizes = tuple(strided(s, stride=stride, kernel=span, padding=padding) for s in shape.space)
    if stride > min(shape.space) or min(sizes) < 1:
        raise ShapeMismatch(
            f"stride {stride} and a window of {span} do not fit an image of {shape}"
        )
    return sizes


def conv(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    space = _windowed(args, x, "conv")
    _check_groups(args["groups"], x.channels, args["filters"], "filters")
    return Shape(args["filters"], space)  # type: ignore[arg-type]


def sequence_conv(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    """A window along a sequence, whose length stays."""
    (x,) = inputs
    if len(x.space) != 1 or x.tokens:
        raise ShapeMismatch(f"sequence_conv reads a sequence, and this is {x}")
    _check_groups(args["groups"], x.channels, args["units"], "units")
    return Shape(args["units"], x.space)  # type: ignore[arg-type]


def _check_groups(groups: Num, channels: Dim, made: Num, what: str) -> None:
    for name, size in (("input", channels), (what, made)):
        if not _divides(groups, size):
            raise ShapeMismatch(
                f"{_say(groups)} groups do not divide the {name} channels, {_say(size)}"
            )


def upsample(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _image(x, "upsample")
    return Shape(x.channels, tuple(int(args["factor"]) * size for size in x.space))  # type: ignore[arg-type]


def _say(size: Num | Dim) -> str:
    return describe(size)  # type: ignore[arg-type]


def _divides(groups: Num, channels: object) -> bool:
    if groups == 1:
        return True
    if isinstance(channels, Parts):
        return False
    rest = compute("%", channels, groups)  # type: ignore[arg-type]
    return extremes(rest) == (0, 0)


def keep_channels(what: str) -> Rule:
    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        return Shape(inputs[0].channels, _windowed(args, inputs[0], what))

    return shape


def linear(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "linear")
    if len(x.space) == 2:
        raise ShapeMismatch(f"linear reads a vector or a sequence, and this is an image of {x}")
    return Shape(args["units"], x.space)  # type: ignore[arg-type]


def embedding(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    if not x.tokens:
        raise ShapeMismatch(f"embedding reads token indices, and this is {x}")
    return Shape(args["size"], x.space)  # type: ignore[arg-type]


def numeric(what: str) -> Rule:
    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        _no_tokens(inputs[0], what)
        return inputs[0]

    return shape


def beside(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    """The first input; the second is a vector, or a number for each word, and stays at the side."""
    x, logits = inputs
    _no_tokens(x, "auxiliary")
    _no_tokens(logits, "auxiliary")
    if len(logits.space) == 2:
        raise ShapeMismatch(f"auxiliary reads logits, and this is an image of {logits}", 1)
    return x


def same_image(what: str) -> Rule:
    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        _image(inputs[0], what)
        return inputs[0]

    return shape


def row_conv(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    """A window of one row or one column, to `filters` channels."""
    space = _windowed({**args, "kernel": 1}, inputs[0], "a convolution of rows or columns")
    return Shape(args["filters"], space)  # type: ignore[arg-type]


def zero(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    """Takes a stride of an image; anything else keeps its shape."""
    (x,) = inputs
    _no_tokens(x, "zero")
    return x if args["stride"] == 1 else keep_channels("zero")({**args, "kernel": 1}, inputs)


def channel_shuffle(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _image(x, "channel_shuffle")
    if not _divides(args["groups"], x.channels):
        raise ShapeMismatch(
            f"{_say(args['groups'])} groups do not divide {_say(x.channels)} channels"
        )
    return x


def channel_part(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "channel_part")
    index, parts = args["index"], args["of"]
    if not isinstance(x.channels, int) or not isinstance(parts, int) or x.channels % parts:
        raise ShapeMismatch(f"{x} cannot be cut into {parts} equal parts of fixed size")
    if not isinstance(index, int) or index > parts:
        raise ShapeMismatch(f"there is no part {index} of {parts}")
    return Shape(x.channels // parts, x.space)


def to_sequence(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    _image(inputs[0], "to_sequence")
    return Shape(inputs[0].channels, (prod(inputs[0].space),))


def positions(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    if len(x.space) != 1 or x.tokens:
        raise ShapeMismatch(f"positional_embedding reads a sequence, and this is {x}")
    return x


def attention(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    """Queries, keys and values of one shape, which the heads divide."""
    _alike(inputs, "attention")
    x = inputs[0]
    if len(x.space) != 1:
        raise ShapeMismatch(f"attention reads sequences, and this is {x}")
    if not _divides(args["heads"], x.channels):
        raise ShapeMismatch(
            f"{_say(args['heads'])} heads do not divide {_say(x.channels)} channels"
        )
    return x


def pool_all(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "global_avg_pool")
    if not x.space:
        raise ShapeMismatch("global_avg_pool reads an image or a sequence, and this is a vector")
    return Shape(x.channels)


def flatten(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "flatten")
    if not isinstance(x.channels, int):
        raise ShapeMismatch("flatten needs a fixed number of channels")
    return Shape(x.channels * prod(x.space))


def concat(args: Args, inputs: tuple[Shape, ...]) -> Shape:
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
            raise ShapeMismatch(
                f"{what} joins values of one shape: {first} here, {shape} there", at
            )


def merge(what: str) -> Rule:
    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        _alike(inputs, what)
        return inputs[0]

    return shape


def broadcast(what: str) -> Rule:
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
