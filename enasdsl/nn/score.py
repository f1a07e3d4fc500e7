"""What a controller's digits are worth together: log-probability, entropy, penalty for skips."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


@dataclass(frozen=True, slots=True)
class Digit:
    """A softmax over `logits` [n, size] and its `pick` [n]; not taken where `live` [n] is false."""

    logits: Tensor
    pick: Tensor
    live: Tensor | None


@dataclass(frozen=True, slots=True)
class Bits:
    """A bit for each member: `logits`, `bits`, and `free`, all [n, size].

    A bit that is not free is settled by the bounds of its set, or not taken. `live` [n, 1] is 1.0
    where the decision was taken, `skips` whether its members are inputs.
    """

    logits: Tensor
    bits: Tensor
    free: Tensor
    live: Tensor
    skips: bool


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over the digits of each of n architectures, [n] each.

    `skip_penalty` is the mean over the open sets of inputs of their bits' divergence from the
    prior rate, `rates` the share of their bits that were set (0 where there are none).
    """

    log_prob: Tensor
    entropy: Tensor
    skip_penalty: Tensor
    rates: Tensor


def score(digits: Sequence[Digit], sets: Sequence[Bits], *, prior: float, zero: Tensor) -> Score:
    """Adds up digits and bits; `zero` [n] gives size, type and device."""
    log_prob, entropy = zero, zero
    alike: dict[int, list[Digit]] = defaultdict(list)
    for digit in digits:
        alike[digit.logits.shape[1]].append(digit)
    for group in alike.values():
        more, unsure = _softmax(group)
        log_prob, entropy = log_prob + more, entropy + unsure
    for skips in (False, True):
        some = [bits for bits in sets if bits.skips is skips]
        if some:
            more, unsure = _sigmoid(some)
            log_prob, entropy = log_prob + more, entropy + unsure
    penalty, rates = _skips([bits for bits in sets if bits.skips], prior=prior, zero=zero)
    return Score(log_prob, entropy, penalty, rates)


def _softmax(group: Sequence[Digit]) -> tuple[Tensor, Tensor]:
    logs = torch.stack([digit.logits for digit in group]).log_softmax(2)  # [digits, n, size]
    picks = torch.stack([digit.pick for digit in group])
    taken = logs.gather(2, picks.unsqueeze(2)).squeeze(2)  # [digits, n]
    unsure = -(logs.exp() * logs).sum(2)
    if any(digit.live is not None for digit in group):
        sure = torch.ones_like(picks[0], dtype=torch.bool)
        live = torch.stack([sure if digit.live is None else digit.live for digit in group])
        taken, unsure = taken.where(live, 0.0), unsure.where(live, 0.0)
    return taken.sum(0), unsure.sum(0)


def _sigmoid(sets: Sequence[Bits]) -> tuple[Tensor, Tensor]:
    logits, bits, free = _joined(sets)
    taken = logsigmoid(torch.where(bits, logits, -logits)).where(free, 0.0)
    return taken.sum(1), _entropy(logits).where(free, 0.0).sum(1)


def _skips(sets: Sequence[Bits], *, prior: float, zero: Tensor) -> tuple[Tensor, Tensor]:
    """Divergence of Bernoulli(sigmoid(l)), from which the bits are drawn, from the prior."""
    if not sets:
        return zero, zero
    logits, bits, free = _joined(sets)
    on = logits.sigmoid()
    cross = on * math.log(prior) + (1 - on) * math.log1p(-prior)
    divergence = (-_entropy(logits) - cross).where(free, 0.0).sum(1)
    taken = torch.cat([s.live for s in sets], 1).sum(1)
    rates = (bits & free).sum(1) / free.sum(1).clamp(min=1)
    return divergence / taken.clamp(min=1), rates


def _joined(sets: Sequence[Bits]) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.cat([s.logits for s in sets], 1),
        torch.cat([s.bits for s in sets], 1),
        torch.cat([s.free for s in sets], 1),
    )


def _entropy(logits: Tensor) -> Tensor:
    return -logsigmoid(-logits) - logits * logits.sigmoid()
