"""Offices that claims and articles give to people."""

import pytest

from rag.offices import other_office

FOUNDER = "Last week, Alibaba founder Jack Ma said he would invest more in India."


@pytest.mark.parametrize(
    ("claim", "source", "found"),
    [
        ("The chairman of Alibaba is Jack Ma.", FOUNDER, ("chairman", "founder")),
        ("Jack Ma is the chairman of Alibaba.", FOUNDER, ("chairman", "founder")),
        ("Jack Ma is Alibaba's chief executive.", "Jack Ma, the co-founder, spoke.", ("chief executive", "co-founder")),
        ("The president of Acme was Ann Lee.", "Acme vice president Ann Lee left.", ("president", "vice president")),
        ("The mayor is Ann Lee.", "Governor Ann Lee met the press.", ("mayor", "Governor")),
    ],
)
def test_another_office_of_the_same_person_is_found(claim, source, found):
    assert other_office(claim, source) == found


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("The founder of Alibaba is Jack Ma.", FOUNDER),
        ("The founder of Alibaba is Jack Ma.", "Jack Ma, co-founder of Alibaba, spoke."),
        ("The CEO of Acme is Ann Lee.", "Ann Lee, founder and chief executive of Acme, spoke."),
        ("The CEO of Acme is Ann Lee.", "Ann Lee leads Acme."),
        ("The CEO of Acme is Ann Lee.", "Founder Bob Ray hired Ann Lee."),
        ("Jack Ma is the richest man in China.", FOUNDER),
        ("Jack Ma said that the chairman left.", FOUNDER),
    ],
)
def test_the_same_office_no_office_and_someone_else_s_are_left_alone(claim, source):
    assert other_office(claim, source) is None
