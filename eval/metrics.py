"""Scores, each a pure function. More are to come; these need no judge and no model."""

from collections.abc import Sequence
from pathlib import PurePath

from eval.questions import Question
from rag.types import Answer, Citation


def contained(answer: str, accepted: Sequence[str]) -> float:
    """Share (0 to 1) of the accepted answers that occur in `answer`, case and white space folded.

    For a question with one short answer this is the usual "gold answer contained".
    """
    folded = _folded(answer)
    return sum(_folded(item) in folded for item in accepted) / len(accepted) if accepted else 0.0


def cites_evidence(citation: Citation, question: Question) -> bool:
    """Whether the cited span overlaps a quoted span of the right article."""
    return any(
        PurePath(citation.path).name == PurePath(item.article).name
        and (item.quote in citation.quote or citation.quote in item.quote or _overlap(citation.quote, item.quote))
        for item in question.evidence or ()
    )


def citation_precision(answer: Answer, question: Question) -> float | None:
    """Share (0 to 1) of the distinct cited sentences that are judged evidence. None if nothing is cited or judged."""
    if not answer.citations or not question.evidence:
        return None
    distinct = list({citation.number: citation for citation in answer.citations}.values())
    return sum(cites_evidence(citation, question) for citation in distinct) / len(distinct)


def refusal_f1(refused: Sequence[bool], unanswerable: Sequence[bool]) -> tuple[float, float, float]:
    """Precision, recall and F1 of refusing, each 0 to 1; 0 where undefined."""
    right = sum(one and other for one, other in zip(refused, unanswerable, strict=True))
    precision = right / sum(refused) if any(refused) else 0.0
    recall = right / sum(unanswerable) if any(unanswerable) else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def _folded(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").replace("per cent", "percent").split())


def _overlap(one: str, other: str) -> bool:
    """Whether two spans share at least half of the shorter one's words, in a row or not."""
    first, second = set(_folded(one).split()), set(_folded(other).split())
    return 2 * len(first & second) >= min(len(first), len(second))
