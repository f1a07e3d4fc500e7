"""The training of one architecture by itself, from scratch or from shared weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from enasdsl.nn.child import Child
from enasdsl.search.averaging import Averaging
from enasdsl.search.descent import Descent
from enasdsl.search.drive import Step
from enasdsl.search.losses import beside, hold, traced
from enasdsl.search.metrics import Position
from enasdsl.search.problem import Measure, Model, Problem, States
from enasdsl.search.schedule import learning_rate
from enasdsl.semantics.training import ChildWeights

VALID, TRAIN = "valid", "train"


class Retraining:
    """A child's training as a job: a measure on the validation part, then a pass, and so on.

    The weights that did best on the validation part, or their averages, are kept.
    """

    def __init__(self, child: Child, problem: Problem, settings: ChildWeights) -> None:
        self.child = child
        self._problem = problem
        self._settings = settings
        if not settings.auxiliary.trained:
            hold(child, child.network, child.shared)
        self._descent = Descent(child, settings)
        self._averaging = Averaging(child, settings.average)
        steps = settings.steps
        self._length = problem.steps if steps is None else min(steps, problem.steps)
        self._epoch = 0
        self._index = -1  # -1: the measure is next; else the minibatch within the epoch
        self._total = 0
        self._states: States = None
        self._best: dict[str, Tensor] = {}
        self._best_reward = float("-inf")

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def done(self) -> bool:
        return self._epoch >= self._settings.epochs and self._index >= 0

    @property
    def share(self) -> float:
        within = max(0, self._index) / self._length
        return min(1.0, (self._epoch + within) / self._settings.epochs)

    def step(self) -> Step:
        """The measure of an epoch, or one of its minibatches."""
        if self._index < 0:
            at = Position(VALID, self._epoch, 0, self._epoch)
            measure = self.measure()
            self._index = 0
            return Step(at, {self._problem.figure: measure.figure}, last=True, epoch_over=True)
        at = Position(TRAIN, self._epoch, self._index, self._total)
        values = self._train()
        self._total += 1
        self._index += 1
        last = self._index == self._length
        if last:
            self._index = -1
            self._epoch += 1
        return Step(at, values, last=last)

    def _train(self) -> dict[str, float]:
        batch = self._problem.train_batch()
        lr = learning_rate(self._settings, self._epoch, self._index)
        self._descent.clear()
        self.child.train()
        self.child.progress = (self._total + 1) / (self._length * self._settings.epochs)
        with traced(self.child) as trace:
            before = None if batch.fresh else self._states
            loss, states = self.child.loss(batch.inputs, batch.targets, before)
        (loss + beside(trace, batch.targets, self._settings)).backward()  # type: ignore[no-untyped-call]
        if not self._descent.step(lr):
            self._states = None
            return {"lr": lr, "skipped": 1.0}
        self._averaging.step(self._epoch)
        self._states = states and tuple(state.detach() for state in states)
        return {"loss": float(loss.detach()), "lr": lr, "skipped": 0.0}

    def measure(self) -> Measure:
        """The validation figure of the present weights, which are kept if they are the best."""
        with self._averaging.applied():
            measure = self._problem.measure(self.model, self._problem.split(VALID))
            if not self._best or measure.reward > self._best_reward:
                self._best_reward = measure.reward
                self._best = {n: t.detach().clone() for n, t in self.child.state_dict().items()}
        self._averaging.told(measure.reward)
        return measure

    def finish(self) -> tuple[Measure, Measure]:
        """Goes back to the best weights; their figures on the validation and the test part."""
        if self._index > 0 or not self._best:
            self.measure()
        self.child.load_state_dict(self._best)
        split = self._problem.split
        return tuple(self._problem.measure(self.model, split(s)) for s in (VALID, "test"))  # type: ignore[return-value]

    @property
    def model(self) -> Model:
        """The child as it is evaluated."""
        return evaluated(self.child)

    def state_dict(self) -> dict[str, Any]:
        return {
            "child": self.child.state_dict(),
            "noise": self.child.noise and self.child.noise.get_state(),
            "descent": self._descent.state_dict(),
            "averaging": self._averaging.state_dict(),
            "problem": self._problem.state_dict(),
            "place": (self._epoch, self._index, self._total),
            "states": self._states,
            "best": self._best,
            "best_reward": self._best_reward,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        device = next(self.child.parameters()).device
        self.child.load_state_dict(state["child"])
        if self.child.noise is not None:
            self.child.noise.set_state(state["noise"])
        self._descent.load_state_dict(state["descent"])
        self._averaging.load_state_dict(state["averaging"])
        self._problem.load_state_dict(state["problem"])
        self._epoch, self._index, self._total = state["place"]
        states = state["states"]
        self._states = states and tuple(s.to(device) for s in states)
        self._best = {name: tensor.to(device) for name, tensor in state["best"].items()}
        self._best_reward = state["best_reward"]


def evaluated(child: Child) -> Model:
    """A child without dropout."""

    def model(x: Tensor, states: States) -> tuple[Tensor, States]:
        child.eval()
        with torch.no_grad():
            found: tuple[Tensor, States] = child(x, states)
        return found

    return model
