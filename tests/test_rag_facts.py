from decimal import Decimal

import pytest

from rag.facts import missing_facts, names, numbers, quotes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("almost $476 billion", [(476_000_000_000, False)]),
        ("$476bn", [(476_000_000_000, False)]),
        ("$1.5 Billion", [(1_500_000_000, False)]),
        ("1,234,567 people", [(1_234_567, False)]),
        ("up 68.7% from", [(Decimal("68.7"), True)]),
        ("a 40 per cent stake", [(40, True)]),
        ("a 40 percent stake", [(40, True)]),
        ("30% (122 millions)", [(30, True), (122_000_000, False)]),
        ("July 19th 2018.", [(19, False), (2018, False)]),
        ("three online malls", [(3, False)]),
        ("one of the malls", []),
        ("B2B and Q3", []),
        ("Apple at $615, Google 307", [(615, False), (307, False)]),
        ("from 2017-18", [(2017, False), (18, False)]),
    ],
)
def test_numbers_have_their_magnitude_and_unit(text, expected):
    assert [(number.value, number.percent) for number in numbers(text)] == expected


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("Jack Ma met the president.", (), ("jack", "ma")),
        ("Sales rose.", (), ()),
        ("Taobao rose.", {"taobao"}, ("taobao",)),
        ("The deal with Siemens’s arm.", (), ("siemens",)),
        ("It rose. In October 2020 it fell.", (), ("oct",)),
        ("According to Dan Ives, it will.", (), ("dan", "ives")),
        ("The U.S.-listed shares", (), ("u.s.-listed",)),
    ],
)
def test_names_are_capitalised_words_that_grammar_does_not_explain(text, known, expected):
    assert names(text, known=known) == expected


def test_quotes_are_folded():
    assert quotes('He urged it to “correct  its Course.” Then "go" on.') == ("correct its course", "go")


@pytest.mark.parametrize(
    ("claim", "source", "missing"),
    [
        ("Sales were $212 million.", "generated $212 million in sales", ()),
        ("Sales were $1.5 billion.", "generated $212 million in sales", ("1.5 billion",)),
        ("It is worth $476bn.", "a gross market value of almost $476 billion", ()),
        ("It is worth $476 million.", "a gross market value of almost $476 billion", ("476 million",)),
        ("Shares rose 60.", "Shares rose nearly 60% this year", ("60",)),
        ("It was cancelled in Oct. 2020.", "comments made by Ma in October 2020", ()),
        ("Three malls were opened.", "has opened 3 online malls", ()),
        ("It has four malls.", "has opened three online malls", ("four",)),
        ("The fund Yu'e Bao has $87 billion.", "named Yu’e Bao, has accumulated assets of almost $87 billion", ()),
        ("Its CEO is Kunal Bahl.", "talks with the CEO of Snapdeal", ("kunal", "bahl")),
        ("Ma asked to “correct its course”.", "to “correct its course.”", ()),
        ("Ma asked to “stay the course”.", "to “correct its course.”", ("stay the course",)),
        ("Jack Ma’s memo came in November 2023.", "In November 2023, Jack Ma posted an internal memo", ()),
    ],
)
def test_a_claim_may_hold_only_facts_of_its_sources(claim, source, missing):
    assert missing_facts(claim, [source]) == missing


@pytest.mark.parametrize(
    ("claim", "source", "missing"),
    [
        ("Alibaba wants to enter Pakistan.", "Alibaba may enter the Pakistani market.", ()),
        ("The Pakistani market is next.", "Alibaba may enter Pakistan and its market next.", ()),
        ("The Ant Group IPO was canceled.", "An initial public offering of Ant Group was canceled.", ()),
        ("Only the U.S. grew.", "Only the United States grew.", ("u.s",)),
        ("It lies in Chile.", "It lies in China.", ("chile",)),
        ("He met Martina.", "He met Martin, who had come by train.", ("martina",)),
        ("He met Jack.", "He met Jackson.", ("jack",)),
    ],
)
def test_names_may_stand_in_another_form(claim, source, missing):
    assert missing_facts(claim, [source]) == missing


def test_number_words_of_the_question_are_no_claim_but_figures_are():
    source = "One was declined, the other canceled."
    assert missing_facts("The two plans failed.", [source]) == ("two",)
    assert missing_facts("The two plans failed.", [source], asked="What became of the two plans?") == ()
    assert missing_facts("In 2024 both failed.", [source], asked="What failed in 2024?") == ("2024",)
