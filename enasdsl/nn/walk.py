"""One pass of a controller over the plan of a space, for n architectures at once.

The same pass draws the picks or follows given ones. The next input of the LSTM is held as its
product with the input half of the weight, so that a vocabulary is multiplied once for each pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import torch
from torch import Tensor

from enasdsl.ir.space import Domain, Kind
from enasdsl.nn.digits import Plan, Turn
from enasdsl.nn.guide import Guide
from enasdsl.nn.score import Bits, Digit
from enasdsl.semantics.symbols import Either, Test

CLOSED = -1e9
"""The logit of an alternative that may not be picked."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A controller's weights made ready for one pass; H is its hidden size, G = 4 H its gates.

    Where a tanh follows, they hold -2 times the weight: tanh(z) = 1 - 2 sigmoid(-2 z), and torch
    computes a sigmoid several times faster.
    """

    inject: Tensor  # [H, G], the last quarter times -2
    recur: Tensor  # [H, G], likewise
    first: Tensor  # [1, G], the first input times inject
    heads: Sequence[Tensor]  # [H, size] for each vocabulary, over the temperature
    words: Sequence[Tensor]  # [size, G] for each vocabulary, times inject
    biases: Mapping[int, Tensor]  # [size] for some vocabularies, over the temperature
    key: Tensor  # [H, H], times -2
    query: Tensor  # [H, H], times -2
    score: Tensor  # [H], over the temperature, times -2
    offset: Tensor  # [], the sum of score / -2
    bound: Tensor | None  # [], of an input's logit
    word_bound: Tensor | None  # [], of an operation's or value's
    slope: float = 1.0  # of the logits of optional inputs
    distance: float | None = None  # the scale of the preference for near inputs


class Pool(Protocol):
    """The alternatives of a decision as the controller sees them."""

    def logits(self, h: Tensor) -> Tensor:
        """[n, H] to [n, size]."""

    def one(self, pick: Tensor) -> Tensor:
        """The next input after `pick` [n], [n, G]."""

    def some(self, bits: Tensor) -> Tensor:
        """The next input after `bits` [n, size]: the members' sum / (1 + their number), [n, G]."""


@dataclass(frozen=True, slots=True)
class Words:
    """Alternatives of a vocabulary."""

    weights: Weights
    index: int
    leaning: tuple[float, ...] = ()

    def logits(self, h: Tensor) -> Tensor:
        raw = h @ self.weights.heads[self.index]
        if self.index in self.weights.biases:
            raw = raw + self.weights.biases[self.index]
        logits = _shaped(raw, self.weights.word_bound)
        return logits + logits.new_tensor(self.leaning) if self.leaning else logits

    def one(self, pick: Tensor) -> Tensor:
        return self.weights.words[self.index].index_select(0, pick)

    def some(self, bits: Tensor) -> Tensor:
        words = self.weights.words[self.index]
        chosen = bits.to(words.dtype)
        return chosen @ words / (1 + chosen.sum(1, keepdim=True))


@dataclass(frozen=True, slots=True)
class Anchors:
    """Alternatives that are states remembered earlier, both [n, size, H]."""

    weights: Weights
    keys: Tensor
    states: Tensor
    starts: Tensor  # [n], the first row of each architecture in the states as [n * size, H]

    def logits(self, h: Tensor) -> Tensor:
        query = (h @ self.weights.query).unsqueeze(1)  # [n, 1, H]
        raw = (self.keys + query).sigmoid_() @ self.weights.score + self.weights.offset
        logits = _shaped(raw, self.weights.bound)
        if self.weights.distance is None:
            return logits
        size = self.keys.shape[1]
        back = torch.arange(size, 0, -1, device=logits.device)
        return logits - back.square() / self.weights.distance

    def one(self, pick: Tensor) -> Tensor:
        state = self.states.flatten(0, 1).index_select(0, self.starts + pick)
        if self.weights.distance is not None:
            state = state / (0.1 + self.keys.shape[1] - pick).unsqueeze(1)
        return state @ self.weights.inject

    def some(self, bits: Tensor) -> Tensor:
        chosen = bits.to(self.states.dtype)
        total = (chosen.unsqueeze(1) @ self.states).squeeze(1)  # [n, H]
        return (total / (1 + chosen.sum(1, keepdim=True))) @ self.weights.inject


def _shaped(logits: Tensor, bound: Tensor | None) -> Tensor:
    return logits if bound is None else logits.tanh_() * bound


@dataclass(frozen=True, slots=True)
class Given:
    """The picks to follow: for each decision its columns [n, width] and where it is live [n]."""

    columns: Sequence[Tensor]
    live: Sequence[Tensor]


