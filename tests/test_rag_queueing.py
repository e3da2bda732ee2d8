"""The line before the model: order, places, leaving, the bound. Threads meet at events and queues, not by the clock."""

import queue
import threading
from contextlib import contextmanager

import pytest

from index.errors import ResourceError
from rag.queueing import Turns, before_this_one

WITHIN_S = 30
"""Only reached if a test fails."""


class Asker(threading.Thread):
    """Waits in a thread of its own. `seen` are the places it is told, then "served" or "left"; it is served until
    `go` is set."""

    def __init__(self, place, order=None):
        super().__init__(daemon=True)
        self.place, self.order = place, [] if order is None else order
        self.seen, self.go, self.stop = queue.Queue(), threading.Event(), threading.Event()

    def run(self):
        with self.place, self.place.turn():
            for ahead in self.place.wait(self.stop.is_set):
                self.seen.put(ahead)
            if not self.place.served:
                self.seen.put("left")
                return
            self.order.append(self.place.number)
            self.seen.put("served")
            assert self.go.wait(WITHIN_S)

    def next(self):
        return self.seen.get(timeout=WITHIN_S)


@contextmanager
def asking(turns, count, order=None):
    """So many askers, who arrived and stand in line in this order; the first is served."""
    askers = [Asker(turns.arrive(), order) for _ in range(count)]
    for place, asker in enumerate(askers):
        asker.start()
        assert asker.next() == (place or "served")
    try:
        yield askers
    finally:
        for asker in askers:
            asker.go.set()
        for asker in askers:
            asker.join(WITHIN_S)
            assert not asker.is_alive()
        assert len(turns) == 0


def test_an_empty_line_is_not_waited_in():
    turns = Turns()
    with turns.arrive() as place, place.turn():
        assert not place.served
        assert list(place.wait()) == []
        assert place.served
    assert not place.served
    assert len(turns) == 0


def test_who_comes_first_is_served_first_whoever_stands_in_line_first():
    turns, order = Turns(), []
    with asking(turns, 1, order) as (first,):
        later = [Asker(turns.arrive(), order) for _ in range(30)]
        for asker in reversed(later):
            asker.start()
            assert asker.next() == 1  # for now: those who arrived before are still searching
        for asker in later:
            asker.go.set()
        first.go.set()
        for asker in later:
            asker.join(WITHIN_S)
    assert order == list(range(1, 32))


def test_everyone_is_told_how_many_are_before_them():
    with asking(Turns(), 4) as (first, second, third, fourth):
        first.go.set()
        assert (second.next(), third.next(), fourth.next()) == ("served", 1, 2)
        second.go.set()
        assert (third.next(), fourth.next()) == ("served", 1)
        third.go.set()
        assert fourth.next() == "served"
    assert [before_this_one(ahead) for ahead in (1, 2)] == ["1 question before this one", "2 questions before this one"]


def test_who_leaves_in_the_middle_holds_up_nobody():
    with asking(Turns(), 4) as (first, second, third, fourth):
        third.stop.set()
        assert third.next() == "left"
        assert fourth.next() == 2
        second.stop.set()
        assert second.next() == "left"
        assert fourth.next() == 1
        first.go.set()
        assert fourth.next() == "served"


def events(place):
    """As a chatbot waits: inside a generator."""
    with place, place.turn():
        yield from place.wait()
        yield "served"


@pytest.mark.parametrize("leave", ["close", "throw", "forget"])
def test_a_closed_generator_gives_up_its_place(leave):
    turns = Turns()
    with asking(turns, 1) as (first,):
        waiting = events(turns.arrive())
        assert next(waiting) == 1
        behind = Asker(turns.arrive())
        behind.start()
        assert behind.next() == 2
        if leave == "close":
            waiting.close()
        elif leave == "throw":
            with pytest.raises(KeyError):
                waiting.throw(KeyError("gone"))
        else:
            del waiting
        assert behind.next() == 1
        first.go.set()
        assert behind.next() == "served"
        behind.go.set()
        behind.join(WITHIN_S)


def test_an_exception_ends_the_turn():
    turns = Turns()
    served = events(turns.arrive())
    assert next(served) == "served"
    with pytest.raises(KeyError):
        served.throw(KeyError("broke"))
    with turns.alone():
        assert len(turns) == 1
    assert len(turns) == 0


def test_who_wants_nothing_any_more_is_not_served():
    place = Turns().arrive()
    with place, place.turn():
        assert list(place.wait(lambda: True)) == []
        assert not place.served


def test_the_line_has_an_end():
    turns = Turns(most_waiting=2)
    with asking(turns, 3) as (_, second, _):
        with pytest.raises(ResourceError, match="2 questions are waiting already") as caught:
            turns.arrive()
        assert "BYLINE_MOST_WAITING" in (caught.value.help or "")
        second.stop.set()
        second.join(WITHIN_S)
        turns.arrive().leave()
    turns.arrive().leave()


def test_leaving_twice_changes_nothing():
    turns = Turns()
    place = turns.arrive()
    place.leave()
    with asking(turns, 2) as (first, second):
        place.leave()
        first.go.set()
        assert second.next() == "served"


def test_a_second_turn_keeps_the_place_of_arrival():
    turns, order = Turns(), []
    place = turns.arrive()
    with asking(turns, 3, order) as (first, second, third):
        again = Asker(place, order)
        again.start()
        assert again.next() == 1  # only the one who is served, not those who came later and wait
        assert (second.next(), third.next()) == (2, 3)
        for asker in (first, second, third, again):
            asker.go.set()
        third.join(WITHIN_S)
    assert order == [2, 1, 3, 4]


@pytest.mark.parametrize("waiting", [False, True], ids=["being served", "waiting itself"])
def test_one_thread_never_waits_for_itself(waiting):
    turns = Turns()
    with asking(turns, 1) as (first,):
        if not waiting:
            first.go.set()
            first.join(WITHIN_S)
        begun = events(turns.arrive())
        assert next(begun) == (1 if waiting else "served")
        with pytest.raises(ResourceError, match="would wait for another one"):
            next(events(turns.arrive()))
        assert len(turns) == 1 + waiting
        begun.close()
        if waiting:
            first.go.set()
            first.join(WITHIN_S)
        assert next(events(turns.arrive())) == "served"


def test_whose_turn_it_is_at_once_does_not_look_around(monkeypatch):
    """A tenth of a second lost to every question, once."""

    def waited(self, timeout=None):
        raise AssertionError("it waited")

    turns = Turns()
    monkeypatch.setattr(turns._changed, "wait", waited.__get__(turns._changed))
    with turns.arrive() as place, place.turn():
        assert list(place.wait()) == []
        assert place.served
