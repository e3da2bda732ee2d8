"""One question at a time: the page and the HTTP interface stand in the same line before the same model.

The chatbot runs in a thread of its own for each question, from the first event to the last: frameworks keep
state per thread, and a web server resumes a generator on whichever thread is free. It also lets Stop answer
at once while the model is still on its way to the next word; the place in line is held until it has really
ended.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from index.errors import InputError, ResourceError
from index.filters import Filters
from rag.types import Answer, DoneEvent, Event, Message, StatusEvent
from ui.protocol import ChatbotLike
from ui.warmup import Warmup

LONGEST_QUESTION = 2000
"""Characters. Longer ones would push the evidence out of the prompt."""

_LOOK_AROUND_S = 0.05


@dataclass(frozen=True, slots=True)
class _Ended:
    error: Exception | None = None


class _Line:
    """First come, first served, with a bounded number of places."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._tickets: deque[object] = deque()

    def join(self) -> object:
        with self._lock:
            if len(self._tickets) >= self._places:
                raise ResourceError(
                    f"{self._places} questions are waiting already; Byline answers one at a time.",
                    help="Ask again when some of them are answered.",
                )
            ticket = object()
            self._tickets.append(ticket)
            return ticket

    def ahead_of(self, ticket: object) -> int:
        with self._lock:
            return self._tickets.index(ticket)

    def leave(self, ticket: object) -> None:
        with self._lock:
            self._tickets.remove(ticket)

    def __len__(self) -> int:
        with self._lock:
            return len(self._tickets)


class Desk:
    """Takes questions from everywhere and has them answered in turn, waiting for the models if need be."""

    def __init__(self, warmup: Warmup, *, places: int = 8) -> None:
        self.warmup = warmup
        self._line = _Line(places)
        self._closing = threading.Event()

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

        `seconds` is the time that the answer may take, once it is its turn (None: as the settings say).

        Waiting shows as `StatusEvent`s. Ends early, without a `DoneEvent`, once `stop()` says True or the
        desk closes. Raises `InputError` for an unusable question, `ResourceError` if too many wait, what the
        loading raised, and what the chatbot raises.
        """
        question = checked_question(question)
        abandoned = threading.Event()

        def halted() -> bool:
            return abandoned.is_set() or self._closing.is_set() or (stop is not None and stop())

        ticket = self._line.join()
        running = False
        try:
            yield from self._waiting(ticket, halted)
            if halted():
                return
            chatbot = self.warmup.chatbot(wait=0)
            events: queue.SimpleQueue[Event | _Ended] = queue.SimpleQueue()
            worker = threading.Thread(
                target=self._answering,
                args=(chatbot, question, tuple(history), filters, seconds, halted, events, ticket),
                name="byline-answering",
                daemon=True,
            )
            worker.start()
            running = True
            yield from _gathered(events, every, halted)
        finally:
            abandoned.set()
            if not running:
                self._line.leave(ticket)

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
        while len(self._line) and time.monotonic() < deadline:
            time.sleep(_LOOK_AROUND_S)

    def _waiting(self, ticket: object, halted: Callable[[], bool]) -> Iterator[list[Event]]:
        shown = ""
        while not halted():
            state, ahead = self.warmup.state, self._line.ahead_of(ticket)
            if state.name == "error" or (state.ready and ahead == 0):
                return
            if not state.ready:
                text = state.text
            else:
                text = "Waiting for another answer" if ahead == 1 else f"Waiting for {ahead} other answers"
            if text != shown:
                shown = text
                yield [StatusEvent(f"{text}…")]
            time.sleep(_LOOK_AROUND_S)

    def _answering(
        self,
        chatbot: ChatbotLike,
        question: str,
        history: tuple[Message, ...],
        filters: Filters | None,
        seconds: float | None,
        halted: Callable[[], bool],
        events: "queue.SimpleQueue[Event | _Ended]",
        ticket: object,
    ) -> None:
        ended = _Ended()
        try:
            for event in chatbot.stream(question, history=history, filters=filters, stop=halted, seconds=seconds):
                events.put(event)
        except Exception as error:  # handed over: `_gathered` raises it where the events are read
            ended = _Ended(error)
        finally:
            self._line.leave(ticket)
            events.put(ended)


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
