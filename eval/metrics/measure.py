"""Many metrics at once, each with its interval: of a whole set, of its parts and of its kinds of question."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.intervals import Estimate, mean_estimate, table_estimate
from eval.metrics import METRICS
from eval.metrics.whole import Facts, SetScore
from eval.outcomes import Outcome
from index.errors import InputError


@dataclass(frozen=True, slots=True)
class _Scored:
    """What every outcome gave for one metric. Kept, so that groups of outcomes are not scored again."""

    rows: Sequence[Facts | None]
    whole: SetScore | None

    def estimate(self, members: Iterable[int]) -> Estimate | None:
        judged = [row for number in members if (row := self.rows[number]) is not None]
        if self.whole is None:
            return mean_estimate([row[0] for row in judged])
        return table_estimate(np.array(judged, dtype=np.float64), self.whole.score)


def measure(
    outcomes: Sequence[Outcome], names: Sequence[str], accuracy: Callable[[Outcome], float | None] | None = None
) -> dict[str, Estimate]:
    """The named metrics in order, each followed by the same of every part as "NAME/part", parts as they first occur.

    A metric that no outcome could be scored with is left out. `accuracy` is the set's own score of one outcome.
    Questions without a `part` count in the whole alone. Raises InputError for a name that is no metric.
    """
    parts = _members(outcomes, [outcome.question.part for outcome in outcomes])
    found: dict[str, Estimate] = {}
    for name in names:
        scored = _score(outcomes, name, accuracy)
        found |= _estimates(scored, {name: range(len(outcomes))})
        found |= _estimates(scored, {f"{name}/{part}": members for part, members in parts.items()})
    return found


def by_kind(
    outcomes: Sequence[Outcome], names: Sequence[str], accuracy: Callable[[Outcome], float | None] | None = None
) -> dict[str, Estimate]:
    """The named metrics of every kind of question as "NAME/kind", none of the whole; otherwise as `measure`."""
    kinds = _members(outcomes, [outcome.question.kind for outcome in outcomes])
    found: dict[str, Estimate] = {}
    for name in names:
        scored = _score(outcomes, name, accuracy)
        found |= _estimates(scored, {f"{name}/{kind}": members for kind, members in kinds.items()})
    return found


def _members(outcomes: Sequence[Outcome], groups: Sequence[str]) -> dict[str, list[int]]:
    """The positions of the outcomes of each group, "" left out."""
    members: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        if group:
            members.setdefault(group, []).append(number)
    return members


def _score(outcomes: Sequence[Outcome], name: str, accuracy: Callable[[Outcome], float | None] | None) -> _Scored:
    metric = METRICS.get(name)
    if metric is None:
        raise InputError(f"There is no metric called {name!r}.", help=f"Metrics: {', '.join(METRICS)}.")
    if metric.whole is not None:
        return _Scored([metric.whole.facts(outcome) for outcome in outcomes], metric.whole)
    row = accuracy if name == "accuracy" else metric.row
    if row is None:
        return _Scored([None] * len(outcomes), None)
    return _Scored([None if (score := row(outcome)) is None else (score,) for outcome in outcomes], None)


def _estimates(scored: _Scored, groups: dict[str, Iterable[int]]) -> dict[str, Estimate]:
    return {name: estimate for name, members in groups.items() if (estimate := scored.estimate(members)) is not None}
