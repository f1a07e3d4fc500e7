"""How unsure a policy is of each decision by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor

from enasdsl.nn.digits import Turn
from enasdsl.nn.score import Bits, Digit, bit_entropy
from enasdsl.nn.walk import Walk


def unsure(turns: Sequence[Turn], walk: Walk) -> tuple[float | None, ...]:
    """The mean entropy in nats of each decision over the architectures that take it.

    `walk` has run over `turns`. None for a decision that no architecture takes.
    """
    digits, sets = iter(walk.digits), iter(walk.sets)
    found: list[float | None] = []
    for turn, live, columns in zip(turns, walk.live, walk.columns, strict=True):
        zero = torch.zeros(len(columns), device=columns.device)
        if turn.bits:
            parts = [_of_bits(next(sets))]
        else:
            parts = [_of_digit(digit) for digit in islice(digits, len(turn.draws))]
        found.append(_mean(sum(parts, zero), live))
    return tuple(found)


def _of_digit(digit: Digit) -> Tensor:
    """[n], 0 where the digit is not taken."""
    logs = digit.logits.log_softmax(1)
    entropy = -(logs.exp() * logs).sum(1)
    return entropy if digit.live is None else entropy.where(digit.live, 0.0)


def _of_bits(bits: Bits) -> Tensor:
    """[n], of the bits that were free."""
    return bit_entropy(bits.logits).where(bits.free, 0.0).sum(1)


def _mean(entropy: Tensor, live: Tensor | None) -> float | None:
    taken = len(entropy) if live is None else int(live.sum())
    if not taken:
        return None
    return float(entropy.sum() if live is None else entropy.where(live, 0.0).sum()) / taken
