"""Questions from everywhere, each answered in a thread of its own: those of the page and of the HTTP interface.

They are handed to the chatbot in the order in which they came, also those that came while the models were loading;
the chatbot searches for several at once and lets them at the model one after another (`rag/queueing.py`).

A question has one thread from the first event to the last: frameworks keep state per thread, and a web server resumes
a generator on whichever thread is free. It also lets Stop answer at once while the model is still on its way to the
next word, and nobody waits for a reader who does not read.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from index.errors import InputError
from index.filters import Filters
from rag.queueing import MOST_WAITING, Place, Turns
from rag.types import Answer, DoneEvent, Event, Message, StatusEvent
from ui.warmup import Warmup

LONGEST_QUESTION = 2000
"""Characters. Longer ones would push the evidence out of the prompt."""

_LOOK_AROUND_S = 0.1


@dataclass(frozen=True, slots=True)
class _Ended:
    error: Exception | None = None


class Desk:
    """Takes questions from everywhere and has them answered, waiting for the models if need be."""

    def __init__(self, warmup: Warmup, *, most_waiting: int = MOST_WAITING) -> None:
        self.warmup = warmup
        # Its turns are short: from the models being there to the first event, by when the chatbot has the question.
        self._door = Turns(most_waiting=most_waiting)
        self._closing = threading.Event()

    @property
    def most_at_once(self) -> int:
        """How many questions are under way at most, the waiting ones included."""
        return self._door.most_waiting + 1

    def bursts(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        filters: Filters | None = None,
        stop: Callable[[], bool] | None = None,
        seconds: float | None = None,
        every: float = 0.05,
    ) -> Iterator[list[Event]]:
        """The events of answering, gathered over `every` seconds, so that a page is not redrawn for each
        token.

        `seconds` is the time that the answer may take, without waiting (None: as the settings say).

        Waiting shows as `StatusEvent`s, with how many questions are before this one. Ends early, without a
        `DoneEvent`, once `stop()` says True or the desk closes. Raises `InputError` for an unusable question,
        `ResourceError` if too many wait, what the loading raised, and what the chatbot raises.
        """
        question = checked_question(question)
        abandoned = threading.Event()

        def halted() -> bool:
            return abandoned.is_set() or self._closing.is_set() or (stop is not None and stop())

        place = self._door.arrive()
        place.queue_up()
        events: queue.SimpleQueue[Event | _Ended] = queue.SimpleQueue()
        worker = threading.Thread(
            target=self._answering,
            args=(question, tuple(history), filters, seconds, halted, events, place),
            name="byline-answering",
            daemon=True,
        )
        try:
            worker.start()
        except BaseException:
            place.leave()
            raise
        try:
            yield from _gathered(events, every, halted)
        finally:
            abandoned.set()

    def answer(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        filters: Filters | None = None,
        stop: Callable[[], bool] | None = None,
        seconds: float | None = None,
    ) -> Answer | None:
        """The whole answer, or None if it was stopped. Raises as `bursts` does."""
        for burst in self.bursts(question, history=history, filters=filters, stop=stop, seconds=seconds):
            for event in burst:
                if isinstance(event, DoneEvent):
                    return event.answer
        return None

    def close(self, *, wait: float = 0.0) -> None:
        """Stop what is under way, give it up to `wait` seconds to end, and answer nothing more."""
        self._closing.set()
        deadline = time.monotonic() + wait
        while len(self._door) and time.monotonic() < deadline:
            time.sleep(_LOOK_AROUND_S)

    def _answering(
        self,
        question: str,
        history: tuple[Message, ...],
        filters: Filters | None,
        seconds: float | None,
        halted: Callable[[], bool],
        events: "queue.SimpleQueue[Event | _Ended]",
        place: Place,
    ) -> None:
        ended = _Ended()
        try:
            for status in self._loading(halted):
                events.put(status)
            for _ in place.wait(halted):
                pass
            if place.served:
                chatbot = self.warmup.chatbot(wait=0)
                for event in chatbot.stream(question, history=history, filters=filters, stop=halted, seconds=seconds):
                    place.step_out()
                    events.put(event)
        except Exception as error:  # handed over: `_gathered` raises it where the events are read
            ended = _Ended(error)
        finally:
            place.leave()
            events.put(ended)

    def _loading(self, halted: Callable[[], bool]) -> Iterator[StatusEvent]:
        shown = ""
        while (state := self.warmup.state).name == "loading" and not halted():
            if state.text != shown:
                shown = state.text
                yield StatusEvent(f"{shown}…")
            time.sleep(_LOOK_AROUND_S)


def checked_question(question: str) -> str:
    """The question without surrounding space. Raises `InputError` if it is empty or too long."""
    question = question.strip()
    if not question:
        raise InputError("The question is empty.", help="Write a question about the articles.")
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; Byline takes up to {LONGEST_QUESTION:,}.",
            help="Shorten it to what you want to know.",
        )
    return question


def _gathered(
    events: "queue.SimpleQueue[Event | _Ended]", every: float, halted: Callable[[], bool]
) -> Iterator[list[Event]]:
    while not halted():
        burst: list[Event] = []
        deadline = time.monotonic() + _LOOK_AROUND_S
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = events.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(event, _Ended):
                if burst:
                    yield burst
                if event.error is not None:
                    raise event.error
                return
            if not burst:
                deadline = time.monotonic() + every
            burst.append(event)
        if burst:
            yield burst
