"""Who proposes architectures: one small interface, the strategies that have it, and the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, runtime_checkable

from enasdsl.ir.space import Architecture, Space
from enasdsl.search.chance import Spos, Uniform
from enasdsl.search.enas import Enas
from enasdsl.search.errors import SearchError
from enasdsl.search.evolution import Evolution
from enasdsl.search.relaxed import Darts, Gdas
from enasdsl.semantics.recipe import Recipe

GROUP = "enasdsl.strategies"
"""The entry points of installed packages that bring a strategy: its name, and what makes it."""


class Strategy(Protocol):
    """A source of architectures that may learn from what they earned.

    One that does not learn is spared the second phase of each epoch.
    """

    @property
    def learns(self) -> bool: ...
    def ask(self, n: int) -> Sequence[Architecture]:
        """Draws `n` architectures."""
        ...

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> Mapping[str, float]:
        """Learns from their rewards; gives figures of the update."""
        ...

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@runtime_checkable
class Refining(Protocol):
    """A strategy that searches on where weights no longer change, as `derive` scores with."""

    def refined(self) -> Strategy:
        """What proposes there, and is told each score."""
        ...


class Settled:
    """A strategy that goes on proposing and learns no more."""

    learns = False

    def __init__(self, inner: Strategy) -> None:
        self.ask = inner.ask
        self.state_dict = inner.state_dict
        self.load_state_dict = inner.load_state_dict

    def tell(
        self, architectures: Sequence[Architecture], rewards: Sequence[float]
    ) -> dict[str, float]:
        return {}


def refined(strategy: Strategy) -> Strategy:
    """What proposes where weights no longer change, to be told each score."""
    return strategy.refined() if isinstance(strategy, Refining) else Settled(strategy)


Factory = Callable[[Space, Recipe, int], Strategy]
"""Makes a strategy for a space under a recipe and a seed."""

STRATEGIES: Mapping[str, Factory] = {
    "enas": Enas,
    "random": Uniform,
    "evolution": Evolution,
    "spos": Spos,
    "darts": Darts,
    "gdas": Gdas,
}


def known_strategies() -> dict[str, Factory | EntryPoint]:
    """The strategies by name: those of installed packages, and over them those that come along."""
    return {**{point.name: point for point in entry_points(group=GROUP)}, **STRATEGIES}


def check_strategy(name: str) -> str:
    """The name of a strategy; raises SearchError for one that does not exist."""
    known = known_strategies()
    if name not in known:
        listed = ", ".join([*STRATEGIES, *sorted(known.keys() - STRATEGIES.keys())])
        raise SearchError(f"no strategy is named `{name}`", f"there are: {listed}")
    return name


def strategy_of(name: str, space: Space, recipe: Recipe, seed: int) -> Strategy:
    """The strategy of that name; raises SearchError where there is none, or it cannot be made."""
    factory = known_strategies()[check_strategy(name)]
    if isinstance(factory, EntryPoint):
        factory = _loaded(factory)
    return factory(space, recipe, seed)


def _loaded(point: EntryPoint) -> Factory:
    """What an installed package brings; raises SearchError where it cannot be imported."""
    try:
        factory: Factory = point.load()
    except Exception as error:  # foreign code may fail in any way
        raise SearchError(
            f"the strategy `{point.name}` cannot be loaded from {point.value}: {error}",
            "mend or remove the package that brings it",
        ) from error
    return factory
