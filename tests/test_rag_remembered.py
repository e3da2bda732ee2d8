"""Answers given before, given again."""

import dataclasses

import pytest

from rag.remembered import RememberedAnswers
from rag.types import Answer, DoneEvent, StatusEvent, TextEvent, Timings, Usage


def answer(text="Paris.", **changes):
    values = {
        "question": "Where?", "text": text, "abstained": False, "confidence": 0.9, "reason": None, "citations": (),
        "passages": (), "timings": Timings(0.1, 1.0, 2.0), "model": "m", "index": "i", "usage": Usage(2, 30, 4, -1.0),
    }  # fmt: skip
    return Answer(**values | changes)


def events(**changes):
    return [StatusEvent("Searching"), TextEvent("Par"), TextEvent("is."), DoneEvent(answer(**changes))]


@pytest.fixture
def kept():
    return RememberedAnswers()


def ask(kept, key, **changes):
    return list(kept.noting(key, events(**changes)))


def test_the_first_time_is_as_it_is_and_the_second_has_the_times_of_now(kept):
    assert kept.again("Where?") is None
    assert ask(kept, "Where?") == events()
    *before, done = kept.again("Where?")
    assert before == [TextEvent("Par"), TextEvent("is.")]
    assert done.answer.timings.first_token_s is None
    assert done.answer.timings.total_s < 1
    assert dataclasses.replace(done.answer, timings=answer().timings) == answer(usage=Usage())
    assert kept.again("Who?") is None


def test_what_was_stopped_or_cut_short_is_not_kept(kept):
    stopped = kept.noting("stopped", events())
    assert [next(stopped), next(stopped)] == events()[:2]
    stopped.close()
    assert list(kept.noting("without an end", events()[:-1])) == events()[:-1]
    ask(kept, "hasty", skipped=("the second look",))
    assert [kept.again(key) for key in ("stopped", "without an end", "hasty")] == [None] * 3


def test_none_are_kept_if_none_are_wanted():
    kept = RememberedAnswers(most=0)
    ask(kept, 1)
    assert kept.again(1) is None


def test_the_one_asked_for_longest_ago_is_forgotten():
    kept = RememberedAnswers(most=2)
    ask(kept, 1, text="one")
    ask(kept, 2, text="two")
    assert list(kept.again(1))[-1].answer.text == "one"
    ask(kept, 3, text="three")
    assert kept.again(2) is None
    assert [list(kept.again(key))[-1].answer.text for key in (1, 3)] == ["one", "three"]
    kept.forget()
    assert kept.again(1) is None
