"""Loading in the background, and the desk where questions wait their turn."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ui_scripted import ScriptedChatbot
from waiting import eventually

from index.errors import BylineError, InputError, ModelError, ResourceError
from rag.queueing import before_this_one
from rag.types import DoneEvent, Event, Message, StatusEvent, TextEvent
from ui.asking import LONGEST_QUESTION, Desk, checked_question
from ui.warmup import Warmup, WarmupState

PEAK_QUESTION = "How big was Alibaba at its peak?"


def ready_desk(chatbot: ScriptedChatbot, **options) -> Desk:
    warmup = Warmup(lambda progress: chatbot)
    warmup.start()
    warmup.chatbot(wait=5)
    return Desk(warmup, **options)


def test_the_state_follows_the_loading():
    seen, go = [], threading.Event()
    chatbot = ScriptedChatbot()

    def load(progress):
        progress("opening the index", 0, 0)
        seen.append(warmup.state)
        progress("loading the language model", 1, 4)
        seen.append(warmup.state)
        assert go.wait(5)
        return chatbot

    warmup = Warmup(load)
    assert warmup.state == WarmupState("starting")
    warmup.start()
    warmup.start()
    with pytest.raises(ResourceError, match="still being loaded"):
        warmup.chatbot(wait=0.2)
    assert seen == [WarmupState("opening the index"), WarmupState("loading the language model", 1, 4)]
    assert [state.text for state in seen] == ["Opening the index", "Loading the language model, 25 %"]
    go.set()
    assert warmup.chatbot() is chatbot
    assert warmup.state == WarmupState("ready", ready=True)
    assert warmup.state.name == "ready"
    assert len(seen) == 2


def test_a_known_failure_keeps_its_words():
    def load(progress):
        progress("loading the language model", 1, 4)
        raise ModelError("No model here.", help="Run `byline models fetch`.")

    warmup = Warmup(load)
    warmup.start()
    with pytest.raises(ModelError, match="No model here"):
        warmup.chatbot(wait=5)
    assert (warmup.state.name, warmup.state.error, warmup.state.help) == (
        "error",
        "No model here.",
        "Run `byline models fetch`.",
    )


def test_an_unknown_failure_is_named_and_logged(caplog):
    def load(progress):
        raise KeyError("lost")

    warmup = Warmup(load)
    warmup.start()
    with pytest.raises(BylineError, match="KeyError: 'lost'"):
        warmup.chatbot(wait=5)
    assert "byline doctor" in (warmup.state.help or "")
    assert "KeyError" in caplog.text


def test_the_desk_passes_everything_on():
    chatbot = ScriptedChatbot()
    desk = ready_desk(chatbot)
    history = (Message("user", "a"), Message("assistant", "b"))
    events = [event for burst in desk.bursts(f"  {PEAK_QUESTION} ", history=history) for event in burst]
    assert events == list(ScriptedChatbot().stream(PEAK_QUESTION))
    assert chatbot.histories == [history]
    assert desk.answer(PEAK_QUESTION) == ScriptedChatbot().answer(PEAK_QUESTION)


def test_bursts_gather_what_comes_quickly_and_flush_at_the_end():
    desk = ready_desk(ScriptedChatbot())
    quick = list(desk.bursts(PEAK_QUESTION, every=5))
    assert len(quick) == 1
    assert isinstance(quick[0][-1], DoneEvent)
    slow = list(ready_desk(ScriptedChatbot(pause=0.06)).bursts(PEAK_QUESTION, every=0.001))
    assert len(slow) > 8


def test_a_question_asked_too_early_waits_and_says_why():
    go = threading.Event()

    def load(progress):
        progress("loading the language model", 1, 2)
        assert go.wait(5)
        return ScriptedChatbot()

    warmup = Warmup(load)
    warmup.start()
    bursts = Desk(warmup).bursts(PEAK_QUESTION)
    assert next(bursts) == [StatusEvent("Loading the language model, 50 %…")]
    go.set()
    assert isinstance(list(bursts)[-1][-1], DoneEvent)


@contextmanager
def busy(chatbot: ScriptedChatbot) -> Iterator[None]:
    """Somebody else has the model."""
    with chatbot.turns.alone():
        yield


def until(bursts: Iterator[list[Event]], text: str) -> list[Event]:
    """The events up to the status with this text."""
    events: list[Event] = []
    while StatusEvent(text) not in events:
        events += next(bursts)
    return events


def test_one_at_a_time_in_order_and_the_waiting_are_told_and_have_searched():
    chatbot = ScriptedChatbot()
    desk = ready_desk(chatbot)
    with busy(chatbot):
        first, second, third = (desk.bursts(text) for text in (PEAK_QUESTION, "second", "third"))
        for place, bursts in enumerate((first, second, third), start=1):
            events = until(bursts, before_this_one(place))
            assert [event.type for event in events] == ["status", "passages", "status"]
    for bursts in (third, second, first):
        assert isinstance(list(bursts)[-1][-1], DoneEvent)
    assert chatbot.finished == [PEAK_QUESTION, "second", "third"]


def test_those_who_came_while_the_models_were_loading_are_served_in_that_order():
    go, chatbot = threading.Event(), ScriptedChatbot()

    def load(progress):
        assert go.wait(5)
        return chatbot

    warmup = Warmup(load)
    warmup.start()
    desk = Desk(warmup)
    questions = [f"question {number}" for number in range(12)]
    line = [desk.bursts(question) for question in questions]
    for bursts in line:
        assert next(bursts) == [StatusEvent("Starting…")]
    with busy(chatbot):
        go.set()
        for place, bursts in enumerate(line, start=1):
            until(bursts, before_this_one(place))
    for bursts in reversed(line):
        assert isinstance(list(bursts)[-1][-1], DoneEvent)
    assert chatbot.finished == questions


def test_nobody_waits_for_a_reader_who_does_not_read():
    chatbot = ScriptedChatbot()
    desk = ready_desk(chatbot)
    with busy(chatbot):
        unread = desk.bursts(PEAK_QUESTION)
        until(unread, "1 question before this one")
    assert desk.answer("next") is not None
    assert chatbot.finished == [PEAK_QUESTION, "next"]
    unread.close()


def test_the_line_has_an_end():
    chatbot = ScriptedChatbot()
    desk = ready_desk(chatbot, most_waiting=1)
    assert desk.most_at_once == 2
    with busy(chatbot):
        held = [desk.bursts(PEAK_QUESTION), desk.bursts("second")]
        for place, bursts in enumerate(held, start=1):
            until(bursts, before_this_one(place))
        with pytest.raises(ResourceError, match="1 question is waiting already"):
            next(desk.bursts("third"))
        held[1].close()
        eventually(lambda: len(desk._door) == 1)
        fourth = desk.bursts("fourth")
        until(fourth, "2 questions before this one")
        fourth.close()
    assert isinstance(list(held[0])[-1][-1], DoneEvent)
    desk.close(wait=5)
    assert chatbot.finished == [PEAK_QUESTION]


def test_stop_ends_at_once_and_frees_the_place_when_the_model_has_ended():
    chatbot = ScriptedChatbot(pause=0.05)
    desk = ready_desk(chatbot)
    stopped = threading.Event()
    events: list[Event] = []
    for burst in desk.bursts(PEAK_QUESTION, stop=stopped.is_set):
        events += burst
        if any(isinstance(event, TextEvent) for event in burst):
            stopped.set()
    assert not any(isinstance(event, DoneEvent) for event in events)
    answer = desk.answer("next")
    assert answer is not None
    assert chatbot.stopped == [PEAK_QUESTION]
    assert chatbot.finished == ["next"]


def test_a_reader_who_goes_away_stops_the_model():
    chatbot = ScriptedChatbot(pause=0.05)
    desk = ready_desk(chatbot)
    bursts = desk.bursts(PEAK_QUESTION)
    next(bursts)
    bursts.close()
    desk.close(wait=5)
    assert chatbot.finished == []


def test_closing_the_desk_stops_what_is_under_way():
    chatbot = ScriptedChatbot(pause=0.05)
    desk = ready_desk(chatbot)
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(desk.answer(PEAK_QUESTION)))
    thread.start()
    eventually(lambda: chatbot.histories)
    desk.close(wait=5)
    thread.join(5)
    assert got == [None]
    assert chatbot.stopped == [PEAK_QUESTION]
    assert desk.answer("later") is None


def test_what_the_chatbot_raises_arrives_after_what_it_said():
    class Failing(ScriptedChatbot):
        def stream(self, question, *, history=(), filters=None, stop=None, seconds=None) -> Iterator[Event]:
            yield TextEvent("so far")
            raise ModelError("broke")

    desk = ready_desk(Failing())
    bursts = desk.bursts("?")
    assert next(bursts) == [TextEvent("so far")]
    with pytest.raises(ModelError, match="broke"):
        next(bursts)
    with pytest.raises(ModelError, match="broke"):
        desk.answer("again: the place in line was given back")


@pytest.mark.parametrize("question", ["", " \n", "x" * (LONGEST_QUESTION + 1)])
def test_unusable_questions_are_refused_with_help(question):
    with pytest.raises(InputError) as caught:
        checked_question(question)
    assert caught.value.help
    with pytest.raises(InputError):
        ready_desk(ScriptedChatbot()).answer(question)


def test_the_longest_question_is_taken():
    assert checked_question(" " + "x" * LONGEST_QUESTION) == "x" * LONGEST_QUESTION
