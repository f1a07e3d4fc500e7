"""The mean cross-entropy of a network's logits, and of those that a last matrix would make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from enasdsl.nn.kernels import refuse_second_derivatives
from enasdsl.nn.native import NUMBER, POINTER, address, kernel, parts

ROWS = 256
"""Positions whose logits exist at the same time: what they need stays near the cache."""
LARGE = 2**18
"""Logits up to this number are made at once."""


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats of logits [..., classes] and int64 targets [...]."""
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten())


def linear_loss(
    x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, *, native: bool = False
) -> Tensor:
    """The loss of logits x W' + b, of x [..., C], without ever having all of them.

    With `native`, the exponentials are those of a kernel in C++ where it takes the tensors.
    """
    if targets.numel() * len(weight) <= LARGE:
        return loss_of(F.linear(x, weight, bias), targets)
    rows, right = x.flatten(0, -2), targets.flatten().contiguous()
    losses = _by_kernel if native and _suits(rows, weight, right) else _by_torch
    loss: Tensor = _LinearLoss.apply(rows, weight, bias, right, losses)  # type: ignore[no-untyped-call]
    return loss


Losses = Callable[[Tensor, Tensor], tuple[Tensor, Tensor | None]]
"""The sum of the losses of logits [rows, classes], in whose place come their gradients.

Those of a row may still need a factor [rows, 1].
"""


def _by_torch(y: Tensor, targets: Tensor) -> tuple[Tensor, None]:
    right = targets[:, None]
    apart = (y.amax(1) - y.gather(1, right)[:, 0]).sum()
    p = torch.softmax(y, 1, out=y)
    # The largest share is at least 1 / classes: its logarithm gives that of the sum.
    total = apart - p.amax(1).log().sum()
    p.scatter_add_(1, right, p.new_full((len(y), 1), -1.0))
    return total, None


_ENTROPY = (POINTER, POINTER, POINTER, POINTER, NUMBER, NUMBER, NUMBER)


def _by_kernel(y: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    losses, scales = y.new_empty(2, len(y), 1)
    run = kernel("entropy", y.dtype, _ENTROPY)
    run(*map(address, (y, targets, losses, scales)), *y.shape, parts(y))
    return losses.sum(), scales


def _suits(x: Tensor, weight: Tensor, targets: Tensor) -> bool:
    """Whether the kernel takes tensors: it writes at targets unseen."""
    if not x.dtype == weight.dtype == torch.float32 or x.device.type != "cpu":
        return False
    low, high = map(int, targets.aminmax())
    return targets.dtype == torch.int64 and low >= 0 and high < len(weight)


class _LinearLoss(torch.autograd.Function):
    """The gradient of the logits is known with them, so both are made and used piece by piece."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        losses: Losses,
    ) -> Tensor:
        wanted = any(ctx.needs_input_grad)
        grads = [torch.zeros_like(t) for t in (weight, bias) if t is not None and wanted]
        of_x = torch.empty_like(x) if wanted else x
        logits = x.new_empty(min(ROWS, len(x)), len(weight))
        total = x.new_zeros(())
        for low in range(0, len(x), ROWS):
            some = x[low : low + ROWS]
            y = torch.mm(some, weight.t(), out=logits[: len(some)])  # [rows, classes]
            if bias is not None:
                y += bias
            loss, scales = losses(y, targets[low : low + ROWS])
            total += loss
            if wanted:
                torch.mm(y, weight, out=of_x[low : low + ROWS])
                if scales is not None:
                    of_x[low : low + ROWS] *= scales
                grads[0].addmm_(y.t(), some if scales is None else some * scales)
                if bias is not None:
                    grads[1] += (y if scales is None else y * scales).sum(0)
        ctx.save_for_backward(*(grad.div_(len(x)) for grad in (of_x, *grads) if wanted))
        return total / len(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives()
        of_x, of_weight, *of_bias = (grad * known for known in ctx.saved_tensors)
        return of_x, of_weight, of_bias[0] if of_bias else None, None, None
