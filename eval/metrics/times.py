"""How long things took, in seconds, and how many tokens: percentiles, interpolated linearly between neighbours."""

from collections.abc import Callable

import numpy as np

from eval.metrics.whole import Facts, Table
from eval.outcomes import Outcome


def search_time(outcome: Outcome) -> Facts | None:
    """Seconds until the passages were found, of an answer or of a search alone."""
    return _fact(outcome.search_s if outcome.answer is None else outcome.answer.timings.search_s)


def first_token_time(outcome: Outcome) -> Facts | None:
    """Seconds until the first token; None if nothing was generated."""
    return None if outcome.answer is None else _fact(outcome.answer.timings.first_token_s)


def total_time(outcome: Outcome) -> Facts | None:
    """Seconds until the answer was there, refusals included."""
    return None if outcome.answer is None else _fact(outcome.answer.timings.total_s)


def tokens_in(outcome: Outcome) -> Facts | None:
    """Tokens that the model read and that were not cached."""
    return _fact(outcome.tokens_in)


def tokens_out(outcome: Outcome) -> Facts | None:
    """Tokens that the model wrote."""
    return _fact(outcome.tokens_out)


def percentile(percent: int) -> Callable[[Table], float]:
    """The value below which `percent` of the first column lie, as `numpy.percentile` has it by default."""

    def of(table: Table) -> float:
        # A bootstrap asks a thousand times, and for a few hundred values numpy.percentile takes ten times as long.
        ordered = np.sort(table[:, 0])
        position = percent / 100 * (len(ordered) - 1)
        below = int(position)
        above = min(below + 1, len(ordered) - 1)
        return float(ordered[below] + (ordered[above] - ordered[below]) * (position - below))

    return of


def _fact(value: float | None) -> Facts | None:
    return None if value is None else (float(value),)