class Walk:
    """After `run`, `columns` and `live` hold the picks, `digits` and `sets` their odds."""

    def __init__(
        self,
        plan: Plan,
        weights: Weights,
        n: int,
        *,
        generator: torch.Generator | None = None,
        given: Given | None = None,
        guide: Guide | None = None,
    ) -> None:
        """Draws from `generator` unless `given` says what to pick; `guide` closes what it may not.

        A pick that is given and closed has the logit CLOSED.
        """
        self.columns: list[Tensor] = []
        self.live: list[Tensor | None] = []
        self.digits: list[Digit] = []
        self.sets: list[Bits] = []
        self._plan, self._weights, self._given, self._guide = plan, weights, given, guide
        self._mask: Guide | None = None  # of the present turn
        self._rows = torch.arange(n, device=weights.first.device)
        self._x = weights.first
        self._h = self._c = weights.recur.new_zeros(n, weights.recur.shape[0])
        self._minus_two = self._h.new_tensor(-2.0)
        self._slots: dict[int, tuple[Tensor, Tensor]] = {}  # key and state of each anchor
        self._pools: dict[tuple[float, ...], Pool] = {}
        self._tests: dict[Test | Either, Tensor] = {}
        self._noise = self._gumbel(generator) if given is None else iter(())

    def _gumbel(self, generator: torch.Generator | None) -> Iterator[Tensor]:
        sizes = self._plan.draws
        device = None if generator is None else generator.device
        noise = torch.empty(len(self._rows), sum(sizes), dtype=self._h.dtype, device=device)
        noise.uniform_(generator=generator).clamp_(min=torch.finfo(noise.dtype).tiny)
        noise.log_().neg_().log_().neg_()  # several times faster than exponential_
        return iter(torch.split(noise.to(self._h.device), sizes, 1))

    def run(self) -> None:
        """Takes every turn of the plan; raises ValueError where a given pick ignores a guard."""
        for index, turn in enumerate(self._plan.turns):
            live = self._holds(turn.guard)
            if self._given is not None:
                self._check(index, live)
            for slot in turn.fresh:
                self._advance(self._weights.first, None)
                self._keep(slot)
            if self._guide is not None:
                self._guide.enter(index)
                self._mask = self._guide if self._guide.asks(index) else None
            columns = self._bits(turn, live) if turn.bits else self._digits(turn, live)
            if self._guide is not None:
                self._guide.leave()
            self.columns.append(columns)
            self.live.append(live)
            if turn.keeps is not None:
                self._keep(turn.keeps)

    def _check(self, index: int, live: Tensor | None) -> None:
        assert self._given is not None
        given = self._given.live[index]
        if not (given.all() if live is None else given.equal(live)):
            raise ValueError(f"decision {index} is recorded where it is not live, or missing")

    def _holds(self, guard: tuple[Test | Either, ...]) -> Tensor | None:
        """Where every test of `guard` holds, [n]; None for everywhere."""
        live: Tensor | None = None
        for test in guard:
            if test not in self._tests:
                self._tests[test] = self._passes(test)
            live = self._tests[test] if live is None else live & self._tests[test]
        return live

    def _passes(self, test: Test | Either) -> Tensor:
        if isinstance(test, Either):
            ways = (self._holds(option) for option in test.options)
            return reduce(torch.logical_or, (way for way in ways if way is not None))
        picks = self.columns[test.decision]
        allowed = torch.tensor(sorted(test.allowed), dtype=torch.int64, device=picks.device)
        return torch.isin(picks, allowed).any(1)

    # ------------------------------------------------------------------- state

    def _advance(self, x: Tensor, live: Tensor | None) -> None:
        """One step of the LSTM, gates in the order input, forget, output, candidate (facts 5.1)."""
        gates = torch.addmm(x, self._h, self._weights.recur).sigmoid_()  # [n, G]
        enter, forget, leave, candidate = gates.chunk(4, 1)
        c = torch.addcmul(_times_tanh(enter, candidate), forget, self._c)
        h = _times_tanh(leave, (c * self._minus_two).sigmoid_())
        self._c, self._h = _where(live, c, self._c), _where(live, h, self._h)

    def _keep(self, slot: int) -> None:
        self._slots[slot] = (self._h @ self._weights.key, self._h)

    def _pool(self, turn: Turn) -> Pool:
        name: tuple[float, ...] = turn.anchors
        if turn.vocabulary is not None:
            name = (-1 - turn.vocabulary, *turn.leaning)
        if name not in self._pools:
            self._pools[name] = self._make_pool(turn)
        return self._pools[name]

    def _make_pool(self, turn: Turn) -> Pool:
        if turn.vocabulary is not None:
            return Words(self._weights, turn.vocabulary, turn.leaning)
        keys, states = zip(*(self._slots[slot] for slot in turn.anchors), strict=True)
        starts = self._rows * len(keys)
        return Anchors(self._weights, torch.stack(keys, 1), torch.stack(states, 1), starts)

    # ------------------------------------------------------------------ digits

    def _digits(self, turn: Turn, live: Tensor | None) -> Tensor:
        domain = turn.domain
        given = None if self._given is None else self._given.columns[len(self.columns)]
        length = None if turn.lengths is None else self._length(turn, given, live)
        columns: list[Tensor] = []
        picks: list[Tensor] = []
        for at in range(domain.most):
            taken = live if length is None else _both(live, length > at)
            known = None if given is None else given[:, at].clamp(max=domain.size - 1)
            pick = self._digit(self._pool(turn), _open(domain, at, picks), known, taken)
            picks.append(pick)
            columns.append(pick if taken is None else pick.where(taken, domain.size))
        if len(columns) == 1:
            return columns[0].unsqueeze(1)
        return torch.stack(columns, 1) if columns else self._rows.new_empty(len(self._rows), 0)

    def _length(self, turn: Turn, given: Tensor | None, live: Tensor | None) -> Tensor:
        assert turn.lengths is not None
        least, size = turn.domain.least, turn.domain.size
        known = None if given is None else ((given < size).sum(1) - least).clamp(min=0)
        return least + self._digit(Words(self._weights, turn.lengths), None, known, live)

    def _digit(
        self, pool: Pool, allowed: Tensor | None, known: Tensor | None, live: Tensor | None
    ) -> Tensor:
        self._advance(self._x, live)
        logits = pool.logits(self._h)
        if self._mask is not None:
            lawful = self._mask.mask(logits.shape[1])
            allowed = lawful if allowed is None else allowed & lawful
        if allowed is not None:
            logits = logits.where(allowed, CLOSED)
        pick = (logits.detach() + next(self._noise)).argmax(1) if known is None else known
        if self._mask is not None:
            self._mask.take(pick)
        self.digits.append(Digit(logits, pick, live))
        self._x = _where(live, pool.one(pick), self._x)
        return pick

    # -------------------------------------------------------------------- bits

    def _bits(self, turn: Turn, live: Tensor | None) -> Tensor:
        domain = turn.domain
        self._advance(self._x, live)
        pool = self._pool(turn)
        logits = pool.logits(self._h)
        if turn.anchors:
            logits = logits * self._weights.slope
        if self._given is None:
            heads, tails = next(self._noise).chunk(2, 1)
            bits = logits.detach() + heads > tails
        else:
            bits = self._given.columns[len(self.columns)] < domain.size
        alive = torch.ones_like(bits[:, :1]) if live is None else live.unsqueeze(1)
        bits, free, unlawful = self._members(bits, domain)
        bits, free = bits & alive, free & alive
        if unlawful is not None:
            logits = logits.where(~unlawful, torch.where(bits, CLOSED, -CLOSED))
        self.sets.append(Bits(logits, bits, free, alive, bool(turn.anchors)))
        self._x = _where(live, pool.some(bits), self._x)
        return torch.arange(domain.size, device=bits.device).where(bits, domain.size)

    def _members(self, wanted: Tensor, domain: Domain) -> tuple[Tensor, Tensor, Tensor | None]:
        """The bits, which of them are free, and which are given and may not be."""
        if self._mask is not None:
            return self._mask.bits(wanted, given=self._given is not None)
        bits = _bounded(wanted, domain)
        if self._given is None or bits is wanted:
            return bits, _free(bits, domain), None
        unlawful = bits != wanted
        return wanted, _free(wanted, domain) | unlawful, unlawful


