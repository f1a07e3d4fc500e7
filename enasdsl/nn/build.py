"""The torch code of each primitive operation, under the name that it has in the registry.

Layouts: images [B, C, H, W], sequences [B, T, C], vectors [B, C], tokens int64 [B, T]; inside a
recurrent cell one time step of a sequence is a vector. The channels are axis 1 of an image and
the last axis of everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from enasdsl.nn import regularise
from enasdsl.nn.mode import Args, Forward, Mode, channel_axis

# ------------------------------------------------------------------ windows


def _padded(x: Tensor, total: int, *, value: float = 0.0) -> tuple[Tensor, int]:
    """The image and the symmetric padding still due: odd totals are padded here, more after."""
    before, odd = divmod(total, 2)
    if not odd:
        return x, before
    return F.pad(x, (before, before + 1, before, before + 1), value=value), 0


def _total(args: Args, *, dilation: int = 1) -> int:
    return dilation * (args["kernel"] - 1) if args["padding"] == "same" else 0


def _convolve(x: Tensor, weights: Mapping[str, Tensor], args: Args, *, groups: int) -> Tensor:
    dilation = args["dilation"]
    x, padding = _padded(x, _total(args, dilation=dilation))
    weight, bias = weights["weight"], weights.get("bias")
    return F.conv2d(x, weight, bias, args["stride"], padding, dilation, groups)


def _conv(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    return _convolve(inputs[0], weights, args, groups=args["groups"])


def _depthwise_conv(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    return _convolve(inputs[0], weights, args, groups=inputs[0].shape[1])


def _along(axis: int) -> Forward:
    """A convolution along the rows (axis 3) or the columns (axis 2)."""

    def forward(
        inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
    ) -> Tensor:
        before, odd = divmod(args["kernel"] - 1, 2)
        pads = (before, before + odd, 0, 0) if axis == 3 else (0, 0, before, before + odd)
        return F.conv2d(F.pad(inputs[0], pads), weights["weight"], None, args["stride"])

    return forward


def _sequence_conv(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    total = args["dilation"] * (args["kernel"] - 1)
    before = total if args["causal"] else total // 2
    x = F.pad(inputs[0].transpose(1, 2), (before, total - before))  # [B, C, T + total]
    weight, bias = weights["weight"], weights.get("bias")
    return F.conv1d(x, weight, bias, dilation=args["dilation"], groups=args["groups"]).transpose(
        1, 2
    )


def _upsample(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    factor = args["factor"]
    return inputs[0].repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def _avg_pool(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    (image,) = inputs
    kernel, stride = args["kernel"], args["stride"]
    x, padding = _padded(image, _total(args))
    mean = F.avg_pool2d(x, kernel, stride, padding, count_include_pad=False)
    if x is image:
        return mean
    # Padded by hand, so the mean counts the zeros: divide by the share of true pixels.
    ones, _ = _padded(image.new_ones(1, 1, *image.shape[2:]), _total(args))
    return mean / F.avg_pool2d(ones, kernel, stride)


def _max_pool(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    x, padding = _padded(inputs[0], _total(args), value=-torch.inf)
    return F.max_pool2d(x, args["kernel"], args["stride"], padding)


def _global_avg_pool(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    (x,) = inputs
    return x.mean((2, 3)) if x.dim() == 4 else x.mean(1)


def _shift(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    return F.pad(inputs[0], (0, 1, 0, 1))[:, :, 1:, 1:]


# ----------------------------------------------------------- dense and norms


def _linear(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    return F.linear(inputs[0], weights["weight"], weights.get("bias"))


def _positional_embedding(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    return inputs[0] + weights["weight"]  # [B, T, C] + [T, C]


def _attention(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    """Scaled dot products, the channels dealt out over the heads (Vaswani et al. 2017, 3.2)."""
    q, k, v = (x.reshape(*x.shape[:2], args["heads"], -1).transpose(1, 2) for x in inputs)
    y = F.scaled_dot_product_attention(q, k, v, is_causal=args["causal"])  # [B, heads, T, C/heads]
    return y.transpose(1, 2).flatten(2)


def _per_channel(weight: Tensor, x: Tensor) -> Tensor:
    return weight[:, None, None] if x.dim() == 4 else weight


def _learned_scale(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    return inputs[0] * _per_channel(weights["scale"], inputs[0])


def _learned_offset(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    return inputs[0] + _per_channel(weights["offset"], inputs[0])


def _batch_norm(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    (x,) = inputs
    flat = x.flatten(0, 1) if x.dim() == 3 else x  # [B, T, C] -> [B*T, C]
    scale, offset = weights.get("scale"), weights.get("offset")
    if mode.batch_statistics:
        # F.batch_norm refuses a single value a channel, which here is simply normalised to zero.
        y = torch.batch_norm(
            flat, scale, offset, None, None, True, 0.0, args["eps"], torch.backends.cudnn.enabled
        )
    else:
        mean, variance = weights["mean"], weights["variance"]
        y = F.batch_norm(
            flat, mean, variance, scale, offset, mode.training, args["momentum"], args["eps"]
        )
    return y.reshape(x.shape)


def _layer_norm(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    axis = channel_axis(inputs[0])
    x = inputs[0].movedim(axis, -1)
    scale, offset = weights.get("scale"), weights.get("offset")
    return F.layer_norm(x, x.shape[-1:], scale, offset, args["eps"]).movedim(-1, axis)


# ------------------------------------------------------------ merges, arithmetic


def _concat(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    return inputs[0] if len(inputs) == 1 else torch.cat(tuple(inputs), channel_axis(inputs[0]))


def _zero(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    (x,), stride = inputs, args["stride"]
    return torch.zeros_like(x if stride == 1 else x[:, :, ::stride, ::stride])


def _channel_shuffle(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    return torch.channel_shuffle(inputs[0], args["groups"])


def _channel_part(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    (x,) = inputs
    parts = x.chunk(args["of"], channel_axis(x))
    return parts[int(args["index"]) - 1]


def _joined(function: Callable[[Tensor, Tensor], Tensor]) -> Forward:
    def forward(
        inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
    ) -> Tensor:
        return reduce(function, inputs)

    return forward


def _mean(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    return inputs[0] if len(inputs) == 1 else reduce(torch.add, inputs) / len(inputs)


def _affine(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    # rsub(x, b, alpha=a) is b - a * x: the whole expression in one kernel.
    return torch.rsub(inputs[0], args["offset"], alpha=-args["scale"])


def _aligned(x: Tensor, other: Tensor) -> Tensor:
    """A vector made to broadcast over the positions of `other`."""
    if x.dim() != 2 or other.dim() == 2:
        return x
    return x[:, :, None, None] if other.dim() == 4 else x[:, None]


def _elementwise(function: Callable[[Tensor, Tensor], Tensor]) -> Forward:
    def forward(
        inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
    ) -> Tensor:
        x, y = inputs
        if x.dim() != y.dim():
            x, y = _aligned(x, y), _aligned(y, x)
        return function(x, y)

    return forward


def _unary(function: Callable[[Tensor], Tensor]) -> Forward:
    def forward(
        inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
    ) -> Tensor:
        return function(inputs[0])

    return forward


FORWARD: Mapping[str, Forward] = {
    "conv": _conv,
    "depthwise_conv": _depthwise_conv,
    "row_conv": _along(3),
    "column_conv": _along(2),
    "sequence_conv": _sequence_conv,
    "linear": _linear,
    "embedding": regularise.embedding,
    "positional_embedding": _positional_embedding,
    "attention": _attention,
    "learned_scale": _learned_scale,
    "learned_offset": _learned_offset,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "avg_pool": _avg_pool,
    "max_pool": _max_pool,
    "upsample": _upsample,
    "global_avg_pool": _global_avg_pool,
    "relu": _unary(torch.relu),
    "relu6": _unary(F.relu6),
    "tanh": _unary(torch.tanh),
    "sigmoid": _unary(torch.sigmoid),
    "gelu": _unary(F.gelu),
    "swish": _unary(F.silu),
    "hard_swish": _unary(F.hardswish),
    "hard_sigmoid": _unary(F.hardsigmoid),
    "softmax": _unary(lambda x: torch.softmax(x, channel_axis(x))),
    "softplus": _unary(F.softplus),
    "abs": _unary(torch.abs),
    "sqrt": _unary(torch.sqrt),
    "exp": _unary(torch.exp),
    "log": _unary(torch.log),
    "sin": _unary(torch.sin),
    "cos": _unary(torch.cos),
    "sinc": _unary(torch.sinc),
    "sinh": _unary(torch.sinh),
    "cosh": _unary(torch.cosh),
    "asinh": _unary(torch.asinh),
    "atan": _unary(torch.atan),
    "erf": _unary(torch.erf),
    "identity": _unary(lambda x: x),
    "zero": _zero,
    "dropout": regularise.dropout,
    "sequence_dropout": regularise.sequence_dropout,
    "drop_path": regularise.drop_path,
    "auxiliary": regularise.auxiliary,
    "shift": _shift,
    "channel_shuffle": _channel_shuffle,
    "channel_part": _channel_part,
    "to_sequence": _unary(lambda x: x.flatten(2).transpose(1, 2)),
    "flatten": _unary(lambda x: x.flatten(1)),
    "sum": _joined(torch.add),
    "mean": _mean,
    "product": _joined(torch.mul),
    "min": _joined(torch.minimum),
    "max": _joined(torch.maximum),
    "concat": _concat,
    "add": _elementwise(torch.add),
    "subtract": _elementwise(torch.sub),
    "multiply": _elementwise(torch.mul),
    "divide": _elementwise(torch.div),
    "affine": _affine,
    "reciprocal": _unary(torch.reciprocal),
}
"""The torch code of every primitive operation by name."""
