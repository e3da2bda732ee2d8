"""Scores of a reply's wording, its numbers, and whether it is right, on replies of one line."""

import pytest

from eval.metrics import ROW_METRICS
from eval.metrics.amounts import numbers_match
from eval.metrics.answers import accepted_wholes, contains, fold, normalise
from eval.metrics.right import is_right
from eval.outcomes import Outcome
from eval.questions import Question
from rag.types import Answer, Timings


def replied(text: str | None, answers, *, answerable=None, question="?", task="answer") -> Outcome:
    """What came of a question with these accepted answers; the text None stands for a refusal."""
    shown = "The articles do not tell." if text is None else text
    answer = Answer(question, shown, text is None, 0.5, None, (), (), Timings(0.1, 0.2, 3.0), "model", "index")
    judged = Question("1", question, answers=answers, answerable=answerable, task=task)
    return Outcome(judged, None, (), answer=answer if task == "answer" else None)


def score(name: str, *arguments, **named) -> float | None:
    return ROW_METRICS[name](replied(*arguments, **named))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Cat, an  Owl and a\nDog.", "cat owl and dog"),
        ("Theatre of an anthem", "theatre of anthem"),
        ("U.S.-listed", "uslisted"),
        ("$476bn (2019)", "476bn 2019"),
        ("“Squid Game”", "“squid game”"),  # the official script knows ASCII punctuation alone
        ("A-the", "athe"),
        ("the", ""),
    ],
)
def test_normalisation_is_that_of_the_official_squad_script(text, expected):
    assert normalise(text) == expected


def test_em_and_f1_take_the_accepted_answer_that_fits_best():
    # Said: founded in 1999 by jack ma (6 tokens). Against "Jack Ma": 2 shared, P 2/6, R 1. Against "Ma": P 1/6, R 1.
    answers = (("Ma", "Jack Ma"),)
    assert score("f1", "Founded in 1999 by Jack Ma", answers) == pytest.approx(2 * (2 / 6) / (2 / 6 + 1), abs=1e-15)
    assert score("em", "Founded in 1999 by Jack Ma", answers) == 0.0
    assert score("f1", "The jack MA.", answers) == 1.0
    assert score("em", "The jack MA.", answers) == 1.0
    assert score("f1", "Nobody", answers) == 0.0


def test_a_repeated_word_is_shared_as_often_as_both_have_it():
    # Said: new new york (3), gold: new york new jersey (4); shared: new twice, york once: P 1, R 3/4, F1 6/7.
    assert score("f1", "New, new York", (("New York, New Jersey",),)) == pytest.approx(6 / 7, abs=1e-15)


def test_a_refused_question_scores_zero_unless_there_is_no_right_answer():
    for name in ("em", "f1"):
        assert score(name, None, (("Jack Ma",),)) == 0.0
        assert score(name, None, ()) == 1.0
        assert score(name, "Jack Ma", ()) == 0.0
        assert score(name, "Jack Ma", None) is None
    assert score("f1", "Jack Ma", (("Jack Ma",),), task="search") is None


def test_f1_goes_by_the_given_answers_even_if_the_articles_lack_them():
    assert score("f1", "Jack Ma", (("Jack Ma",),), answerable=False) == 1.0
    assert score("f1", None, (("Jack Ma",),), answerable=False) == 0.0


def test_accepted_answers_that_normalise_to_nothing_are_dropped_as_in_the_official_script():
    assert score("em", "The", (("The", "Who"),)) == 0.0
    assert score("em", None, (("The",),)) == 1.0  # without any other it is a question without answer


def test_f1_is_split_by_whether_there_is_an_answer():
    outcomes = [replied("cat", (("cat",),)), replied("dog", (("cat",),)), replied(None, ()), replied("cat", None)]
    assert [ROW_METRICS["has_answer_f1"](outcome) for outcome in outcomes] == [1.0, 0.0, None, None]
    assert [ROW_METRICS["no_answer_f1"](outcome) for outcome in outcomes] == [None, None, 1.0, None]


def test_parts_are_joined_in_every_order_and_alternatives_are_those_of_a_single_part():
    assert accepted_wholes((("$476 billion", "476 billion dollars"),)) == ("$476 billion", "476 billion dollars")
    assert accepted_wholes((("Taobao", "taobao.com"), ("Tmall",))) == ("Taobao Tmall", "Tmall Taobao")
    assert accepted_wholes((("a",), ("b",), ("c",))) == ("a b c", "a c b", "b a c", "b c a", "c a b", "c b a")
    assert accepted_wholes((("d",), ("c",), ("b",), ("a",))) == ("d c b a",)
    assert accepted_wholes(()) == ()
    assert score("em", "Tmall, Taobao", (("Taobao",), ("Tmall",))) == 1.0


