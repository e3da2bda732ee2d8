"""Answers and refusals put together from what came of a question."""

from collections.abc import Sequence
from dataclasses import dataclass

from index.types import Hit
from rag.copies import copy_at
from rag.evidence import Evidence
from rag.explanation import Explanation
from rag.types import Answer, Citation, DoneEvent, PassageUse, Searched, Signals, Timings, Usage


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
        confidence: float,
        signals: Signals | None,
        total_s: float,
        usage: Usage,
        reason: str | None = None,
        citations: tuple[Citation, ...] = (),
        first_token_s: float | None = None,
        notes: tuple[str, ...] = (),
        skipped: tuple[str, ...] = (),
        explanation: Explanation | None = None,
    ) -> DoneEvent:
        """The end of its stream: the answer `text`, or a refusal if there is a `reason`."""
        return DoneEvent(
            Answer(
                question=self.question,
                text=text,
                abstained=reason is not None,
                confidence=round(confidence, 4),
                reason=reason,
                citations=citations,
                passages=self.passages,
                timings=Timings(self.search_s, first_token_s, total_s),
                model=self.model,
                index=self.index,
                usage=usage,
                searched=self.searched,
                signals=signals,
                notes=notes,
                skipped=skipped,
                explanation=explanation,
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
            used=any(
                evidence.passage_used(one.article.id, one.passage.start, one.passage.end) for one in (hit, *hit.copies)
            ),
            also_in=tuple(copy_at(one.article, one.passage.start, one.passage.end) for one in hit.copies),
            page=hit.article.page_at(hit.passage.start),
        )
        for hit in hits
    )
