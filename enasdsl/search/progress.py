"""What a person sees of a run: two live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import exp

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from enasdsl.search.metrics import Position

REFRESH = 0.5
"""Seconds between two drawings of the live lines."""
PLAIN = 10.0
"""Seconds between two plain lines."""
_SMOOTH = 0.9


class Report:
    """Smooths the figures of a run and shows them from time to time."""

    def __init__(self, console: Console, bar: Progress | None) -> None:
        self._console = console
        self._bar = bar
        self._task = None if bar is None else bar.add_task("", total=1.0, text="")
        self._values: dict[str, float] = {}
        self._shown = time.monotonic()

    def add(self, at: Position, values: Mapping[str, float], *, share: float, left: float) -> None:
        """Takes in one step; `share` of the run is done, and `left` seconds remain."""
        whole = at.phase == "valid"  # a measure of the whole part has no noise to smooth
        for name, value in values.items():
            old = value if whole else self._values.get(name, value)
            self._values[name] = _SMOOTH * old + (1 - _SMOOTH) * value
        now = time.monotonic()
        if now - self._shown >= (PLAIN if self._bar is None else REFRESH):
            self._shown = now
            self._show(place(at, left), figures(self._values), share)

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _show(self, where: str, what: str, share: float) -> None:
        if self._bar is None or self._task is None:
            self.say(f"{where}  {what}")
        else:
            self._bar.update(self._task, completed=share, text=f"{where}\n{what}")
            self._bar.refresh()


@contextmanager
def reporting(console: Console | None = None) -> Iterator[Report]:
    """A report on `console`, by default standard error."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield Report(console, None)
        return
    columns = (BarColumn(bar_width=20), TextColumn("{task.fields[text]}"))
    with Progress(*columns, console=console, auto_refresh=False, transient=True) as bar:
        yield Report(console, bar)


def place(at: Position, left: float) -> str:
    """Where a run stands: `epoch 3  weights 120  4m 10s left`."""
    return f"epoch {at.epoch + 1}  {at.phase} {at.step + 1}  {clock(left)} left"


def figures(values: Mapping[str, float]) -> str:
    """What a person watches: `loss 5.21  reward 0.412  baseline 0.398  entropy 31.5`."""
    found = {name: values[name] for name in _SHOWN if name in values}
    if "nll" in found:
        found["perplexity"] = exp(min(found.pop("nll"), 50.0))
    return "  ".join(f"{name} {value:.4g}" for name, value in found.items())


_SHOWN = ("loss", "accuracy", "reward", "baseline", "entropy", "nll")


def budget_words(seconds: float) -> str:
    """A duration as `--budget` takes it: `90s`, `20m`, `1h`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


def clock(seconds: float) -> str:
    """A duration as a person says it: `45s`, `4m 10s`, `2h 05m`."""
    if seconds == float("inf"):
        return "?"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02}m"
