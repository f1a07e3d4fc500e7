"""The figures of a run: `metrics.jsonl`, and TensorBoard's events where it is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from enasdsl.search.errors import SearchError


@dataclass(frozen=True, slots=True)
class Position:
    """Where a job stands: steps of this phase so far, in this epoch and in all."""

    phase: str
    epoch: int
    step: int
    total: int


class Curves(Protocol):
    """The part of TensorBoard's writer that is used."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Mean:
    """Running means of named figures."""

    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, values: Mapping[str, float]) -> None:
        self.count += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def take(self) -> dict[str, float]:
        """The means so far; starts again."""
        means = {name: total / self.count for name, total in self.sums.items()}
        self.count, self.sums = 0, {}
        return means


class Metrics:
    """Writes the mean of every `every` steps of a phase, and of what is left at its end.

    One that resumes forgets the lines written after the checkpoint from which it goes on.
    """

    def __init__(self, folder: Path, *, every: int = 10, curves: bool = True) -> None:
        self._path = folder / "metrics.jsonl"
        self._every = every
        self._wanted = curves
        self._curves: Curves | None = None
        self._means: dict[str, Mean] = {}
        self._file = self._path.open("ab", buffering=0)  # so that closing never writes

    def add(self, at: Position, values: Mapping[str, float], *, seconds: float, last: bool) -> None:
        """Counts the figures of one step; `last` ends its phase for this epoch."""
        mean = self._means.setdefault(at.phase, Mean())
        mean.add(values)
        if last or mean.count >= self._every:
            self._write(at, mean.take(), seconds)

    def _write(self, at: Position, means: dict[str, float], seconds: float) -> None:
        line = {
            "phase": at.phase,
            "epoch": at.epoch,
            "step": at.total,
            **{name: float(f"{value:.6g}") for name, value in means.items()},
            "seconds": round(seconds, 1),
        }
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
        except OSError as error:
            raise SearchError(
                f"cannot write {self._path}: {error.strerror}",
                "make room and run the same command with --resume",
            ) from error
        if self._wanted and self._curves is None:
            self._curves = _curves(self._path.parent, at.total)
            self._wanted = self._curves is not None
        if self._curves is not None:
            for name, value in means.items():
                self._curves.add_scalar(f"{at.phase}/{name}", value, at.total)

    def state_dict(self) -> dict[str, Any]:
        means = {phase: (mean.count, mean.sums) for phase, mean in self._means.items()}
        return {"bytes": self._file.tell(), "means": means}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._file.truncate(state["bytes"])
        self._means = {phase: Mean(n, dict(sums)) for phase, (n, sums) in state["means"].items()}

    def close(self) -> None:
        self._file.close()
        if self._curves is not None:
            self._curves.close()


def _curves(folder: Path, step: int) -> Curves | None:
    """TensorBoard's writer, which drops what an earlier process wrote at or after `step`."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    writer: Curves = SummaryWriter(str(folder), purge_step=step)
    return writer
