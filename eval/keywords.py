"""The baseline beside every figure: search by keywords alone, and the sentence with most words of the question."""

import dataclasses
import time
from collections.abc import Sequence

from eval.outcomes import Outcome, Place, file_name
from index.types import Hit
from rag.chatbot import Chatbot
from rag.citations import cite
from rag.evidence import EvidenceSentence
from rag.types import Answer, Timings
from rag.words import content_stems


def keyword_outcome(outcome: Outcome, chatbot: Chatbot, scope: Sequence[str] | None) -> Outcome:
    """What comes of the same question without vectors and without a model; it never refuses if any word is found.

    Its confidence, and its support score, is the share of the question's content words in the best sentence.
    """
    question = outcome.question
    started = time.perf_counter()
    hits = chatbot.index.keyword_search(question.question, passages=len(outcome.ranking) or 1, articles=scope)
    searched = time.perf_counter() - started
    plain = Outcome(question, outcome.gold, ranking_of(hits), search_s=searched, unfound=outcome.unfound)
    if question.task == "search":
        return plain
    best = _best_sentence(question.question, hits[: chatbot.settings.passages_per_question])
    if question.task == "support":
        return dataclasses.replace(plain, support_score=best.score if best else 0.0)
    citation = cite(best) if best else None
    answer = Answer(
        question=question.question,
        text=citation.quote if citation else "",
        abstained=citation is None,
        confidence=best.score if best else 0.0,
        reason=None if citation else "No word of the question occurs in the articles.",
        citations=(citation,) if citation else (),
        passages=(),
        timings=Timings(searched, None, time.perf_counter() - started),
        model="keywords",
        index=str(chatbot.index.folder),
    )
    chosen = (Place(file_name(citation.path), citation.start, citation.end),) if citation else ()
    return dataclasses.replace(plain, answer=answer, chosen=chosen)


def ranking_of(hits: Sequence[Hit]) -> tuple[Place, ...]:
    """Where the passages stand, best first."""
    return tuple(Place(file_name(hit.article.path), hit.passage.start, hit.passage.end) for hit in hits)


def _best_sentence(question: str, hits: Sequence[Hit]) -> EvidenceSentence | None:
    """The first sentence that holds most of the question's content words; its score is their share."""
    wanted = content_stems(question)
    best: EvidenceSentence | None = None
    for hit in hits:
        for sentence in hit.passage.sentences:
            share = len(wanted & content_stems(sentence.text)) / max(1, len(wanted))
            if best is None or share > best.score:
                best = EvidenceSentence(sentence, hit.article, share)
    return best
