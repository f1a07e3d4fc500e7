"""The two alternating phases of a search (Pham et al. 2018, section 2.2; facts 1.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from enasdsl.ir.parameters import used
from enasdsl.ir.record import to_token
from enasdsl.ir.space import Architecture
from enasdsl.nn.supernet import Supernet
from enasdsl.search.beliefs import believing, noted
from enasdsl.search.descent import Descent
from enasdsl.search.drive import Step
from enasdsl.search.losses import beside, hold, traced
from enasdsl.search.metrics import Position
from enasdsl.search.problem import Batch, Model, Problem, States
from enasdsl.search.schedule import learning_rate
from enasdsl.search.seeds import device_generator
from enasdsl.search.strategy import Strategy
from enasdsl.search.trainee import Single, Trainee
from enasdsl.search.valuation import Valuation
from enasdsl.semantics.recipe import Recipe

SURVEY = 10
"""Architectures that are sampled and scored at the end of each epoch (facts 1.7)."""
WEIGHTS, CONTROLLER, SAMPLES, BELIEFS = "weights", "controller", "samples", "beliefs"


class Alternation:
    """A search as a job, epoch by epoch.

    Phase `weights` passes over the training part with fresh architectures for every minibatch
    while the strategy is fixed; phase `controller` lets the strategy learn from rewards on the
    validation part while the weights are fixed; then a few `samples` are scored for the record,
    and the strategy's `beliefs` written down. `visited` counts the draws of each architecture by
    its token.
    """

    def __init__(
        self,
        supernet: Supernet,
        strategy: Strategy,
        problem: Problem,
        valuation: Valuation,
        recipe: Recipe,
        seed: int,
    ) -> None:
        self.supernet = supernet
        self.strategy = strategy
        self.valuation = valuation
        self._problem = problem
        self._recipe = recipe
        self._descent = Descent(supernet, recipe.weights)
        device = next(supernet.parameters()).device
        supernet.noise = device_generator(device, seed, "noise")
        self._believer = believing(strategy)
        self.visited: Counter[str] = Counter()
        most, updates = recipe.weights.steps, recipe.controller.steps
        steps = problem.steps if most is None else min(most, problem.steps)
        self._lengths = {
            WEIGHTS: steps,
            CONTROLLER: (steps if updates is None else updates) if strategy.learns else 0,
            SAMPLES: SURVEY,
            BELIEFS: int(self._believer is not None),
        }
        self._phases = [phase for phase, length in self._lengths.items() if length]
        self._epoch = 0
        self._phase = 0
        self._index = 0
        self._totals = dict.fromkeys(self._lengths, 0)
        self._states: list[States] = []

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def done(self) -> bool:
        return self._epoch >= self._recipe.weights.epochs

    @property
    def share(self) -> float:
        lengths = self._lengths
        passed = sum(lengths[p] for p in self._phases[: self._phase]) + self._index
        within = passed / sum(lengths.values())
        return (self._epoch + within) / self._recipe.weights.epochs

    def step(self) -> Step:
        """One minibatch, one update or one sample, whichever is next."""
        phase = self._phases[self._phase]
        self.supernet.progress = self._progress
        at = Position(phase, self._epoch, self._index, self._totals[phase])
        values = self._work(phase)
        self._totals[phase] += 1
        self._index += 1
        last = self._index == self._lengths[phase]
        if last:
            self._index = 0
            self._phase = (self._phase + 1) % len(self._phases)
            self._epoch += self._phase == 0
        return Step(at, values, last=last, epoch_over=last and self._phase == 0)

    @property
    def _progress(self) -> float:
        """The share of the steps of the shared weights that are done, a present one included."""
        done = self._totals[WEIGHTS] + (self._phases[self._phase] == WEIGHTS)
        return done / (self._lengths[WEIGHTS] * self._recipe.weights.epochs)

    def _work(self, phase: str) -> dict[str, float]:
        match phase:
            case "weights":
                return self._train()
            case "controller":
                return self._learn()
            case "beliefs":
                return noted(self._believer, self._epoch) if self._believer else {}
            case _:
                (architecture,) = self._ask(1)
                reward, figure = self._reward(architecture)
                return {"reward": reward, self._problem.figure: figure}

    def _ask(self, n: int) -> Sequence[Architecture]:
        """What the strategy draws, counted."""
        architectures = self.strategy.ask(n)
        self.visited.update(map(to_token, architectures))
        return architectures

    def _train(self) -> dict[str, float]:
        """One step of the shared weights on M architectures, their gradients averaged (eq. 1)."""
        batch = self._problem.train_batch()
        drawn = self._drawn()
        lr = learning_rate(self._recipe.weights, self._epoch, self._index)
        self._descent.clear()
        self.supernet.train()
        if batch.fresh or not self._states:
            self._states = [None] * len(drawn)
        losses = [self._backward(batch, i, one) for i, one in enumerate(drawn)]
        if not self._descent.step(lr, [one.regions() for one in drawn]):
            self._states = []
            return {"lr": lr, "skipped": 1.0}
        loss = sum(float(one) for one in losses) / len(losses)
        return {"loss": loss, "lr": lr, "skipped": 0.0}

    def _drawn(self) -> Sequence[Trainee]:
        """What a step of the shared weights is taken with."""
        return [Single(self.supernet, a) for a in self._ask(self._recipe.weights.children)]

    def _backward(self, batch: Batch, child: int, trainee: Trainee) -> Tensor:
        """The loss, as it lies on the device: to read it is to wait for the device."""
        settings = self._recipe.weights
        if not settings.auxiliary.trained:
            network = self.supernet.program(trainee.architecture).network
            hold(self.supernet, network, used(network, self.supernet.places))
        with traced(self.supernet) as trace:
            loss, states = trainee.loss(batch, self._states[child])
        whole = loss + beside(trace, batch.targets, settings)
        (whole / len(self._states)).backward()  # type: ignore[no-untyped-call]
        self._states[child] = states and tuple(state.detach() for state in states)
        return loss.detach()

    def _learn(self) -> dict[str, float]:
        """One update of the strategy, each architecture on a validation minibatch of its own."""
        architectures = self._ask(self._recipe.controller.children)
        measured = [self._reward(a) for a in architectures]
        rewards = [reward for reward, _ in measured]
        learned = self.strategy.tell(architectures, rewards)
        figure = sum(figure for _, figure in measured) / len(measured)
        mean = sum(rewards) / len(rewards)
        return {"reward": mean, self._problem.figure: figure, **learned}

    def _reward(self, architecture: Architecture) -> tuple[float, float]:
        measure = self._problem.measure(self.model(architecture), [self._problem.reward_batch()])
        return self.valuation.measure(architecture, measure).reward, measure.figure

    def model(self, architecture: Architecture) -> Model:
        """An architecture with the shared weights, as its reward is measured."""
        return shared_model(self.supernet, architecture, dropout=self._recipe.reward.dropout)

    def state_dict(self) -> dict[str, Any]:
        return {
            "supernet": self.supernet.state_dict(),
            "noise": self.supernet.noise and self.supernet.noise.get_state(),
            "descent": self._descent.state_dict(),
            "strategy": self.strategy.state_dict(),
            "valuation": self.valuation.state_dict(),
            "visited": dict(self.visited),
            "problem": self._problem.state_dict(),
            "place": (self._epoch, self._phase, self._index),
            "totals": dict(self._totals),
            "states": list(self._states),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        device = next(self.supernet.parameters()).device
        self.supernet.load_state_dict(state["supernet"])
        if self.supernet.noise is not None:
            self.supernet.noise.set_state(state["noise"])
        self._descent.load_state_dict(state["descent"])
        self.strategy.load_state_dict(state["strategy"])
        self.valuation.load_state_dict(state["valuation"])
        self.visited = Counter(state["visited"])
        self._problem.load_state_dict(state["problem"])
        self._epoch, self._phase, self._index = state["place"]
        self._totals = dict(state["totals"])
        self._states = [s and tuple(t.to(device) for t in s) for s in state["states"]]


def shared_model(supernet: Supernet, architecture: Architecture, *, dropout: bool = False) -> Model:
    """An architecture with the shared weights, batch norm by the batch."""
    supernet.train(dropout)
    forward: Callable[..., tuple[Tensor, States]] = supernet

    def model(x: Tensor, states: States) -> tuple[Tensor, States]:
        return forward(x, architecture, states)

    return model
