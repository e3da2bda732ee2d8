"""One model, many askers: who comes first is served first, everyone can see how many are before them, and whoever
leaves holds up nobody.

    with turns.arrive() as place:             # refused if too many are here already
        ...                                   # search, beside the others
        with place.turn():
            for ahead in place.wait(stopped):
                print(before_this_one(ahead))
            if place.served:
                ...                           # alone with the model

A place is numbered on arrival, and of those that stand in line the lowest number is served next. So nobody waits for
one who is still searching; that one is behind a single answer at most, and so is the second part of a question.
Knows nothing about questions or models.
"""

import threading
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Self

from index.errors import ResourceError
from rag.saying import counted

MOST_WAITING = 50
"""Places in line behind the question that is answered."""

_LOOK_AROUND_S = 0.1
"""How long one who no longer wants an answer may stand in line before this is noticed."""

# The places that stand in line or are served on behalf of whoever runs now. A generator shares it with its caller, so
# it tells a thread in the middle of one answer that asks for another; a thread pool that resumes generators on
# whichever thread is free gives each its own.
_own: ContextVar[tuple["Place", ...]] = ContextVar("_own", default=())


def before_this_one(ahead: int) -> str:
    """A place in line for a person: "2 questions before this one"."""
    return f"{counted(ahead, 'question')} before this one"


class Turns:
    """A line before something that serves one at a time. Safe to use from several threads."""

    def __init__(self, *, most_waiting: int = MOST_WAITING) -> None:
        self.most_waiting = most_waiting
        # Reentrant, since the garbage collector may close a generator, which then leaves, in the middle of anything.
        self._changed = threading.Condition(threading.RLock())
        self._here: set[Place] = set()
        self._line: list[Place] = []
        self._served: Place | None = None
        self._arrived = 0

    def arrive(self) -> "Place":
        """A place, to be left again: use it in a `with` block.

        Raises ResourceError if `most_waiting` are here already besides the one that is served.
        """
        with self._changed:
            if len(self._here) > self.most_waiting:
                are = "is" if self.most_waiting == 1 else "are"
                raise ResourceError(
                    f"{counted(self.most_waiting, 'question')} {are} waiting already; one is answered at a time.",
                    help="Ask again when some of them are answered, or let more of them wait: BYLINE_MOST_WAITING.",
                )
            self._arrived += 1
            place = Place(self, self._arrived)
            self._here.add(place)
            return place

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A turn, waited for."""
        with self.arrive() as place, place.turn():
            for _ in place.wait():
                pass
            yield

    def __len__(self) -> int:
        """How many are here: served, in line, or not in line yet."""
        return len(self._here)


class Place:
    """One asker's place, from arrival to leaving. Made by `Turns.arrive`."""

    def __init__(self, turns: Turns, number: int) -> None:
        self._turns = turns
        self.number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    @property
    def served(self) -> bool:
        """Whether it is this one's turn."""
        return self._turns._served is self

    @contextmanager
    def turn(self) -> Iterator[None]:
        """To wait in, and to be served in; over when the block ends, however it does."""
        standing = tuple(place for place in _own.get() if place.served or place in self._turns._line)
        _own.set((*standing, self))
        try:
            yield
        finally:
            self.step_out()

    def queue_up(self) -> None:
        """Stand in line, by order of arrival."""
        turns = self._turns
        with turns._changed:
            if not self.served and self not in turns._line:
                insort(turns._line, self, key=lambda place: place.number)
                turns._changed.notify_all()

    def wait(self, stopped: Callable[[], bool] = lambda: False) -> Iterator[int]:
        """How many are before this one, now and whenever it changes, as long as there are any.

        Ends when its turn has come, or once `stopped()` says True. Raises ResourceError if it would wait for what the
        same thread has begun and not ended.
        """
        turns, shown = self._turns, -1
        self.queue_up()
        while not stopped():
            with turns._changed:
                if (ahead := self._ahead()) == shown:
                    turns._changed.wait(_LOOK_AROUND_S)
                    ahead = self._ahead()
            if not ahead:
                return
            if ahead != shown:
                shown = ahead
                yield ahead

    def step_out(self) -> None:
        """End the turn, or give up waiting for it, and stay here."""
        turns = self._turns
        with turns._changed:
            if self.served:
                turns._served = None
            elif self in turns._line:
                turns._line.remove(self)
            turns._changed.notify_all()

    def leave(self) -> None:
        """Give up the place. Those behind move up; a second time changes nothing."""
        self.step_out()
        with self._turns._changed:
            self._turns._here.discard(self)

    def _ahead(self) -> int:
        """How many are before this one; its turn has begun if there are none."""
        turns = self._turns
        if self.served:
            return 0
        before = turns._line[: turns._line.index(self)]
        if turns._served is not None:
            before.append(turns._served)
        elif not before:
            turns._line.remove(self)
            turns._served = self
            turns._changed.notify_all()
        own = _own.get()
        if any(place in own for place in before):
            raise ResourceError(
                "This question would wait for another one that the same thread is in the middle of.",
                help="Read the events of that one to their end, or close them, before you ask again.",
            )
        return len(before)
