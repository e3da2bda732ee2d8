"""What is read from a question about time and publisher, and how little it may change."""

import dataclasses
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.filters import Filters
from rag.periods import Period, find_periods, spoken
from rag.publishers import MARK, find_sources, mask
from rag.wanted import Wanted, infer

TODAY = date(2026, 11, 25)
SOURCES = ("CNBC", "Daily Times", "The Verge", "TechCrunch", "FOX News - Health", "The Age", "Fortune", "AMD", "Time")


def read(question):
    return infer(question, sources=SOURCES, today=TODAY)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("How did Alibaba do in 2018?", "2018", "2018"),
        ("In 2018 Alibaba bought what?", "2018", "2018"),
        ("In 2018 Reuters reported what?", "2018", "2018"),
        ("In 2018, sales of what rose?", "2018", "2018"),
        ("How were 2018's results in 2018's view?", "2018", "2018"),
        ("What changed in October 2020?", "2020-10", "2020-10"),
        ("what changed in may 2018", "2018-05", "2018-05"),
        ("What changed in July of 2018?", "2018-07", "2018-07"),
        ("What happened on July 19th, 2018?", "2018-07-19", "2018-07-19"),
        ("What happened on 19 July 2018?", "2018-07-19", "2018-07-19"),
        ("What happened on 2018-07-19?", "2018-07-19", "2018-07-19"),
        ("What happened on 03/04/2018?", "2018", "2018"),
        ("What happened since October 2020?", "2020-10", None),
        ("What has happened since the beginning of 2021?", "2021", None),
        ("What happened from 2018 onwards?", "2018", None),
        ("What happened from 2016 to 2018?", "2016", "2018"),
        ("What happened between 2016 and 2018?", "2016", "2018"),
        ("What happened between July and October 2020?", "2020-07", "2020-10"),
        ("What happened from July until October 2020?", "2020-07", "2020-10"),
        ("What happened in 2016, 2017 and 2018?", "2016", "2018"),
        ("What happened in 2016–2018?", "2016", "2018"),
        ("What happened before 2019?", None, "2018"),
        ("What happened before July 2018?", None, "2018-06"),
        ("What happened before January 2018?", None, "2017-12"),
        ("What happened until 2018?", None, "2018"),
        ("What happened after 2018?", "2019", None),
        ("What happened after December 2018?", "2019-01", None),
        ("What happened after February 28, 2020?", "2020-02-29", None),
        ("What happened last year?", "2025", "2025"),
        ("What happened this year?", "2026", "2026"),
        ("What has happened since last year?", "2025", None),
        ("What happened last month?", "2026-10", "2026-10"),
        ("What happened this week?", "2026-11-23", "2026-11-29"),
        ("What happened last week?", "2026-11-16", "2026-11-22"),
        ("What happened last September?", "2026-09", "2026-09"),
        ("What happened last December?", "2025-12", "2025-12"),
        ("What happened yesterday?", "2026-11-24", "2026-11-24"),
        ("What happened in the last 3 years?", "2023-11-26", None),
        ("What happened over the past decade?", "2016-11-25", None),
        ("What happened in Q3 2018?", "2018-07", "2018-09"),
        ("What happened in the fourth quarter of 2018?", "2018-10", "2018-12"),
        ("What happened in the 1990s?", "1990", "1999"),
        ("What happened in late 2018?", "2018", "2018"),
        ("What happened in the summer of 2016?", "2016", "2016"),
    ],
)
def test_a_time_that_may_be_the_events_is_preferred_and_excludes_nothing(question, since, until):
    wanted = read(question)
    assert wanted.periods[0] == Period(since, until)
    assert not wanted.filters.limits
    assert wanted.said[0].about == "period"
    assert wanted.said[0].phrase in question


@pytest.mark.parametrize(
    "question",
    [
        "What does Made in China 2025 aim at?",
        "What is Industry 4.0?",
        "What is the 2020 Vision?",
        "What stands in 2020 Vision?",
        "What is sold in 2005 shops?",
        "Who leads the firm of 2000 people?",
        "Who paid $2000 for it?",
        "Who has more than 2018 clients?",
        "Prices rose by 2000, why?",
        "Is there a total of 2018?",
        "Who directed what he saw in 2001: A Space Odyssey?",
        "What did he do in the last year of his reign?",
        "What did he do in his last year?",
        "Will it last may be the question?",
        "What happened on 30 February 2018?",
        "What happened in 2100?",
        "What was the revenue in fiscal 2020?",
        "What was the revenue for FY2022, or for FY 2021?",
        "What happened in 18 days?",
        "What happened in July?",
        "How large will it be by 2035?",
        "How large will it be in 2050?",
        "Which bus is number 2018?",
        "What did it cost in ２０１８?",
        "",
        "?",
    ],
)
def test_what_is_no_time_that_articles_could_be_of_is_not_read(question):
    assert dataclasses.replace(read(question), present=False) == Wanted()


