import dataclasses
from decimal import Decimal

import pytest

from index.types import Article, Sentence
from rag.citations import SignedSentence
from rag.evidence import Evidence, EvidenceSentence
from rag.side_by_side import Figure, confirmed, dated, figures, rivals, side_by_side

QUESTION = "What is Alibaba worth?"


def told(text: str, *, source: str | None = None, date: str | None = None, score: float = 1.0) -> EvidenceSentence:
    article = Article(id=text, path="a.txt", location="/a.txt", text=text, title=None, source=source, date=date)
    return EvidenceSentence(Sentence(article.id, 0, len(text), text), article, score)


WORTH = told("Alibaba has a market value of almost $476 billion.", source="Daily Times", date="2018-07-19")
ENTERPRISE = told("Alibaba has grown to a nearly $300 billion enterprise.", source="ValueWalk", score=0.8)
RECORD = told("In October 2020, the worth of Alibaba exceeded $858 billion.", source="CNBC", score=0.9)
STAKE = told("Yahoo holds 40 percent of Alibaba.", score=0.7)
SHOPS = told("Alibaba has 3,000 shops.", score=0.6)
EVIDENCE = Evidence((WORTH, RECORD, ENTERPRISE, STAKE, SHOPS))
SAID = SignedSentence("Alibaba is worth almost $476 billion.", (WORTH,), 1.0, ())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("almost $476 billion", [("476000000000", "dollar")]),
        ("476bn dollars", [("476000000000", "dollar")]),
        ("€12 million and 3 %", [("12000000", "euro"), ("3", "%")]),
        ("250 million customers in 2018", [("250000000", "customer")]),
        ("In the year 2005, Jack Ma", []),
        ("no figure", []),
    ],
)
def test_figures_know_what_they_count(text, found):
    assert figures(text) == tuple(Figure(Decimal(value), frozenset({of})) for value, of in found)


def test_rivals_give_another_figure_of_the_same_kind_best_first():
    assert rivals(QUESTION, [SAID], EVIDENCE.sentences) == (RECORD, ENTERPRISE)


def further(item, text, score):
    """Another sentence of the same article."""
    sentence = dataclasses.replace(item.sentence, start=90 - int(10 * score), text=text)
    return dataclasses.replace(item, sentence=sentence, score=score)


def test_the_cited_article_is_no_rival_of_itself_and_others_have_two_voices_each_the_second_after_every_first():
    beside = further(WORTH, "Alibaba: $215.", 1.0)
    share = further(ENTERPRISE, "Alibaba shares fell to $108.99.", 0.85)
    third = further(ENTERPRISE, "Alibaba pays $2 a day.", 0.3)
    again = further(RECORD, "Alibaba had $1 billion.", 0.7)
    found = (WORTH, beside, third, ENTERPRISE, share, again, RECORD)
    assert rivals(QUESTION, [SAID], found) == (RECORD, share, again, ENTERPRISE)


def test_of_an_article_the_first_sentence_that_holds_is_quoted_and_no_more_are_judged():
    share = further(ENTERPRISE, "Alibaba shares fell to $108.99.", 0.85)
    again = further(RECORD, "Alibaba had $1 billion.", 0.7)
    judged = []

    def judge(alone):
        judged.append(alone.sentences[0])
        return -0.2 if alone.sentences[0] is share else 2.5

    assert confirmed((RECORD, share, again, ENTERPRISE), judge, least=1.0) == (RECORD, ENTERPRISE)
    assert judged == [RECORD, share, ENTERPRISE]


def test_how_much_is_not_what_a_question_is_about():
    bought = told("Alibaba spent $300 billion.")  # one of the two things asked about
    assert rivals("How much is Alibaba worth?", [SAID], (bought,)) == (bought,)
    assert rivals("How much is Alibaba worth in dollars?", [SAID], (bought,)) == ()


@pytest.mark.parametrize(
    "question", ["What was Alibaba worth in 2018?", "What is the highest value of Alibaba?", "When was it worth that?"]
)
def test_a_question_that_pins_a_time_has_one_answer(question):
    assert rivals(question, [SAID], EVIDENCE.sentences) == ()


