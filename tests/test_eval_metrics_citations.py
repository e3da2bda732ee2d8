"""Scores of citations, on replies of two sentences."""

import pytest

from eval.metrics import ROW_METRICS
from eval.outcomes import GoldEvidence, Outcome, Place
from eval.questions import Question
from rag.types import Answer, Citation, Timings

REPLY = "Sales rose 40 per cent in 2018. The chief, Ann Lee, is 51."
FIRST, SECOND = REPLY.split(". ")[0] + ".", "The chief, Ann Lee, is 51."


def cited(number: int, sentence: str, place: Place, *, quote="", title=None, date=None) -> Citation:
    start = REPLY.index(sentence)
    path = f"news/{place.article}"
    end = start + len(sentence)
    return Citation(number, start, end, "id", title, None, date, None, path, place.start, place.end, quote, 0.9)


def signed(gold, *citations: Citation, text=REPLY, abstained=False) -> Outcome:
    answer = Answer("?", text, abstained, 0.5, None, citations, (), Timings(0.1, 0.2, 3.0), "model", "index")
    return Outcome(Question("1", "?"), gold, (), answer=answer)


def scores(outcome: Outcome, *names: str) -> list[float | None]:
    return [ROW_METRICS[name](outcome) for name in names]


GOLD = (GoldEvidence((Place("a.md", 0, 50), Place("c.md", 0, 50))), GoldEvidence((Place("b.md", 0, 50),)))
RIGHT, WRONG = Place("a.md", 0, 40), Place("a.md", 60, 90)


def test_precision_and_recall_of_cited_sentences():
    outcome = signed(GOLD, cited(1, FIRST, RIGHT), cited(2, FIRST, WRONG), cited(3, SECOND, Place("c.md", 10, 60)))
    # Two of three cited sentences show gold, but both show the same item.
    assert scores(outcome, "citation_precision", "citation_recall") == [2 / 3, 1 / 2]


def test_a_sentence_cited_twice_counts_once():
    outcome = signed(GOLD, cited(1, FIRST, RIGHT), cited(2, FIRST, WRONG), cited(1, SECOND, RIGHT))
    assert scores(outcome, "citation_precision", "citation_recall") == [1 / 2, 1 / 2]


def test_where_nothing_is_cited_precision_is_not_scored_but_recall_is_zero():
    assert scores(signed(GOLD), "citation_precision", "citation_recall", "cited_sentences") == [None, 0.0, 0.0]


def test_a_refusal_and_unjudged_evidence_are_not_scored():
    names = ("citation_precision", "citation_recall")
    assert scores(signed(GOLD, abstained=True), *names, "cited_sentences", "numbers_covered") == [None] * 4
    assert scores(signed(None, cited(1, FIRST, RIGHT)), *names) == [None, None]
    assert scores(signed((), cited(1, FIRST, RIGHT)), *names) == [None, None]
    searched = Outcome(Question("1", "?", task="search"), GOLD, ())
    assert scores(searched, *names, "cited_sentences", "numbers_covered") == [None] * 4


def test_sentences_count_as_cited_by_where_the_citation_stands():
    assert scores(signed(None, cited(1, FIRST, RIGHT)), "cited_sentences") == [1 / 2]
    assert scores(signed(None, cited(1, FIRST, RIGHT), cited(2, SECOND, RIGHT)), "cited_sentences") == [1.0]
    assert scores(signed(None, cited(1, REPLY, RIGHT)), "cited_sentences") == [1.0]
    assert scores(signed(None, text="…"), "cited_sentences") == [None]


def test_numbers_are_covered_by_the_citations_of_their_own_sentence():
    # The reply has 40 %, 2018 and 51.
    first = cited(1, FIRST, RIGHT, quote="Sales rose by 40% in the year.")
    assert scores(signed(None, first), "numbers_covered") == [1 / 3]
    dated = cited(1, FIRST, RIGHT, quote="Sales rose by 40% in the year.", date="2018-07-19")
    assert scores(signed(None, dated), "numbers_covered") == [2 / 3]
    elsewhere = cited(2, FIRST, RIGHT, quote="She is 51.")
    assert scores(signed(None, dated, elsewhere), "numbers_covered") == [2 / 3]
    titled = cited(2, SECOND, WRONG, quote="Ann Lee leads it.", title="Ann Lee, 51, at the top")
    assert scores(signed(None, dated, titled), "numbers_covered") == [1.0]
    assert scores(signed(None, cited(1, FIRST, RIGHT, quote="40 shops")), "numbers_covered") == [0.0]


def test_the_marks_of_a_list_are_no_numbers_to_cover():
    items = "They are:\n1. 40 shops in Linz.\n2. A bakery."
    assert scores(signed(None, text=items), "numbers_covered") == [0.0]
    whole = Citation(1, 0, len(items), "id", None, None, None, None, "a.md", 0, 40, "40 shops", 0.9)
    assert scores(signed(None, whole, text=items), "numbers_covered") == [1.0]


def test_without_a_number_there_is_nothing_to_cover():
    assert scores(signed(None, text="Sales rose."), "numbers_covered") == [None]


@pytest.mark.parametrize("gap", [" ", "\n\n"])
def test_the_citation_of_one_sentence_does_not_count_for_the_next(gap):
    reply = f"Sales rose.{gap}Profits fell."
    citation = Citation(1, 0, len("Sales rose."), "id", None, None, None, None, "a.md", 0, 9, "Sales rose.", 0.9)
    answer = Answer("?", reply, False, 0.5, None, (citation,), (), Timings(0.1, 0.2, 3.0), "model", "index")
    assert scores(Outcome(Question("1", "?"), None, (), answer=answer), "cited_sentences") == [1 / 2]


def test_numbers_of_a_part_of_the_question_that_is_not_told_are_nobodys_claim():
    text = "Sales rose. The articles do not tell: “What did 30 shops sell in 2024?”"
    assert scores(signed(None, text=text), "numbers_covered") == [None]
    assert scores(signed(None, text="“In 2024 sales rose.”"), "numbers_covered") == [0.0]