@pytest.mark.parametrize(
    ("question", "since", "until", "phrase"),
    [
        ("What do the articles from 2018 say about Ma?", "2018", "2018", "articles from 2018"),
        ("What do articles published in July 2018 say?", "2018-07", "2018-07", "articles published in July 2018"),
        ("What did articles that were from before 2019 say?", None, "2018", "articles that were from before 2019"),
        ("What does news from last year say?", "2025", "2025", "news from last year"),
        ("Who is named in news stories since 2020?", "2020", None, "news stories since 2020"),
        ("In which paper was the article of July 2018 printed?", "2018-07", "2018-07", "the article of July 2018"),
        ("What was published in 2018 about Ma?", "2018", "2018", "What was published in 2018"),
        ("What do articles by CNBC from 2018 say?", "2018", "2018", "articles by CNBC from 2018"),
    ],
)  # fmt: skip
def test_a_time_that_is_plainly_that_of_the_articles_limits_the_search(question, since, until, phrase):
    wanted = read(question)
    assert (wanted.filters.since, wanted.filters.until) == (since, until)
    assert wanted.periods == ()
    assert [said.phrase for said in wanted.said if said.about == "date"] == [phrase]


@pytest.mark.parametrize(
    "question",
    [
        "What do the articles about the elections in 2018 say?",
        "What article was published in 1937?",
        "Who wrote an article published in 1937?",
        "Which book was published in July 2018?",
        "What did the report published in 2018 by the ministry find?",
        "Did the story change between the article published on October 1, 2023 and the later one?",
        "Does the article from 2018 differ from the article by Li?",
        "What do articles from 2018 say about what happened in 2016?",
    ],
)
def test_in_doubt_a_time_only_prefers(question):
    wanted = read(question)
    assert not wanted.filters.dated
    assert wanted.periods


@pytest.mark.parametrize(
    ("question", "sources", "phrase"),
    [
        ("According to CNBC, who is Dan Ives?", ("CNBC",), "According to CNBC"),
        ("who is dan ives according to cnbc", ("cnbc",), "according to cnbc"),
        ("What is wrong according to the Daily Times?", ("Daily Times",), "according to the Daily Times"),
        ("What is the loss reported by CNBC?", ("CNBC",), "reported by CNBC"),
        ("What stands in the Daily Times article?", ("Daily Times",), "the Daily Times article"),
        ("What stands in CNBC's 'rally' article?", (), None),
        ("What stands in CNBC's story on Ma?", ("CNBC",), "CNBC's story"),
        ("What do articles from FOX News say?", ("FOX News",), "articles from FOX News"),
        ("What does the article in The Verge say?", ("The Verge",), "article in The Verge"),
        ("What does the article by 'The Verge' say?", ("The Verge",), "article by 'The Verge'"),
        ("What did CNBC report about Ma?", ("CNBC",), "did CNBC report about"),
        ("What has CNBC published?", ("CNBC",), "has CNBC published"),
        ("Who is it according to AMD, Time and CNBC?", ("AMD", "Time", "CNBC"), "according to AMD, Time and CNBC"),
        # One that is named besides must not be shut out.
        ("Is what CNBC's article says what The Verge claims?", ("CNBC", "The Verge"), "CNBC's article"),
        ("What does CNBC say?", (), None),
        ("What did AMD report as its revenue?", (), None),
        ("In which AMD reporting segment did sales rise?", (), None),
        ("What did Ma tell CNBC?", (), None),
        ("Who founded CNBC?", (), None),
        ("What does the Financial Times article say?", (), None),
        ("What is said according to Reuters?", (), None),
        ("How old is Ma, according to time and again?", (), None),
        ("What do the others say, unlike the CNBC article?", (), None),
        ("What stands in articles other than the CNBC article?", (), None),
        ("What is new according to Time Warner?", (), None),
        ("Which Fortune 500 companies are there?", (), None),
    ],
)  # fmt: skip
def test_publishers_limit_the_search_only_where_their_articles_are_meant(question, sources, phrase):
    wanted = read(question)
    assert wanted.filters.sources == sources
    assert [said.phrase for said in wanted.said] == ([phrase] if phrase else [])


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("What is the latest news on Alibaba?", "the latest"),
        ("Latest price of BABA?", "Latest"),
        ("What is Alibaba worth now?", "now"),
        ("What is Alibaba worth right now?", "right now"),
        ("Who is currently the chairman?", "currently"),
        ("Who is the current chairman?", "current"),
        ("What is Alibaba worth today?", "today"),
        ("What is the most recent figure?", "the most recent"),
        ("Which is the newest mall?", "the newest"),
        ("How is it going these days?", "these days"),
        ("What is it worth as of today?", "as of today"),
        ("What is Alibaba worth?", None),
        ("By 2018 at the latest, what was sold?", None),
        ("What is Apocalypse Now?", None),
        ("Who owns USA Today?", None),
        ("who owns usa today?", None),
        ("What does NOW do?", None),
        ("What is buy now, pay later?", None),
        ("How large is the current account deficit?", None),
        ("What are alternating current and ocean currents?", None),
        ("What was the company now known as Ant called?", None),
        ("What was unknown until now?", None),
        ("Who knows?", None),
    ],
)
def test_only_plain_words_ask_for_the_newest(question, phrase):
    wanted = read(question)
    assert wanted.latest is (phrase is not None)
    assert [said.phrase for said in wanted.said if said.about == "latest"] == ([phrase] if phrase else [])


