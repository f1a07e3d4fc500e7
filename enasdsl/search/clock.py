"""When to stop: the budget of a run, and the signals that end it early."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType


@dataclass(slots=True)
class Clock:
    """Seconds spent on a run, those before a resumption included, and what is left of them.

    `now` is any monotonic clock in seconds.
    """

    budget: float | None = None
    before: float = 0.0
    now: Callable[[], float] = time.monotonic
    start: float = field(init=False)

    def __post_init__(self) -> None:
        self.start = self.now()

    @property
    def elapsed(self) -> float:
        return self.before + self.now() - self.start

    @property
    def left(self) -> float:
        return float("inf") if self.budget is None else self.budget - self.elapsed


class Interruption:
    """Whether the user asked to stop; true after the first ctrl-C or SIGTERM."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def ask(self) -> None:
        self._event.set()


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turns the first ctrl-C or SIGTERM into a request; a second ctrl-C stops at once."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return

    def ask(number: int, frame: FrameType | None) -> None:
        interruption.ask()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    previous = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
