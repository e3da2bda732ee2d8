"""The way of a question: search, evidence, answerable?, answer, attribution, support."""

import dataclasses
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing

from index.errors import BylineError, InputError
from index.search import SavedIndex
from index.types import Article, Hit
from rag.citations import SignedSentence, compose, sign, sign_phrase
from rag.evidence import Evidence, choose_evidence
from rag.examples import example_questions
from rag.generators import Generator
from rag.prompt import answer_messages, answerable_messages, supported_messages
from rag.settings import Settings
from rag.types import (
    Answer,
    Citation,
    CitationsEvent,
    DoneEvent,
    Event,
    Message,
    PassagesEvent,
    PassageUse,
    StatusEvent,
    TextEvent,
    Timings,
)

LONGEST_QUESTION = 2_000
"""Characters. Longer input is an error, not a question."""

REFUSAL = "The articles do not tell."


class Chatbot:
    """Answers questions from one index with one model. Threads may share it; the model serves one at a time."""

    def __init__(self, index: SavedIndex, generator: Generator, *, settings: Settings | None = None) -> None:
        self.index = index
        self.generator = generator
        self.settings = settings or Settings()
        self._turn = threading.Lock()

    def answer(
        self, question: str, *, history: Sequence[Message] = (), articles: Collection[str] | None = None
    ) -> Answer:
        """The signed answer, or a refusal. `articles` limits it to the articles with these ids.

        Raises InputError for an empty or overlong question.
        """
        for event in self.stream(question, history=history, articles=articles):
            if isinstance(event, DoneEvent):
                return event.answer
        raise BylineError("The answer ended before it was complete.")  # cannot happen without `stop`

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        articles: Collection[str] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[Event]:
        """The same as events while it is made; the last is a `DoneEvent` unless `stop` returned True before.

        Raises InputError for an empty or overlong question, at the first event.
        """
        stopped = stop or (lambda: False)
        question = _checked(question)
        started = time.perf_counter()
        yield StatusEvent(f"Searching {_counted(self.index.manifest.article_count, 'article')}")
        hits = self.search(question, history=history, articles=articles)
        searched = time.perf_counter() - started
        evidence = self.choose(question, hits)
        passages = _passages(hits, evidence)
        before = self.generator.usage()
        yield PassagesEvent(passages)

        def done(
            text: str,
            *,
            reason: str | None = None,
            log_odds: float,
            citations: tuple[Citation, ...] = (),
            first_token: float | None = None,
        ) -> DoneEvent:
            return DoneEvent(
                Answer(
                    question=question,
                    text=text,
                    abstained=reason is not None,
                    confidence=round(_confidence(log_odds), 4),
                    reason=reason,
                    citations=citations,
                    passages=passages,
                    timings=Timings(searched, first_token, time.perf_counter() - started),
                    model=self.generator.name,
                    index=str(self.index.folder),
                    usage=self.generator.usage().since(before),
                )
            )

        if not evidence.sentences:
            yield done(REFUSAL, reason="There is no article in the index that could tell.", log_odds=-math.inf)
            return
        if self._turn.locked():
            yield StatusEvent("Waiting for the question before this one")
        with self._turn:
            if stopped():
                return
            before = self.generator.usage()
            yield StatusEvent(f"Reading {_counted(len(evidence.sentences), 'sentence')}")
            log_odds = self.generator.log_odds(answerable_messages(question, evidence, history=history))
            if log_odds < self.settings.answerable_log_odds:
                yield done(REFUSAL, reason=_not_stated(hits), log_odds=log_odds)
                return
            yield StatusEvent("Writing")
            draft, first_token = "", None
            style = self.settings.answer_style
            messages = answer_messages(question, evidence, history=history, style=style)
            with closing(self.generator.generate(messages, max_tokens=self.settings.answer_tokens)) as pieces:
                for piece in pieces:
                    if stopped():
                        return
                    first_token = first_token or time.perf_counter() - started
                    draft += piece
                    yield TextEvent(piece)
            yield StatusEvent("Checking each sentence")
            phrase = style == "phrase"
            signed = (sign_phrase(draft, evidence, question=question),) if phrase else sign(draft, evidence)
            if self.generator.count_tokens(draft) >= self.settings.answer_tokens:
                signed = signed[:-1] or signed  # cut off in the middle of a sentence
            standing = [item for item in signed if item.stands(self.settings.citation_support)]
            text, citations = compose(standing)
            if citations:
                claim = f"{question} {text}" if phrase else text
                log_odds = self._second_look(question, claim, standing, history)
        if not citations:
            yield done(REFUSAL, reason=_unsupported(signed), log_odds=log_odds, first_token=first_token)
            return
        if log_odds < self.settings.answered_log_odds:
            yield done(REFUSAL, reason=_doubtful(hits), log_odds=log_odds, first_token=first_token)
            return
        yield CitationsEvent(text, citations)
        yield done(text, log_odds=log_odds, citations=citations, first_token=first_token)

    def search(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        articles: Collection[str] | None = None,
        passages: int | None = None,
    ) -> tuple[Hit, ...]:
        """The passages nearest to the question, best first. In a conversation it is searched alone and joined to the
        question before it; the better score counts. `passages` other than the settings' are for looking deeper."""
        count = passages or self.settings.passages_per_question
        hits = self.index.search(question, passages=count, articles=articles)
        asked_before = [turn.content for turn in history if turn.role == "user"]
        if not asked_before:
            return hits
        best: dict[int, Hit] = {}
        for hit in (*hits, *self.index.search(f"{asked_before[-1]} {question}", passages=count, articles=articles)):
            known = best.get(hit.passage.id)
            if known is None or hit.score > known.score:
                best[hit.passage.id] = hit
        ranked = sorted(best.values(), key=lambda hit: (-hit.score, hit.passage.id))[:count]
        return tuple(dataclasses.replace(hit, rank=rank) for rank, hit in enumerate(ranked, start=1))

    def choose(self, question: str, hits: Sequence[Hit]) -> Evidence:
        """The sentences of `hits` that the model would read."""
        return choose_evidence(
            question, hits, tokens=self.settings.evidence_tokens, count_tokens=self.generator.count_tokens
        )

    def support(self, claim: str, evidence: Evidence) -> float:
        """Log-odds that `evidence` states everything in `claim`."""
        with self._turn:
            return self.generator.log_odds(supported_messages(claim, evidence))

    def _second_look(
        self, question: str, claim: str, standing: Sequence[SignedSentence], history: Sequence[Message]
    ) -> float:
        """With the cited sentences alone before it: do they state the answer, and do they answer the question?

        The sum of the two log-odds. What surrounds the cited sentences makes the model generous; without it, near
        misses (the right people, the wrong fact) show.
        """
        cited = Evidence(tuple(dict.fromkeys(item for sentence in standing for item in sentence.cited)))
        return self.generator.log_odds(supported_messages(claim, cited)) + self.generator.log_odds(
            answerable_messages(question, cited, history=history)
        )

    def article_count(self) -> int:
        """How many articles are at hand."""
        self.index.refresh()
        return self.index.manifest.article_count

    def articles(self) -> tuple[Article, ...]:
        """The articles at hand."""
        return self.index.articles()

    def article(self, article_id: str) -> Article:
        """One article. Raises InputError if it is not (or no longer) in the index."""
        article = self.index.article(article_id)
        if article is None:
            raise InputError(f"The article {article_id} is not in the index any more.", help="byline index status")
        return article

    def example_questions(self) -> tuple[str, ...]:
        """A few questions that fit the articles at hand."""
        return example_questions(self.articles())


