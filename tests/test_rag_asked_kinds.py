"""What kind of thing a question asks for, and which sentences hold one."""

import pytest

from rag.asked_kinds import compares, kind_test, lacks_figure


@pytest.mark.parametrize(
    ("question", "sentence", "holds"),
    [
        ("How much did it cost?", "It cost $212 million.", True),
        ("How much did it cost?", "It cost a lot.", False),
        ("How many malls were opened?", "Alibaba opened three malls.", True),
        ("How many malls were opened?", "One of the malls was opened.", False),
        # A figure of the question itself answers nothing.
        ("How many of the 25 shops closed?", "Of 25 shops, some closed.", False),
        ("How many of the 25 shops closed?", "Of 25 shops, 7 closed.", True),
        ("What percentage of sales was lost?", "Sales fell by 12 %.", True),
        ("When did it open?", "It opened on Monday.", True),
        ("When did it open?", "It opened in 1999.", True),
        ("When did it open?", "It opened with 500 guests.", False),
        ("In which year did Ma found Alibaba?", "Ma may have founded it early.", False),
        ("When was it cancelled, in 2020?", "It was cancelled in 2020.", False),
        ("Who founded Alibaba?", "The founder of Alibaba is Jack Ma.", True),
        ("Who founded Alibaba?", "Its founder left Alibaba.", False),
        ("In which city does it stand?", "It stands in Nanjing.", True),
        ("Which company competes with Alibaba?", "Against Alibaba stands PDD’s Temu.", True),
        ("Why did it fall?", "It fell 12 % in 2020, said Ma.", False),
        ("", "It fell 12 % in 2020.", False),
    ],
)
def test_kinds(question, sentence, holds):
    assert kind_test(question)(sentence) is holds


@pytest.mark.parametrize(
    ("question", "comparing"),
    [
        ("How do the two reports differ?", True),
        ("How has Alibaba's value changed over time?", True),
        ("Which is bigger, compared with 2018?", True),
        ("Do both articles give the same figure?", True),
        ("Did CNBC report a rise while Reuters reported a fall?", True),
        ("Who founded Alibaba?", False),
        ("What did Alibaba exchange?", False),
        ("Is Ma indifferent?", False),
    ],
)
def test_questions_that_compare(question, comparing):
    assert compares(question) is comparing


@pytest.mark.parametrize(
    ("question", "answer", "lacks"),
    [
        ("How many dollars will he invest in India?", "He will invest more in India.", True),
        ("How much did 3 malls cost?", "The 3 malls cost money.", True),
        ("How much did 3 malls cost?", "They cost $5 million.", False),
        ("How much did it grow?", "It doubled.", False),
        ("How big is it?", "It has three parts.", False),
        ("Who paid?", "The mayor paid.", False),
        ("What percentage is it?", "It is 60%.", False),
    ],
)
def test_a_figure_that_is_asked_for_may_be_lacking(question, answer, lacks):
    assert lacks_figure(question, answer) is lacks
