from datetime import date

import pytest
from rag_material import ARTICLE, sentences

from index.types import Span
from rag.citations import cite
from rag.dating import notes, relative_times, stale
from rag.evidence import EvidenceSentence

SALES = sentences()[1]
TODAY = date(2026, 3, 1)


def cited(text: str, iso: str | None = "2018-07-19"):
    import dataclasses

    article = dataclasses.replace(ARTICLE, date=iso)
    return (cite(EvidenceSentence(SALES, article, 1.0), answer=Span(0, len(text))),)


def test_last_year_is_the_year_before_the_article():
    text = "Sales rose 68.7% from last year."
    assert relative_times(text, cited(text)) == ("“last year” is 2017: the article is of 19 July 2018",)
    assert relative_times(text, cited(text, "2018")) == ("“last year” is 2017: the article is of 2018",)


@pytest.mark.parametrize("text", ["Sales rose 68.7%.", "Sales rose this month."])
def test_only_times_that_the_cited_sentence_has_are_explained(text):
    assert relative_times(text, cited(text)) == ()


def test_without_a_date_nothing_is_explained():
    text = "Sales rose 68.7% from last year."
    assert relative_times(text, cited(text, None)) == ()


def test_what_is_asked_of_now_and_told_long_ago_is_marked():
    text = "Sales are $212 million."
    assert stale("How high are sales?", cited(text), today=TODAY) == (
        "The newest article cited is of 19 July 2018; this may have changed since",
    )
    assert stale("How high were sales?", cited(text), today=TODAY) == ()
    assert stale("How high are sales?", cited(text), today=date(2019, 1, 1)) == ()
    assert stale("How high are sales?", cited(text, None), today=TODAY) == ()


def test_both_kinds_of_notes():
    text = "Sales are up 68.7% from last year."
    assert notes("How high are sales?", text, cited(text), today=TODAY) == (
        "“last year” is 2017: the article is of 19 July 2018",
        "The newest article cited is of 19 July 2018; this may have changed since",
    )
