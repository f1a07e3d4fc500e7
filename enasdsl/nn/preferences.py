"""How much the picks of each decision are wanted: the parameters of relaxed choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from enasdsl.ir.domain import Pick
from enasdsl.ir.relaxing import Support, alone, everything
from enasdsl.ir.space import Architecture, Domain, Kind, Space
from enasdsl.nn.relaxed import Weighing
from enasdsl.semantics.symbols import Picks, Reading


class Preferences(nn.Module):
    """A logit for each alternative of each decision, in each place where the order counts.

    The logit of a pick is the sum of those of its members, and its probability the softmax over
    all picks: of a choice of one, of its alternatives (Liu et al. 2019, equation 2); of a choice
    of k, so that the k best are the most probable pick.
    """

    def __init__(self, space: Space, *, init: float, generator: torch.Generator) -> None:
        super().__init__()
        self.space = space
        self.everything: Support = everything(space)
        self.members = [
            _members(decision.domain, picks)
            for decision, picks in zip(space.decisions, self.everything.picks, strict=True)
        ]
        self.alternatives = nn.ParameterList(
            init * torch.randn(members.shape[1], generator=generator) for members in self.members
        )

    def logits(self) -> Iterator[Tensor]:
        """The logits of the picks of each decision, [picks]."""
        for members, own in zip(self.members, self.alternatives, strict=True):
            yield members.to(own.dtype) @ own

    def mixed(self) -> Weighing:
        """Every pick with its probability; the architecture is the most probable one."""
        logits = list(self.logits())
        weights = [own.softmax(0) for own in logits]
        return Weighing(self.everything, weights, self._made([w.detach() for w in weights]))

    def sampled(self, temperature: float, generator: torch.Generator) -> Weighing:
        """One pick of each decision, drawn, with the weight one and the gradient of its share.

        The shares are those of the Gumbel softmax (Dong and Yang 2019, equation 4).
        """
        shares = [
            ((own.log_softmax(0) + _gumbel(own, generator)) / temperature).softmax(0)
            for own in self.logits()
        ]
        architecture = self._made([share.detach() for share in shares])
        places = self._places(architecture)
        weights = [
            1 + share[at] - share[at].detach() for share, at in zip(shares, places, strict=True)
        ]
        return Weighing(alone(architecture), weights, architecture)

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> Architecture:
        """An architecture, drawn decision by decision."""
        return self._made([own + _gumbel(own, generator) for own in self.logits()])

    @torch.no_grad()
    def probable(self) -> Architecture:
        """The most probable pick of each decision that is live."""
        return self._made(list(self.logits()))

    @torch.no_grad()
    def entropies(self) -> tuple[float, ...]:
        """The entropy of each decision in nats."""
        return tuple(float(torch.special.entr(own.softmax(0)).sum()) for own in self.logits())

    def _made(self, scores: Sequence[Tensor]) -> Architecture:
        """The architecture of the highest scores, each decision settled where it is live."""
        found: list[Picks] = []
        for decision, picks, score in zip(
            self.space.decisions, self.everything.picks, scores, strict=True
        ):
            live = Reading(tuple(found)).holds(decision.guard)
            found.append(picks[int(score.argmax())] if live else None)
        return Architecture(self.space.name, self.space.hash, tuple(found))

    def _places(self, architecture: Architecture) -> Iterator[list[int]]:
        """Where the pick of each decision stands among all, none where it is not live."""
        for own, picks in zip(architecture.picks, self.everything.picks, strict=True):
            yield [] if own is None else [picks.index(own)]


def _members(domain: Domain, picks: Sequence[Pick]) -> Tensor:
    """How often each alternative, in each place where the order counts, is in each pick."""
    ordered = domain.kind in (Kind.SEQUENCE, Kind.ARRANGEMENT)
    found = torch.zeros(len(picks), domain.size * (domain.most if ordered else 1))
    for row, pick in enumerate(picks):
        for place, member in enumerate(pick):
            found[row, member + domain.size * place * ordered] += 1
    return found


def _gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard Gumbel noise in the shape of a tensor."""
    noise = torch.empty_like(like).exponential_(generator=generator)
    return -noise.log()