@pytest.mark.parametrize(
    ("text", "spelling", "expected"),
    [
        ("It was $212 Million.", "$212 million", True),
        ("a rise of 40 per cent", "40%", True),
        ("a rise of 40%", "40 percent", True),
        ("a rise of 140%", "40%", False),
        ("a rise of 2.40%", "40%", False),
        ("a percentage of 40", "40%", False),
        ("sixty people", "six", False),
        ("six-year plan", "six", True),
        ("worth US$476 billion", "$476 billion", True),
        ("1,476 shops", "476", False),
        ("476,000 shops", "476", False),
        ("476.5 shops", "476", False),
        ("476, or so", "476", True),
        ("It was 476.", "476", True),
        ("Alibaba’s  chief", "Alibaba's chief", True),
        ("the Alibaba's", "Alibaba", True),
        ("Malibaba", "Alibaba", False),
        ("in 2019-20", "2019–20", True),
        ("Netflix renewed Squid Game.", "“Squid Game”", True),
        ("Yes, it did", "Yes.", True),
        ("Zürichs", "Zürich", False),
        ("Anything", "…", False),
        ("Anything", "", False),
    ],
)
def test_a_spelling_is_contained_as_words_of_its_own(text, spelling, expected):
    assert contains(text, spelling) is expected


def test_folding_brings_case_space_quotes_and_per_cent_together():
    assert fold(" “Forty  per\ncent”\u00a0— It’s 5 %") == '"forty%" - it\'s 5%'


def test_contained_is_the_share_of_parts_of_which_a_spelling_occurs():
    parts = (("Taobao", "taobao.com"), ("Tmall",), ("Alibaba.com",))
    assert score("contained", "TAOBAO.com and Tmall", parts) == 2 / 3
    assert score("contained", None, parts) == 0.0
    assert score("contained", "Tmall", (("Tmall",),)) == 1.0


def test_contained_is_not_scored_without_a_right_answer():
    assert score("contained", "Tmall", None) is None
    assert score("contained", "Tmall", ()) is None
    assert score("contained", "Tmall", (("Tmall",),), answerable=False) is None
    assert score("contained", "Tmall", (("Tmall",),), answerable=True) == 1.0


@pytest.mark.parametrize(
    ("text", "spelling", "expected"),
    [
        ("almost $476 billion", "$476bn", True),
        ("476 billion dollars", "$476bn", True),
        ("476,000 million", "$476bn", True),
        ("$476 million", "$476bn", False),  # both have a magnitude
        ("480 billion", "$476bn", True),  # 4/476 = 0.84 %
        ("481 billion", "$476bn", False),  # 5/476 = 1.05 %
        ("$101.005 million", "$100 million", False),  # 1.005 % of what is right, less of what is said
        ("(1,577)", "$1577.00", True),
        ("$1,577 million", "$1577.00", True),
        ("1,577,000 thousand", "$1577.00", True),
        ("$1,577", "1.577 billion", True),
        ("40 per cent", "40%", True),
        ("40", "40%", False),
        ("40%", "40", False),
        ("40 million per cent", "40%", False),
        ("in 2019", "2018", False),  # within 1 %, but years
        ("in 2018", "2", False),  # 2018 / 1000 is within 1 % of 2
        ("in 2018", "$2.02 billion", False),
        ("sold for 2,018 million", "$2.02 billion", True),
        ("in 1850", "1843", False),
        ("costs $1850", "$1843", True),
        ("2 million", "2", False),
        ("10", "$10 billion", False),  # one significant digit is too common
        ("15", "$15 billion", True),
        ("six million", "6 million", True),
        ("twenty-four million", "24 million", True),
        ("twenty-four million", "24 billion", False),
        ("one million", "1,000,000", True),
        ("one billion", "$1bn", True),
        ("six", "6", True),
        ("from 143% to 156%", "143% in 2021, 156% in 2022", False),
        ("from 143% in 2021 to 156% in 2022", "156% in 2022 after 143% in 2021", True),
        ("nothing", "0", False),
        ("0", "0", True),
        ("Jack Ma", "Jack Ma", None),
    ],
)
def test_numbers_are_compared_by_value_and_not_by_wording(text, spelling, expected):
    assert numbers_match(text, spelling) is expected


