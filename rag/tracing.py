"""What happens to one question, written down on the way, to be explained afterwards (`rag/explanation.py`).

Costs well under a millisecond a question: everything noted here was computed for the answer itself.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from index.search import Mix
from index.types import Hit
from rag.citations import SignedSentence
from rag.evidence import Evidence, EvidenceSentence
from rag.explanation import Check, ChosenSentence, DraftSentence, Explanation, PassageScores, Step, Weights
from rag.facts import as_written
from rag.types import Signals, Usage

_DIGITS = 4


class Trace:
    """The notes on one question, begun when it is taken up. Used by one thread."""

    def __init__(self, started: float) -> None:
        """`started` is the `time.perf_counter()` of that moment."""
        self._started = self._last = started
        self._usage: Usage | None = None
        self._steps: list[Step] = []
        self._checks: list[Check] = []
        self._drafted: tuple[SignedSentence, ...] = ()
        self._kept: tuple[SignedSentence, ...] = ()

    def step(self, name: str, usage: Usage | None = None) -> None:
        """What was done since the last step (or the start) is called `name`.

        `usage` is what the model has done by now; the first one given only says where counting starts.
        """
        now = time.perf_counter()
        used = usage.since(self._usage) if usage and self._usage else Usage()
        self._steps.append(
            Step(
                name,
                round(self._last - self._started, 6),
                round(now - self._last, 6),
                used.passes,
                used.tokens_read,
                used.tokens_written,
            )
        )
        self._last, self._usage = now, usage or self._usage

    def before_writing(self, signals: Signals, chance: float, least: float) -> None:
        """The judgements before a word was written: the chance of a right answer, and the least that is worth it."""
        self._check("answerable", signals.answerable)
        self._check("chance before writing", chance, least)

    def after_writing(self, signals: Signals, confidence: float, least: float) -> None:
        """The judgements on the finished answer: the chance that it is right, and the least that is shown."""
        self._check("answers", signals.answers)
        self._check("right", signals.right)
        self._check("agreement", signals.agreement)
        self._check("confidence", confidence, least)

    def drafted(self, sentences: Sequence[SignedSentence], standing: Sequence[SignedSentence]) -> None:
        """The sentences that the model wrote, with the evidence found for each; and those of them that stand."""
        self._drafted, self._kept = tuple(sentences), tuple(standing)

    def _check(self, name: str, value: float | None, threshold: float | None = None) -> None:
        if value is not None:
            self._checks.append(Check(name, round(value, _DIGITS), _rounded(threshold)))

    def explanation(
        self, hits: Sequence[Hit], evidence: Evidence, *, mix: Mix | None = None, evidence_tokens: int | None = None
    ) -> Explanation:
        """Everything noted so far, with the scores of what was found and of what was read."""
        places = {_key(item): place for place, item in enumerate(evidence.sentences, start=1)}
        return Explanation(
            weights=None if mix is None else _weights(mix),
            passages=tuple(_passage_scores(hit) for hit in hits),
            evidence=tuple(_chosen(item) for item in evidence.sentences),
            evidence_tokens=evidence_tokens,
            checks=tuple(self._checks),
            draft=tuple(
                DraftSentence(
                    item.text,
                    tuple(places[_key(cited)] for cited in item.cited if _key(cited) in places),
                    round(item.support, _DIGITS),
                    tuple(as_written(fact, item.text) for fact in item.missing),
                    any(item is kept for kept in self._kept),
                    tuple(map(str, item.contradicted)),
                )
                for item in self._drafted
            ),
            steps=tuple(self._steps),
        )


def _weights(mix: Mix) -> Weights:
    return Weights(mix.passage, mix.sentence, mix.passage_words, mix.article_words, mix.words_late)


def _passage_scores(hit: Hit) -> PassageScores:
    parts = hit.parts
    return PassageScores(
        rank=hit.rank,
        passage=_rounded(parts.passage),
        sentence=_rounded(max(hit.sentence_scores, default=None) if parts.sentence is None else parts.sentence),
        passage_words=_rounded(parts.passage_words),
        article_words=_rounded(parts.article_words),
        words_late=_rounded(parts.words_late),
        preference=round(parts.preference, _DIGITS),
        score=round(hit.score, _DIGITS),
    )


def _chosen(item: EvidenceSentence) -> ChosenSentence:
    chosen = ChosenSentence(
        article_id=item.article.id,
        path=item.article.path,
        start=item.sentence.start,
        end=item.sentence.end,
        text=item.sentence.text,
        score=round(item.score, _DIGITS),
    )
    parts = item.parts
    if parts is None:
        return chosen
    return replace(
        chosen,
        similarity=_rounded(parts.similarity),
        passage=_rounded(parts.passage),
        words=_rounded(parts.words),
        kind=_rounded(parts.kind),
        tokens=parts.tokens,
        reason=parts.reason,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _key(item: EvidenceSentence) -> tuple[str, int]:
    return item.article.id, item.sentence.start
