"""Runs a job inside its folder, with figures, progress and a clock, until it ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from enasdsl.diagnostics.wording import several
from enasdsl.search.clock import Clock, interruptible
from enasdsl.search.drive import Driver, Ending, Job
from enasdsl.search.metrics import Metrics
from enasdsl.search.progress import Report, reporting


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: why, after how many steps, after how many seconds in all."""

    ending: Ending
    steps: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Session:
    """Where a job lives and how long it may take.

    `closing` is how many of the job's longest steps are kept back for what follows it.
    """

    folder: Path
    clock: Clock
    resume: bool = False
    closing: float = 1.5
    console: Console | None = None
    curves: bool = True

    def run(self, job: Job) -> Outcome:
        """Carries the job to its end; raises SearchError."""
        metrics = Metrics(self.folder, curves=self.curves)
        try:
            with interruptible() as interruption, reporting(self.console) as report:
                driver = Driver(
                    job,
                    self.folder,
                    self.clock,
                    metrics,
                    report,
                    interruption,
                    closing=self.closing,
                )
                if self.resume:
                    driver.restore()
                    _say_resumed(report, driver)
                ending = driver.run()
        finally:
            metrics.close()
        return Outcome(ending, driver.steps, self.clock.elapsed)


def _say_resumed(report: Report, driver: Driver) -> None:
    report.say(f"goes on after {several(driver.steps, 'step')}")
