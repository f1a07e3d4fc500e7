"""REINFORCE on the controller (Pham et al. 2018, section 2.2; facts 5.5 and 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from enasdsl.ir.space import Architecture
from enasdsl.nn.controller import Controller
from enasdsl.semantics.recipe import Controller as Settings


class Baseline:
    """A moving average of rewards.

    It starts at the first reward unless a `first` value is given: from zero, every early advantage
    is positive, and the controller is drawn to whatever it happened to sample first (facts 6.2).
    """

    def __init__(self, keep: float, first: float | None = None) -> None:
        self._keep = keep
        self.value = first

    def advantages(self, rewards: Tensor) -> Tensor:
        """How much better each of the rewards [n] is than the average before them."""
        mean = float(rewards.mean())
        value = mean if self.value is None else self.value
        self.value = self._keep * value + (1 - self._keep) * mean
        return rewards - value


class Scale:
    """Rewards in standard deviations from their mean, of all so far, the new ones included."""

    def __init__(self) -> None:
        self.sums = (0, 0.0, 0.0)  # how many, their sum, the sum of their squares

    def standard(self, rewards: Tensor) -> Tensor:
        """Rewards [n] as they stand among all."""
        count, total, squares = self.sums
        count += len(rewards)
        total += float(rewards.double().sum())
        squares += float(rewards.double().square().sum())
        self.sums = count, total, squares
        mean = total / count
        deviation = max(squares / count - mean * mean, 0.0) ** 0.5
        return (rewards - mean) / deviation if deviation > 0 else torch.zeros_like(rewards)


class Reinforce:
    """Ascends E[R] + entropy * H - skip_weight * KL by Adam.

    H is the policy's true entropy. Its gradient has two parts: that of the entropies of the
    decisions taken, and that of which decisions are reached, for which H joins the reward. The
    authors' code has the second part only, and for some controllers not H but what the picks
    alone add to it: `entropy_of` (facts 5.5).
    """

    def __init__(self, controller: Controller, settings: Settings) -> None:
        self._controller = controller
        self._settings = settings
        self._baseline = Baseline(
            settings.baseline, 0.0 if settings.baseline_from == "zero" else None
        )
        self._scale = Scale()
        self._adam = torch.optim.Adam(
            controller.parameters(),
            lr=settings.lr,
            betas=(settings.beta1, settings.beta2),
            eps=settings.eps,
        )

    def update(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> dict[str, float]:
        """One step of Adam on architectures and what they earned; gives its figures."""
        settings = self._settings
        score = self._controller.evaluate(architectures)
        unsure = score.surprise if settings.entropy_of == "sample" else score.entropy
        earned = torch.tensor(rewards)
        if settings.unit == "deviation":
            earned = self._scale.standard(earned)
        earned = earned + settings.entropy * unsure.detach()
        gain = self._baseline.advantages(earned) * score.log_prob
        if settings.entropy_of == "policy":
            gain = gain + settings.entropy * score.entropy
        loss = (settings.skip_weight * score.skip_penalty - gain).mean()
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if settings.clip is not None:
            torch.nn.utils.clip_grad_norm_(self._controller.parameters(), settings.clip)
        self._adam.step()
        return {
            "baseline": self._baseline.value or 0.0,
            "entropy": float(score.entropy.detach().mean()),
            "skip_rate": float(score.rates.mean()),
            "skip_penalty": float(score.skip_penalty.detach().mean()),
        }

    def state_dict(self) -> dict[str, Any]:
        return {
            "adam": self._adam.state_dict(),
            "baseline": self._baseline.value,
            "scale": self._scale.sums,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._adam.load_state_dict(state["adam"])
        self._baseline.value = state["baseline"]
        self._scale.sums = tuple(state["scale"])