@pytest.mark.parametrize(
    "text", ["Alibaba is worth much.", "Alibaba is worth $476 billion, Walmart $240 billion.", "It has 3 parts and 4%."]
)
def test_without_one_single_figure_nothing_is_compared(text):
    assert rivals(QUESTION, [dataclasses.replace(SAID, text=text)], EVIDENCE.sentences) == ()


def test_a_cited_sentence_without_a_figure_is_not_quoted_among_figures():
    about = told("Alibaba is the largest retailer since 1999.", source="Daily Times")
    _, citations = side_by_side([dataclasses.replace(SAID, cited=(about, WORTH))], (RECORD,))
    assert [item.quote for item in citations] == [RECORD.sentence.text, WORTH.sentence.text]


def test_only_what_the_model_confirms_is_quoted():
    odds = {RECORD: 3.0, ENTERPRISE: 1.9}
    assert confirmed((RECORD, ENTERPRISE), lambda alone: odds[alone.sentences[0]], least=2.0) == (RECORD,)


def test_all_are_quoted_newest_first_with_date_and_source():
    text, citations = side_by_side([SAID], (RECORD, ENTERPRISE))
    assert text == (
        "The articles give different figures: “In October 2020, the worth of Alibaba exceeded $858 billion” "
        "(CNBC, October 2020); “Alibaba has a market value of almost $476 billion” (Daily Times, 19 July 2018); "
        "“Alibaba has grown to a nearly $300 billion enterprise” (ValueWalk, date unknown)."
    )
    assert [text[item.answer_start : item.answer_end] for item in citations] == [
        "“In October 2020, the worth of Alibaba exceeded $858 billion” (CNBC, October 2020)",
        "“Alibaba has a market value of almost $476 billion” (Daily Times, 19 July 2018)",
        "“Alibaba has grown to a nearly $300 billion enterprise” (ValueWalk, date unknown)",
    ]
    assert [item.quote for item in citations] == [i.sentence.text for i in (RECORD, WORTH, ENTERPRISE)]
    assert [item.number for item in citations] == [1, 2, 3]


def test_a_sentence_that_names_a_year_speaks_of_that_year():
    assert [dated(item) for item in (RECORD, WORTH, ENTERPRISE)] == ["2020-10", "2018-07-19", None]


@pytest.mark.parametrize(
    ("before", "opening", "date"),
    [
        ("In October 2020 Ma spoke. Few noticed. ", "Days later,", "2020-10"),
        ("In 2014 it was listed. ", "Two weeks later,", "2014"),
        ("In October 2020 Ma spoke. ", "Years later,", None),
        ("In October 2020 Ma spoke. ", "Meanwhile", None),
        ("In October 2020 Ma spoke. " + "Then much else went on. " * 20, "Days later,", None),
    ],
)
def test_a_sentence_that_counts_from_another_time_speaks_of_about_that_time(before, opening, date):
    quote = f"{opening} the worth of Alibaba exceeded $858 billion."
    article = Article(
        id="a", path="a.txt", location="/a.txt", text=before + quote, title=None, source="CNBC", date=None
    )
    item = EvidenceSentence(Sentence("a", len(before), len(before + quote), quote), article, 1.0)
    assert dated(item) == date
    text, citations = side_by_side([SAID], [item])
    # The sentence that names the time signs it too.
    named = [before.split(". ")[0] + "."] if date else []
    assert sorted(one.quote for one in citations) == sorted([WORTH.sentence.text, quote, *named])
    assert [one.number for one in citations] == list(range(1, len(citations) + 1))
    when = {"2020-10": "about October 2020", "2014": "about 2014", None: "date unknown"}[date]
    assert text.endswith(f"“{quote.rstrip('.')}” (CNBC, {when}).") or f"(CNBC, {when}); " in text


def test_a_figure_about_something_else_is_no_rival():
    asked = "How much did repairs of the harbour cost?"
    said = told("Repairs of the harbour cost $12 million.")
    railway = told("The railway will cost $4.6 billion.")
    standing = SignedSentence("Repairs cost $12 million.", (said,), 1.0, ())
    assert rivals(asked, [standing], (said, railway)) == ()
