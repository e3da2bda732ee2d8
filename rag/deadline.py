"""The time of one question against the clock: `rag/budget.py` plans, this holds to it. Without a limit it does nothing.

What was planned with a measured speed may come out otherwise, so every later step is decided anew by what is left. A
pass of the model cannot be interrupted; so later steps may borrow a tenth of the time, and no more.
"""

import dataclasses
from collections.abc import Callable, Sequence

from index.sentences import segment
from rag.budget import LEAST_ANSWER, LEAST_EVIDENCE, Frame, Plan, answer_s, plan_answer, second_look_s, too_short
from rag.confidence import load_calibration
from rag.evidence import Evidence
from rag.generators import Generator
from rag.pacing import Paced
from rag.prompt import answer_messages, answerable_messages, right_messages
from rag.settings import Settings
from rag.speed import Speed, Speedometer
from rag.types import Message

NEWEST_NOT_TRIED = "did not try the newest reports alone"
NOT_LOOKED_AGAIN = "not looked at a second time"
NOT_JUDGED = "did not judge the answer beside all that was read"
NOT_READ_AGAIN = "did not read the cited sentences again"
NO_OTHER_FIGURES = "did not ask whether other reports give other figures"
STOPPED_WRITING = "stopped writing when time was up"

_BORROWED = 0.1
"""The share of the whole time that steps after the first may go over it."""
_REST_S = 0.05
"""What is kept free for signing and checking without a model."""
_TEMPLATE = 12
"""Tokens of a chat template around a prompt."""
_LONG_PASS = 64
"""Tokens from which a pass tells how fast the machine is right now."""


class TimeLimit:
    """The seconds given to a whole question, shared out to the parts that it is answered in; 0: no limit.

    Begins when it is made, once the speed is known (None without a limit).
    """

    def __init__(self, generator: Generator, speedometer: Speedometer, *, seconds: float, speed: Speed | None) -> None:
        self._generator = generator
        self._speedometer = speedometer
        self._speed = speed if seconds else None
        self._ends = speedometer.clock() + seconds
        self._last: Deadline | None = None

    def share_of(self, parts: int) -> "Deadline":
        """The time of the next part, if so many are to come: an equal share of what is left."""
        if self._speed is None:
            return Deadline(self._generator)
        if self._last is not None:
            self._ends += self._last.excused_s
        left = max(0.001, self._ends - self._speedometer.clock())
        self._last = Deadline(self._generator, self._speedometer, seconds=left / parts, speed=self._speed)
        return self._last


