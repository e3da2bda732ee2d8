import dataclasses

import pytest
from rag_material import ARTICLE

from rag.parts import article_meant, as_turns, asked_alone, joined, parts_of
from rag.types import Answer, Citation, Message, PassageUse, Searched, Timings, Usage


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "Who is behind Alipay, and how big is Jack Ma's stake in Alipay?",
            ("Who is behind Alipay?", "How big is Jack Ma's stake in Alipay?"),
        ),
        ("What is Tmall? And who runs it today?", ("What is Tmall?", "Who runs it today?")),
        ("How rich is Jack Ma, in dollars, and which magazine likes him?",
         ("How rich is Jack Ma, in dollars?", "Which magazine likes him?")),
        ("How much did Yahoo invest in Alibaba and for what stake?", ()),
        ("With whom did Alibaba sign an agreement on e-commerce and cloud computing?", ()),
        ("Who and what?", ()),
        ("Tell me who founded Alibaba, and who left it.", ()),
        ("How big was Alibaba at its peak?", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_each_part_has_a_question_word_of_its_own(question, parts):
    assert parts_of(question) == parts


@pytest.mark.parametrize(
    ("part", "before", "alone"),
    [
        # What names its subject needs nothing before it,
        ("How big is Jack Ma's stake in Alipay?", ["Who is behind Alipay?"], "How big is Jack Ma's stake in Alipay?"),
        # what refers to the one thing that was named is about that,
        ("Which magazine praises him?", ["How rich is Jack Ma, in dollars?"], "Which magazine praises Jack Ma?"),
        ("Who praises her in public?", ["Who is Ann Lee?"], "Who praises Ann Lee in public?"),
        ("Who likes her husband?", ["Who is Ann Lee?"], "Who likes Ann Lee’s husband?"),
        ("What is its price?", ["Who owns Tmall?"], "What is Tmall’s price?"),
        ("How much is sold there?", ["What is Tmall?"], "How much is sold at Tmall?"),
        (
            "What did goods from Xinjiang bring in there?",
            ["What is Tmall?"],
            "What did goods from Xinjiang bring in at Tmall?",
        ),
        # and what may refer to one of two things, to none, or to what was said, needs the parts before it.
        ("Who runs it today?", ["Did Yahoo buy Tmall?"], None),
        ("Did Yahoo buy it?", ["What is Tmall?"], None),
        ("What did Yahoo sell there?", ["What do Tmall and Taobao do?"], None),
        ("Who runs it today?", ["What is the largest shop?"], None),
        ("What was the price of the deal?", ["Who bought Tmall?"], None),
        ("Why did that fail?", ["Who bought Tmall?"], None),
        ("How much did they pay for it?", ["What is Acme's plan?"], None),
        ("How many shops are there?", ["What is Tmall?"], None),
    ],
)
def test_a_part_is_asked_alone_where_it_can_be(part, before, alone):
    assert asked_alone(part, before) == alone


def cited(number, start, answer_start, answer_end):
    return Citation(
        number, answer_start, answer_end, ARTICLE.id, None, None, None, None, "a.txt", start, start + 5, "quote", 1.0
    )


def passage(start, rank, used):
    return PassageUse(ARTICLE.id, None, None, None, "a.txt", start, start + 50, "text", 0.5, rank, used)


def answered(question, text, citations, *, refused=False, confidence=0.8, passages=()):
    return Answer(
        question, text, refused, confidence, "Nothing is near." if refused else None, citations, passages,
        Timings(0.1, 0.5, 2.0), "model", "index", Usage(2, 100, 10, -1.0), Searched((question,)),
    )  # fmt: skip


ONE = answered("Who?", "Ant Group is.", (cited(1, 40, 0, 13),), passages=(passage(0, 1, True), passage(60, 2, False)))
TWO = answered(
    "How big?", "It is 46%. So it is.", (cited(1, 10, 0, 10), cited(2, 40, 11, 20)), confidence=0.6,
    passages=(passage(60, 1, True), passage(120, 2, False)),
)  # fmt: skip
NONE = answered("When?", "The articles do not tell.", (), refused=True, confidence=0.2)


def test_parts_are_told_together_with_one_numbering():
    whole = joined("Who, and how big?", [ONE, TWO])
    assert whole.text == "Ant Group is. It is 46%. So it is."
    assert [(c.number, whole.text[c.answer_start : c.answer_end]) for c in whole.citations] == [
        (1, "Ant Group is."),
        (2, "It is 46%."),
        (1, "So it is."),
    ]
    assert (whole.question, whole.confidence, whole.abstained) == ("Who, and how big?", 0.6, False)
    assert whole.usage == Usage(4, 200, 20, -2.0)
    assert whole.timings == Timings(0.2, 0.5, 4.0)
    assert whole.searched.questions == ("Who, and how big?", "Who?", "How big?")
    assert [(item.start, item.rank, item.used) for item in whole.passages] == [
        (0, 1, True),
        (60, 2, True),
        (120, 3, False),
    ]


def test_the_part_that_is_not_known_is_named():
    whole = joined("Who, and when?", [ONE, NONE])
    assert whole.text == "Ant Group is. The articles do not tell: “When?”"
    assert (whole.abstained, whole.reason, whole.confidence) == (False, None, 0.8)
    assert [(c.answer_start, c.answer_end) for c in whole.citations] == [(0, 13)]


def test_nothing_known_is_a_refusal():
    whole = joined("When, and when?", [NONE, NONE])
    assert (whole.text, whole.abstained, whole.reason) == ("The articles do not tell.", True, "Nothing is near.")


def test_earlier_parts_are_the_conversation_of_later_ones():
    assert as_turns([ONE]) == (Message("user", "Who?"), Message("assistant", "Ant Group is."))


@pytest.mark.parametrize(
    ("part", "meant"),
    [
        ("What is the author's position?", ARTICLE.id),
        ("When did the article appear?", ARTICLE.id),
        ("Who wrote the article about Snapdeal?", None),
        ("How rich is Jack Ma?", None),
    ],
)
def test_a_part_about_the_article_means_the_one_that_was_cited(part, meant):
    assert article_meant(part, [ONE, NONE]) == meant
    other = dataclasses.replace(ONE, citations=(dataclasses.replace(cited(1, 5, 0, 3), article_id="another"),))
    assert article_meant(part, [ONE, other]) is None
    assert article_meant(part, [NONE]) is None
