"""A search whose rewards stand in a table: nothing is trained, and no supernet is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from enasdsl.ir.costs import cost
from enasdsl.ir.space import Architecture, Space
from enasdsl.search.drive import Step
from enasdsl.search.errors import SearchError
from enasdsl.search.metrics import Position
from enasdsl.search.objective import Objective
from enasdsl.search.problem import Measure
from enasdsl.search.ranking import Key, Ranked
from enasdsl.search.relaxed import Relaxed
from enasdsl.search.strategy import Strategy
from enasdsl.search.table import Table
from enasdsl.search.valuation import Within

PATIENCE = 200
"""Architectures in a row, all known already, after which a strategy has nothing new to say."""
DEFAULTS: Mapping[str, object] = {
    "controller": {
        "lr": 0.02,
        "children": 4,
        "entropy": 0.2,
        "baseline": 0.9,
        "unit": "deviation",
    },
}
"""What takes the place of a recipe: queries are few, and their rewards exact."""


@dataclass(frozen=True)
class Prices:
    """What a table and the file's costs say of the architectures of a space, as an objective."""

    space: Space
    table: Table
    objective: Objective
    known: dict[Architecture, dict[str, float] | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, space: Space, table: Table, text: str | None) -> Prices:
        """The objective of `text`, else the first number of the table; raises SearchError."""
        costs = ("params", "macs") if space.network else ()
        known = tuple(dict.fromkeys((*table.names, *costs)))
        objective = Objective.of(table.names[0]) if text is None else Objective.parse(text)
        objective.check_names(known)
        return cls(space, table, objective)

    def values(self, architecture: Architecture) -> dict[str, float] | None:
        """All that is known of an architecture, or None where the table does not have it."""
        if architecture not in self.known:
            self.known[architecture] = self._found(architecture)
        return self.known[architecture]

    def _found(self, architecture: Architecture) -> dict[str, float] | None:
        numbers = self.table.numbers(architecture)
        if numbers is None:
            return None
        found = dict(numbers)
        wanted = self.objective.directions.keys() & {"params", "macs"}
        if wanted - numbers.keys():
            known = cost(self.space, architecture)
            found = {"params": known.params, "macs": known.macs, **numbers}
        if missing := self.objective.directions.keys() - found.keys():
            raise SearchError(f"an entry of {self.table.path} has no `{missing.pop()}`")
        return found

    def allows(self, architecture: Architecture) -> bool:
        """Whether the table has an architecture, and it keeps every limit."""
        values = self.values(architecture)
        return values is not None and self.objective.allows(values)

    def ranked(self, architecture: Architecture) -> Ranked:
        """An architecture that is allowed, with what it earns."""
        values = self.values(architecture) or {}
        reward = self.objective.reward(values)
        return Ranked(architecture, Measure(reward, reward), values)

    @cached_property
    def best(self) -> float:
        """The greatest reward that the table can give."""
        return max(self.ranked(a).measure.reward for a in self.table.rows if self.allows(a))


class Tabular:
    """The search as a job: each step asks a few architectures, looks them up, and tells.

    A query is a class of architectures that was not looked up before; what is known is told again
    for nothing.
    """

    def __init__(
        self, strategy: Strategy, prices: Prices, key: Key, *, queries: int, children: int
    ) -> None:
        if isinstance(strategy, Relaxed):
            raise SearchError(
                f"`{strategy.name}` follows gradients of a loss, and a table has none",
                "with --table take --strategy enas, random or evolution",
            )
        self.strategy = Within(strategy, prices.allows, f"are in {prices.table.path} and allowed")
        self.found: dict[str, Ranked] = {}
        self.asked = 0
        self._prices = prices
        self._key = key
        self._queries = queries
        self._children = children
        self._idle = 0
        self._steps = 0
        self._best = float("-inf")

    @property
    def done(self) -> bool:
        return len(self.found) >= self._queries or self._idle >= PATIENCE

    @property
    def share(self) -> float:
        return len(self.found) / self._queries

    def step(self) -> Step:
        told: list[tuple[Architecture, float]] = []
        for architecture in self.strategy.ask(self._children):
            key = self._key(architecture)
            if self.done and key not in self.found:
                break
            self._idle = self._idle + 1 if key in self.found else 0
            if key not in self.found:
                self.found[key] = self._prices.ranked(architecture)
            told.append((architecture, self.found[key].measure.reward))
        self.asked += len(told)
        rewards = [reward for _, reward in told]
        learned = self.strategy.tell([a for a, _ in told], rewards)
        self._best = max(self._best, *rewards)
        at = Position("queries", 0, self._steps, self._steps)
        self._steps += 1
        figures = {"reward": sum(rewards) / len(rewards), "best": self._best, **learned}
        return Step(at, figures, last=self.done, epoch_over=self.done)

    def state_dict(self) -> dict[str, Any]:
        return {
            "strategy": self.strategy.state_dict(),
            "found": [entry.architecture.picks for entry in self.found.values()],
            "counts": (self.asked, self._idle, self._steps),
            "best": self._best,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.strategy.load_state_dict(state["strategy"])
        space = self._prices.space
        known = [_read(space, picks) for picks in state["found"]]
        self.found = {self._key(a): self._prices.ranked(a) for a in known}
        self.asked, self._idle, self._steps = state["counts"]
        self._best = state["best"]


def _read(space: Space, picks: Sequence[Sequence[int] | None]) -> Architecture:
    taken = tuple(None if p is None else tuple(p) for p in picks)
    return Architecture(space.name, space.hash, taken)
