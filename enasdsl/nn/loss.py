"""The mean cross-entropy of a network's logits, and of those that a last matrix would make."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from enasdsl.nn.kernels import refuse_second_derivatives

ROWS = 256
"""Positions whose logits exist at the same time: what they need stays near the cache."""
LARGE = 2**18
"""Logits up to this number are made at once."""


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats of logits [..., classes] and int64 targets [...]."""
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten())


def linear_loss(x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """The loss of logits x W' + b, of x [..., C], without ever having all of them."""
    if targets.numel() * len(weight) <= LARGE:
        return loss_of(F.linear(x, weight, bias), targets)
    rows = x.flatten(0, -2)
    loss: Tensor = _LinearLoss.apply(rows, weight, bias, targets.flatten())  # type: ignore[no-untyped-call]
    return loss


class _LinearLoss(torch.autograd.Function):
    """The gradient of the logits is known with them, so both are made and used piece by piece."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor
    ) -> Tensor:
        wanted = any(ctx.needs_input_grad)
        grads = [torch.zeros_like(t) for t in (weight, bias) if t is not None and wanted]
        of_x = torch.empty_like(x) if wanted else x
        logits = x.new_empty(min(ROWS, len(x)), len(weight))
        total = x.new_zeros(())
        for low in range(0, len(x), ROWS):
            some, right = x[low : low + ROWS], targets[low : low + ROWS, None]
            y = torch.mm(some, weight.t(), out=logits[: len(some)])  # [rows, classes]
            if bias is not None:
                y += bias
            apart = (y.amax(1) - y.gather(1, right)[:, 0]).sum()
            p = torch.softmax(y, 1, out=y)
            # The largest share is at least 1 / classes: its logarithm gives that of the sum.
            total += apart - p.amax(1).log().sum()
            if wanted:
                p.scatter_add_(1, right, p.new_full((len(some), 1), -1.0))
                torch.mm(p, weight, out=of_x[low : low + ROWS])
                grads[0].addmm_(p.t(), some)
                if bias is not None:
                    grads[1] += p.sum(0)
        ctx.save_for_backward(*(grad.div_(len(x)) for grad in (of_x, *grads) if wanted))
        return total / len(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives()
        of_x, of_weight, *of_bias = (grad * known for known in ctx.saved_tensors)
        return of_x, of_weight, of_bias[0] if of_bias else None, None
