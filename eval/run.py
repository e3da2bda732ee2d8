"""Ask every question and keep one row for each: what was said, and how it scores."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from eval.metrics import citation_precision, contained, refusal_f1
from eval.questions import Question
from index.progress import Progress, silent
from rag.chatbot import Chatbot
from rag.types import Answer


@dataclass(frozen=True, slots=True)
class Row:
    """One question, its answer and its scores; a score is None where the question does not judge it."""

    question: Question
    answer: Answer
    contained: float | None
    citation_precision: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run. `metrics` are between 0 and 1, except times in seconds; what could not be scored is absent."""

    model: str
    index: str
    rows: tuple[Row, ...]
    metrics: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def evaluate(chatbot: Chatbot, questions: Sequence[Question], *, progress: Progress = silent) -> Result:
    """Ask all of `questions`, one after the other."""
    rows = []
    for number, question in enumerate(questions):
        progress("asking", number, len(questions))
        rows.append(score(question, chatbot.answer(question.question)))
    progress("asking", len(questions), len(questions))
    return Result(chatbot.generator.name, str(chatbot.index.folder), tuple(rows), summary(rows))


def score(question: Question, answer: Answer) -> Row:
    """The scores of one answer."""
    said = (
        None if question.answers is None or question.answerable is False else contained(answer.text, question.answers)
    )
    return Row(question, answer, said, citation_precision(answer, question))


def summary(rows: Sequence[Row]) -> dict[str, float]:
    """Means over the rows that are judged, refusal as a whole, and median times."""
    metrics: dict[str, float] = {}
    for name in ("contained", "citation_precision"):
        values = [value for row in rows if (value := getattr(row, name)) is not None]
        if values:
            metrics[name] = fmean(values)
    judged = [row for row in rows if row.question.answerable is not None]
    if judged:
        refused = [row.answer.abstained for row in judged]
        unanswerable = [not row.question.answerable for row in judged]
        metrics["refusal_precision"], metrics["refusal_recall"], metrics["refusal_f1"] = refusal_f1(
            refused, unanswerable
        )
    metrics["total_p50_s"] = median(row.answer.timings.total_s for row in rows)
    return metrics
