"""What a controller's digits are worth together: log-probability, entropy, penalty for skips."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

Sums = tuple[Tensor, Tensor, Tensor]
"""Log-probability, entropy and surprise of each architecture, [n]."""


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

    `entropy` is that of the policy, `surprise` what the picks alone add to it: -p log p.
    `skip_penalty` is the mean over the open sets of inputs of their bits' divergence from the
    prior rate, `rates` the share of their bits that were set (0 where there are none).
    """

    log_prob: Tensor
    entropy: Tensor
    surprise: Tensor
    skip_penalty: Tensor
    rates: Tensor


def score(
    digits: Sequence[Digit],
    sets: Sequence[Bits],
    *,
    prior: float,
    slope: float = 1.0,
    zero: Tensor,
) -> Score:
    """Adds up digits and bits; `zero` [n] gives size, type and device.

    The divergence is that of the logits over `slope`.
    """
    sums = zero, zero, zero
    alike: dict[int, list[Digit]] = defaultdict(list)
    for digit in digits:
        alike[digit.logits.shape[1]].append(digit)
    for group in alike.values():
        sums = _added(sums, _softmax(group))
    for skips in (False, True):
        some = [bits for bits in sets if bits.skips is skips]
        if some:
            sums = _added(sums, _sigmoid(some))
    optional = [bits for bits in sets if bits.skips]
    penalty, rates = _skips(optional, prior=prior, slope=slope, zero=zero)
    return Score(*sums, penalty, rates)


def _added(sums: Sums, more: Sums) -> Sums:
    return sums[0] + more[0], sums[1] + more[1], sums[2] + more[2]


def _softmax(group: Sequence[Digit]) -> Sums:
    logits = torch.stack([digit.logits for digit in group])
    # A softmax is several times faster where its dimension is not the last.
    logs = logits.transpose(1, 2).contiguous().log_softmax(1)  # [digits, size, n]
    picks = torch.stack([digit.pick for digit in group])
    taken = logs.gather(1, picks.unsqueeze(1)).squeeze(1)  # [digits, n]
    unsure = -(logs.exp() * logs).sum(1)
    if any(digit.live is not None for digit in group):
        sure = torch.ones_like(picks[0], dtype=torch.bool)
        live = torch.stack([sure if digit.live is None else digit.live for digit in group])
        taken, unsure = taken.where(live, 0.0), unsure.where(live, 0.0)
    return taken.sum(0), unsure.sum(0), _surprise(taken).sum(0)


def _sigmoid(sets: Sequence[Bits]) -> Sums:
    logits, bits, free = _joined(sets)
    taken = logsigmoid(torch.where(bits, logits, -logits)).where(free, 0.0)
    unsure = bit_entropy(logits).where(free, 0.0)
    return taken.sum(1), unsure.sum(1), _surprise(taken).sum(1)


def _surprise(log_prob: Tensor) -> Tensor:
    """-p log p of each pick."""
    return -(log_prob.exp() * log_prob)


def _skips(
    sets: Sequence[Bits], *, prior: float, slope: float, zero: Tensor
) -> tuple[Tensor, Tensor]:
    """Divergence from the prior of Bernoulli(sigmoid(l)); the bits are drawn at slope * l."""
    if not sets:
        return zero, zero
    logits, bits, free = _joined(sets)
    logits = logits / slope
    on = logits.sigmoid()
    cross = on * math.log(prior) + (1 - on) * math.log1p(-prior)
    divergence = (-bit_entropy(logits) - cross).where(free, 0.0).sum(1)
    taken = torch.cat([s.live for s in sets], 1).sum(1)
    rates = (bits & free).sum(1) / free.sum(1).clamp(min=1)
    return divergence / taken.clamp(min=1), rates


def _joined(sets: Sequence[Bits]) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.cat([s.logits for s in sets], 1),
        torch.cat([s.bits for s in sets], 1),
        torch.cat([s.free for s in sets], 1),
    )


def bit_entropy(logits: Tensor) -> Tensor:
    """Of a Bernoulli variable with each of these logits, in nats."""
    return -logsigmoid(-logits) - logits * logits.sigmoid()
