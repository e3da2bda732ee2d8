"""The way of one question: what the index tells by itself, search, evidence, then the model (`rag/telling.py`)."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from index.filters import Filters
from index.search import SavedIndex
from index.types import Hit
from rag.checking import Asked
from rag.deadline import Deadline
from rag.evidence import Evidence, choose_evidence
from rag.follow_ups import Meant, in_conversation
from rag.generators import Generator
from rag.languages import foreign_language, language_notes
from rag.listing import ExactAnswer, find_exact_answer
from rag.loading import Loading
from rag.one_article import find_article_answer
from rag.preference import newest_of
from rag.queueing import Place, before_this_one
from rag.read_ahead import ReadAhead
from rag.refusing import NO_TIME, REFUSAL, nothing_found, nothing_readable
from rag.replies import Taken, passages_of
from rag.saying import counted
from rag.searching import plan_search, search_passages
from rag.settings import Settings
from rag.signals import search_signals
from rag.small_talk import find_small_talk
from rag.telling import Course, tell
from rag.tracing import Trace
from rag.types import CitationsEvent, Event, Message, PassagesEvent, Searched, StatusEvent, Usage


@dataclass(frozen=True, slots=True)
class Way:
    """Answers one question that asks one thing, from one index with one model."""

    index: SavedIndex
    generator: Generator
    settings: Settings
    today: Callable[[], date]
    loading: Loading
    ahead: ReadAhead | None = None

    def events(
        self,
        question: str,
        history: Sequence[Message],
        limits: Filters,
        place: Place,
        stopped: Callable[[], bool],
        deadline: Deadline,
    ) -> Iterator[Event]:
        """What happens while the question is answered; the last is a `DoneEvent` unless `stopped()` said True before.

        `place` is its place in the line for the model, `deadline` its time.
        """
        started = time.perf_counter()
        meant = in_conversation(question, history, today=self.today())
        exact = (
            find_small_talk(self.index, question, scope=limits)
            or find_exact_answer(self.index, meant.question, scope=limits, today=self.today())
            or find_article_answer(self.index, meant.question, scope=limits, today=self.today())
        )
        if exact is not None:
            yield from self._counting(question, meant, exact, limits, started)
            return
        if not self.loading.done:
            yield StatusEvent("Loading the models")
            arrived = deadline.now()
            self.loading.now()
            deadline.excuse(arrived)
            started = time.perf_counter()  # it is not what this question took
        trace = Trace(started)
        plan = plan_search(self.index, meant.question, history=meant.history, filters=limits, today=self.today())
        yield StatusEvent(plan.status(self.index.manifest.article_count))
        hits = search_passages(self.index, plan, passages=self.settings.passages_per_question, mix=self.settings.mix)
        trace.step("search")
        evidence = deadline.evidence(
            lambda tokens: self.choose(plan.questions[-1], hits, tokens=tokens),
            meant.question,
            meant.history,
            self.settings,
        )
        if self.ahead is not None:
            self.ahead.want(item.article for item in evidence.sentences)
        trace.step("evidence")
        language = foreign_language(meant.question, evidence)
        searched = plan.searched(hits).with_notes(*meant.notes, *language_notes(meant.question, language))
        taken = self._taken(question, hits, evidence, searched, started)
        course = Course(
            asked=Asked(meant.question, plan.questions[-1], meant.history, language),
            taken=taken,
            hits=hits,
            evidence=evidence,
            signals=search_signals(plan.questions[-1], hits, evidence),
            prefers_dates=plan.wanted.prefers,
            newest=self.choose(plan.questions[-1], newest_of(hits, plan.wanted)),
            index=self.index,
            model=self.generator,
            settings=self.settings,
            deadline=deadline,
            trace=trace,
            started=started,
            today=self.today(),
        )
        yield PassagesEvent(taken.passages)
        if deadline.reason:
            hope = course.calibration.before.probability(course.signals)
            yield course.done(NO_TIME, hope, reason=deadline.reason)
            return
        if not evidence.sentences:
            yield course.done(REFUSAL, 0.0, reason=nothing_readable() if hits else nothing_found(plan.limits))
            return
        arrived = deadline.now()
        with place.turn():
            for ahead in place.wait(stopped):
                yield StatusEvent(before_this_one(ahead))
            if not place.served:
                return  # stopped
            deadline.excuse(arrived)
            last = yield from tell(course, stopped)
        yield from last

    def choose(self, question: str, hits: Sequence[Hit], *, tokens: int | None = None) -> Evidence:
        """The sentences of `hits` that the model would read, by default as many as the settings allow."""
        tokens = tokens or self.settings.evidence_tokens
        evidence = choose_evidence(question, hits, tokens=tokens, count_tokens=self.generator.count_tokens)
        if self.ahead is None:
            return evidence
        known = self.ahead.wholes(item.article for item in evidence.sentences)
        return dataclasses.replace(evidence, read_whole=known)

    def _counting(
        self, question: str, meant: Meant, exact: ExactAnswer, limits: Filters, started: float
    ) -> Iterator[Event]:
        """The events of an answer that the index gives without the model."""
        yield StatusEvent(f"Looking through {counted(self.index.manifest.article_count, 'article')}")
        searched = Searched((meant.question,), limits, exact.question.filters, notes=meant.notes)
        taken = self._taken(question, exact.hits, exact.evidence, searched, started)
        yield PassagesEvent(taken.passages)
        yield CitationsEvent(exact.text, exact.citations)
        took, trace = time.perf_counter() - started, Trace(started)
        trace.step("count")
        yield taken.done(
            exact.text,
            confidence=0.0 if exact.reason else 1.0,
            signals=None,
            total_s=took,
            usage=Usage(),
            citations=exact.citations,
            reason=exact.reason,
            notes=exact.notes,
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
