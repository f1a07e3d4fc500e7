"""Two descents in turn: of the choices on the validation part, of the weights on the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from enasdsl.ir.record import to_token
from enasdsl.nn.relaxed import RelaxedSupernet, Weighing
from enasdsl.search.alternation import Alternation
from enasdsl.search.problem import loss_of
from enasdsl.search.relaxed import Relaxed, first
from enasdsl.search.trainee import Trainee, Weighed
from enasdsl.search.valuation import bare


class Bilevel(Alternation):
    """A search of which each step is one of the choices, then one of the shared weights.

    The step of the choices takes the weights as they are (Liu et al. 2019, section 2.3, first
    order), on a minibatch of the validation part.
    """

    @cached_property
    def _relaxed(self) -> Relaxed:
        inner = bare(self.strategy)
        assert isinstance(inner, Relaxed)
        return inner

    @cached_property
    def _network(self) -> RelaxedSupernet:
        return RelaxedSupernet(self.supernet)

    def _train(self) -> dict[str, float]:
        return {"valid_loss": self._choose(), **super()._train()}

    def _choose(self) -> float:
        """One step of the choices; gives the loss before it."""
        batch = self._problem.reward_batch()
        self.supernet.train()
        logits, _ = self._network.run(batch.inputs, self._weigh(), None)
        loss = loss_of(logits, batch.targets)
        self._relaxed.descend(loss)
        return loss.item()

    def _weigh(self) -> Weighing:
        """Weighed choices within the limits, which bind what runs alone."""
        return first(
            lambda: self._relaxed.weigh(self.supernet.progress),
            lambda one: one.support.soft or self.valuation.allows(one.architecture),
            self._relaxed.name,
        )

    def _drawn(self) -> Sequence[Trainee]:
        """A mixture, or as many single samples as a step of the weights averages."""
        count = 1 if self._relaxed.soft else self._recipe.weights.children
        drawn = [self._weigh().detached() for _ in range(count)]
        if not self._relaxed.soft:
            self.visited.update(to_token(one.architecture) for one in drawn)
        return [Weighed(self._network, one) for one in drawn]
