"""What `Answer.explanation` tells of a real way through the pipeline, with fakes in place of the models."""

import dataclasses
import json
import time

import pytest
from rag_material import ARTICLE, hit

from index import Filters, HashingEmbedder, SavedIndex
from index.search import Mix
from index.types import ScoreParts
from rag import Chatbot
from rag.citations import sign
from rag.confidence import load_calibration
from rag.evidence import choose_evidence
from rag.fakes import CopyingGenerator
from rag.searching import Plan, search_passages
from rag.tracing import Trace
from rag.types import Signals, Usage
from rag.wanted import Wanted

QUESTION = "What became of repairs of the harbour of Porto Claro?"


@pytest.fixture
def chatbot(tiny_index):
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as index:
        yield Chatbot(index, CopyingGenerator())


def test_an_answer_explains_every_step_that_led_to_it(chatbot):
    answer = chatbot.answer(QUESTION)
    found = answer.explanation
    assert [(one.rank, one.score) for one in found.passages] == [(one.rank, one.score) for one in answer.passages]
    assert dataclasses.astuple(found.weights) == (0.5, 0.5, 0.2, 0.3, 1.0)
    for item in found.evidence:
        assert chatbot.article(item.article_id).text[item.start : item.end] == item.text
        assert item.similarity + item.passage + item.words + item.kind == pytest.approx(item.score, abs=2e-4)
    assert found.evidence_tokens == 420
    assert sum(item.tokens for item in found.evidence) <= 420
    assert [check.name for check in found.checks] == [
        "answerable", "chance before writing", "answers", "confidence",
    ]  # fmt: skip
    calibration = load_calibration("copying")
    thresholds = [None, calibration.worth_writing(15.0), None, calibration.least_confidence(15.0)]
    assert [check.threshold for check in found.checks] == [
        None if least is None else pytest.approx(least, abs=1e-4) for least in thresholds
    ]
    signals = answer.signals
    chance = calibration.before.probability(dataclasses.replace(signals, covered=1.0))
    values = [signals.answerable, chance, signals.answers, answer.confidence]
    assert [check.value for check in found.checks] == pytest.approx(values, abs=2e-4)
    assert all(check.passed for check in found.checks)
    (sentence,) = found.draft
    assert (sentence.text, sentence.support, sentence.missing, sentence.kept) == (answer.text, 1.0, (), True)
    (citation,) = answer.citations
    assert [found.evidence[place - 1].text for place in sentence.cited] == [citation.quote]
    names = ["search", "evidence", "wait", "answerable", "write", "check", "other figures"]
    assert [step.name for step in found.steps] == names
    assert [step.passes for step in found.steps] == [0, 0, 0, 1, 1, 1, 0]
    assert sum(step.tokens_read for step in found.steps) == answer.usage.tokens_read
    assert sum(step.tokens_written for step in found.steps) == answer.usage.tokens_written
    for before, after in zip(found.steps, found.steps[1:], strict=False):
        assert after.start_s == pytest.approx(before.start_s + before.took_s, abs=1e-5)


def test_a_refusal_explains_what_was_reached(chatbot):
    found = chatbot.answer("Which volcano destroyed Pompeii?").explanation
    assert [(check.name, check.passed) for check in found.checks] == [
        ("answerable", True),
        ("chance before writing", False),
    ]
    assert [step.name for step in found.steps] == ["search", "evidence", "wait", "answerable"]
    assert found.draft == ()


class Inventing(CopyingGenerator):
    def log_odds(self, messages):
        return 1.9

    def generate(self, messages, *, max_tokens):
        yield "Repairs cost 12 million euros. Repairs cost $1.5 billion."


def test_a_dropped_sentence_says_what_its_citations_lack(chatbot):
    answer = Chatbot(chatbot.index, Inventing()).answer(QUESTION)
    assert answer.text == "Repairs cost 12 million euros."
    kept, dropped = answer.explanation.draft
    assert (kept.kept, kept.missing) == (True, ())
    assert (dropped.text, dropped.kept, dropped.missing) == ("Repairs cost $1.5 billion.", False, ("1.5 billion",))