def test_what_was_read_is_said_in_the_words_of_the_question():
    wanted = read("According to CNBC, what is Alibaba worth now, and what was it in 2018 or since October 2020?")
    assert [str(said) for said in wanted.said] == [
        "Only articles by CNBC, as the question says “According to CNBC”",
        "Preferring articles of 2018, as the question says “in 2018”",
        "Preferring articles since October 2020, as the question says “since October 2020”",
        "Preferring the newest articles, as the question says “now”",
    ]
    (date_said,) = read("List what articles from 2018 say").said
    assert str(date_said) == "Only articles of 2018, as the question says “articles from 2018”"


def test_what_the_caller_settles_is_not_inferred():
    wanted = read("According to CNBC, what do the articles from 2018 say now?")
    assert (wanted.filters.sources, wanted.filters.since, wanted.latest) == (("CNBC",), "2018", True)
    assert wanted.beside(Filters()) == wanted
    by_source = wanted.beside(Filters(sources=("Reuters",)))
    assert (by_source.filters, by_source.latest) == (Filters(since="2018", until="2018"), True)
    assert [said.about for said in by_source.said] == ["date", "latest"]
    by_date = wanted.beside(Filters(until="2016"))
    assert by_date.filters == Filters(sources=("CNBC",))
    named = wanted.beside(Filters(articles=("a1",)))
    assert (named.filters, [said.about for said in named.said]) == (Filters(), ["latest"])
    assert wanted.beside(Filters(tags=("x",))) == wanted


def test_a_date_of_the_caller_settles_preferences_of_date_too():
    wanted = read("What happened in 2018, and what happens now?")
    assert wanted.beside(Filters(since="2020")).periods == ()
    assert wanted.beside(Filters(since="2020")).latest
    assert wanted.beside(Filters(articles=("a1",))).periods == (Period("2018", "2018"),)


@pytest.mark.parametrize(
    ("question", "since", "phrase"),
    [
        ("What did the IRS announce this week?", "2018-07-05", "this week"),
        ("This weekend, who won?", "2018-07-05", "This weekend"),
        ("By how much did it rise this month?", "2018-06-04", "this month"),
        ("By how much have shares risen this year?", "2018-01-01", "this year"),
        ("What was its revenue last year?", "2017-01-01", "last year"),
        ("Who won last week?", "2018-06-28", "last week"),
    ],
)
def test_this_week_is_the_newest_that_the_articles_know_of(question, since, phrase):
    wanted = infer(question, sources=SOURCES, today=TODAY, newest=lambda: date(2018, 7, 19))
    assert (wanted.filters, wanted.periods) == (Filters(since=since, undated=True), ())
    assert wanted.latest is ("last" not in phrase)
    assert [(said.about, said.phrase, said.period) for said in wanted.said] == [("date", phrase, Period(since=since))]
    # It counts among articles that the caller names as well; a date of the caller's own settles it.
    assert wanted.beside(Filters(articles=("a1",))).filters == Filters(since=since, undated=True)
    assert wanted.beside(Filters(since="2016")).filters == Filters()


