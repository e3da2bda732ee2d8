"""Answers given before: the same question to the same articles has the same answer, so it is not worked out again."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from rag.types import DoneEvent, Event, StatusEvent, Usage

MOST_REMEMBERED = 64


class RememberedAnswers:
    """The events of the answers given last, up to `most`; the one asked for longest ago is forgotten first.

    Safe to use from many threads.
    """

    def __init__(self, *, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, tuple[Event, ...]] = OrderedDict()

    def again(self, key: Hashable) -> Iterator[Event] | None:
        """What happened when this was asked before, with the times of now; None if it is not known."""
        with self._lock:
            if key not in self._known:
                return None
            self._known.move_to_end(key)
            events = self._known[key]
        return _replayed(events)

    def noting(self, key: Hashable, events: Iterable[Event]) -> Iterator[Event]:
        """The same events; kept once they are complete, unless anything was left out for want of time."""
        seen: list[Event] = []
        for event in events:
            if not isinstance(event, StatusEvent):
                seen.append(event)
            if isinstance(event, DoneEvent) and not event.answer.skipped:
                self._keep(key, tuple(seen))  # now: nobody has to ask for what comes after the last event
            yield event

    def _keep(self, key: Hashable, events: tuple[Event, ...]) -> None:
        with self._lock:
            self._known[key] = events
            while len(self._known) > self._most:
                self._known.popitem(last=False)

    def forget(self) -> None:
        """Let go of all of them."""
        with self._lock:
            self._known.clear()


def _replayed(events: Iterable[Event]) -> Iterator[Event]:
    started = time.perf_counter()
    for event in events:
        if isinstance(event, DoneEvent):
            took = time.perf_counter() - started
            timings = replace(event.answer.timings, search_s=0.0, first_token_s=None, total_s=took)
            event = DoneEvent(replace(event.answer, timings=timings, usage=Usage()))
        yield event