def test_what_was_counted_explains_itself_by_what_was_found(chatbot):
    found = chatbot.answer("Which articles mention Olga Brandt?").explanation
    assert [step.name for step in found.steps] == ["count"]
    assert [(item.path, item.similarity, item.tokens) for item in found.evidence] == [
        ("articles/bakery.md", None, None)
    ]
    assert (found.checks, found.weights, found.evidence_tokens) == ((), None, None)


def test_json_holds_the_explanation_only_where_it_is_asked_for(chatbot):
    answer = chatbot.answer(QUESTION)
    assert "explanation" not in answer.to_dict()
    value = json.loads(json.dumps(answer.to_dict(explain=True)))
    assert list(value)[-1] == "explanation"
    assert value["explanation"]["draft"][0]["text"] == answer.text
    assert set(value["explanation"]) == {
        "weights", "passages", "evidence", "evidence_tokens", "checks", "draft", "steps",
    }  # fmt: skip
    without = dict(value)
    del without["explanation"]
    assert without == json.loads(json.dumps(answer.to_dict()))


def test_sentences_say_why_they_are_read():
    text = "Zero zero. One one. Two two. Three three. Four four. He went."
    article = dataclasses.replace(ARTICLE, text=text)
    hits = [hit((0.9, 0.1, 0.8, 0.05, 0.0, 0.7), article=article)]
    evidence = choose_evidence("zero", hits, tokens=20, count_tokens=lambda part: len(part.split()))
    parts = [item.parts for item in evidence.sentences]
    assert [part.reason for part in parts] == ["score", "neighbour", "score", "neighbour", "leaning", "score"]
    assert [part.tokens for part in parts] == [3, 3, 3, 3, 3, 3]
    assert [(part.similarity, part.passage) for part in parts[:2]] == [(0.9, 0.25), (0.1, 0.25)]
    assert (parts[0].words > 0, parts[1].words) == (True, 0.0)


@dataclasses.dataclass
class HandMade:
    hits: dict

    def search(self, question, *, passages, filters, mix):
        return (self.hits[question],)


def test_scores_of_a_conversation_are_mixed_as_the_score_is():
    made = {
        question: dataclasses.replace(
            hit((), score=value), parts=ScoreParts(value, value, value, value, words_late=value)
        )
        for question, value in (("Then?", 0.5), ("Who? Then?", 1.0))
    }
    plan = Plan(tuple(made), Filters(), Wanted())
    (found,) = search_passages(HandMade(made), plan, passages=1)
    assert found.score == pytest.approx(0.7)
    assert dataclasses.astuple(found.parts) == pytest.approx((0.7, 0.7, 0.7, 0.7, 0.0, 0.7))


def test_what_a_date_added_is_told_apart_from_the_rest():
    newest = hit((0.1, 0.3, 0.1, 0.1), article=dataclasses.replace(ARTICLE, date="2026-01-01"), score=0.6)
    plan = Plan(("q",), Filters(), Wanted(latest=True))
    (found,) = search_passages(HandMade({"q": newest}), plan, passages=1)
    explained = Trace(time.perf_counter()).explanation([found], choose_evidence("", [], tokens=1, count_tokens=len))
    (scores,) = explained.passages
    assert (scores.score, scores.preference) == (0.72, 0.12)
    # The search did not say; the best sentence is known all the same.
    assert (scores.passage, scores.sentence) == (None, 0.3)


def test_a_trace_costs_less_than_a_millisecond_a_question():
    hits = [hit((0.1, 0.9, 0.2, 0.15), number=number, rank=number) for number in range(1, 9)]
    evidence = choose_evidence("", hits, tokens=100, count_tokens=lambda text: len(text.split()))
    signed = sign("Jack Ma also met the CEO of Snapdeal.", evidence)

    def explain():
        started = time.thread_time()
        trace = Trace(time.perf_counter())
        for name in ("search", "evidence", "wait", "answerable", "write", "check", "other figures"):
            trace.step(name, Usage())
        trace.before_writing(Signals(answerable=1.0), 0.5, 0.2)
        trace.drafted(signed, signed)
        trace.after_writing(Signals(answers=1.0), 0.9, 0.7)
        trace.explanation(hits, evidence, mix=Mix(), evidence_tokens=420)
        return time.thread_time() - started

    assert min(explain() for _ in range(20)) < 0.001
