"""What became of a question, and if it went wrong, at which stage of its way."""

from typing import Literal, TypeAlias

from eval.metrics.right import is_right
from eval.outcomes import Outcome

Stage: TypeAlias = Literal[
    "right",
    "rightly refused",
    "right, badly cited",
    "not retrieved",
    "retrieved, not chosen",
    "chosen, but refused",
    "answered wrong",
    "should be refused",
    "not judged",
]

FAILURES: tuple[Stage, ...] = (
    "should be refused",
    "answered wrong",
    "right, badly cited",
    "not retrieved",
    "retrieved, not chosen",
    "chosen, but refused",
)
"""The worst first: what misleads a reader is worse than what leaves them without an answer."""

_MOST_PASSAGES_READ = 8


def stage_of(outcome: Outcome) -> Stage:
    """How far the question got.

    For an answerable question that was refused or answered wrongly, the first stage at which its evidence was lost:
    none of it among the passages, none of it among the sentences that the model read, or refused although it was
    there. What was answered wrongly in spite of its evidence is "answered wrong". "right, badly cited": no cited
    sentence is judged evidence, or most are not. Without judged evidence only the answer counts.
    """
    if outcome.question.task != "answer" or outcome.answer is None:
        return _stage_of_search(outcome)
    right = is_right(outcome)
    refused = outcome.answer.abstained
    if outcome.question.answerable is False:
        return "rightly refused" if refused else "should be refused"
    if right is None:
        return "not judged"
    if right:
        return "right, badly cited" if _badly_cited(outcome) else "right"
    lost = _lost(outcome)
    if lost is not None:
        return lost
    return "chosen, but refused" if refused else "answered wrong"


def _lost(outcome: Outcome) -> Stage | None:
    if not outcome.gold or outcome.answer is None:
        return None
    read = outcome.ranking[: len(outcome.answer.passages) or _MOST_PASSAGES_READ]
    if not any(gold.found_in(place) for gold in outcome.gold for place in read):
        return "not retrieved"
    if not any(gold.found_in(place) for gold in outcome.gold for place in outcome.chosen):
        return "retrieved, not chosen"
    return None


def _badly_cited(outcome: Outcome) -> bool:
    if not outcome.gold:
        return False
    shown = [any(gold.found_in(place) for gold in outcome.gold) for place in outcome.cited]
    return not shown or 2 * sum(shown) < len(shown)


def _stage_of_search(outcome: Outcome) -> Stage:
    if outcome.question.task != "search" or not outcome.gold:
        return "not judged"
    found = any(gold.found_in(place) for gold in outcome.gold for place in outcome.ranking[:_MOST_PASSAGES_READ])
    return "right" if found else "not retrieved"