def test_early_in_a_year_this_year_may_be_told_of_before_it_began():
    wanted = infer("Who wins this year?", sources=(), today=TODAY, newest=lambda: date(2022, 1, 20))
    assert wanted.filters.since == "2021-11-21"


def test_this_week_is_no_publisher_either():
    question = "Beyoncé released a new song this week, titled:"
    wanted = infer(question, sources=("The Week",), today=TODAY, newest=lambda: date(2022, 6, 21))
    assert wanted.filters == Filters(since="2022-06-07", undated=True)


@pytest.mark.parametrize(
    ("question", "filters"),
    [
        ("What did it announce lately?", Filters()),
        ("What happened this week in 2016?", Filters()),
        ("What happened in the last week of June 2016?", Filters()),
        ("Who presents This Week?", Filters()),
        ("What do the articles of this week say?", Filters(since="2018-12-31", until="2019-01-06")),
    ],
)
def test_other_weeks_shut_nothing_out_but_by_the_calendar(question, filters):
    today = date(2019, 1, 2)
    assert infer(question, sources=SOURCES, today=today, newest=lambda: date(2018, 7, 19)).filters == filters


def test_where_no_article_has_a_date_this_week_shuts_none_out():
    wanted = read("What did the IRS announce this week?")
    assert (wanted.filters, wanted.latest) == (Filters(), True)


@given(st.text(max_size=80), st.lists(st.text(max_size=12), max_size=4))
def test_no_question_breaks_it(question, sources):
    assert isinstance(infer(question, sources=sources, today=TODAY), Wanted)


PIECES = st.sampled_from(
    "in since between and from to until 2018 2019 ２０１８ July May 19 31 of the Q3 first quarter last year this "
    "month articles published by according CNBC The Verge 's now latest , . ? ' “ ” 1990s FY early - – the past 3 "
    "years".split()
)


@given(st.lists(PIECES, max_size=14).map(" ".join))
def test_no_order_of_its_own_words_breaks_it(question):
    wanted = infer(question, sources=SOURCES, today=TODAY)
    for found in find_periods(question, today=TODAY):
        assert 0 <= found.start < found.end <= len(question)
        assert str(found.period)
    assert all(said.phrase in question for said in wanted.said)


@pytest.mark.parametrize(
    "question",
    ["in " + "the year " * 220, "early " * 330, "in late-" * 250, "2018 " * 400, "CNBC, " * 330, "the " * 500],
)
def test_long_questions_are_read_quickly(question):
    started = time.process_time()
    read(question[:2000])
    assert time.process_time() - started < 1.0


def test_dates_are_spoken():
    assert [spoken(iso) for iso in ("2018", "2018-07", "2018-07-19", "2018-13", "soon")] == [
        "2018", "July 2018", "19 July 2018", "2018-13", "soon",
    ]  # fmt: skip


def test_publishers_are_found_longest_first_and_masked_letter_for_letter():
    question = "Did FOX News - Health or 'The Verge' ask TechCrunch's boss at the time?"
    found = find_sources(question, SOURCES)
    assert [(item.name, question[item.start : item.end]) for item in found] == [
        ("FOX News - Health", "FOX News - Health"),
        ("The Verge", "The Verge"),
        ("TechCrunch", "TechCrunch"),
    ]
    masked = mask(question, found)
    assert len(masked) == len(question)
    assert masked == f"Did {MARK * 17} or {MARK * 11} ask {MARK * 10}'s boss at the time?"


@pytest.mark.parametrize(
    ("question", "present"),
    [
        ("Who is the speaker of the House?", True),
        ("Which state has the highest prices?", True),
        ("Who was the speaker?", False),
        ("What did he do?", False),
        ("When did the company that is behind Alipay begin?", False),
        ("Who is the speaker now?", False),  # says more than that
        ("Who is named as speaker in 2018?", False),
        ("Name the speaker.", False),
    ],
)
def test_the_first_verb_tells_whether_a_question_is_about_the_present(question, present):
    wanted = read(question)
    assert wanted.present is present
    assert not wanted.said or not present
