"""The controller: an autoregressive LSTM made from a space's decisions (Pham et al. 2018, 2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from enasdsl.ir.completion import Completions
from enasdsl.ir.constraint import satisfied
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.variables import TooManyStates
from enasdsl.nn.beliefs import unsure
from enasdsl.nn.digits import decode, encode, plan
from enasdsl.nn.guide import Guide
from enasdsl.nn.score import Score, score
from enasdsl.nn.walk import Given, Walk, Weights

ATTEMPTS = 32
"""How many batches are drawn where architectures are drawn until they meet the constraints."""

LARGEST = 4096
"""The largest of those batches, unless more architectures are asked for."""


class ConstraintError(RuntimeError):
    """A constraint that no architecture meets, or, where draws are repeated, hardly any."""


@dataclass(frozen=True, slots=True)
class Samples(Score):
    """`architectures` and the score of each."""

    architectures: tuple[Architecture, ...]


class Controller(nn.Module):
    """A policy over the architectures of a space.

    One LSTM without biases takes the decisions in order, its input the previous pick. Operations
    and values are picked by a softmax, inputs by attention over the states in which they were
    designed. A logit l becomes tanh * tanh(l / temperature), where None leaves either out.
    Under constraints, what no lawful architecture follows is closed before it is picked, so that
    the lawful ones have all the probability. Where `exact` is false they are too many to be told
    apart by the counter: then draws are repeated until they are lawful, and probabilities are those
    without the constraints.
    """

    def __init__(
        self,
        space: Space,
        *,
        hidden: int = 100,
        tanh: float | None = 2.5,
        temperature: float | None = 5.0,
        op_tanh_reduce: float = 1.0,
        init: float = 0.1,
        skip_prior: float = 0.4,
        skip_slope: float = 1.0,
        distance: float | None = None,
        leanings: Mapping[int, tuple[float, ...]] | None = None,
        biases: Mapping[int, tuple[float, ...]] | None = None,
        generator: torch.Generator,
    ) -> None:
        """Draws every weight uniformly from -init to init.

        `op_tanh_reduce` divides `tanh` for operations and values; `skip_prior` is the rate from
        which `skip_penalty` measures the divergence of optional inputs, which are drawn at
        `skip_slope` times the logit; `distance` is the scale of a preference for near inputs
        that is not learned. By the number of a decision, `leanings` are added to its logits, and
        `biases` are where a learned bias of what it chooses from begins, before the tanh.
        """
        super().__init__()
        self.space = space
        self.plan = plan(space, leanings)
        self._completions = _completions(space)
        self._tanh = tanh
        self._temperature = 1.0 if temperature is None else temperature
        self._word_tanh = None if tanh is None else tanh / op_tanh_reduce
        self._skip_prior = skip_prior
        self._skip_slope = skip_slope
        self._distance = distance
        self._make(hidden, init, generator)
        begins = {self.plan.turns[n].vocabulary: bias for n, bias in (biases or {}).items()}
        self.bias = nn.ParameterDict(
            {str(index): nn.Parameter(torch.tensor(bias)) for index, bias in begins.items()}
        )

    def _make(self, hidden: int, init: float, generator: torch.Generator) -> None:
        def weight(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape).uniform_(-init, init, generator=generator))

        self.lstm = weight(2 * hidden, 4 * hidden)
        self.first = weight(hidden)
        sizes = self.plan.vocabularies
        self.softmax = nn.ParameterList(weight(size, hidden) for size in sizes)
        self.embedding = nn.ParameterList(weight(size, hidden) for size in sizes)
        attention = hidden if self.plan.anchors else 0
        self.key = weight(attention, attention)
        self.query = weight(attention, attention)
        self.score = weight(attention)

    @property
    def exact(self) -> bool:
        """Whether the probabilities of the lawful architectures sum to one."""
        return self._completions is not None or not self.space.constraints

    def sample(self, n: int, generator: torch.Generator) -> Samples:
        """Draws `n` architectures; their scores can be differentiated.

        Raises ConstraintError where none is lawful, or, unless the policy is `exact`, where fewer
        than `n` are after ATTEMPTS batches.
        """
        if self.exact:
            return self._draw(n, generator)
        lawful = self._lawful(n, generator)
        return _samples(self.evaluate(lawful), lawful)

    def evaluate(self, architectures: Sequence[Architecture]) -> Score:
        """The scores that `sample` gives to these architectures, differentiable.

        One that the space does not hold has probability 0; ValueError if one is of another space
        or has a pick for a decision that is not live, or none for one that is. ConstraintError
        where none is lawful.
        """
        digest = self.space.hash
        foreign = next((a for a in architectures if a.hash != digest), None)
        if foreign is not None:
            raise ValueError(
                f"architecture of {foreign.space} {foreign.hash}, not of {self.space.name} {digest}"
            )
        n = len(architectures)
        given = self._given(architectures)
        walk = Walk(self.plan, self._weights(), n, given=given, guide=self._guide(n))
        walk.run()
        return self._score(walk, n)

    def log_prob(self, architectures: Sequence[Architecture]) -> Tensor:
        """The log-probability of each, [n], differentiable."""
        return self.evaluate(architectures).log_prob

    @torch.no_grad()
    def beliefs(self, n: int, generator: torch.Generator) -> tuple[float | None, ...]:
        """The mean entropy in nats of each decision over those of `n` draws that take it.

        None where none takes it. Constraints are left out where they are in probabilities.
        """
        walk = self._drawing(n, generator)
        return unsure(self.plan.turns, walk)

    def _drawing(self, n: int, generator: torch.Generator) -> Walk:
        walk = Walk(self.plan, self._weights(), n, generator=generator, guide=self._guide(n))
        walk.run()
        return walk

    def _guide(self, n: int) -> Guide | None:
        if self._completions is None:
            return None
        if not self._completions.feasible:
            asked = "; ".join(c.message for c in self.space.constraints)
            raise ConstraintError(f"no architecture of `{self.space.name}` is lawful: {asked}")
        self._completions = self._completions.fresh()
        return Guide(self._completions, n, self.first.device)

    def _draw(self, n: int, generator: torch.Generator) -> Samples:
        walk = self._drawing(n, generator)
        found = self._score(walk, n)
        blocks: list[Tensor] = []
        for columns, live in zip(walk.columns, walk.live, strict=True):
            blocks += [columns] if live is None else [columns, live.unsqueeze(1).long()]
        table = torch.cat(blocks, 1).t().tolist() if blocks else []
        return _samples(found, decode(self.space, self.plan.turns, table, n))

    @torch.no_grad()
    def _lawful(self, n: int, generator: torch.Generator) -> tuple[Architecture, ...]:
        """The first `n` drawn that meet every constraint; draws more at once as fewer do."""
        kept: list[Architecture] = []
        broken = ""
        for attempt in range(ATTEMPTS):
            for architecture in self._draw(
                min(n << attempt, max(n, LARGEST)), generator
            ).architectures:
                message = self._broken(architecture)
                if message is None:
                    kept.append(architecture)
                else:
                    broken = message
            if len(kept) >= n:
                return tuple(kept[:n])
        raise ConstraintError(
            f"only {len(kept)} of {n} architectures were found that meet what "
            f"`{self.space.name}` requires: {broken}"
        )

    def _given(self, architectures: Sequence[Architecture]) -> Given:
        turns, n, device = self.plan.turns, len(architectures), self.first.device
        taken = list(zip(*(a.picks for a in architectures), strict=True)) or [()] * len(turns)
        blocks = (encode(turn, picks) for turn, picks in zip(turns, taken, strict=True))
        rows = [list(chain.from_iterable(row)) for row in zip(*blocks, strict=True)]
        widths = [turn.width for turn in turns]
        table = torch.tensor(rows, dtype=torch.int64, device=device).reshape(n, sum(widths))
        made = [[p is not None for p in picks] for picks in taken]
        live = torch.tensor(made, dtype=torch.bool, device=device).reshape(len(turns), n)
        return Given(torch.split(table, widths, 1), live.unbind(0))

    def _score(self, walk: Walk, n: int) -> Score:
        zero = self.first.new_zeros(n)
        prior, slope = self._skip_prior, self._skip_slope
        return score(walk.digits, walk.sets, prior=prior, slope=slope, zero=zero)

    def _weights(self) -> Weights:
        steep = self.first.new_ones(4, len(self.first))
        steep[3] = -2.0
        inject, recur = (self.lstm * steep.flatten()).chunk(2)
        scale = self.score / self._temperature
        return Weights(
            inject=inject,
            recur=recur,
            first=(self.first @ inject).unsqueeze(0),
            heads=[softmax.t() / self._temperature for softmax in self.softmax],
            words=[embedding @ inject for embedding in self.embedding],
            biases={int(n): bias / self._temperature for n, bias in self.bias.items()},
            key=-2 * self.key,
            query=-2 * self.query,
            score=-2 * scale,
            offset=scale.sum(),
            bound=self._bound(self._tanh),
            word_bound=self._bound(self._word_tanh),
            slope=self._skip_slope,
            distance=self._distance,
        )

    def _bound(self, tanh: float | None) -> Tensor | None:
        return None if tanh is None else self.first.new_tensor(tanh)

    def _broken(self, architecture: Architecture) -> str | None:
        """The message of a constraint that `architecture` breaks."""
        for constraint in self.space.constraints:
            if not satisfied(constraint, architecture.picks):
                return constraint.message
        return None


def _completions(space: Space) -> Completions | None:
    """None where there are no constraints, or too many ways to be told apart."""
    try:
        return Completions(space) if space.constraints else None
    except TooManyStates:
        return None


def _samples(found: Score, architectures: tuple[Architecture, ...]) -> Samples:
    sums = found.log_prob, found.entropy, found.surprise
    return Samples(*sums, found.skip_penalty, found.rates, architectures)
