"""What dates change in the order of what was found, and how little."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rag_material import ARTICLE, hit

from index.filters import Filters
from rag.periods import Period
from rag.preference import LATEST_BONUS, PERIOD_BONUS, PRESENT_BONUS, newest_of, prefer
from rag.wanted import Wanted


def dated(score, day, number):
    return hit((), article=dataclasses.replace(ARTICLE, id=f"a{number}", date=day), score=score, number=number)


def order(hits, wanted):
    ranked = prefer(hits, wanted)
    assert [item.rank for item in ranked] == list(range(1, len(hits) + 1))
    return [item.passage.id for item in ranked]


IN_2018 = Wanted(periods=(Period("2018", "2018"),))
LATEST = Wanted(latest=True)
NOW = Wanted(present=True)


def test_an_article_of_the_period_passes_one_of_nearly_the_same_score():
    hits = [dated(0.60, "2020-01-01", 1), dated(0.58, "2018-03", 2), dated(0.57, None, 3), dated(0.50, "2018", 4)]
    assert order(hits, IN_2018) == [2, 1, 3, 4]
    scores = {item.passage.id: item.score for item in prefer(hits, IN_2018)}
    bonus = PERIOD_BONUS * 0.60
    assert scores == pytest.approx({1: 0.60, 2: 0.58 + bonus, 3: 0.57, 4: 0.50 + bonus})


def test_the_newest_of_conflicting_reports_comes_first():
    hits = [dated(0.60, "2018-07-19", 1), dated(0.59, None, 2), dated(0.59, "2024-08-28", 3), dated(0.40, "2025", 4)]
    assert order(hits, LATEST) == [3, 2, 1, 4]
    scores = {item.passage.id: item.score for item in prefer(hits, LATEST)}
    assert scores[3] == pytest.approx(0.59 + LATEST_BONUS * 0.60)  # the newest of those that fit
    assert scores[4] == pytest.approx(0.40 + LATEST_BONUS * 0.60)  # newer still, which gains no more
    assert scores[2] == pytest.approx(0.59 + LATEST_BONUS * 0.60 / 2)  # undated: as if of middling age


def test_an_article_a_year_older_gains_half():
    hits = [dated(1.0, "2024-07-01", 1), dated(1.0, "2023-07-02", 2)]
    assert [item.score for item in prefer(hits, LATEST)] == pytest.approx([1 + LATEST_BONUS, 1 + LATEST_BONUS / 2])


@pytest.mark.parametrize(("wanted", "share"), [(IN_2018, PERIOD_BONUS), (LATEST, LATEST_BONUS), (NOW, PRESENT_BONUS)])
def test_a_clearly_better_passage_stays_first(wanted, share):
    better, worse = 0.60, 0.60 * (1 - share) - 0.01
    assert order([dated(better, "1999", 1), dated(worse, "2018", 2)], wanted) == [1, 2]
    assert order([dated(better, "1999", 1), dated(worse + 0.02, "2018", 2)], wanted) == [2, 1]


def test_a_question_about_the_present_prefers_the_newest_a_little():
    hits = [dated(1.0, "2024-07-01", 1), dated(1.0, "2024-04-02", 2), dated(1.0, None, 3)]
    gained = [item.score - 1.0 for item in prefer(hits, NOW)]
    assert gained == pytest.approx([PRESENT_BONUS, PRESENT_BONUS / 2, PRESENT_BONUS / 2])
    # One date alone does not tell which of two is newer.
    assert prefer([hits[0], hits[2]], NOW) == (hits[0], dataclasses.replace(hits[2], rank=2))


def test_where_nothing_is_preferred_nothing_changes():
    hits = (dated(0.6, "1999", 1), dated(0.6, "2018", 2))
    assert prefer(hits, Wanted(filters=Filters(since="2018"))) == hits
    assert prefer((), LATEST) == ()
    undated = [dated(0.6, None, 1), dated(0.5, "no date", 2)]
    assert [item.score for item in prefer(undated, Wanted(periods=(Period("2018", "2018"),), latest=True))] == [
        0.6,
        0.5,
    ]
    assert order([dated(-0.2, "1999", 1), dated(-0.2, "2018", 2)], IN_2018) == [1, 2]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from([None, "2018", "2018-07", "2020-01-01", "1999"])), max_size=8),
    st.sampled_from([IN_2018, LATEST, NOW, Wanted(periods=(Period(until="2018"),), latest=True)]),
)
def test_a_preference_keeps_every_passage_and_never_moves_one_far(found, wanted):
    hits = sorted((dated(score, day, n) for n, (score, day) in enumerate(found, 1)), key=lambda one: -one.score)
    ranked = prefer(hits, wanted)
    assert {item.passage.id for item in ranked} == {item.passage.id for item in hits}
    before = {item.passage.id: item.score for item in hits}
    most = (PERIOD_BONUS + LATEST_BONUS) * max(before.values(), default=0)
    for place, item in enumerate(ranked):
        assert before[item.passage.id] <= item.score <= before[item.passage.id] + most + 1e-9
        assert all(before[later.passage.id] <= before[item.passage.id] + most + 1e-5 for later in ranked[place:])


FOUND = [
    dated(0.60, "2018-07-19", 1),
    dated(0.59, None, 2),
    dated(0.50, "2024-08-28", 3),
    dated(0.10, "2024-08-21", 4),
    dated(0.10, "2024-08-20", 5),
]


@pytest.mark.parametrize(
    ("hits", "wanted", "newest"),
    [
        (FOUND, LATEST, [3, 4]),  # a week apart is one piece of news
        (FOUND, NOW, [3, 4]),
        (FOUND, IN_2018, []),
        (FOUND, Wanted(), []),
        ([*FOUND, dated(0.47, "2026-01-01", 6)], LATEST, [3, 4, 6]),  # newer, and does not fit: it makes nothing old
        ([*FOUND, dated(0.48, "2026-01-01", 6)], LATEST, [6]),
        (FOUND[1:4], LATEST, []),  # nothing is known to be older
        (FOUND[1:2], LATEST, []),
        ([], LATEST, []),
    ],
)
def test_the_newest_reports_are_those_of_a_week_before_the_newest_that_fits(hits, wanted, newest):
    assert [item.passage.id for item in newest_of(hits, wanted)] == newest
