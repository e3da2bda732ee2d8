"""Several people ask one chatbot at once, offline: what waits, what does not, and that nobody waits for ever."""

import queue
import threading

import pytest

from index import HashingEmbedder, SavedIndex
from index.errors import ModelError, ResourceError
from rag import Chatbot, DoneEvent, PassagesEvent, Settings, StatusEvent, TextEvent
from rag.fakes import CopyingGenerator
from rag.generators import TransformersGenerator

HARBOUR = "What became of repairs of the harbour of Porto Claro?"
RAILWAY = "What became of the railway line between Linz and Passau?"
BOTH = "How much did repairs cost, and what became of the railway line?"
QUESTIONS = (HARBOUR, RAILWAY, BOTH, "Which volcano destroyed Pompeii?", "Since when has the rye loaf been baked?")
WITHIN_S = 60
"""Only reached if a test fails."""


class Gated(CopyingGenerator):
    """Says with `begun` which question it writes to, and does so once it is let through the gate. What it only reads
    again needs no leave."""

    def __init__(self):
        super().__init__()
        self.begun, self.gate = queue.Queue(), threading.Semaphore(0)
        self.broken = False

    def generate(self, messages, *, max_tokens):
        if "shortest exact phrase" not in messages[-1].content:
            self.begun.put(messages[-1].content.split("Question: ")[-1].split("\n")[0])
            assert self.gate.acquire(timeout=WITHIN_S)
            if self.broken:
                raise ModelError("The generator broke.")
        yield from super().generate(messages, max_tokens=max_tokens)


@pytest.fixture
def index(tiny_index):
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as index:
        yield index


@pytest.fixture
def chatbot(index):
    return Chatbot(index, Gated(), settings=Settings(most_waiting=2))


class Asking(threading.Thread):
    """One question in a thread of its own; `answer` or `error` is what became of it."""

    def __init__(self, chatbot, question):
        super().__init__(daemon=True)
        self.chatbot, self.question = chatbot, question
        self.answer, self.error, self.places = None, None, queue.Queue()

    def run(self):
        try:
            for event in self.chatbot.stream(self.question):
                if isinstance(event, StatusEvent) and event.text.endswith("before this one"):
                    self.places.put(event.text)
                if isinstance(event, DoneEvent):
                    self.answer = event.answer
        except Exception as error:
            self.error = error

    def ended(self):
        self.join(WITHIN_S)
        assert not self.is_alive()
        return self


def begun(chatbot, question):
    """Someone whose answer is being written."""
    asking = Asking(chatbot, question)
    asking.start()
    assert chatbot.generator.begun.get(timeout=WITHIN_S) == question
    return asking


def up_to_the_line(events):
    seen = []
    for event in events:
        seen.append(event)
        if isinstance(event, StatusEvent) and event.text.endswith("before this one"):
            return seen
    raise AssertionError(f"nobody was before this one: {seen}")


def test_search_and_evidence_do_not_wait_for_the_answer_before(chatbot):
    first = begun(chatbot, HARBOUR)
    events = chatbot.stream(RAILWAY)
    seen = up_to_the_line(events)
    assert [event.type for event in seen] == ["status", "passages", "status"]
    assert any(passage.used for passage in seen[1].passages)  # evidence is chosen as well
    assert seen[2] == StatusEvent("1 question before this one")
    assert first.is_alive()
    chatbot.generator.gate.release(2)
    assert next(event for event in reversed(list(events)) if isinstance(event, DoneEvent)).answer.citations
    assert first.ended().answer.citations


def test_a_closed_stream_gives_up_its_place(chatbot):
    first = begun(chatbot, HARBOUR)
    events = chatbot.stream(RAILWAY)
    up_to_the_line(events)
    third = Asking(chatbot, HARBOUR)
    third.start()
    assert third.places.get(timeout=WITHIN_S) == "2 questions before this one"
    events.close()
    assert third.places.get(timeout=WITHIN_S) == "1 question before this one"
    chatbot.generator.gate.release(2)
    assert first.ended().answer.text == third.ended().answer.text


def test_a_stream_closed_while_it_writes_frees_the_model(chatbot):
    chatbot.generator.gate.release(2)
    events = chatbot.stream(HARBOUR)
    assert next(event for event in events if isinstance(event, TextEvent)).text == "The"
    events.close()
    assert chatbot.answer(RAILWAY).citations


def test_who_stops_while_waiting_is_not_answered(chatbot):
    first, stop = begun(chatbot, HARBOUR), threading.Event()
    events = chatbot.stream(RAILWAY, stop=stop.is_set)
    up_to_the_line(events)
    stop.set()
    assert list(events) == []
    assert first.is_alive()
    chatbot.generator.gate.release()
    assert first.ended().answer.citations


