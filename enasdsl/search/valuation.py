"""What an architecture earns: the usual reward, or an objective over figures and costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from math import exp
from statistics import median
from typing import Any

from enasdsl.ir.costs import cost
from enasdsl.ir.record import from_token, to_token
from enasdsl.ir.space import Architecture, Space
from enasdsl.search.errors import SearchError
from enasdsl.search.objective import Objective
from enasdsl.search.problem import Measure, shown
from enasdsl.search.strategy import Strategy, refined

COSTS = ("params", "macs", "latency")
"""What is known of an architecture before it is scored; latency in milliseconds."""
PASSES = 5
"""Timed passes of a network, of which the median is its latency; one before them is not timed."""
ATTEMPTS = 1000
"""How often a strategy is asked again for architectures that may pass."""

Timed = Callable[[Architecture], float]


def timed(work: Callable[[], object], settle: Callable[[], object] = lambda: None) -> float:
    """Milliseconds that `work` takes on this machine; `settle` waits for the device."""
    spans = []
    for _ in range(1 + PASSES):
        settle()
        began = time.perf_counter()
        work()
        settle()
        spans.append(1000 * (time.perf_counter() - began))
    return median(spans[1:])


class Valuation:
    """An objective over a space, each cost found once.

    `figure` is what a `Measure` holds. Without an objective the reward is the measure's own.
    Raises SearchError for names that nothing measures, and for limits on what a score alone tells.
    """

    def __init__(
        self, objective: Objective | None, space: Space, figure: str, latency: Timed
    ) -> None:
        self.objective = objective
        self._space = space
        self._figure = figure
        self._latency = latency
        self._costs: dict[Architecture, dict[str, float]] = {}
        self._latencies: dict[Architecture, float] = {}
        if objective is not None:
            objective.check_names((shown(figure, 0.0)[0], "reward", *COSTS))
            for name in sorted(objective.limiting() - set(COSTS)):
                raise SearchError(
                    f"`{objective.text}` limits `{name}`, which only a score tells",
                    f"limits are over {', '.join(COSTS)}",
                )

    def costs(self, architecture: Architecture) -> dict[str, float]:
        """The costs that the objective reads."""
        known = self._costs.get(architecture)
        if known is None:
            known = self._costs[architecture] = self._found(architecture)
        return known

    def _found(self, architecture: Architecture) -> dict[str, float]:
        wanted = set(self.objective.directions if self.objective else ())
        found: dict[str, float] = {}
        if wanted & {"params", "macs"}:
            known = cost(self._space, architecture)
            found = {"params": float(known.params), "macs": float(known.macs)}
        if "latency" in wanted:
            if architecture not in self._latencies:
                self._latencies[architecture] = self._latency(architecture)
            found["latency"] = self._latencies[architecture]
        return found

    def allows(self, architecture: Architecture) -> bool:
        """Whether an architecture keeps every limit."""
        objective = self.objective
        if objective is None or not objective.limits:
            return True
        return objective.allows(self.costs(architecture))

    def values(self, architecture: Architecture, measure: Measure) -> dict[str, float]:
        """All that the objective may read of an architecture that was scored."""
        name, figure = shown(self._figure, measure.figure)
        figure = figure if figure == figure else exp(700.0)
        return {name: figure, "reward": measure.reward, **self.costs(architecture)}

    def measure(self, architecture: Architecture, measure: Measure) -> Measure:
        """A measure with what the architecture earns for it."""
        if self.objective is None:
            return measure
        earned = self.objective.reward(self.values(architecture, measure))
        return Measure(earned, measure.figure)

    def state_dict(self) -> dict[str, Any]:
        """The latencies: another measure of the same would not be the same."""
        return {to_token(a): milliseconds for a, milliseconds in self._latencies.items()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        self._latencies = {from_token(self._space, token): ms for token, ms in state.items()}


class Within:
    """A strategy of which only those architectures pass that keep the limits.

    Limits are met by asking again, so that no architecture beyond them is trained or scored.
    """

    def __init__(self, inner: Strategy, allows: Callable[[Architecture], bool], why: str) -> None:
        self.inner = inner
        self._allows = allows
        self._why = why
        self.learns = inner.learns

    def ask(self, n: int) -> tuple[Architecture, ...]:
        """Draws `n` architectures; raises SearchError where hardly any keeps the limits."""
        kept: list[Architecture] = []
        for _ in range(ATTEMPTS):
            kept += filter(self._allows, self.inner.ask(n - len(kept)))
            if len(kept) == n:
                return tuple(kept)
        raise SearchError(
            f"of {ATTEMPTS} times {n} architectures {len(kept)} {self._why}",
            "widen the limits, or `require` them in the file, where they are met exactly",
        )

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> Mapping[str, float]:
        return self.inner.tell(architectures, rewards)

    def refined(self) -> Strategy:
        """What goes on in `derive`, within the same limits."""
        return Within(refined(self.inner), self._allows, self._why)

    def state_dict(self) -> dict[str, Any]:
        return self.inner.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.inner.load_state_dict(state)


def bare(strategy: Strategy) -> Strategy:
    """A strategy with the limits around it taken off."""
    while isinstance(strategy, Within):
        strategy = strategy.inner
    return strategy
