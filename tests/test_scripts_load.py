"""The load script against a served page with a scripted chatbot: what it asks, counts and reports."""

import importlib.util
import sys
from pathlib import Path

import pytest
from browser import served
from ui_scripted import SCRIPTS, ScriptedChatbot

from index.errors import ModelError
from ui.warmup import Warmup

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "load.py"
TMALL_QUESTION = "How much did products from Xinjiang generate in sales on Tmall?"


@pytest.fixture(scope="module")
def load():
    specification = importlib.util.spec_from_file_location("load", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    sys.modules["load"] = module  # where dataclasses look for the types that they name
    specification.loader.exec_module(module)
    yield module
    del sys.modules["load"]


def test_everyone_asks_one_question_after_another(load):
    chatbot = ScriptedChatbot()
    with served(Warmup(lambda progress: chatbot)) as server:
        load.wait_until_ready(server.url)
        asked = load.press(server.url, list(SCRIPTS), askers=3, seconds=0.5)
    assert {one.asker for one in asked} == {0, 1, 2}
    assert [one.error for one in asked] == [None] * len(asked)
    first = next(one for one in asked if one.question == next(iter(SCRIPTS)))
    assert 0 < first.evidence_s <= first.first_token_s <= first.answer_s
    assert sorted(chatbot.finished) == sorted(one.question for one in asked)


def test_what_fails_is_told(load):
    class Broken(ScriptedChatbot):
        def stream(self, question, *, history=(), filters=None, stop=None, seconds=None):
            raise ModelError("The generator broke.")

    with served(Warmup(lambda progress: Broken())) as server:
        load.wait_until_ready(server.url)
        failed = load.ask(server.url, TMALL_QUESTION)
        assert (failed.error, failed.answer_s) == ("RuntimeError: 503: The generator broke.", None)
    assert "ConnectionRefusedError" in load.ask(server.url, TMALL_QUESTION).error


def test_the_report_counts(load):
    answers = [load.Asked(number % 2, "?", 0.5, None, float(number), most_ahead=number % 4) for number in range(1, 21)]
    report = load.summary(
        [*answers, load.Asked(1, "?", error="broke")],
        askers=2,
        took_s=30.0,
        memory=[load.Memory(100.0, 4), load.Memory(130.0, 9), load.Memory(125.0, 9), load.Memory(120.0, 5)],
    )
    assert (report["answered"], report["failed"], report["errors"]) == (20, 1, ["broke"])
    assert (report["answers_per_asker"], report["most_ahead"]) == ([10, 10], 3)
    assert report["answer"] == {"count": 20, "p50_s": 10.0, "p95_s": 19.0, "max_s": 20.0}
    assert report["first_token"] == {"count": 0, "p50_s": None, "p95_s": None, "max_s": None}
    assert report["memory_mb"] == {"before": 100.0, "halfway": 125.0, "after": 120.0, "most": 130.0}
    assert report["threads"] == {"before": 4, "halfway": 9, "after": 5, "most": 9}
    text = load.told(report)
    assert "2 askers for 30 s: 20 answered (0 of them refusals), 1 failed" in text
    assert "memory of the server: 100 MB before, 125 MB halfway, 120 MB after, 130 MB most\n" in text
    assert text.endswith("error: broke")
    assert load.summary([], askers=1, took_s=0.0, memory=[])["memory_mb"] is None


@pytest.mark.parametrize(("share", "value"), [(0.5, 3.0), (0.95, 5.0), (0.2, 1.0), (0.21, 2.0)])
def test_percentiles_are_values_that_were_measured(load, share, value):
    assert load.percentile([5.0, 1.0, 4.0, 2.0, 3.0], share) == value
