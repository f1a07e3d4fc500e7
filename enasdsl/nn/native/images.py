"""Norms and pools of images in C++, each with its gradient; torch's own for all other tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from enasdsl.nn.build import FORWARD
from enasdsl.nn.kernels import refuse_second_derivatives
from enasdsl.nn.mode import Args, Forward, Mode
from enasdsl.nn.native import NUMBER, POINTER, REAL, address, kernel, parts

LAST = torch.channels_last
PLACES = 254
"""Positions of a window that a byte can tell apart."""

_NORM = (POINTER,) * 5 + (NUMBER, NUMBER, REAL, NUMBER, NUMBER)
_NORM_BACK = (POINTER,) * 8 + (NUMBER,) * 4
_MEAN = (POINTER, POINTER, NUMBER, POINTER, NUMBER)
_MAX = (POINTER, POINTER, POINTER, NUMBER, POINTER, NUMBER)


def suits(x: Tensor) -> bool:
    """Whether the kernels take an image as it lies in memory."""
    known = x.dtype in (torch.float32, torch.float64) and x.device.type == "cpu"
    return known and x.dim() == 4 and x.numel() > 0 and x.is_contiguous(memory_format=LAST)


# ---------------------------------------------------------------------- norms


def _norm(inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode) -> Tensor:
    return _normed(inputs, weights, args, mode, relu=False)


def _norm_relu(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    return _normed(inputs, weights, args, mode, relu=True)


def _normed(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode, *, relu: bool
) -> Tensor:
    (x,) = inputs
    if not suits(x) or not (mode.training or mode.batch_statistics):
        y = FORWARD["batch_norm"](inputs, weights, args, mode)
        return torch.relu(y) if relu else y
    scale, offset = weights.get("scale"), weights.get("offset")
    y, statistics = _Norm.apply(x, scale, offset, args["eps"], "relu" if relu else "")  # type: ignore[no-untyped-call]
    if not mode.batch_statistics:
        mean, _, variance = statistics
        count = x.numel() // x.shape[1]
        weights["mean"].lerp_(mean, args["momentum"])
        weights["variance"].lerp_(variance * (count / max(1, count - 1)), args["momentum"])
    return y  # type: ignore[no-any-return]


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, scale: Tensor | None, offset: Tensor | None, eps: float, behind: str
    ) -> tuple[Tensor, Tensor]:
        channels = x.shape[1]
        y, statistics = torch.empty_like(x, memory_format=LAST), x.new_empty(3, channels)
        kernel("norm_forward", x.dtype, _NORM)(
            *map(address, (x, y, scale, offset, statistics)),
            x.numel() // channels, channels, eps, behind == "relu", parts(x),
        )  # fmt: skip
        ctx.relu = behind == "relu"
        ctx.save_for_backward(x, scale, offset, statistics)
        ctx.mark_non_differentiable(statistics)
        return y, statistics

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives()
        x, scale, offset, statistics = ctx.saved_tensors
        channels = x.shape[1]
        grad = grad.contiguous(memory_format=LAST)
        result, of_weights = torch.empty_like(x, memory_format=LAST), x.new_empty(2, channels)
        of_scale, of_offset = of_weights
        kernel("norm_backward", x.dtype, _NORM_BACK)(
            *map(address, (x, grad, result, scale, offset, statistics, of_scale, of_offset)),
            x.numel() // channels, channels, ctx.relu, parts(x),
        )  # fmt: skip
        wanted = (
            result,
            None if scale is None else of_scale,
            None if offset is None else of_offset,
        )
        return *wanted, None, None


# ---------------------------------------------------------------------- pools


def _windows(x: Tensor, args: Args) -> tuple[int, ...]:
    """Height, width, channels, kernel, stride and padding, as the kernels read them."""
    kernel, stride = args["kernel"], args["stride"]
    padding = (kernel - 1) // 2 if args["padding"] == "same" else 0
    return x.shape[2], x.shape[3], x.shape[1], kernel, stride, padding


def _pools(x: Tensor, args: Args) -> bool:
    kernel = args["kernel"]
    odd = args["padding"] != "same" or kernel % 2 == 1
    return suits(x) and odd and kernel**2 <= PLACES and kernel <= min(x.shape[2:])


def _avg_pool(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    (x,) = inputs
    if not _pools(x, args):
        return FORWARD["avg_pool"](inputs, weights, args, mode)
    return _Mean.apply(x, _windows(x, args))  # type: ignore[no-any-return, no-untyped-call]


def _max_pool(
    inputs: Sequence[Tensor], weights: dict[str, Tensor], args: Args, mode: Mode
) -> Tensor:
    (x,) = inputs
    if not _pools(x, args) or args["stride"] > 1:  # rows cut to pieces are faster in torch
        return FORWARD["max_pool"](inputs, weights, args, mode)
    return _Max.apply(x, _windows(x, args))  # type: ignore[no-any-return, no-untyped-call]


def _pooled(x: Tensor, windows: tuple[int, ...]) -> Tensor:
    """Room for the result, [B, C, H', W']."""
    height, width, channels, kernel, stride, padding = windows
    size = ((n + 2 * padding - kernel) // stride + 1 for n in (height, width))
    return torch.empty((len(x), channels, *size), dtype=x.dtype, memory_format=LAST)


def _struct(windows: tuple[int, ...]) -> Any:
    return ctypes.byref((NUMBER * len(windows))(*windows))


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, windows: tuple[int, ...]) -> Tensor:
        y = _pooled(x, windows)
        run = kernel("mean_forward", x.dtype, _MEAN)
        run(address(x), address(y), len(x), _struct(windows), parts(x))
        ctx.windows, ctx.shape = windows, x.shape
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives()
        grad = grad.contiguous(memory_format=LAST)
        result = torch.empty(ctx.shape, dtype=grad.dtype, memory_format=LAST)
        run = kernel("mean_backward", grad.dtype, _MEAN)
        run(address(grad), address(result), len(grad), _struct(ctx.windows), parts(result))
        return result, None


class _Max(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, windows: tuple[int, ...]) -> Tensor:
        y = _pooled(x, windows)
        places = torch.empty_like(y, dtype=torch.uint8)
        run = kernel("max_forward", x.dtype, _MAX)
        run(*map(address, (x, y, places)), len(x), _struct(windows), parts(x))
        ctx.windows, ctx.shape = windows, x.shape
        ctx.save_for_backward(places)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives()
        (places,) = ctx.saved_tensors
        grad = grad.contiguous(memory_format=LAST)
        result = torch.empty(ctx.shape, dtype=grad.dtype, memory_format=LAST)
        run = kernel("max_backward", grad.dtype, _MAX)
        run(*map(address, (grad, result, places)), len(grad), _struct(ctx.windows), parts(result))
        return result, None


NATIVE: Mapping[str, Forward] = {
    "batch_norm": _norm,
    "norm_relu": _norm_relu,
    "avg_pool": _avg_pool,
    "max_pool": _max_pool,
}
"""By the name of an operation, or of what only passes make, its code with kernels in C++."""
