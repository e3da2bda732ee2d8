"""Counts that are told by the last one counted."""

import pytest

from rag.facts import missing_facts


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Three lawyers pleaded guilty.", "Jenna Ellis is now the third Trump lawyer to plead guilty."),
        ("3 Trump lawyers pleaded guilty.", "He is the third lawyer aligned with Donald Trump to plead guilty."),
        ("She has won two titles.", "It is her second title in a row."),
        ("The team has won 12 cups.", "They lifted their twelfth national cup."),
        ("He has four Grand Slam titles.", "He won his fourth Grand Slam title."),
    ],
)
def test_the_last_one_counted_tells_how_many_there_are(claim, source):
    assert missing_facts(claim, [source]) == ()


@pytest.mark.parametrize(
    ("claim", "source", "missing"),
    [
        ("Three lawyers pleaded guilty.", "He is the second lawyer to plead guilty.", "Three"),
        ("Three lawyers pleaded guilty.", "He is the third man beside a lawyer.", "Three"),
        ("Three lawyers pleaded guilty.", "The third man pleaded guilty, as two lawyers did.", "Three"),
        ("Three lawyers pleaded guilty.", "He is the third witness, and his lawyer agreed.", "Three"),
        ("It lost money in three quarters.", "It lost money in the third quarter.", "three"),
        ("It ruled for four years.", "It fell in its fourth year.", "four"),
        ("It sold 3 percent of shops.", "It opened its third percent of shops.", "3 percent"),
        ("He bought three of the shops.", "He bought a third of the shops.", "three"),
        ("It has three markets.", "It is its third largest market.", "three"),
        ("The fund holds two thirds.", "It is the second-largest fund.", "two"),
    ],
)
def test_what_is_numbered_or_divided_is_not_counted(claim, source, missing):
    assert missing_facts(claim, [source]) == (missing,)
