"""What a conversation becomes, event by event."""

import pytest
from ui_scripted import ScriptedChatbot

from rag.types import CitationsEvent, DoneEvent, Message, PassagesEvent, StatusEvent, TextEvent
from ui.turns import Conversation, Turn, history_of


def played(question: str) -> list[Turn]:
    turn, states = Turn(question), []
    for event in ScriptedChatbot().stream(question):
        turn = turn.after(event)
        states.append(turn)
    return states


def test_a_turn_grows_from_status_over_draft_to_the_checked_answer():
    states = played("How much did products from Xinjiang generate in sales on Tmall?")
    assert [state.status for state in states[:3]] == [
        "Searching 4 articles…",
        "Searching 4 articles…",
        "Reading 4 passages…",
    ]
    assert states[1].passages[0].text.startswith("Products from Xinjiang generated $212 million")
    assert states[4].text == "Products from "
    assert not states[4].checked
    assert [state.checked for state in states[-3:]] == [False, True, True]
    last = states[-1]
    assert last.text == "Products from Xinjiang generated $212 million in sales on Tmall."
    assert last.state == "answered"
    assert last.answer is not None
    assert last.citation(1) == last.answer.citations[0]
    assert last.citation(2) is None
    assert last.passage(2) == last.answer.passages[1]
    assert last.passage(9) is None


def test_a_refusal_is_its_own_state():
    last = played("Who is the CEO of Snapdeal?")[-1]
    assert (last.state, last.citations) == ("refused", ())


def test_stopping_keeps_what_is_finished():
    finished = played("Who is the CEO of Snapdeal?")[-1]
    assert finished.stopped() is finished
    assert Turn("?", text="half").stopped() == Turn("?", text="half", state="stopped")


def test_only_finished_turns_are_history():
    turns = [
        Turn("a", state="answered", text="A."),
        Turn("b", state="stopped", text="half"),
        Turn("c", state="failed"),
        Turn("d", state="refused", text="Not told."),
    ]
    assert history_of(turns) == (
        Message("user", "a"),
        Message("assistant", "A."),
        Message("user", "d"),
        Message("assistant", "Not told."),
    )


def test_clearing_makes_the_round_unwanted():
    conversation = Conversation()
    first = conversation.begin("a")
    assert conversation.turn(0) == Turn("a")
    conversation.settle()
    second = conversation.begin("b")
    assert (first, second) == (1, 2)
    assert [conversation.turn(number) for number in (-1, 0, 1, 2)] == [None, Turn("a"), Turn("b"), None]
    conversation.clear()
    assert (conversation.round, conversation.turns, conversation.live) == (3, [], None)


@pytest.mark.parametrize("event", [StatusEvent("x"), TextEvent("x"), PassagesEvent(()), CitationsEvent("x", ())])
def test_only_done_finishes_a_turn(event):
    assert Turn("?").after(event).state == "working"
    done = next(e for e in ScriptedChatbot().stream("anything") if isinstance(e, DoneEvent))
    assert Turn("?").after(event).after(done).state == "refused"
