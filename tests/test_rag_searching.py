"""From a question to its passages, over an index whose hits are chosen by hand."""

import dataclasses
from datetime import date

import pytest
from rag_material import ARTICLE, hit

from index import Filters
from rag.periods import Period
from rag.searching import Plan, plan_search, search_passages
from rag.types import Message
from rag.wanted import Wanted, infer

TODAY = date(2026, 11, 25)


def dated(score, day, number):
    # Each a report of its own: the same text would be a copy.
    article = dataclasses.replace(ARTICLE, id=f"a{number}", date=day, text=f"Report {number}.")
    return hit((), article=article, score=score, number=number)


class HandMade:
    """Answers `search` with the hits of that question, as many as asked for, and remembers what it was asked."""

    def __init__(self, hits):
        self.hits = hits
        self.asked = []

    def search(self, question, *, passages, filters, mix):
        self.asked.append((question, passages, filters))
        return tuple(self.hits[question][:passages])


def found(index, plan, passages):
    hits = search_passages(index, plan, passages=passages)
    assert [one.rank for one in hits] == list(range(1, len(hits) + 1))
    return [one.passage.id for one in hits]


REPORTS = [dated(0.60, "2018-07-19", 1), dated(0.59, None, 2), dated(0.58, "2024-08-28", 3), dated(0.3, "2025", 4)]


@pytest.mark.parametrize(
    ("question", "order"),
    [
        ("What is Alibaba worth?", [3, 2, 1, 4]),
        ("What is Alibaba worth now?", [3, 2, 1, 4]),
        ("What was Alibaba worth in 2018?", [1, 2, 3, 4]),
        ("What was Alibaba worth in August 2024?", [3, 1, 2, 4]),
        ("What has Alibaba been worth since 2024?", [3, 1, 2, 4]),
    ],
)
def test_of_conflicting_reports_the_newest_or_the_dated_one_comes_first(question, order):
    index = HandMade({question: REPORTS})
    plan = Plan((question,), Filters(), infer(question, sources=(), today=TODAY), 4)
    assert found(index, plan, 4) == order
    # One passage is all that is asked for, and still the preferred one is it: it was looked for deeper down.
    assert found(HandMade({question: REPORTS}), plan, 2)[:1] == order[:1]


def test_it_looks_deeper_only_where_the_order_depends_on_dates():
    index = HandMade({"a": REPORTS})
    search_passages(index, Plan(("a",), Filters(since="2017"), Wanted(Filters(sources=("CNBC",))), 4), passages=2)
    search_passages(index, Plan(("a",), Filters(), Wanted(latest=True), 4), passages=2)
    assert index.asked == [("a", 2, Filters(sources=("CNBC",), since="2017")), ("a", 4, Filters())]


def test_in_a_conversation_both_questions_count_and_the_last_one_more():
    """Of the better of two scores, the topic before dragged its passages along after it had changed."""
    index = HandMade(
        {
            "Then?": [dated(0.48, None, 3), dated(0.40, None, 1), dated(0.10, None, 4)],
            "Who? Then?": [dated(0.80, None, 2), dated(0.45, None, 1), dated(0.20, None, 5)],
        }
    )
    plan = Plan(("Then?", "Who? Then?"), Filters(), Wanted(), 2)
    hits = search_passages(index, plan, passages=3)
    # 1: 0.6 · 0.40 + 0.4 · 0.45; 2: 0.6 · 0.10 + 0.4 · 0.80 (the last of "Then?"); 3: 0.6 · 0.48 + 0.4 · 0.20.
    assert [(hit.passage.id, hit.rank) for hit in hits] == [(1, 1), (2, 2), (3, 3)]
    assert [hit.score for hit in hits] == pytest.approx([0.42, 0.38, 0.368])
    assert [(asked, passages) for asked, passages, _ in index.asked] == [("Then?", 12), ("Who? Then?", 12)]


def test_a_plan_joins_the_last_two_turns_and_counts_what_passes(tiny_saved_index):
    turns = [Message("user", text) for text in ("Which line is new?", "Who won the prize?", "What for?")]
    history = [turns[0], turns[1], Message("assistant", "Olga."), turns[2]]
    plan = plan_search(
        tiny_saved_index, "In the Town Gazette article?", history=history, filters=Filters(), today=TODAY
    )
    joined = "Who won the prize? What for? In the Town Gazette article?"
    assert plan.questions == ("In the Town Gazette article?", joined)
    assert (plan.limits, plan.matching) == (Filters(sources=("Town Gazette",)), 1)
    limits = plan_search(tiny_saved_index, "Who won this week?", filters=Filters(), today=TODAY).limits
    assert limits == Filters(since="2021-02-17", undated=True)  # the newest article is of 3 March 2021
    own = Filters(since="2021", undated=True)
    assert plan_search(tiny_saved_index, "And?", filters=own, today=TODAY).matching == 2


def test_a_preference_is_noted_only_where_something_of_its_time_was_found():
    plan = Plan(("q",), Filters(), infer("What was it in 2018 and is it now?", sources=(), today=TODAY), 4)
    assert plan.searched(REPORTS).notes == (
        "Preferring articles of 2018, as the question says “in 2018”",
        "Preferring the newest articles, as the question says “now”",
    )
    others = plan.searched([REPORTS[1], REPORTS[2]])
    assert others.notes == ("Preferring the newest articles, as the question says “now”",)
    assert (others.periods, others.latest) == ((Period("2018", "2018"),), True)


def test_what_fits_one_clause_of_a_long_question_comes_up():
    whole = [dated(0.6, None, 1), dated(0.5, None, 2), dated(0.4, None, 3)]
    index = HandMade({"q": whole, "c": [dated(0.9, None, 3), dated(0.3, None, 1)], "d": [dated(0.2, None, 4)]})
    hits = search_passages(index, Plan(("q",), Filters(), Wanted(), clauses=("c", "d")), passages=3)
    # (whole + half of the best clause) / 1.5; what a search did not find counts as its last there.
    assert [(one.passage.id, round(one.score, 4)) for one in hits] == [
        (3, round((0.4 + 0.5 * 0.9) / 1.5, 4)),
        (1, round((0.6 + 0.5 * 0.3) / 1.5, 4)),
        (2, round((0.5 + 0.5 * 0.3) / 1.5, 4)),
    ]
    assert [asked for asked, _, _ in index.asked] == ["q", "c", "d"]
