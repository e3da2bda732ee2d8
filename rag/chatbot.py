"""The way of a question: search, evidence, answerable?, answer, attribution, support."""

import dataclasses
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Generator as Generating
from contextlib import closing
from datetime import date
from typing import Any

from index.errors import BylineError, InputError
from index.filters import Filters
from index.neutral import typed
from index.search import SavedIndex
from index.types import Article, Hit
from rag.checking import Asked, check_draft, with_other_figures
from rag.confidence import load_calibration
from rag.dating import notes
from rag.deadline import Deadline, TimeLimit
from rag.evidence import Evidence, choose_evidence
from rag.examples import example_questions
from rag.follow_ups import Meant, in_conversation
from rag.generators import Generator
from rag.languages import foreign_language, language_notes
from rag.listing import ExactAnswer, find_exact_answer
from rag.parts import as_turns, joined, parts_of
from rag.prompt import answer_messages, answerable_messages, supported_messages
from rag.queueing import Place, Turns, before_this_one
from rag.refusing import (
    NO_TIME,
    REFUSAL,
    absent_names,
    doubtful,
    not_stated,
    nothing_found,
    nothing_readable,
    unsupported,
    without_figure,
)
from rag.replies import Taken, passages_of
from rag.saying import counted
from rag.searching import plan_search, questions_of, search_passages
from rag.settings import Settings, check_seconds
from rag.signals import search_signals
from rag.small_talk import find_small_talk
from rag.speed import Speed, Speedometer
from rag.tracing import Trace
from rag.types import (
    Answer,
    CitationsEvent,
    DoneEvent,
    Event,
    Message,
    PassagesEvent,
    Searched,
    StatusEvent,
    TextEvent,
    Usage,
)

LONGEST_QUESTION = 2_000
"""Characters. Longer input is an error, not a question."""


