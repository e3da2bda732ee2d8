"""Models come to memory once, and only for questions that need them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from index import HashingEmbedder, SavedIndex
from index.errors import ModelError
from rag import Chatbot, Settings, StatusEvent
from rag.fakes import CopyingGenerator
from rag.loading import Loading, loaded

QUESTION = "What became of repairs of the harbour of Porto Claro?"


@pytest.fixture
def index(tiny_index):
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as opened:
        yield opened


def test_it_loads_once_whoever_comes():
    calls = []

    def load(progress):
        calls.append(threading.get_ident())
        time.sleep(0.05)

    loading = Loading(load)
    assert not loading.done
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: loading.now(), range(8)))
    assert loading.done
    assert len(calls) == 1


def test_what_fails_is_raised_and_tried_again():
    failures = [ModelError("The model does not load.")]
    told = []

    def load(progress):
        if failures:
            raise failures.pop()
        progress("loading the models", 2, 2)

    loading = Loading(load)
    with pytest.raises(ModelError, match=r"The model does not load\."):
        loading.now()
    assert not loading.done
    loading.now(lambda *what: told.append(what))
    assert told == [("loading the models", 2, 2)]


def test_models_that_are_there_need_nothing():
    assert loaded().done


def test_a_question_of_the_index_alone_loads_nothing(index):
    loading = Loading(lambda progress: pytest.fail("no model is needed to count articles"))
    answer = Chatbot(index, CopyingGenerator(), loading=loading).answer("How many articles are there?")
    assert answer.text.startswith("There are 3 articles")
    assert not loading.done


def test_the_first_question_loads_and_says_so_and_its_time_begins_afterwards(index):
    loading = Loading(lambda progress: time.sleep(0.5))
    chatbot = Chatbot(index, CopyingGenerator(), today=lambda: date(2026, 11, 25), loading=loading)
    events = list(chatbot.stream(QUESTION))
    assert events[0] == StatusEvent("Loading the models")
    answer = events[-1].answer
    assert answer.text == "The harbour of Porto Claro reopened on Monday."
    assert answer.timings.total_s < 0.5
    assert answer.explanation.steps[0].name == "search"
    assert answer.explanation.steps[0].took_s < 0.5
    assert StatusEvent("Loading the models") not in list(chatbot.stream("What did the mayor say of repairs?"))


def test_a_time_limit_does_not_count_it(index):
    loading = Loading(lambda progress: time.sleep(1.2))
    chatbot = Chatbot(index, CopyingGenerator(), settings=Settings(seconds=1.0), loading=loading)
    answer = chatbot.answer(QUESTION)
    assert answer.text == "The harbour of Porto Claro reopened on Monday."
    assert not any("time" in skipped for skipped in answer.skipped)
