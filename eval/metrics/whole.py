"""Scores of many outcomes at once, such as an F1, an area or a percentile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.outcomes import Outcome

Facts: TypeAlias = tuple[float, ...]
"""What one outcome contributes to a score of the whole."""

Table: TypeAlias = NDArray[np.float64]
"""Facts of several outcomes, one a row."""


@dataclass(frozen=True, slots=True)
class SetScore:
    """A score of a whole set, in two steps, so that a bootstrap repeats only the second and quick one.

    `facts` is what one outcome contributes (None: it is not judged), `score` what a table of them is worth (None:
    undefined for these rows; it never gets an empty table).
    """

    facts: Callable[[Outcome], Facts | None]
    score: Callable[[Table], float | None]

    def __call__(self, outcomes: Sequence[Outcome]) -> float | None:
        """The score of these outcomes; None if none of them is judged or it is undefined for them."""
        table = self.table(outcomes)
        return self.score(table) if len(table) else None

    def table(self, outcomes: Sequence[Outcome]) -> Table:
        """The facts of the judged ones, in order."""
        return np.array([facts for outcome in outcomes if (facts := self.facts(outcome)) is not None], dtype=np.float64)
