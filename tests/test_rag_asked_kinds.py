"""What kind of thing a question asks for, and which sentences hold one."""

import pytest

from rag.asked_kinds import compares, holds_date, kind_test, lacks_date, lacks_figure


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
        ("Since when?", "It opened on Monday.", True),
        ("What was it called when he bought it?", "He bought it in 2016.", False),
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


@pytest.mark.parametrize(
    ("question", "answer", "lacks"),
    [
        ("When did the Queen die?", "The Queen died on Thursday.", True),
        ("When was the film released?", "The film is out today.", True),
        ("In which year did he return?", "He returned recently.", True),
        ("When did he return in 2020?", "In 2020 he returned.", True),
        ("When did he return?", "He returned in May.", False),
        ("When did he return?", "He returned in the 1990s.", False),
        ("When did he return?", "He returned two days later.", False),
        ("When did he return?", "He returned after the deal.", False),
        ("At what time did it close?", "It closed at 3:50 PM.", False),
        ("Which day was it?", "It was on Thursday.", False),
        ("Who returned?", "He returned on Thursday.", False),
        ("How many returned?", "Some returned.", False),
        ("What was it worth when it was sold?", "It was worth $2 billion.", False),
        # A date or an event that the question itself holds tells nothing.
        ("When did he return after the deal?", "He returned after the deal on Friday.", True),
    ],
)
def test_a_time_that_means_nothing_without_its_article_is_no_date(question, answer, lacks):
    assert lacks_date(question, answer) is lacks


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("It opened on 8 September.", True),
        ("It opened in 1886.", True),
        ("It opened at noon.", False),
        ("It opened years ago, at 3:50 PM.", False),
        ("It opened on Thursday.", False),
        ("It may open today.", False),
        ("It cost $2,022.", False),
        ("It cost $1998.", False),
    ],
)
def test_dates_stand_in_a_calendar(text, holds):
    assert holds_date(text) is holds
