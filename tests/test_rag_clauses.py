import pytest

from rag.clauses import MOST, clauses_of


def test_a_long_question_is_searched_clause_by_clause():
    assert clauses_of(
        "Who is the individual associated with the rise of artificial intelligence according to 'The Age', whose "
        "surprising departure from OpenAI was discussed in 'Fortune', and was speculated by 'TechCrunch' to have had "
        "issues with transparency with the board?"
    ) == (
        "is the individual associated with the rise of artificial intelligence according to 'The Age'",
        "surprising departure from OpenAI was discussed in 'Fortune'",
        "was speculated by 'TechCrunch' to have had issues with transparency with the board",
    )


@pytest.mark.parametrize(
    "question",
    [
        "",
        "How big was Alibaba at its peak?",
        "Who founded Alibaba in Hangzhou, and when was the Ant Group listed in Shanghai?",
        "Is it cats, dogs, or mice, and who says so?",
    ],
)
def test_short_questions_and_those_of_two_clauses_stay_whole(question):
    assert clauses_of(question) == ()


def test_a_short_piece_joins_the_one_before():
    found = clauses_of("red old house burned, it fell, green tall tree stood, blue fast car drove")
    assert found == ("red old house burned it fell", "green tall tree stood", "blue fast car drove")


def test_no_more_than_six():
    assert len(clauses_of(", ".join(f"alpha{n} beta{n} gamma{n}" for n in range(20)))) == MOST
