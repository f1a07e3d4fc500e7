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
    """Inputs that an operation cannot take; `at` is the one at fault, `help` what mends it."""

    def __init__(self, message: str, *, at: int = 0, help: str | None = None) -> None:
        super().__init__(message)
        self.at = at
        self.help = help


_CURES: Mapping[tuple[str, str], str] = {
    ("image", "sequence"): "put `to_sequence` before it",
    ("image", "vector"): "put `global_avg_pool` or `flatten` before it; `conv(1)` reads an image",
    ("sequence", "image"): "put it before `to_sequence`, or take `sequence_conv` for a window",
    ("vector", "image"): "put it before what leaves no image, `global_avg_pool` or `flatten`",
    ("vector", "sequence"): "put it before what leaves no sequence, as `global_avg_pool` does",
}
"""By the kind of a value, and the kind that is read instead."""
_EMBED = "put `embedding` before it"


def cure(shape: Shape, wanted: str) -> str | None:
    """What makes a value of the kind that is wanted of this one, in a sentence."""
    return _EMBED if shape.tokens else _CURES.get((shape.kind, wanted))


# ---------------------------------------------------------------------- shapes


def same(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    return inputs[0]


def _kind(shape: Shape, wanted: str, what: str) -> None:
    if shape.kind != wanted:
        article = "an" if wanted == "image" else "a"
        message = f"{what} reads {article} {wanted}, and this is {shape}"
        raise ShapeMismatch(message, help=cure(shape, wanted))


def _no_tokens(shape: Shape, what: str) -> None:
    if shape.tokens:
        raise ShapeMismatch(f"{what} reads numbers, and this is {shape}", help=_EMBED)


def strided(size: int, *, stride: int, kernel: int, padding: str) -> int:
    """The length along one side after a window of `kernel` moved by `stride`."""
    if padding == "valid":
        return (size - kernel) // stride + 1
    return -(-size // stride)


def _windowed(args: Args, shape: Shape, what: str) -> tuple[int, ...]:
    _kind(shape, "image", what)
    stride = int(args["stride"])  # type: ignore[arg-type]
    span = (int(extremes(args["kernel"])[1]) - 1) * int(args.get("dilation", 1)) + 1  # type: ignore[arg-type]
    padding = str(args.get("padding", "same"))
    if padding == "valid" and not isinstance(args["kernel"], int):
        raise ShapeMismatch(
            f"{what} without padding needs a fixed kernel: its size would be chosen",
            help='write `padding: "same"`, or a fixed kernel',
        )
    sizes = tuple(strided(s, stride=stride, kernel=span, padding=padding) for s in shape.space)
    if stride > min(shape.space) or min(sizes) < 1:
        raise ShapeMismatch(
            f"stride {stride} and a window of {span} do not fit an image of {shape}",
            help="take a smaller stride or window, or put it where the image is larger",
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
    _kind(x, "sequence", "sequence_conv")
    _check_groups(args["groups"], x.channels, args["units"], "units")
    return Shape(args["units"], x.space)  # type: ignore[arg-type]


def _check_groups(groups: Num, channels: Dim, made: Num, what: str) -> None:
    for name, size in (("input", channels), (what, made)):
        if not _divides(groups, size):
            raise ShapeMismatch(
                f"{_say(groups)} groups do not divide the {name} channels, {_say(size)}",
                help=f"make the channels a multiple of {_say(groups)}, or take other `groups`",
            )


def upsample(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _kind(x, "image", "upsample")
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
    if x.kind == "image":
        raise ShapeMismatch(
            f"linear reads a vector or a sequence, and this is an image of {x}",
            help=cure(x, "vector"),
        )
    return Shape(args["units"], x.space)  # type: ignore[arg-type]


def embedding(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    if not x.tokens:
        raise ShapeMismatch(
            f"embedding reads token indices, and this is {x}",
            help="leave it out: these are numbers already, whose width is set by "
            + ("`conv(1)`" if x.kind == "image" else "`linear`"),
        )
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
    if logits.kind == "image":
        raise ShapeMismatch(
            f"auxiliary reads logits, and this is an image of {logits}",
            at=1,
            help="end its second input with `global_avg_pool -> linear(classes)`",
        )
    return x


def same_image(what: str) -> Rule:
    def shape(args: Args, inputs: tuple[Shape, ...]) -> Shape:
        _kind(inputs[0], "image", what)
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
    _kind(x, "image", "channel_shuffle")
    if not _divides(args["groups"], x.channels):
        raise ShapeMismatch(
            f"{_say(args['groups'])} groups do not divide {_say(x.channels)} channels",
            help=_multiple(x, args["groups"]),
        )
    return x


def channel_part(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "channel_part")
    index, parts = args["index"], args["of"]
    if not isinstance(x.channels, int) or not isinstance(parts, int) or x.channels % parts:
        message = f"{x} cannot be cut into {_say(parts)} equal parts of fixed size"
        raise ShapeMismatch(message, help=_multiple(x, parts))
    if not isinstance(index, int) or index > parts:
        message = f"there is no part {_say(index)} of {parts}"
        raise ShapeMismatch(message, help=f"parts are counted from 1 to {parts}")
    return Shape(x.channels // parts, x.space)


def _multiple(x: Shape, parts: Num) -> str:
    by = "conv(1, filters: ...)" if x.kind == "image" else "linear(...)"
    return f"make the channels a fixed multiple of {_say(parts)} first, as by `{by}`"


def to_sequence(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    if inputs[0].kind == "sequence":
        raise ShapeMismatch("this is a sequence already", help="leave it out")
    _kind(inputs[0], "image", "to_sequence")
    return Shape(inputs[0].channels, (prod(inputs[0].space),))


def positions(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _kind(x, "sequence", "positional_embedding")
    return x


def attention(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    """Queries, keys and values of one shape, which the heads divide."""
    _alike(inputs, "attention")
    x = inputs[0]
    _kind(x, "sequence", "attention")
    if not _divides(args["heads"], x.channels):
        raise ShapeMismatch(
            f"{_say(args['heads'])} heads do not divide {_say(x.channels)} channels",
            help=_multiple(x, args["heads"]),
        )
    return x


def pool_all(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "global_avg_pool")
    if not x.space:
        message = "global_avg_pool reads an image or a sequence, and this is a vector"
        raise ShapeMismatch(message, help="leave it out: nothing is left to take the mean of")
    return Shape(x.channels)


def flatten(args: Args, inputs: tuple[Shape, ...]) -> Shape:
    (x,) = inputs
    _no_tokens(x, "flatten")
    if not isinstance(x.channels, int):
        raise ShapeMismatch(
            "flatten needs a fixed number of channels",
            help="take `global_avg_pool`, or `conv(1, filters: ...)` before it",
        )
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
                f"{what} joins values of one shape: {first} here, {shape} there", at=at
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
                    f"{what} joins values of one shape: {inputs[0]} here, {x} there", at=at
                )
        return wide

    return shape
