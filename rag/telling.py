"""From the evidence to the answer, with the model: answerable?, a draft, its check, a second draft, other figures."""

import dataclasses
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from index.search import SavedIndex
from index.types import Hit
from rag.checking import Asked, Checked, check_draft, with_other_figures
from rag.confidence import Calibration, load_calibration
from rag.dating import notes
from rag.deadline import Deadline
from rag.evidence import Evidence
from rag.generators import Generator as Model
from rag.prompt import answer_messages, answerable_messages
from rag.refusing import NO_TIME, REFUSAL, absent_names, doubtful, not_stated, unsupported, without_figure
from rag.replies import Taken, passages_of
from rag.saying import counted
from rag.second_draft import draft_anew, evidence_anew, is_sure, silent
from rag.settings import Settings
from rag.tracing import Trace
from rag.types import CitationsEvent, DoneEvent, Event, Message, Signals, StatusEvent, TextEvent, Usage

NEWEST_ANSWER = 0.6
"""The chance of a right answer from which the newest reports alone are read."""


@dataclass(slots=True)
class Course:
    """One question for which evidence was chosen, and what is known of its answer by now. Used by one thread.

    `prefers_dates`: the question says of which time the articles are to be. `newest` is the part of what was found that
    is tried first, where it speaks of the present; else empty. `before` is what the model had done when its turn came,
    None until then.
    """

    asked: Asked
    taken: Taken
    hits: Sequence[Hit]
    evidence: Evidence
    signals: Signals
    prefers_dates: bool
    newest: Evidence
    index: SavedIndex
    model: Model
    settings: Settings
    deadline: Deadline
    trace: Trace
    started: float
    today: date
    before: Usage | None = None
    first_token_s: float | None = None
    calibration: Calibration = field(init=False)

    def __post_init__(self) -> None:
        self.calibration = load_calibration(self.model.name)

    def done(self, text: str, confidence: float, **more: Any) -> DoneEvent:
        """The end of its stream; `more` is what `Taken.done` takes besides."""
        return self.taken.done(
            text,
            confidence=confidence,
            signals=self.signals,
            total_s=time.perf_counter() - self.started,
            usage=self.model.usage().since(self.before) if self.before else Usage(),
            skipped=self.deadline.skipped,
            first_token_s=self.first_token_s,
            explanation=self.trace.explanation(
                self.hits, self.evidence, mix=self.settings.mix, evidence_tokens=self.settings.evidence_tokens
            ),
            **more,
        )

    def step(self, name: str) -> None:
        """What was done since the last step is called `name`."""
        self.trace.step(name, self.model.usage())

    def hope(self) -> float:
        """The chance of a right answer before a word is written, by what the model says of the evidence.

        Where the newest reports answer, they are the evidence from now on: an older one that says it in the question's
        words would be copied, whatever date stands above it.
        """
        if self.newest.sentences and self.deadline.lets_try_newest():
            hope = self._judged(self.newest)
            if hope >= NEWEST_ANSWER:
                self.evidence = self.newest
                self.taken = dataclasses.replace(self.taken, passages=passages_of(self.hits, self.newest))
                return hope
        return self._judged(self.evidence)

    def _judged(self, evidence: Evidence) -> float:
        messages = answerable_messages(self.asked.text, evidence, history=self.asked.history)
        answerable = self.deadline.generator.log_odds(messages)
        self.signals = dataclasses.replace(self.signals, answerable=answerable)
        return self.calibration.before.probability(self.signals)

    def write(self, messages: Sequence[Message], stopped: Callable[[], bool]) -> Generator[TextEvent, None, str | None]:
        """Writes the draft, and returns it; None if `stopped()` said True before its end."""
        draft = ""
        unwritten = self.model.usage()
        with closing(self.deadline.generator.generate(messages, max_tokens=self.settings.answer_tokens)) as pieces:
            for piece in pieces:
                if stopped():
                    return None
                self.first_token_s = self.first_token_s or time.perf_counter() - self.started
                draft += piece
                yield TextEvent(piece)
        written = self.model.usage().since(unwritten)
        if written.log_probability:  # engines that do not tell leave it at nought
            certainty = written.log_probability / written.tokens_written
            self.signals = dataclasses.replace(self.signals, certainty=certainty)
        return draft

    def checked(self, draft: str, hope: float, least: float) -> tuple[Checked, float]:
        """What becomes of the draft, or of a second one in its place, and how sure that is; `least` is shown."""
        first, sure = self._check(draft, self.evidence, hope)
        self.step("check")
        shown = bool(first.citations) and sure >= least
        anew = None if self.deadline.cut else evidence_anew(self.asked.text, first, self.evidence, shown=shown)
        if anew is None:
            return first, sure
        written = draft_anew(
            self.asked,
            anew,
            generator=self.deadline.generator,
            settings=self.settings,
            deadline=self.deadline,
            silent=silent(first),
        )
        second = written and self._check(*written, hope)
        self.step("second draft")
        if second and second[1] >= least and is_sure(self.asked.text, second[0]):
            return second
        return first, sure

    def _check(self, draft: str, against: Evidence, hope: float) -> tuple[Checked, float]:
        checked = check_draft(
            draft,
            self.asked,
            against,
            generator=self.deadline.generator,
            settings=self.settings,
            signals=self.signals,
            deadline=self.deadline,
            whole=self.evidence,
        )
        if checked.signals.answers is None:
            return checked, hope
        return checked, self.calibration.confidence(checked.signals, style=self.settings.answer_style)

    def beside_others(self, checked: Checked) -> Checked:
        """The same with the figures of other reports, unless the question says which it wants."""
        if not self.prefers_dates:
            checked = with_other_figures(
                checked,
                self.asked,
                self.hits,
                generator=self.deadline.generator,
                settings=self.settings,
                deadline=self.deadline,
            )
        self.step("other figures")
        return checked

    def fallen(self, checked: Checked, hope: float) -> DoneEvent:
        """The end of a question of whose draft nothing could be cited."""
        if self.deadline.cut and not checked.signed:
            return self.done(NO_TIME, hope, reason=self.deadline.nothing_whole())
        reason = without_figure(self.evidence) if checked.figureless else unsupported(checked.signed)
        return self.done(REFUSAL, hope, reason=reason)

    def doubted(self, checked: Checked, confidence: float) -> DoneEvent:
        """The end of a question whose answer is too likely to be wrong."""
        drafted = checked.standing or (self.deadline.cut and not checked.signed)
        absent = absent_names(self.index, self.asked.text)
        return self.done(
            REFUSAL, confidence, reason=doubtful(self.evidence, absent) if drafted else unsupported(checked.signed)
        )


