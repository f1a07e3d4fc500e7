"""What a strategy believes: how unsure it is of each decision, as the search goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from enasdsl.search.strategy import Strategy
from enasdsl.search.valuation import bare

ENTROPY = "entropy/"
"""What stands before the path of a decision in the figures of a run."""


@runtime_checkable
class Believing(Protocol):
    """A strategy that knows its own distribution."""

    def beliefs(self, epoch: int) -> Mapping[str, float]:
        """The entropy in nats of each decision by its path; those that it never takes left out.

        Does not disturb what is drawn later.
        """
        ...


def believing(strategy: Strategy) -> Believing | None:
    """The strategy that has beliefs, limits around it taken off; None where it has none."""
    strategy = bare(strategy)
    return strategy if isinstance(strategy, Believing) else None


def noted(believer: Believing, epoch: int) -> dict[str, float]:
    """Its beliefs as figures of a run."""
    return {f"{ENTROPY}{path}": value for path, value in believer.beliefs(epoch).items()}