class Chatbot:
    """Answers questions from one index with one model. Threads may share it; the model serves one at a time."""

    def __init__(
        self,
        index: SavedIndex,
        generator: Generator,
        *,
        settings: Settings | None = None,
        today: Callable[[], date] = date.today,
        speedometer: Speedometer | None = None,
    ) -> None:
        self.index = index
        self.generator = generator
        self.settings = settings or Settings()
        self._today = today
        self._speedometer = speedometer or Speedometer(generator)
        self._turns = Turns(most_waiting=self.settings.most_waiting)

    def answer(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """The signed answer, or a refusal. `articles` limits it to the articles with these ids, `filters` further.

        `seconds` is the time that it may take in the place of the settings'; 0 is no limit.
        Raises InputError for an empty or overlong question.
        """
        for event in self.stream(question, history=history, articles=articles, filters=filters, seconds=seconds):
            if isinstance(event, DoneEvent):
                return event.answer
        raise BylineError("The answer ended before it was complete.")  # cannot happen without `stop`

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
        stop: Callable[[], bool] | None = None,
        seconds: float | None = None,
    ) -> Iterator[Event]:
        """The same as events while it is made; the last is a `DoneEvent` unless `stop` returned True before.

        Raises InputError for an empty or overlong question, ResourceError if too many wait, at the first event. Those
        who asked later wait for it: read it to its end, or close it.
        """
        question, limits = _checked(question), (filters or Filters()).limited_to(articles)
        seconds = check_seconds(self.settings.seconds if seconds is None else seconds)
        stopped = stop or (lambda: False)
        with self._turns.arrive() as place:
            speed = (yield from self._speed(place, stopped)) if seconds else None
            if seconds and speed is None:
                return  # stopped
            time_limit = TimeLimit(self.generator, self._speedometer, seconds=seconds, speed=speed)
            yield from self._part_by_part(question, history, limits, place, stopped, time_limit)

    def _speed(self, place: Place, stopped: Callable[[], bool]) -> Generating[Event, None, Speed | None]:
        """How fast the model is; measured alone with it if that is not known. None if stopped before."""
        if (known := self._speedometer.known) is not None:
            return known
        with place.turn():
            for ahead in place.wait(stopped):
                yield StatusEvent(before_this_one(ahead))
            if not place.served:
                return None
            if self._speedometer.known is None:  # nor has it been measured for one before this
                yield StatusEvent("Finding out how fast this machine is")
            return self._speedometer.speed()

    def _part_by_part(
        self,
        question: str,
        history: Sequence[Message],
        limits: Filters,
        place: Place,
        stopped: Callable[[], bool],
        time_limit: TimeLimit,
    ) -> Iterator[Event]:
        """The same of a checked question; one that asks several things keeps its place from part to part."""
        parts = parts_of(question) if self.settings.answer_style != "phrase" else ()
        if not parts:
            yield from self._stream(question, history, limits, place, stopped, time_limit.share_of(1))
            return
        answers: list[Answer] = []
        for number, part in enumerate(parts):
            lead = " " if answers else ""
            turns, deadline = (*history, *as_turns(answers)), time_limit.share_of(len(parts) - number)
            for event in self._stream(part, turns, limits, place, stopped, deadline):
                match event:
                    case DoneEvent():
                        answers.append(event.answer)
                    case TextEvent():
                        yield TextEvent(lead + event.text)
                        lead = ""
                    case CitationsEvent():
                        pass  # they come for the whole
                    case PassagesEvent() if answers:
                        pass
                    case _:
                        yield event
            if len(answers) == number:
                return  # stopped
        whole = joined(question, answers)
        if whole.citations:
            yield CitationsEvent(whole.text, whole.citations)
        yield DoneEvent(whole)

    def _stream(
        self,
        question: str,
        history: Sequence[Message],
        limits: Filters,
        place: Place,
        stopped: Callable[[], bool],
        deadline: Deadline,
    ) -> Iterator[Event]:
        """The same of a question that asks one thing."""
        started = time.perf_counter()
        trace = Trace(started)
        meant = in_conversation(question, history, today=self._today())
        exact = find_small_talk(self.index, question, scope=limits) or find_exact_answer(
            self.index, meant.question, scope=limits, today=self._today()
        )
        if exact is not None:
            yield from self._counting(question, meant, exact, limits, started, trace)
            return
        plan = plan_search(self.index, meant.question, history=meant.history, filters=limits, today=self._today())
        yield StatusEvent(plan.status(self.index.manifest.article_count))
        hits = search_passages(self.index, plan, passages=self.settings.passages_per_question, mix=self.settings.mix)
        trace.step("search")
        evidence = deadline.evidence(
            lambda tokens: self.choose(plan.questions[-1], hits, tokens=tokens),
            meant.question,
            meant.history,
            self.settings,
        )
        trace.step("evidence")
        language = foreign_language(meant.question, evidence)
        searched = plan.searched(hits).with_notes(*meant.notes, *language_notes(meant.question, language))
        taken = self._taken(question, hits, evidence, searched, started)
        question, history = meant.question, meant.history
        before: Usage | None = None
        signals = search_signals(plan.questions[-1], hits, evidence)
        yield PassagesEvent(taken.passages)
        first_token: float | None = None

        def done(text: str, confidence: float, **more: Any) -> DoneEvent:
            return taken.done(
                text,
                confidence=confidence,
                signals=signals,
                total_s=time.perf_counter() - started,
                usage=self.generator.usage().since(before) if before else Usage(),
                skipped=deadline.skipped,
                first_token_s=first_token,
                explanation=trace.explanation(
                    hits, evidence, mix=self.settings.mix, evidence_tokens=self.settings.evidence_tokens
                ),
                **more,
            )

        calibration, accepted = load_calibration(self.generator.name), self.settings.wrong_per_hundred
        if deadline.reason:
            yield done(NO_TIME, calibration.before.probability(signals), reason=deadline.reason)
            return
        if not evidence.sentences:
            reason = nothing_readable() if hits else nothing_found(plan.limits)
            yield done(REFUSAL, 0.0, reason=reason)
            return
        arrived = deadline.now()
        with place.turn():
            for ahead in place.wait(stopped):
                yield StatusEvent(before_this_one(ahead))
            if not place.served:
                return  # stopped
            deadline.excuse(arrived)
            before = self.generator.usage()
            trace.step("wait", before)
            yield StatusEvent(f"Reading {counted(len(evidence.sentences), 'sentence')}")
            answerable = deadline.generator.log_odds(answerable_messages(question, evidence, history=history))
            signals = dataclasses.replace(signals, answerable=answerable)
            hope = calibration.before.probability(signals)
            trace.step("answerable", self.generator.usage())
            trace.before_writing(signals, hope, calibration.worth_writing(accepted))
            if hope < calibration.worth_writing(accepted):
                yield done(REFUSAL, hope, reason=not_stated(evidence, absent_names(self.index, question)))
                return
            style = self.settings.answer_style
            messages = answer_messages(question, evidence, history=history, style=style, language=language)
            if not deadline.lets_write(messages):
                yield done(NO_TIME, hope, reason=deadline.reason)
                return
            yield StatusEvent("Writing")
            draft = ""
            unwritten = self.generator.usage()
            with closing(deadline.generator.generate(messages, max_tokens=self.settings.answer_tokens)) as pieces:
                for piece in pieces:
                    if stopped():
                        return
                    first_token = first_token or time.perf_counter() - started
                    draft += piece
                    yield TextEvent(piece)
            trace.step("write", self.generator.usage())
            yield StatusEvent("Checking each sentence")
            written = self.generator.usage().since(unwritten)
            signals = dataclasses.replace(signals, certainty=written.log_probability / max(1, written.tokens_written))
            asked = Asked(question, plan.questions[-1], history)
            checked = check_draft(
                draft,
                asked,
                evidence,
                generator=deadline.generator,
                settings=self.settings,
                signals=signals,
                deadline=deadline,
            )
            signals = checked.signals
            trace.step("check", self.generator.usage())
            trace.drafted(checked.signed, checked.standing)
            if deadline.cut and not checked.signed and not checked.citations:
                yield done(NO_TIME, hope, reason=deadline.nothing_whole())
                return
            if not checked.citations:
                reason = without_figure(evidence) if checked.figureless else unsupported(checked.signed)
                yield done(REFUSAL, hope, reason=reason)
                return
            confidence = hope if signals.answers is None else calibration.confidence(signals, style=style)
            trace.after_writing(signals, confidence, calibration.least_confidence(accepted))
            if confidence < calibration.least_confidence(accepted):
                absent = absent_names(self.index, question)
                drafted = checked.standing or (deadline.cut and not checked.signed)
                reason = doubtful(evidence, absent) if drafted else unsupported(checked.signed)
                yield done(REFUSAL, confidence, reason=reason)
                return
            if not plan.wanted.prefers:
                checked = with_other_figures(
                    checked,
                    asked,
                    evidence,
                    generator=deadline.generator,
                    settings=self.settings,
                    deadline=deadline,
                )
            trace.step("other figures", self.generator.usage())
            text, citations = checked.text, checked.citations
            said = notes(question, text, citations, today=self._today())
            # Made before the turn ends: afterwards the model counts what it does for the next question.
            end = done(text, confidence, citations=citations, notes=said)
        yield CitationsEvent(text, citations)
        yield end

    def search(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
        passages: int | None = None,
    ) -> tuple[Hit, ...]:
        """The passages nearest to the question, best first, as an answer to it would use them (`rag/searching.py`).

        `passages` other than the settings' are for looking deeper.
        """
        limits = (filters or Filters()).limited_to(articles)
        meant = in_conversation(question, history, today=self._today())
        plan = plan_search(self.index, meant.question, history=meant.history, filters=limits, today=self._today())
        count = passages or self.settings.passages_per_question
        return search_passages(self.index, plan, passages=count, mix=self.settings.mix)

    def searched_as(self, question: str, *, history: Sequence[Message] = ()) -> str:
        """What evidence for the question is chosen by: the question that is meant, joined to the one before it."""
        meant = in_conversation(question, history, today=self._today())
        return questions_of(meant.question, meant.history)[-1]

    def choose(self, question: str, hits: Sequence[Hit], *, tokens: int | None = None) -> Evidence:
        """The sentences of `hits` that the model would read; `question` as it is searched (`searched_as`).

        `tokens` other than the settings' are for reading less or more.
        """
        tokens = tokens or self.settings.evidence_tokens
        return choose_evidence(question, hits, tokens=tokens, count_tokens=self.generator.count_tokens)

    def support(self, claim: str, evidence: Evidence) -> float:
        """Log-odds that `evidence` states everything in `claim`."""
        with self._turns.alone():
            return self.generator.log_odds(supported_messages(claim, evidence))

    def _counting(
        self, question: str, meant: Meant, exact: ExactAnswer, limits: Filters, started: float, trace: Trace
    ) -> Iterator[Event]:
        """The events of an answer that the index gives without the model."""
        yield StatusEvent(f"Looking through {counted(self.index.manifest.article_count, 'article')}")
        searched = Searched((meant.question,), limits, exact.question.filters, notes=meant.notes)
        taken = self._taken(question, exact.hits, exact.evidence, searched, started)
        yield PassagesEvent(taken.passages)
        yield CitationsEvent(exact.text, exact.citations)
        took = time.perf_counter() - started
        trace.step("count")
        yield taken.done(
            exact.text,
            confidence=1.0,
            signals=None,
            total_s=took,
            usage=Usage(),
            citations=exact.citations,
            explanation=trace.explanation(exact.hits, exact.evidence),
        )

    def _taken(
        self, question: str, hits: Sequence[Hit], evidence: Evidence, searched: Searched, started: float
    ) -> Taken:
        return Taken(
            question=question,
            passages=passages_of(hits, evidence),
            searched=searched,
            search_s=time.perf_counter() - started,
            model=self.generator.name,
            index=str(self.index.folder),
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
    question = typed(question).strip()
    if not question:
        raise InputError("The question is empty.", help='Ask in words, for example: byline ask "Who founded Alibaba?"')
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read.",
            help="Shorten it, or add the text as an article: byline index add FILE",
        )
    return question
