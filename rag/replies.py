"""Answers and refusals put together from what came of a question: their passages, confidence and reasons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from index.filters import Filters
from index.types import Hit
from rag.citations import SignedSentence
from rag.evidence import Evidence
from rag.saying import counted, described
from rag.types import Answer, Citation, DoneEvent, PassageUse, Searched, Signals, Timings, Usage

REFUSAL = "The articles do not tell."


@dataclass(frozen=True, slots=True)
class Taken:
    """A question that has been taken up: what of its answer is known before anything is written. Times in seconds."""

    question: str
    passages: tuple[PassageUse, ...]
    searched: Searched
    search_s: float
    model: str
    index: str

    def done(
        self,
        text: str,
        *,
        log_odds: float,
        signals: Signals | None,
        total_s: float,
        usage: Usage,
        reason: str | None = None,
        citations: tuple[Citation, ...] = (),
        first_token_s: float | None = None,
    ) -> DoneEvent:
        """The end of its stream: the answer `text`, or a refusal if there is a `reason`."""
        return DoneEvent(
            Answer(
                question=self.question,
                text=text,
                abstained=reason is not None,
                confidence=round(_confidence(log_odds), 4),
                reason=reason,
                citations=citations,
                passages=self.passages,
                timings=Timings(self.search_s, first_token_s, total_s),
                model=self.model,
                index=self.index,
                usage=usage,
                searched=self.searched,
                signals=signals,
            )
        )


def passages_of(hits: Sequence[Hit], evidence: Evidence) -> tuple[PassageUse, ...]:
    """What search found, and whether it went into the evidence."""
    return tuple(
        PassageUse(
            article_id=hit.article.id,
            title=hit.article.title,
            source=hit.article.source,
            date=hit.article.date,
            path=hit.article.path,
            start=hit.passage.start,
            end=hit.passage.end,
            text=hit.passage.text,
            score=round(hit.score, 4),
            rank=hit.rank,
            used=evidence.passage_used(hit.article.id, hit.passage.start, hit.passage.end),
        )
        for hit in hits
    )


def nothing_found(filters: Filters) -> str:
    """The reason if the index is empty, or no article passes the filters."""
    if not filters.limits:
        return "There is no article in the index that could tell."
    return f"No article in the index is {described(filters)}."


def not_stated(hits: Sequence[Hit]) -> str:
    """The reason if the gate stayed shut."""
    return f"The nearest passages, from {_articles(hits)}, do not state the answer to this question."


def doubtful(hits: Sequence[Hit]) -> str:
    """The reason if the second look failed."""
    near = _articles(hits)
    return f"The nearest passages, from {near}, speak of this, but a draft from them did not hold when it was checked."


def unsupported(signed: Sequence[SignedSentence]) -> str:
    """The reason if no sentence of the draft stands."""
    missing = list(dict.fromkeys(fact for item in signed for fact in item.missing))
    if missing:
        named = ", ".join(f"“{fact}”" for fact in missing[:3])
        return f"A draft was written, but the passages do not contain {named}, so it was not shown."
    return "A draft was written, but no passage supports it, so it was not shown."


def _articles(hits: Sequence[Hit]) -> str:
    return counted(len({hit.article.id for hit in hits}), "article")


def _confidence(log_odds: float) -> float:
    """From log-odds to a probability: the model's own, not calibrated."""
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0
