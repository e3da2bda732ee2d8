"""Log-odds from the tokens that a server shows."""

import math

import pytest

from rag.yes_or_no import coarse_log_odds, log_odds_of


def shown(**chances: float) -> dict[str, float]:
    return {token.replace("_", " "): math.log(chance) for token, chance in chances.items()}


@pytest.mark.parametrize(
    ("likeliest", "odds"),
    [
        (shown(Yes=0.8, No=0.1), math.log(8)),
        (shown(Yes=0.4, yes=0.1, YES=0.05, _Yes=0.05, No=0.2, _No=0.1), math.log(2)),  # all spellings of a side
        (shown(Yes=0.6, The=0.2), math.log(0.6 / 0.2)),  # No has at most as much as the last one shown
        (shown(Yes=0.9, The=0.08), math.log(0.9 / 0.02)),  # ... and at most what is left
        (shown(No=0.9, The=0.08), -math.log(0.9 / 0.02)),
        (shown(The=0.9, It=0.05), 0.0),
        (shown(Note=0.5, Yesterday=0.4), 0.0),
        ({}, 0.0),
    ],
)
def test_a_side_that_is_not_shown_gets_the_most_it_could_have(likeliest, odds):
    assert log_odds_of(likeliest) == pytest.approx(odds)


@pytest.mark.parametrize("ruled_out", [-9999.0, -1e300])
def test_what_a_server_rules_out_is_no_infinity(ruled_out):
    assert 20 < log_odds_of({"Yes": -0.001, "No": ruled_out}) < 40
    assert 0 < log_odds_of({"Yes": -0.001, "The": ruled_out}) < 40


def test_a_sure_yes_stays_finite():
    assert 20 < log_odds_of({"Yes": 0.0}) < 40


@pytest.mark.parametrize(
    ("reply", "odds"),
    [
        ("Yes", 2.0),
        (" yes.", 2.0),
        ("**Yes**", 2.0),
        ("No", -2.0),
        ("NO", -2.0),
        ("Not stated", 0.0),
        ("The", 0.0),
        ("", 0.0),
    ],
)
def test_of_the_word_alone(reply, odds):
    assert coarse_log_odds(reply) == odds
