"""Does the program know when it knows? Scores of `confidence` (0 to 1) and, for the task "support", of `support_score`.

A set is scored with one of the two: its questions are all of the task "support", or none is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.metrics.right import is_right
from eval.metrics.whole import Facts, SetScore, Table
from eval.outcomes import Outcome

BINS = 10
"""Equal-width bins of confidence for `ece` and `reliability`; each holds its lower edge, the last one 1 as well."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Answers with a confidence from `low` to `high`: the mean confidence, and the share that is right."""

    low: float
    high: float
    confidence: float
    right: float
    count: int


def score_facts(outcome: Outcome) -> Facts | None:
    """(score, positive): confidence and answerable; for the task "support" support_score and supported."""
    answerable = outcome.question.answerable
    if answerable is None:
        return None
    if outcome.question.task == "support":
        return None if outcome.support_score is None else (outcome.support_score, float(answerable))
    return None if outcome.answer is None else (outcome.answer.confidence, float(answerable))


def decision_facts(outcome: Outcome) -> Facts | None:
    """(taken for positive, positive): answered and answerable; for "support" support_score > 0 and supported."""
    facts = score_facts(outcome)
    if facts is None:
        return None
    if outcome.answer is None or outcome.question.task == "support":
        return (float(facts[0] > 0), facts[1])
    return (float(not outcome.answer.abstained), facts[1])


def confidence_facts(outcome: Outcome) -> Facts | None:
    """(confidence, right) of an answer that was shown, and is judged: what became of drafts not shown, nobody knows."""
    if outcome.answer is None or outcome.answer.abstained or outcome.question.task == "support":
        return None
    right = is_right(outcome)
    return None if right is None else (outcome.answer.confidence, float(right))


def risk_facts(outcome: Outcome) -> Facts | None:
    """(answered, confidence, wrong) of an outcome that is judged answerable or not, and right or wrong."""
    right = is_right(outcome)
    if outcome.answer is None or outcome.question.answerable is None or right is None:
        return None
    return (float(not outcome.answer.abstained), outcome.answer.confidence, float(not right))


def area_under_roc(table: Table) -> float | None:
    """The share of the pairs (positive, negative) in which the positive scores higher; ties count half.

    None unless both occur.
    """
    scores, positive = table[:, 0], table[:, 1] > 0
    positives, negatives = scores[positive], np.sort(scores[~positive])
    if not len(positives) or not len(negatives):
        return None
    below = negatives.searchsorted(positives, "left").sum() + negatives.searchsorted(positives, "right").sum()
    return float(below / (2 * len(positives) * len(negatives)))


def balanced_accuracy(table: Table) -> float | None:
    """The mean of the shares of positives and of negatives that are taken for what they are. None unless both occur."""
    taken, positive = table[:, 0], table[:, 1] > 0
    if positive.all() or not positive.any():
        return None
    return float((taken[positive].mean() + 1 - taken[~positive].mean()) / 2)


def expected_calibration_error(table: Table) -> float:
    """The distance of a bin's mean confidence from its share of right answers, averaged over the answers shown (Guo
    et al. 2017)."""
    confidence, right = table.T
    bins = _bins(confidence)
    # count/total · |mean confidence − share|, where the count cancels out.
    gaps = np.bincount(bins, weights=confidence) - np.bincount(bins, weights=right)
    return float(np.abs(gaps).sum() / len(table))


def area_under_risk_coverage(table: Table) -> float | None:
    """The mean risk over the points of `risk_coverage`. None if nothing was answered."""
    _, risks = _risk_coverage(table)
    return float(risks.mean()) if len(risks) else None


def risk_coverage(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """Points (coverage, risk) for every bar of confidence, highest first.

    Coverage is the share of the judged questions that were answered with at least that confidence, risk the share of
    those answers that are wrong. Refused questions count in coverage alone. Empty if nothing was answered.
    """
    table = SetScore(risk_facts, area_under_risk_coverage).table(outcomes)
    if not len(table):
        return []
    coverages, risks = _risk_coverage(table)
    return list(zip(coverages.tolist(), risks.tolist(), strict=True))


def reliability(outcomes: Sequence[Outcome]) -> list[ReliabilityBin]:
    """The bins of confidence that hold outcomes, lowest first: what `ece` sums up."""
    table = SetScore(confidence_facts, expected_calibration_error).table(outcomes)
    if not len(table):
        return []
    bins = _bins(table[:, 0])
    found = []
    for number in np.unique(bins).tolist():
        confidence, right = table[bins == number].mean(axis=0).tolist()
        count = int((bins == number).sum())
        found.append(ReliabilityBin(number / BINS, (number + 1) / BINS, confidence, right, count))
    return found


def _bins(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)


def _risk_coverage(table: Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    answered = table[table[:, 0] > 0]
    ordered = answered[np.argsort(-answered[:, 1], kind="stable")]
    counts = np.arange(1, len(ordered) + 1)
    # Equally confident answers pass a bar together: a point stands after the last of them.
    last = np.append(np.diff(ordered[:, 1]) != 0, True)[: len(ordered)]
    return (counts / len(table))[last], (np.cumsum(ordered[:, 2]) / counts)[last]