def test_number_match_asks_for_every_part_that_has_a_number():
    parts = (("Taobao",), ("$212 million", "212m dollars"), ("40 percent", "two fifths of it"))
    assert score("number_match", "212 million and 40%", parts) == 1.0
    assert score("number_match", "212 million at Taobao", parts) == 0.0
    assert score("number_match", None, parts) == 0.0
    assert score("number_match", "212", (("Taobao",),)) is None
    assert score("number_match", "212", ()) is None
    assert score("number_match", "212", None) is None
    assert score("number_match", "212 million", (("$212 million",),), answerable=False) is None


def test_rouge_l_is_the_f_measure_of_the_longest_common_subsequence():
    # "the … sat on" is common: 6 words said, 5 right; cat sat on: P 3/6, R 3/5.
    assert score("rouge_l", "The cat sat on the mat.", (("A cat sat on mats",),)) == pytest.approx(6 / 11, abs=1e-15)
    assert score("rouge_l", "The cat sat on the mat.", (("dogs bark", "the cat sat on the mat"),)) == 1.0
    assert score("rouge_l", "mat cat", (("cat",), ("mat",))) == 1.0
    assert score("rouge_l", "running cats", (("run cat",),)) == 0.0  # no stemming


def test_rouge_l_of_a_refusal_is_zero_and_without_answers_none():
    assert score("rouge_l", None, (("A cat",),)) == 0.0
    assert score("rouge_l", None, ()) is None
    assert score("rouge_l", "A cat", None) is None


def test_the_length_of_a_reply_is_counted_in_words():
    assert score("reply_length", "Jack Ma, of Alibaba.", None) == 4.0
    assert score("reply_length", None, None) is None


LONG = "The company said that sales in its home market fell because customers waited for the new model to arrive"


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("It was Jack Ma.", (("Jack Ma",),), True),
        ("It was Pony Ma.", (("Jack Ma",),), False),
        (None, (("Jack Ma",),), False),
        ("Taobao", (("Taobao",), ("Tmall",)), False),
        ("Taobao, for $212m", (("Taobao",), ("$212 million",)), True),
        ("almost $476 billion", (("$476bn",),), True),
        ("US$475 billion", (("About US$476bn",),), True),
        ("On August 15, 1843", (("15 August 1843",),), True),
        ("On March 15, 1843", (("15 August 1843",),), False),  # the numbers are right
        ("On the 11th", (("Apollo 11",),), False),
        ("Six were killed", (("6 people",),), True),
        ("Yes, there is no doubt.", (("no",),), False),
        ("No, it was not.", (("No.",),), True),
        ("Sales in the home market fell because customers waited for the new model", ((LONG,),), True),
        ("The chief resigned in the spring", ((LONG,),), False),
        (
            "Lending, in 2022",
            (("In 2022 it was trading that brought most",),),
            False,
        ),  # a year does not make a sentence
        ("late in 2022", (("in December 2022", "end of 2022"),), True),
        ("Sales in 2022", ((f"{LONG} in 2022",),), False),  # one number does not make a long answer
        (None, (), True),
        ("Jack Ma", (), False),
        ("Jack Ma", None, None),
        (None, None, None),
    ],
)
def test_right_or_wrong_all_in_all(text, answers, expected):
    assert is_right(replied(text, answers)) is expected


def test_names_of_the_question_need_not_be_repeated():
    answers = (("Byline sold 40,000 units",),)
    assert is_right(replied("41,000 units", answers, question="How many did Byline sell?")) is False
    assert is_right(replied("About 40,200", answers, question="How many did Byline sell?")) is True
    assert is_right(replied("About 40,200", answers, question="How many did they sell?")) is False


def test_an_unanswerable_question_is_right_if_and_only_if_it_was_refused():
    assert is_right(replied("Jack Ma", (("Jack Ma",),), answerable=False)) is False
    assert is_right(replied(None, (("Jack Ma",),), answerable=False)) is True
    assert is_right(replied(None, None, answerable=False)) is True
    assert is_right(replied(None, None, answerable=True)) is None  # what the right answer is, is not known
    assert is_right(replied("Jack Ma", None, answerable=False, task="search")) is None


def test_always_refusing_has_an_f1_equal_to_the_share_of_questions_without_answer():
    outcomes = [replied(None, () if number % 2 else (("cat",),)) for number in range(10)]
    f1 = [ROW_METRICS["f1"](outcome) for outcome in outcomes]
    assert sum(f1) / len(f1) == 0.5
