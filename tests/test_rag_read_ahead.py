"""Reading articles between questions."""

import dataclasses
import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from rag_material import ARTICLE

from rag.excerpts import whole_article
from rag.read_ahead import ReadAhead

WITHIN_S = 30.0
ARTICLES = [dataclasses.replace(ARTICLE, id=name, title=f"Malls of {name}") for name in "abcd"]


class Reader:
    """Reads two steps of every text, and notes which; counts a token for each word. `fails` on that text."""

    def __init__(self):
        self.steps = []
        self.done = set()
        self.kept = set()
        self.fails = None
        self.step = lambda: None

    def read_ahead(self, messages, *, most_tokens, stop=lambda: False):
        (name,) = [article.id for article in ARTICLES if messages[-1].content == whole_article(article).text]
        if name == self.fails:
            raise RuntimeError("no room")
        while self.steps.count(name) < 2:
            self.steps.append(name)
            self.step()
            if stop():
                return False
        self.done.add((name, most_tokens))
        self.kept.add(messages[-1].content)
        return True

    def has_read(self, messages):
        return messages[-1].content in self.kept

    def count_tokens(self, text):
        return len(text.split())


@pytest.fixture
def reader():
    return Reader()


@pytest.fixture
def busy():
    return threading.Event()


@pytest.fixture
def ahead(reader, busy):
    reading = ReadAhead(reader, most_tokens=100, busy=busy.is_set, quiet_s=0.0)
    yield reading
    reading.close()


def known(ahead):
    return [whole.article_id for whole in ahead.wholes(ARTICLES)]


def test_what_is_wanted_is_read_in_order_and_known_whole(ahead, reader):
    ahead.want([ARTICLES[1], ARTICLES[0], ARTICLES[1]])
    assert ahead.wait(WITHIN_S)
    assert reader.steps == ["b", "b", "a", "a"]
    assert reader.done == {("a", 100), ("b", 100)}
    assert ahead.wholes([ARTICLES[0], ARTICLES[3], ARTICLES[0]]) == (whole_article(ARTICLES[0]),)
    ahead.want(ARTICLES[:2])
    assert ahead.wait(WITHIN_S)
    assert len(reader.steps) == 4


def test_what_the_model_has_let_go_of_is_read_again(ahead, reader):
    ahead.want(ARTICLES[:2])
    assert ahead.wait(WITHIN_S)
    reader.kept.remove(whole_article(ARTICLES[0]).text)
    reader.steps.clear()
    assert known(ahead) == ["b"]
    ahead.want(ARTICLES[:2])
    assert ahead.wait(WITHIN_S)
    assert (reader.steps, known(ahead)) == (["a", "a"], ["a", "b"])


def test_what_was_wanted_last_comes_first(ahead, busy, reader):
    busy.set()
    ahead.want(ARTICLES[:2])
    ahead.want([ARTICLES[2], ARTICLES[1]])
    assert not ahead.wait(0.3)
    assert reader.steps == []
    busy.clear()
    assert ahead.wait(WITHIN_S)
    assert reader.steps == ["c", "c", "b", "b", "a", "a"]


def test_a_question_stops_it_and_it_goes_on_afterwards(ahead, busy, reader):
    asked = threading.Event()

    def ask():
        if not asked.is_set():
            busy.set()
            asked.set()

    reader.step = ask
    ahead.want(ARTICLES[:1])
    assert asked.wait(WITHIN_S)
    assert not ahead.wait(0.3)
    assert (reader.steps, known(ahead)) == (["a"], [])
    busy.clear()
    assert ahead.wait(WITHIN_S)
    assert (reader.steps, known(ahead)) == (["a", "a"], ["a"])


def test_it_waits_until_nobody_has_asked_for_a_while(reader, busy):
    ahead = ReadAhead(reader, most_tokens=100, busy=busy.is_set, quiet_s=60.0)
    ahead.want(ARTICLES[:1])
    assert not ahead.wait(0.3)
    ahead.close()
    assert reader.steps == []


def test_all_articles_are_read_if_there_is_room(ahead, reader):
    words = len(ARTICLE.text.split())
    assert 2 * words <= 100 < 3 * words
    ahead.want_all(ARTICLES[:3])
    assert ahead.wait(WITHIN_S)
    assert reader.steps == []
    ahead.want_all(ARTICLES[:2])
    assert ahead.wait(WITHIN_S)
    assert known(ahead) == ["a", "b"]


def test_very_long_articles_are_not_even_counted(reader, busy):
    reader.count_tokens = None
    long = dataclasses.replace(ARTICLE, text="word " * 500)
    ReadAhead(reader, most_tokens=100, busy=busy.is_set).want_all([long])


def test_an_article_that_has_changed_is_read_again(ahead, reader):
    changed = dataclasses.replace(ARTICLES[0], tags=("new",))
    ahead.want(ARTICLES[:1])
    assert ahead.wait(WITHIN_S)
    assert ahead.wholes([changed]) == ()
    ahead.want([changed])
    assert ahead.wait(WITHIN_S)
    assert (known(ahead), len(ahead.wholes([changed]))) == ([], 1)


def test_a_failure_ends_it_and_is_logged(ahead, reader, caplog):
    reader.fails = "a"
    with caplog.at_level(logging.ERROR, logger="byline.rag"):
        ahead.want(ARTICLES[:2])
        assert ahead.wait(WITHIN_S)
    assert "not read ahead any more" in caplog.text
    assert "no room" in caplog.text
    assert known(ahead) == []


def test_closed_it_ends_at_the_next_step_and_reads_no_more(ahead, reader):
    first = threading.Event()
    reader.step = lambda: (first.set(), closed.wait(WITHIN_S))
    closed = threading.Event()
    ahead.want(ARTICLES)
    assert first.wait(WITHIN_S)
    closer = threading.Thread(target=ahead.close)
    closer.start()
    while not ahead._closed:
        pass
    closed.set()
    closer.join(WITHIN_S)
    ahead.want(ARTICLES)
    assert ahead.wait(WITHIN_S)
    assert reader.steps == ["a"]


ENDING = """
import sys, time
sys.path.insert(0, {tests!r})
from rag_material import ARTICLE
from index.computing import computed
from rag.read_ahead import ReadAhead

class Slow:
    def has_read(self, messages):
        return False

    def read_ahead(self, messages, *, most_tokens, stop):
        while not stop():
            print("step", flush=True)
            computed(time.sleep)(0.2)
        return False

ahead = ReadAhead(Slow(), most_tokens=100, busy=lambda: False, quiet_s=0.0)
ahead.want([ARTICLE])
time.sleep(0.3)
"""


def test_a_program_that_ends_meanwhile_ends_at_once_and_says_nothing_of_it():
    program = ENDING.format(tests=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert 1 <= done.stdout.count("step") <= 5
