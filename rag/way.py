"""The way of one question: search, evidence, answerable?, answer, attribution, support."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

from index.filters import Filters
from index.search import SavedIndex
from index.types import Hit
from rag.checking import Asked, Checked, check_draft, with_other_figures
from rag.confidence import load_calibration
from rag.dating import notes
from rag.deadline import Deadline
from rag.evidence import Evidence, choose_evidence
from rag.follow_ups import Meant, in_conversation
from rag.generators import Generator
from rag.languages import foreign_language, language_notes
from rag.listing import ExactAnswer, find_exact_answer
from rag.loading import Loading
from rag.one_article import find_article_answer
from rag.prompt import answer_messages, answerable_messages
from rag.queueing import Place, before_this_one
from rag.read_ahead import ReadAhead
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
from rag.searching import plan_search, search_passages
from rag.second_draft import draft_anew, is_sure, silent
from rag.settings import Settings
from rag.signals import search_signals
from rag.small_talk import find_small_talk
from rag.tracing import Trace
from rag.types import (
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
            if written.log_probability:  # engines that do not tell leave it at nought
                signals = dataclasses.replace(signals, certainty=written.log_probability / written.tokens_written)
            asked = Asked(question, plan.questions[-1], history, language)

            def check(draft: str, against: Evidence) -> tuple[Checked, float]:
                checked = check_draft(
                    draft,
                    asked,
                    against,
                    generator=deadline.generator,
                    settings=self.settings,
                    signals=signals,
                    deadline=deadline,
                    whole=evidence,
                )
                sure = hope if checked.signals.answers is None else calibration.confidence(checked.signals, style=style)
                return checked, sure

            checked, confidence = check(draft, evidence)
            trace.step("check", self.generator.usage())
            least = calibration.least_confidence(accepted)
            if not deadline.cut and (not checked.citations or confidence < least):
                second = draft_anew(
                    asked,
                    evidence,
                    generator=deadline.generator,
                    settings=self.settings,
                    deadline=deadline,
                    silent=silent(checked),
                )
                if second is not None:
                    again, sure = check(*second)
                    if sure >= least and is_sure(again):
                        checked, confidence = again, sure
                trace.step("second draft", self.generator.usage())
            signals = checked.signals
            trace.drafted(checked.signed, checked.standing)
            if deadline.cut and not checked.signed and not checked.citations:
                yield done(NO_TIME, hope, reason=deadline.nothing_whole())
                return
            if not checked.citations:
                reason = without_figure(evidence) if checked.figureless else unsupported(checked.signed)
                yield done(REFUSAL, hope, reason=reason)
                return
            trace.after_writing(signals, confidence, least)
            if confidence < least:
                absent = absent_names(self.index, question)
                drafted = checked.standing or (deadline.cut and not checked.signed)
                reason = doubtful(evidence, absent) if drafted else unsupported(checked.signed)
                yield done(REFUSAL, confidence, reason=reason)
                return
            if not plan.wanted.prefers:
                checked = with_other_figures(
                    checked,
                    asked,
                    hits,
                    generator=deadline.generator,
                    settings=self.settings,
                    deadline=deadline,
                )
            trace.step("other figures", self.generator.usage())
            text, citations = checked.text, checked.citations
            said = notes(question, text, citations, today=self.today())
            # Made before the turn ends: afterwards the model counts what it does for the next question.
            end = done(text, confidence, citations=citations, notes=said)
        yield CitationsEvent(text, citations)
        yield end

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