def _checked(question: str) -> str:
    question = question.strip()
    if not question:
        raise InputError("The question is empty.", help='Ask in words, for example: byline ask "Who founded Alibaba?"')
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read.",
            help="Shorten it, or add the text as an article: byline index add FILE",
        )
    return question


def _passages(hits: Sequence[Hit], evidence: Evidence) -> tuple[PassageUse, ...]:
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


def _confidence(log_odds: float) -> float:
    """From log-odds to a probability: the model's own, not calibrated."""
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def _not_stated(hits: Sequence[Hit]) -> str:
    near = _counted(len({hit.article.id for hit in hits}), "article")
    return f"The nearest passages, from {near}, do not state the answer to this question."


def _doubtful(hits: Sequence[Hit]) -> str:
    near = _counted(len({hit.article.id for hit in hits}), "article")
    return f"The nearest passages, from {near}, speak of this, but a draft from them did not hold when it was checked."


def _unsupported(signed: Sequence[SignedSentence]) -> str:
    missing = list(dict.fromkeys(fact for item in signed for fact in item.missing))
    if missing:
        named = ", ".join(f"“{fact}”" for fact in missing[:3])
        return f"A draft was written, but the passages do not contain {named}, so it was not shown."
    return "A draft was written, but no passage supports it, so it was not shown."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