def _times_tanh(gate: Tensor, half: Tensor) -> Tensor:
    """gate * tanh(z), where `half` is sigmoid(-2 z)."""
    return torch.addcmul(gate, gate, half, value=-2)


def _where(live: Tensor | None, new: Tensor, old: Tensor) -> Tensor:
    return new if live is None else torch.where(live.unsqueeze(1), new, old)


def _both(live: Tensor | None, other: Tensor) -> Tensor:
    return other if live is None else live & other


def _open(domain: Domain, at: int, picks: Sequence[Tensor]) -> Tensor | None:
    """Which alternatives the digit `at` may pick after `picks`, [n or 1, size]; None for all."""
    if domain.kind in (Kind.ONE, Kind.SEQUENCE) or not (picks or domain.kind is Kind.SET):
        return None
    indices = torch.arange(domain.size, device=picks[0].device if picks else None)
    if domain.kind is Kind.ARRANGEMENT:
        return (torch.stack(list(picks), 1).unsqueeze(2) != indices).all(1)
    if domain.kind is Kind.MULTISET:
        return indices >= picks[-1].unsqueeze(1)
    enough = indices <= domain.size - domain.most + at
    return enough & (indices > picks[-1].unsqueeze(1)) if picks else enough.unsqueeze(0)


def _bounded(bits: Tensor, domain: Domain) -> Tensor:
    """`bits` with those changed, from the first to the last, that the bounds leave no choice."""
    if domain.least == 0 and domain.most == domain.size:
        return bits
    count = torch.zeros_like(bits[:, 0], dtype=torch.int64)
    settled: list[Tensor] = []
    for index, bit in enumerate(bits.unbind(1)):
        must = count + domain.size - index <= domain.least
        settled.append((bit | must) & (count < domain.most))
        count = count + settled[-1]
    return torch.stack(settled, 1)


def _free(bits: Tensor, domain: Domain) -> Tensor:
    """Which of the bits the earlier ones left open, [n, size]."""
    if domain.least == 0 and domain.most == domain.size:
        return torch.ones_like(bits)
    count = bits.cumsum(1) - bits.to(torch.int64)
    rest = domain.size - torch.arange(domain.size, device=bits.device)
    return (count + rest > domain.least) & (count < domain.most)
