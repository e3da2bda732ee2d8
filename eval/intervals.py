"""How sure a figure is: 95 % intervals by the percentile bootstrap, always the same ones for the same scores.

1,000 resamples of the questions, with replacement, from a fixed seed. In NumPy and not by `scipy.stats.bootstrap`: that
one cannot leave out resamples for which a score is undefined (no unanswerable question was drawn), warns about constant
samples and takes most of a second to import. For means it gives the same intervals.

An interval tells how the figure varies with the questions drawn, not with the model, which is deterministic. A sample
without variation has an interval without width, however small it is: look at `n`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.metrics.whole import SetScore, Table
from eval.outcomes import Outcome

RESAMPLES = 1000
SEED = 2024

_Floats: TypeAlias = NDArray[np.float64]
# Numbers of questions drawn at a time: bounds the memory that large sets need.
_MOST_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its 95 % interval, and the number of outcomes that were scored."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of first − second over the `n` questions scored in both, with its 95 % interval.

    `p` is two-sided, 0 to 1: the share of resamples in which the difference is 0 or has the other sign, doubled. 0
    means less than 1 in 500.
    """

    value: float
    low: float
    high: float
    p: float
    n: int


def mean_estimate(values: Sequence[float | None], *, seed: int = SEED) -> Estimate | None:
    """The mean of the values that are not None; None if all are."""
    scored = _scored(values)
    if not len(scored):
        return None
    if (scored == scored[0]).all():
        return _certain(float(scored[0]), len(scored))
    return _estimate(float(scored.mean()), _resampled_means(scored, seed), len(scored))


def set_estimate(outcomes: Sequence[Outcome], score: SetScore, *, seed: int = SEED) -> Estimate | None:
    """The score of a whole set, the judged outcomes of which are resampled; None if it is undefined for the set.

    Resamples for which it is undefined are left out.
    """
    return table_estimate(score.table(outcomes), score.score, seed=seed)


def table_estimate(table: Table, score: Callable[[Table], float | None], *, seed: int = SEED) -> Estimate | None:
    """As `set_estimate`, of the facts of the judged outcomes, one a row."""
    value = score(table) if len(table) else None
    if value is None:
        return None
    if (table == table[0]).all():
        return _certain(value, len(table))
    scores = [score(table[drawn]) for block in _draws(len(table), seed) for drawn in block]
    return _estimate(value, np.array([item for item in scores if item is not None] or [value]), len(table))


def paired_difference(
    first: Sequence[float | None], second: Sequence[float | None], *, seed: int = SEED
) -> Difference | None:
    """By how much `first` is higher than `second`, question by question; None if no question is scored in both.

    The two hold the scores of the same questions in the same order (ValueError if not equally many), None where a
    question was not scored.
    """
    pairs = [(one, other) for one, other in zip(first, second, strict=True) if one is not None and other is not None]
    if not pairs:
        return None
    differences = np.array([one - other for one, other in pairs], dtype=np.float64)
    if (differences == differences[0]).all():
        value = float(differences[0])
        return Difference(value, value, value, 0.0 if value else 1.0, len(pairs))
    value = float(differences.mean())
    means = _resampled_means(differences, seed)
    # Sums of floats that cancel out may miss 0 by a hair.
    at_zero = np.abs(means) < 1e-12
    other_side = at_zero | (np.sign(means) != np.sign(value))
    estimate = _estimate(value, means, len(pairs))
    return Difference(value, estimate.low, estimate.high, min(1.0, 2 * float(other_side.mean())), len(pairs))


def _scored(values: Sequence[float | None]) -> _Floats:
    return np.array([value for value in values if value is not None], dtype=np.float64)


def _estimate(value: float, resampled: _Floats, n: int) -> Estimate:
    low, high = np.percentile(resampled, (2.5, 97.5)).tolist()
    return Estimate(value, low, high, n)


def _certain(value: float, n: int) -> Estimate:
    return Estimate(value, value, value, n)


def _resampled_means(values: _Floats, seed: int) -> _Floats:
    return np.concatenate([values[block].mean(axis=1) for block in _draws(len(values), seed)])


def _draws(n: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """All resamples as positions, one a row, in blocks."""
    generator = np.random.default_rng(seed)
    rows = max(1, min(RESAMPLES, _MOST_AT_ONCE // n))
    for start in range(0, RESAMPLES, rows):
        yield generator.integers(0, n, size=(min(rows, RESAMPLES - start), n))