class Deadline:
    """The time of a question (or one part of it), which begins when this is made. Used by one thread.

    `generator` is the model as this question may use it, `unpaced` the same where it is not to be stopped; `skipped`
    what was left out so far, `reason` why there is no time for an answer at all, `cut` whether writing was stopped.
    """

    def __init__(
        self,
        generator: Generator,
        speedometer: Speedometer | None = None,
        *,
        seconds: float = 0.0,
        speed: Speed | None = None,
    ) -> None:
        self.limited = speedometer is not None and speed is not None
        self.skipped: tuple[str, ...] = ()
        self.reason: str | None = None
        self.cut = False
        self.excused_s = 0.0
        self.generator = self.unpaced = generator
        if speedometer is None or speed is None:
            return
        self._speedometer = speedometer
        self.generator = Paced(generator, speedometer, stops=self._stops, has_read=self._has_read)
        self._count_tokens = generator.count_tokens
        self._clock = speedometer.clock
        self._seconds = seconds
        self._ends = self._clock() + seconds
        self._speed = speed
        self._read = ""
        self._kept_free_s = 0.0

    def evidence(
        self, choose: Callable[[int], Evidence], question: str, history: Sequence[Message], settings: Settings
    ) -> Evidence:
        """As much of the evidence as there is time for; `choose` gives the best of so many tokens.

        Empty, with a `reason`, if there is no time for an answer.
        """
        whole = choose(settings.evidence_tokens)
        if not self.limited or not whole.sentences:
            return whole
        found, wanted = whole, _tokens_of(whole)
        if {item.article.id for item in whole.sentences} <= {article.article_id for article in whole.read_whole}:
            frame = self._frame(whole, question, history, settings)
            plan = plan_answer(self._left_s(), self._speed, frame, evidence=0, answer=settings.answer_tokens)
            if plan is not None:
                return self._reads(whole, wanted, plan, frame)

        def frame_of(evidence: Evidence) -> Frame:
            # If some articles were read ahead and some were not, time is planned as if none were.
            frame = self._frame(dataclasses.replace(evidence, read_whole=()), question, history, settings)
            return dataclasses.replace(frame, first=frame.first - _tokens_of(evidence))

        def planned(frame: Frame, tokens: int) -> Plan | None:
            return plan_answer(self._left_s(), self._speed, frame, evidence=tokens, answer=settings.answer_tokens)

        frame = frame_of(found)
        plan = planned(frame, wanted)
        while plan is None or plan.evidence_tokens < _tokens_of(found):
            fewer = choose(plan.evidence_tokens if plan else LEAST_EVIDENCE)
            if _tokens_of(fewer) >= _tokens_of(found):
                # No less can be had: there is time for an answer from just this, or for none.
                frame = dataclasses.replace(frame, first=frame.first + _tokens_of(found))
                plan = planned(frame, 0)
                if plan is None:
                    answer = min(LEAST_ANSWER, settings.answer_tokens)
                    self._refuse(answer_s(self._speed, frame, evidence=0, answer=answer))
                    return Evidence(())
                return self._reads(found, wanted, plan, frame)
            found, frame = fewer, frame_of(fewer)
            plan = planned(frame, _tokens_of(found))
        if found is not whole and (room := planned(frame, wanted)):
            # It was cut with the labels of articles in mind that are not among it any more.
            more = choose(room.evidence_tokens)
            fits = planned(frame_of(more), _tokens_of(more))
            if fits and _tokens_of(found) < _tokens_of(more) <= fits.evidence_tokens:
                found, frame, plan = more, frame_of(more), fits
        return self._reads(found, wanted, plan, frame)

    def excuse(self, since: float) -> None:
        """Do not count the time since then (by `now()`): it was spent waiting for another question."""
        if self.limited:
            waited = self._clock() - since
            self._ends += waited
            self.excused_s += waited

    def now(self) -> float:
        """The clock of this question."""
        return self._clock() if self.limited else 0.0

    def lets_write(self, messages: Sequence[Message]) -> bool:
        """Whether there is time to read this prompt and write a short sentence; else there is a `reason`."""
        if not self.limited:
            return True
        reading = self._speed.reading_s(self._new_tokens(messages, after=self._read))
        least = reading + self._speed.writing_s(LEAST_ANSWER)
        if self._fits(least):
            return True
        self._refuse(least)
        return False

    def nothing_whole(self) -> str:
        """The reason if time was up before the first sentence was whole."""
        return f"Time was up before a sentence was complete; {_shown(self._seconds)} s were given."

    def lets_try_newest(self) -> bool:
        """Whether the newest reports may be judged alone before all of them: with a limit never, which is noted, since
        what is read was chosen to fill the time."""
        if self.limited:
            self.skipped += (NEWEST_NOT_TRIED,)
        return not self.limited

    def lets_look(self, *prompts: Sequence[Message]) -> bool:
        """Whether there is time for a second look with each of these prompts; else it is noted."""
        return self._lets(prompts, NOT_LOOKED_AGAIN)

    def lets_check(self, messages: Sequence[Message]) -> bool:
        """Whether there is time to judge the draft beside all of the evidence; else it is noted."""
        return self._lets([messages], NOT_JUDGED)

    def lets_read_again(self, messages: Sequence[Message], *, tokens: int) -> bool:
        """Whether there is time to answer this prompt with so many tokens; else it is noted."""
        return self._lets([messages], NOT_READ_AGAIN, written=tokens)

    def lets_judge(self, prompts: Sequence[Sequence[Message]]) -> bool:
        """Whether there is time to judge all these other figures; else it is noted."""
        return NOT_LOOKED_AGAIN not in self.skipped and self._lets(prompts, NO_OTHER_FIGURES)

    def _stops(self, draft: str) -> bool:
        """Whether to stop writing, which is noted: time is up, except for a second look, and the draft holds a whole
        sentence; or there is no time at all."""
        left = self._left_s() - self._speed.writing_s(1)
        if left > self._kept_free_s:
            return False
        # The last sentence counts as whole only when another one has begun: "4." may go on as "4.6 billion".
        if left > -_BORROWED * self._seconds and len(segment(draft)) < 2:
            return False
        self.cut = True
        self.skipped += (STOPPED_WRITING,)
        return True

    def _has_read(self, messages: Sequence[Message], tokens: int, took_s: float) -> None:
        """A pass over so many new tokens took so long: if longer than expected, all is slower for this question."""
        self._read = _kept(messages)
        expected = self._speed.reading_s(tokens)
        if tokens >= _LONG_PASS and took_s > expected:
            self._speed = self._speed.slowed(took_s / expected)

    def _frame(self, evidence: Evidence, question: str, history: Sequence[Message], settings: Settings) -> Frame:
        """What is read besides; the evidence is counted in `first`, as far as it was not read ahead."""
        first = answerable_messages(question, evidence, history=history)
        task = answer_messages(question, evidence, history=history, style=settings.answer_style)
        again = answerable_messages(question, Evidence(()), history=history)
        return Frame(
            first=self._new_tokens(first),
            task=self._new_tokens(task, after=_kept(first)),
            # What the model is told at first is the same as before.
            again=self._new_tokens(again[-1:]),
            check=self._new_tokens(right_messages(question, evidence, "", history=history), after=_kept(first))
            if load_calibration(self.generator.name).judges_drafts(settings.answer_style)
            else 0,
        )

    def _lets(self, prompts: Sequence[Sequence[Message]], otherwise: str, *, written: int = 0) -> bool:
        if not self.limited:
            return True
        needed = sum(self._speed.reading_s(self._new_tokens(messages, after=self._read)) for messages in prompts)
        if self._fits(needed + self._speed.writing_s(written)):
            return True
        self.skipped += (otherwise,)
        return False

    def _new_tokens(self, messages: Sequence[Message], *, after: str = "") -> int:
        """The tokens of a prompt that the model has not just read (it keeps those that both begin with) nor ahead."""
        text = _text(messages)
        done = _shared(after, text)
        left = ""
        for message in messages[-1:]:
            start = len(text) - len(message.content)
            for extract in message.extracts:
                if start + extract.at.start >= done:
                    left += text[done : start + extract.at.start]
                    done = start + extract.at.end
        return self._count_tokens(left + text[done:]) + _TEMPLATE

    def _reads(self, found: Evidence, wanted: int, plan: Plan, frame: Frame) -> Evidence:
        """The same evidence, noting what of it is left out; a second look's time is kept free from now on."""
        self._kept_free_s = second_look_s(self._speed, frame) if plan.second_look else 0.0
        if _tokens_of(found) < wanted:
            self.skipped += (f"read {_tokens_of(found)} of {wanted} tokens of evidence",)
        return found

    def _refuse(self, needed_s: float) -> None:
        self.reason = too_short(self._seconds, self._seconds - self._left_s() + needed_s)
        self._speedometer.doubt()

    def _fits(self, needed_s: float) -> bool:
        """Whether a step after the first is done in time, or nearly so."""
        return needed_s <= self._left_s() + _BORROWED * self._seconds

    def _left_s(self) -> float:
        return self._ends - self._clock() - _REST_S


def _tokens_of(evidence: Evidence) -> int:
    return sum(item.parts.tokens for item in evidence.sentences if item.parts)


def _text(messages: Sequence[Message]) -> str:
    return "\n".join(message.content for message in messages)


def _kept(messages: Sequence[Message]) -> str:
    """The beginning of it that other prompts need not read again: not what is read with an adapter."""
    return "\n".join(message.content.removesuffix(message.adapted) for message in messages)


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)


def _shown(seconds: float) -> str:
    return f"{round(seconds, 1):g}"
