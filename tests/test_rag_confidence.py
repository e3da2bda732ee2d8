import dataclasses
import math

import pytest

from rag.confidence import AFTER, BEFORE, Calibration, Logistic, load_calibration, values_of
from rag.settings import ANSWER_STYLES
from rag.types import Signals

PLAIN = Logistic(0.5, {"answerable": 2.0, "covered": -1.0}, {"answerable": 0.25, "covered": 0.4})
RISKS = ((5.0, 0.9), (10.0, 0.8), (20.0, 0.5))
PHRASES = Logistic(-0.5, {"answerable": 1.0}, {"answerable": 0.0})
CALIBRATION = Calibration(PLAIN, {"sentence": PLAIN, "quote": PLAIN, "phrase": PHRASES}, RISKS, hopeless=0.6)


def test_probability_is_logistic_in_the_signals():
    assert PLAIN.probability(Signals(answerable=1.0, covered=0.5)) == pytest.approx(1 / (1 + math.exp(-2.0)))


def test_an_unknown_signal_counts_as_its_mean():
    known = Signals(answerable=0.25, covered=0.4)
    assert PLAIN.probability(Signals()) == PLAIN.probability(known) == pytest.approx(1 / (1 + math.exp(-0.6)))


def test_log_odds_beyond_twelve_say_no_more():
    assert PLAIN.probability(Signals(answerable=80.0, covered=0.0)) == PLAIN.probability(
        Signals(answerable=12.0, covered=0.0)
    )


@pytest.mark.parametrize(("style", "model"), [("sentence", PLAIN), ("quote", PLAIN), ("phrase", PHRASES)])
def test_each_style_of_answers_has_its_model(style, model):
    signals = Signals(answerable=1.5, covered=0.2)
    assert CALIBRATION.confidence(signals, style=style) == model.probability(signals)


@pytest.mark.parametrize(
    ("accepted", "least"),
    [(1, 0.9), (5, 0.9), (7.5, 0.85), (10, 0.8), (15, 0.65), (20, 0.5), (60, 0.5), (100, 0.0)],
)
def test_fewer_accepted_wrong_answers_ask_for_more_confidence(accepted, least):
    assert CALIBRATION.least_confidence(accepted) == pytest.approx(least)


@pytest.mark.parametrize(("accepted", "chance"), [(5, 0.6), (20, 0.5), (100, 0.0)])
def test_what_could_be_shown_is_always_written(accepted, chance):
    assert CALIBRATION.worth_writing(accepted) == pytest.approx(chance)


@pytest.mark.parametrize("model", ["default", "small", "somebody/else"])
def test_what_was_learnt_is_there_and_makes_sense(model):
    found = load_calibration(model)
    assert set(found.before.weights) <= {*BEFORE, "similarity"}
    assert set(found.after) == set(ANSWER_STYLES)
    for style, after in found.after.items():
        # Of a model without an adapter for drafts, what it says of them is not known.
        assert set(after.weights) <= {*AFTER[style], "answers"}
        # What the model says for an answer never speaks against it.
        assert min(after.weights.values()) > 0 < after.weights["weaker" if model == "default" else "answers"]
    assert found.before.weights["answerable"] > 0
    wrong, sure = zip(*found.risks, strict=True)
    assert list(wrong) == sorted(wrong)
    assert list(sure) == sorted(sure, reverse=True)


def test_disagreement_speaks_against_an_answer():
    sure = Signals(answers=1.0, right=1.0, agreement=1.0)
    doubtful = dataclasses.replace(sure, agreement=0.0)
    model = load_calibration("default")
    assert model.confidence(sure, style="sentence") > 0.5 > 0.35 > model.confidence(doubtful, style="sentence")


def test_a_draft_that_the_evidence_does_not_answer_is_doubted():
    sure = Signals(answers=2.0, right=2.0, agreement=1.0)
    model = load_calibration("default")
    assert model.confidence(sure, style="sentence") > 0.5
    # Neither judgement makes up for the other.
    for doubtful in (dataclasses.replace(sure, right=-2.0), dataclasses.replace(sure, answers=-2.0)):
        assert model.confidence(doubtful, style="sentence") < 0.35


def test_the_weaker_of_two_judgements_is_what_counts():
    assert values_of(Signals(answers=2.0, right=-1.0, support=0.5))["weaker"] == -1.0
    assert values_of(Signals(answers=2.0))["weaker"] == 2.0
    assert values_of(Signals())["weaker"] is None
    assert values_of(Signals(answers=2.0, right=-1.0))["answers"] == 2.0


def test_it_is_known_where_confidence_rests_on_a_judgement_of_the_draft():
    for style in ANSWER_STYLES:
        assert load_calibration("default").judges_drafts(style)
        assert not load_calibration("somebody/else").judges_drafts(style)
