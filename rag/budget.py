"""What fits into the seconds that an answer may take: how much evidence, how long a text, which looks at it. Pure.

Skipped in this order: looking for other figures or reading what is cited again, whichever does not fit; evidence beyond
the best, length of the answer, the second look at what is cited. The check of facts needs no model and is never
skipped. What is planned is kept free; if a step takes less, the next ones have more (`rag/deadline.py`), so that other
figures may be looked for after all. Times are in seconds, lengths in tokens.
"""

import math
from dataclasses import dataclass

from rag.side_by_side import MOST_JUDGED
from rag.speed import Speed

LEAST_EVIDENCE = 60
"""Two or three sentences. With less, an answer is not worth asking for."""
BEST_EVIDENCE = 120
"""The best sentences with their neighbours: as far as evidence is cut before anything else suffers."""
LEAST_ANSWER = 24
"""One short sentence."""
USUAL_ANSWER = 36
"""What is kept free for the answer; a longer one is written while time lasts."""
CITED = 80
"""Tokens of what an answer cites, with its labels, as far as they are guessed before there is one."""
OTHER_FIGURE = 60
"""The same of a sentence that may give another figure."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Tokens that the model reads besides the evidence.

    `first` in the first pass (is it answerable?): instructions, labels, conversation, question. `task` when the answer
    is asked for after that. `again` at another look, besides the sentences looked at. `check` when the model is asked
    whether its draft is right, besides that; 0 if it is not.
    """

    first: int
    task: int
    again: int
    check: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done in the time: `evidence_tokens` at most are read, time for `answer_tokens` is kept free."""

    evidence_tokens: int
    answer_tokens: int
    second_look: bool
    other_figures: bool


def plan_answer(left_s: float, speed: Speed, frame: Frame, *, evidence: int, answer: int) -> Plan | None:
    """The plan for the time that is left, if `evidence` tokens are worth reading and `answer` tokens are allowed.

    None if not even the least of both fits.
    """
    best, least = min(BEST_EVIDENCE, evidence), min(LEAST_EVIDENCE, evidence)
    usual, short = min(USUAL_ANSWER, answer), min(LEAST_ANSWER, answer)
    looking = second_look_s(speed, frame)
    if answer_s(speed, frame, evidence=evidence, answer=usual) + looking + other_figures_s(speed, frame) <= left_s:
        return Plan(evidence, usual, second_look=True, other_figures=True)
    for look in (True, False):
        left = left_s - (looking if look else 0.0)
        read = min(evidence, _evidence_within(left, speed, frame, answer=usual))
        if read >= best:
            return Plan(read, usual, second_look=look, other_figures=False)
        written = min(usual, _answer_within(left, speed, frame, evidence=best))
        if written >= short:
            return Plan(best, written, second_look=look, other_figures=False)
    read = min(best, _evidence_within(left_s, speed, frame, answer=short))
    if read >= least:
        return Plan(read, short, second_look=False, other_figures=False)
    return None


def answer_s(speed: Speed, frame: Frame, *, evidence: int, answer: int) -> float:
    """The seconds from the first pass to the last word of an answer."""
    return speed.reading_s(frame.first + evidence) + speed.reading_s(frame.task) + speed.writing_s(answer)


def second_look_s(speed: Speed, frame: Frame) -> float:
    """The seconds of the second look, as far as they are known before there is an answer."""
    checking = speed.reading_s(frame.check + USUAL_ANSWER) if frame.check else 0.0
    return speed.reading_s(frame.again + CITED) + checking


def other_figures_s(speed: Speed, frame: Frame) -> float:
    """The seconds of judging other figures, if there are as many as are ever judged."""
    return MOST_JUDGED * speed.reading_s(frame.again + OTHER_FIGURE)


def too_short(seconds: float, needed_s: float) -> str:
    """The reason of a refusal for want of time. `needed_s` is rounded up to a tenth of a second."""
    needed = math.ceil(10 * needed_s - 1e-6) / 10
    return f"Answering takes at least {needed:g} s on this machine; {round(seconds, 1):g} s were given."


def _evidence_within(left_s: float, speed: Speed, frame: Frame, *, answer: int) -> int:
    spare = left_s - speed.reading_s(frame.task) - speed.writing_s(answer)
    return math.floor(spare * speed.prefill_tokens_s + 1e-6) - frame.first


def _answer_within(left_s: float, speed: Speed, frame: Frame, *, evidence: int) -> int:
    spare = left_s - answer_s(speed, frame, evidence=evidence, answer=0)
    return math.floor(spare * speed.decode_tokens_s + 1e-6)
