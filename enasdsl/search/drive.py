"""Carries a long job from step to step: budget, interruption, checkpoints, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from enasdsl.search import checkpoint
from enasdsl.search.clock import Clock, Interruption
from enasdsl.search.metrics import Metrics, Position
from enasdsl.search.progress import Report

SAVE_EVERY = 60.0
"""Seconds between two checkpoints."""
SAVE_SHARE = 0.02
"""Greatest share of the time that may go into checkpoints."""


class Ending(Enum):
    """Why a job stopped."""

    FINISHED = "finished"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: where it stood, its figures, and whether it ended its phase or epoch."""

    at: Position
    values: Mapping[str, float]
    last: bool
    epoch_over: bool = False


class Job(Protocol):
    """Work that is cut into steps and whose state can be written down between any two."""

    @property
    def done(self) -> bool: ...
    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        ...

    def step(self) -> Step: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@dataclass(slots=True)
class Driver:
    """A job, the folder in which it lives, and the time that it may take."""

    job: Job
    folder: Path
    clock: Clock
    metrics: Metrics
    report: Report
    interruption: Interruption
    closing: float = 1.5  # longest steps that are kept back from the budget
    steps: int = 0
    _saved: float = field(default=0.0, init=False)
    _saving: float = field(default=0.0, init=False)  # seconds that the last save took
    _longest: float = field(default=0.0, init=False)  # seconds of the longest step

    def restore(self) -> None:
        """Goes back to the newest checkpoint of the folder; raises SearchError without one."""
        folder = self.folder / "checkpoints"
        state = checkpoint.newest(folder)
        with checkpoint.fitting(folder):
            self.job.load_state_dict(state["job"])
        self.metrics.load_state_dict(state["metrics"])
        self.clock.before = state["seconds"]
        self.steps = state["steps"]

    def save(self) -> None:
        """Writes a checkpoint; raises SearchError when the disk refuses."""
        began = self.clock.elapsed
        state = {
            "job": self.job.state_dict(),
            "metrics": self.metrics.state_dict(),
            "seconds": began,
            "steps": self.steps,
        }
        checkpoint.save(self.folder / "checkpoints", self.steps, state)
        self._saved = self.clock.elapsed
        self._saving = self._saved - began

    def run(self) -> Ending:
        """Steps until the job is done, its time is up or the user asks; saves in each case."""
        if not self.steps:
            self.save()
        self._saved = self.clock.elapsed
        while (ending := self._ending()) is None:
            began = self.clock.elapsed
            step = self.job.step()
            self.steps += 1
            seconds = self.clock.elapsed
            self._longest = max(self._longest, seconds - began)
            self.metrics.add(step.at, step.values, seconds=seconds, last=step.last)
            self.report.add(step.at, step.values, share=self._share(), left=self._left())
            if self._save_due(step):
                self.save()
        self.save()
        return ending

    def _ending(self) -> Ending | None:
        if self.job.done:
            return Ending.FINISHED
        if self.interruption:
            return Ending.INTERRUPTED
        reserve = self.closing * self._longest + 2 * self._saving + 0.05
        return Ending.BUDGET if self.clock.left < reserve else None

    def _save_due(self, step: Step) -> bool:
        since = self.clock.elapsed - self._saved
        if since * SAVE_SHARE < self._saving:
            return False
        return step.epoch_over or since >= SAVE_EVERY

    def _share(self) -> float:
        spent = 0.0 if self.clock.budget is None else self.clock.elapsed / self.clock.budget
        return min(1.0, max(self.job.share, spent))

    def _left(self) -> float:
        share = self.job.share
        by_steps = self.clock.elapsed * (1 - share) / share if share else float("inf")
        return min(self.clock.left, by_steps)
