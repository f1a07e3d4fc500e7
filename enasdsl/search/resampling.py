"""What a few children say of many: statistics with intervals by the bootstrap (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
"""How often a sample is drawn again from itself."""

Numbers = NDArray[np.float64]
Statistic = Callable[..., float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic of a sample, and the middle 95 % of what it is on samples drawn from it."""

    value: float
    low: float
    high: float


def bootstrap(
    statistic: Statistic,
    *samples: Sequence[float],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Estimate | None:
    """A statistic of samples whose entries belong together, with its percentile interval.

    Resamples on which the statistic is not a number are left out; None where it is none at all.
    """
    columns = [np.asarray(sample, float) for sample in samples]
    size = len(columns[0])
    value = statistic(*columns) if size else float("nan")
    if value != value:
        return None
    again = rng.integers(0, size, (resamples, size))
    found = np.array([statistic(*(column[rows] for column in columns)) for rows in again])
    low, high = np.percentile(found[~np.isnan(found)], (2.5, 97.5))
    return Estimate(value, float(low), float(high))


def kendall(x: Numbers, y: Numbers) -> float:
    """Kendall's tau-b, which ties do not count for; not a number where one side is constant."""
    from scipy.stats import kendalltau  # slow to import, and few ask

    return float("nan") if _constant(x, y) else float(kendalltau(x, y).statistic)


def spearman(x: Numbers, y: Numbers) -> float:
    """Spearman's rho: the correlation of the ranks; not a number where one side is constant."""
    from scipy.stats import rankdata

    if _constant(x, y):
        return float("nan")
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _constant(*columns: Numbers) -> bool:
    return any(len(column) < 2 or column.min() == column.max() for column in columns)
