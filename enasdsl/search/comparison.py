"""The found child beside children by chance, and shared weights beside weights of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from enasdsl.search.resampling import RESAMPLES, Estimate, Numbers, bootstrap, kendall, spearman

LEVEL = 0.05
"""How seldom chance must give a rank for the verdict to be that it was not chance."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A child that was trained from scratch with every one of its seeds.

    `shared` is its figure with the shared weights on the validation part, `valid` and `test` are
    those of its own weights, a figure for each seed.
    """

    name: str
    token: str
    shared: float
    valid: tuple[float, ...]
    test: tuple[float, ...]
    parameters: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the children say.

    `asked` random children were to be trained with `seeds` seeds each for `epochs` epochs, and
    `chance` are those that are. Of the found child: its `rank` among all by the test figure, ties
    against it, and its `lead` over the `median` of the random ones, in units of the figure,
    positive where it is better. `kendall` and `spearman` are correlations over the random
    children alone, since the found one was picked by its shared weights.
    """

    figure: str
    asked: int
    seeds: int
    epochs: int
    found: Trained | None
    chance: tuple[Trained, ...]
    rank: int | None = None
    median: float | None = None
    lead: Estimate | None = None
    kendall: Estimate | None = None
    spearman: Estimate | None = None

    @property
    def luck(self) -> float | None:
        """The greatest probability of such a rank, or a better one, for one more random child."""
        return None if self.rank is None else self.rank / (len(self.chance) + 1)

    @property
    def tells(self) -> bool:
        """Whether chance alone would seldom give such a rank."""
        return self.luck is not None and self.luck <= LEVEL


def needed(level: float = LEVEL) -> int:
    """The fewest random children among whom even the first rank tells."""
    return round(1 / level) - 1


def compare(
    figure: str,
    found: Trained | None,
    chance: Sequence[Trained],
    *,
    asked: int,
    seeds: int,
    epochs: int,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compares them; `figure` is `perplexity`, where less is better, or another, where more is."""
    sign = -1.0 if figure == "perplexity" else 1.0
    kept = Comparison(figure, asked, seeds, epochs, found, tuple(chance))
    if not chance:
        return kept
    shared = [child.shared for child in chance]
    own = [fmean(child.valid) for child in chance]
    tests = np.array([fmean(child.test) for child in chance])
    rank = lead = None
    if found is not None:
        test = fmean(found.test)
        rank = 1 + int((sign * tests >= sign * test).sum())

        def ahead(drawn: Numbers) -> float:
            return sign * (test - float(np.median(drawn)))

        lead = bootstrap(ahead, tests.tolist(), rng=rng, resamples=resamples)
    return Comparison(
        figure, asked, seeds, epochs, found, tuple(chance),
        rank=rank, median=float(np.median(tests)), lead=lead,
        kendall=bootstrap(kendall, shared, own, rng=rng, resamples=resamples),
        spearman=bootstrap(spearman, shared, own, rng=rng, resamples=resamples),
    )  # fmt: skip
