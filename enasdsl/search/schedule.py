"""The learning rate as a function of the epoch."""

from __future__ import annotations

from math import cos, pi

from enasdsl.semantics.training import Training


def learning_rate(weights: Training, epoch: int, step: int = 1) -> float:
    """The learning rate during an epoch, counted from 0 (facts 7.1; Pham et al. 2018, 3.1, 3.2).

    `step`, counted from 0 within the epoch, matters where the schedule is `midway`.
    """
    schedule, lr = weights.schedule, weights.lr
    match schedule.kind:
        case "constant":
            return lr
        case "step":
            steps = max(0, epoch - schedule.from_epoch + 1)
            return max(schedule.min, lr * schedule.gamma**steps)
        case "cosine":
            done, length = cycle(epoch, schedule.period, schedule.multiply)
            late = schedule.midway and epoch > 0 and done == step == 0
            share = 1 / 2 if late else done / length
            return schedule.min + (lr - schedule.min) * (1 + cos(pi * share)) / 2


def cycle(epoch: int, period: int, multiply: int) -> tuple[int, int]:
    """Epochs done in the cosine cycle to which an epoch belongs, and that cycle's length."""
    while epoch >= period:
        epoch -= period
        period *= multiply
    return epoch, period
