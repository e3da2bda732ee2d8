"""Are the right questions refused? Judged are those with an answer that are known to be answerable or not.

Beside a figure of these belong the two that take no skill: refusing always and answering always (`eval/baselines.py`).
"""

from eval.metrics.right import is_right
from eval.metrics.whole import Facts, Table
from eval.outcomes import Outcome


def false_refusal(outcome: Outcome) -> float | None:
    """1 if an answerable question was refused, 0 if not; None for others."""
    if outcome.answer is None or outcome.question.answerable is not True:
        return None
    return float(outcome.answer.abstained)


def refused_unanswerable(outcome: Outcome) -> float | None:
    """1 if an unanswerable question was refused, 0 if not; None for others."""
    if outcome.answer is None or outcome.question.answerable is not False:
        return None
    return float(outcome.answer.abstained)


def wrong_answer(outcome: Outcome) -> float | None:
    """1 if the question was answered although unanswerable, or wrongly; 0 if refused or right. None if not judged."""
    right = is_right(outcome)
    if outcome.answer is None or outcome.question.answerable is None or right is None:
        return None
    return float(not outcome.answer.abstained and not right)


def refusal_facts(outcome: Outcome) -> Facts | None:
    """(refused, unanswerable) of a judged outcome."""
    if outcome.answer is None or outcome.question.answerable is None:
        return None
    return (float(outcome.answer.abstained), float(not outcome.question.answerable))


def precision(table: Table) -> float | None:
    """The share of the refused that are unanswerable, 0 if nothing is refused. None without unanswerable questions."""
    right, refused, unanswerable = _counts(table)
    if not unanswerable:
        return None
    return right / refused if refused else 0.0


def recall(table: Table) -> float | None:
    """The share of the unanswerable that are refused. None without unanswerable questions."""
    right, _, unanswerable = _counts(table)
    return right / unanswerable if unanswerable else None


def f1(table: Table) -> float | None:
    """The harmonic mean of precision and recall, 0 if nothing is refused rightly; None where they are."""
    right, refused, unanswerable = _counts(table)
    return 2 * right / (refused + unanswerable) if unanswerable else None


def _counts(table: Table) -> tuple[float, float, float]:
    """Rightly refused, refused, unanswerable."""
    refused, unanswerable = table.T
    return float(refused @ unanswerable), float(refused.sum()), float(unanswerable.sum())