def test_a_model_that_breaks_is_free_for_the_next_question(chatbot):
    first = begun(chatbot, HARBOUR)
    events = chatbot.stream(RAILWAY)
    up_to_the_line(events)
    chatbot.generator.broken = True
    chatbot.generator.gate.release()
    assert isinstance(first.ended().error, ModelError)
    chatbot.generator.broken = False
    chatbot.generator.gate.release()
    *_, done = events
    assert done.answer.citations


def test_one_more_than_may_wait_is_refused_before_it_searches(chatbot):
    first = begun(chatbot, HARBOUR)
    waiting = [chatbot.stream(RAILWAY)]
    up_to_the_line(waiting[0])
    other = Asking(chatbot, HARBOUR)
    other.start()
    other.places.get(timeout=WITHIN_S)
    with pytest.raises(ResourceError, match="2 questions are waiting already"):
        next(chatbot.stream(HARBOUR))
    waiting[0].close()
    chatbot.generator.gate.release(2)
    assert first.ended().answer.text == other.ended().answer.text


def test_a_question_in_two_parts_keeps_its_place_and_nobody_waits_for_ever(index):
    chatbot = Chatbot(index, Gated())
    generator = chatbot.generator
    first = begun(chatbot, HARBOUR)
    two = Asking(chatbot, BOTH)
    two.start()
    assert two.places.get(timeout=WITHIN_S) == "1 question before this one"
    later = []
    for ahead in (2, 3):
        later.append(Asking(chatbot, RAILWAY))
        later[-1].start()
        assert later[-1].places.get(timeout=WITHIN_S) == f"{ahead} questions before this one"
    generator.gate.release()
    written = [generator.begun.get(timeout=WITHIN_S)]
    generator.gate.release()
    # One of those behind is served while the second part is searched for, unless that is quicker; then comes that.
    for _ in range(3):
        written.append(generator.begun.get(timeout=WITHIN_S))
        if written[-1] == RAILWAY and len(written) == 2:
            two.places.get(timeout=WITHIN_S)
        generator.gate.release()
    assert written[0] == "How much did repairs cost?"
    assert "What became of the railway line?" in written[1:3]
    assert [asking.ended().error for asking in (first, two, *later)] == [None] * 4
    assert len(two.answer.citations) == 2


def test_a_thread_in_the_middle_of_one_answer_is_told_that_it_cannot_have_another(chatbot):
    chatbot.generator.gate.release(3)
    events = chatbot.stream(HARBOUR)
    evidence = chatbot.choose(RAILWAY, chatbot.search(RAILWAY))
    assert next(event for event in events if isinstance(event, TextEvent))
    for ask in (lambda: chatbot.answer(RAILWAY), lambda: chatbot.support("It cost 4.6 billion euros.", evidence)):
        with pytest.raises(ResourceError, match="the same thread is in the middle of"):
            ask()
    assert isinstance(list(events)[-1], DoneEvent)
    assert chatbot.answer(RAILWAY).citations
    assert chatbot.support("The line will cost 4.6 billion euros.", evidence) > 0


def said(answer):
    return answer.text, answer.citations, answer.reason, answer.usage, answer.signals


def test_twenty_at_once_get_the_answers_that_they_would_get_alone(index):
    """With what the model did for each: its counts are common to all, and those of others must not slip in."""
    alone = {question: said(Chatbot(index, CopyingGenerator()).answer(question)) for question in QUESTIONS}
    chatbot = Chatbot(index, CopyingGenerator(), settings=Settings(most_waiting=19, most_remembered=0))
    everyone = [Asking(chatbot, QUESTIONS[number % len(QUESTIONS)]) for number in range(20)]
    for asking in everyone:
        asking.start()
    for asking in everyone:
        assert asking.ended().error is None
        assert said(asking.answer) == alone[asking.question]


def test_what_was_found_before_the_model_was_asked_costs_nothing_of_it(index):
    events = Chatbot(index, CopyingGenerator()).stream(HARBOUR, articles=[])
    done = [event for event in events if isinstance(event, (PassagesEvent, DoneEvent))][-1]
    assert (done.answer.abstained, done.answer.usage.passes) == (True, 0)


def test_tokens_are_counted_while_the_model_writes(tmp_path):
    """Evidence is chosen by counting tokens, which waited for the whole answer to the question before."""
    generator = TransformersGenerator(tmp_path, name="none")
    generator._tokenizer._loaded = lambda text, add_special_tokens: {"input_ids": text.split()}
    counts = queue.Queue()
    with generator._lock:
        threading.Thread(target=lambda: counts.put(generator.count_tokens("a b c")), daemon=True).start()
        assert counts.get(timeout=WITHIN_S) == 3
