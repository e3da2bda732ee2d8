"""The same questions, answered by systems that need no thought. A figure means something only beside theirs."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from eval.asking import Row
from eval.outcomes import Outcome
from rag.types import Answer


def always_refuse(row: Row) -> Outcome:
    """Every question refused."""
    return _with_answer(row, lambda answer: dataclasses.replace(answer, text="", abstained=True, citations=()))


def always_answer(row: Row) -> Outcome:
    """No question refused: where Byline does, the sentence that its own search put first is quoted instead."""

    def unrefused(answer: Answer) -> Answer:
        if not answer.abstained or row.nearest is None:
            return answer
        nearest = row.nearest
        return dataclasses.replace(answer, text=nearest.quote, abstained=False, citations=(nearest,), reason=None)

    return _with_answer(row, unrefused)


def keyword_only(row: Row) -> Outcome:
    """Search by keywords, and the sentence with most words of the question quoted; see `eval/keywords.py`."""
    return row.keyword


BASELINES: Mapping[str, Callable[[Row], Outcome]] = {
    "always-refuse": always_refuse,
    "always-answer": always_answer,
    "keyword-only": keyword_only,
}


def baseline_outcomes(rows: Sequence[Row]) -> dict[str, list[Outcome]]:
    """Baseline → its outcomes, in the order of `rows`. Those about answers are left out if no answer was asked for."""
    answered = any(row.outcome.answer is not None for row in rows)
    names = BASELINES if answered else ("keyword-only",)
    return {name: [BASELINES[name](row) for row in rows] for name in names}


def _with_answer(row: Row, change: Callable[[Answer], Answer]) -> Outcome:
    outcome = row.outcome
    return outcome if outcome.answer is None else dataclasses.replace(outcome, answer=change(outcome.answer))