def tell(course: Course, stopped: Callable[[], bool]) -> Generator[Event, None, tuple[Event, ...]]:
    """What happens while the model answers. Returns what is to be told once its turn has ended, the last of it a
    `DoneEvent`; nothing if `stopped()` said True before.
    """
    asked, settings, deadline, trace = course.asked, course.settings, course.deadline, course.trace
    worth_writing = course.calibration.worth_writing(settings.wrong_per_hundred)
    least = course.calibration.least_confidence(settings.wrong_per_hundred)
    course.before = course.model.usage()
    course.step("wait")
    yield StatusEvent(f"Reading {counted(len(course.evidence.sentences), 'sentence')}")
    hope = course.hope()
    course.step("answerable")
    trace.before_writing(course.signals, hope, worth_writing)
    if hope < worth_writing:
        reason = not_stated(course.evidence, absent_names(course.index, asked.text))
        return (course.done(REFUSAL, hope, reason=reason),)
    messages = answer_messages(
        asked.text,
        course.evidence,
        history=asked.history,
        style=settings.answer_style,
        language=asked.language,
    )
    if not deadline.lets_write(messages):
        return (course.done(NO_TIME, hope, reason=deadline.reason),)
    yield StatusEvent("Writing")
    draft = yield from course.write(messages, stopped)
    if draft is None:
        return ()
    course.step("write")
    yield StatusEvent("Checking each sentence")
    checked, confidence = course.checked(draft, hope, least)
    course.signals = checked.signals
    trace.drafted(checked.signed, checked.standing)
    if not checked.citations:
        return (course.fallen(checked, hope),)
    trace.after_writing(checked.signals, confidence, least)
    if confidence < least:
        return (course.doubted(checked, confidence),)
    checked = course.beside_others(checked)
    text, citations = checked.text, checked.citations
    said = notes(asked.text, text, citations, today=course.today)
    # Made before the turn ends: afterwards the model counts what it does for the next question.
    return CitationsEvent(text, citations), course.done(text, confidence, citations=citations, notes=said)
