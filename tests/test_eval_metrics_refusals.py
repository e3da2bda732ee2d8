"""Scores of refusing and of confidence, on handfuls of outcomes."""

import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from eval.metrics import ROW_METRICS, SET_METRICS
from eval.metrics.confidence import ReliabilityBin, reliability, risk_coverage
from eval.outcomes import Outcome
from eval.questions import Question
from rag.types import Answer, Timings


def outcome(answerable, *, refused=False, confidence=0.5, right=True) -> Outcome:
    """The right answer is "cat"; a question that is answered gets it or "dog"."""
    text = "Not told." if refused else "A cat." if right else "A dog."
    answer = Answer("?", text, refused, confidence, None, (), (), Timings(0.1, 0.2, 3.0), "model", "index")
    return Outcome(Question("1", "?", answers=(("cat",),), answerable=answerable), None, (), answer=answer)


def claim(supported, support_score) -> Outcome:
    question = Question("1", "It rains.", answerable=supported, task="support")
    return Outcome(question, None, (), support_score=support_score)


def refusals(outcomes) -> list[float | None]:
    return [SET_METRICS[name](outcomes) for name in ("refusal_precision", "refusal_recall", "refusal_f1")]


def mean(name: str, outcomes) -> float:
    scores = [score for item in outcomes if (score := ROW_METRICS[name](item)) is not None]
    return sum(scores) / len(scores)


def test_precision_recall_and_f1_of_refusing():
    answerable = [outcome(True, refused=number < 2) for number in range(6)]
    unanswerable = [outcome(False, refused=number < 3) for number in range(4)]
    # 5 refused, 3 of them rightly, of 4 unanswerable: P 3/5, R 3/4, F1 2·3/(5+4).
    assert refusals(answerable + unanswerable) == [3 / 5, 3 / 4, 6 / 9]
    assert mean("false_refusal", answerable + unanswerable) == 2 / 6
    assert mean("refused_unanswerable", answerable + unanswerable) == 3 / 4


def test_refusing_nothing_scores_zero_and_without_unanswerable_questions_there_is_no_score():
    assert refusals([outcome(True), outcome(False)]) == [0.0, 0.0, 0.0]
    assert refusals([outcome(True, refused=True), outcome(False)]) == [0.0, 0.0, 0.0]
    assert refusals([outcome(True), outcome(True, refused=True)]) == [None, None, None]
    assert refusals([outcome(None, refused=True)]) == [None, None, None]
    assert refusals([]) == [None, None, None]


def test_always_refusing_has_full_recall_and_the_precision_of_chance():
    outcomes = [outcome(number % 4 > 0, refused=True) for number in range(8)]
    assert refusals(outcomes) == [1 / 4, 1.0, 2 * 2 / (8 + 2)]
    assert SET_METRICS["balanced_accuracy"](outcomes) == 0.5


def test_only_judged_questions_with_an_answer_are_scored():
    for item in (outcome(None), claim(True, 1.0), Outcome(Question("1", "?", answerable=True), None, ())):
        names = ("false_refusal", "refused_unanswerable", "wrong_answers")
        assert [ROW_METRICS[name](item) for name in names] == [None, None, None]
    assert ROW_METRICS["false_refusal"](outcome(False)) is None
    assert ROW_METRICS["refused_unanswerable"](outcome(True)) is None


def test_wrong_answers_are_those_given_wrongly_or_to_unanswerable_questions():
    cases = [
        (outcome(True), 0.0),
        (outcome(True, right=False), 1.0),
        (outcome(True, refused=True), 0.0),
        (outcome(False), 1.0),
        (outcome(False, refused=True), 0.0),
    ]
    assert [ROW_METRICS["wrong_answers"](item) for item, _ in cases] == [expected for _, expected in cases]


def test_auroc_is_the_share_of_pairs_in_order_and_ties_count_half():
    outcomes = [
        outcome(True, confidence=0.9),
        outcome(True, confidence=0.5),
        outcome(False, confidence=0.5),
        outcome(False, confidence=0.1),
    ]
    # Pairs: 0.9>0.5, 0.9>0.1, 0.5=0.5, 0.5>0.1.
    assert SET_METRICS["auroc"](outcomes) == 3.5 / 4
    assert SET_METRICS["auroc"](outcomes[:2]) is None
    assert SET_METRICS["auroc"](outcomes[2:]) is None


def test_auroc_equals_that_of_scikit_learn_ties_included():
    chance = np.random.default_rng(3)
    for size in (5, 40, 300):
        answerable = chance.random(size) < 0.6
        answerable[:2] = True, False
        scores = np.round(chance.random(size) + 0.3 * answerable, 1)  # many ties
        outcomes = [outcome(bool(one), confidence=float(two)) for one, two in zip(answerable, scores, strict=True)]
        assert SET_METRICS["auroc"](outcomes) == pytest.approx(roc_auc_score(answerable, scores), abs=1e-12)


def test_the_support_check_is_scored_by_its_log_odds_with_the_bar_at_zero():
    claims = [claim(True, 2.0), claim(True, -1.0), claim(True, 0.5), claim(False, -3.0), claim(False, 1.0)]
    # Pairs of 3 × 2: 2.0 beats both, −1.0 beats −3.0, 0.5 beats −3.0. Supported 2 of 3, not supported 1 of 2.
    assert SET_METRICS["auroc"](claims) == 4 / 6
    assert SET_METRICS["balanced_accuracy"](claims) == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-15)
    assert SET_METRICS["balanced_accuracy"]([claim(True, 0.1), claim(False, 0.0)]) == 1.0  # 0 is not above the bar
    assert SET_METRICS["ece"](claims) is None
    assert SET_METRICS["auroc"]([claim(True, None), claim(None, 1.0)]) is None


def test_balanced_accuracy_of_refusing_equals_that_of_scikit_learn():
    outcomes = [outcome(number % 3 > 0, refused=number % 4 == 0) for number in range(20)]
    truth = [item.question.answerable for item in outcomes]
    taken = [not item.answer.abstained for item in outcomes]
    expected = balanced_accuracy_score(truth, taken)
    assert SET_METRICS["balanced_accuracy"](outcomes) == pytest.approx(expected, abs=1e-12)
    assert SET_METRICS["balanced_accuracy"]([outcome(True)]) is None


CALIBRATION = [
    outcome(True, confidence=0.95),
    outcome(False, confidence=0.91),
    outcome(True, confidence=0.3),
    outcome(False, confidence=0.0),
    outcome(True, confidence=1.0),
]


def test_reliability_bins_hold_their_lower_edge_and_the_last_one_its_upper():
    assert reliability(CALIBRATION) == [
        ReliabilityBin(0.0, 0.1, 0.0, 0.0, 1),
        ReliabilityBin(0.3, 0.4, 0.3, 1.0, 1),
        ReliabilityBin(0.9, 1.0, pytest.approx(2.86 / 3), 2 / 3, 3),
    ]
    assert reliability([claim(True, 1.0), outcome(False, refused=True)]) == []


def test_reliability_looks_at_shown_answers_and_whether_they_are_right():
    assert reliability([outcome(True, confidence=0.75, right=False), outcome(True, refused=True)]) == [
        ReliabilityBin(0.7, 0.8, 0.75, 0.0, 1)
    ]


def test_calibration_error_is_the_gap_of_the_bins_weighted_by_their_size():
    # Bins: 0.0 against 0; 0.3 against 1; 2.86/3 against 2/3, three times.
    expected = 1 / 5 * 0 + 1 / 5 * 0.7 + 3 / 5 * (2.86 / 3 - 2 / 3)
    assert SET_METRICS["ece"](CALIBRATION) == pytest.approx(expected, abs=1e-15)
    bins = reliability(CALIBRATION)
    assert sum(item.count * abs(item.confidence - item.right) for item in bins) / 5 == pytest.approx(expected)
    assert SET_METRICS["ece"]([outcome(True, confidence=1.0), outcome(False, confidence=0.0)]) == 0.0


def test_the_risk_coverage_curve_lets_equally_confident_answers_pass_together():
    outcomes = [
        outcome(False, confidence=0.6),  # answered although unanswerable: wrong
        outcome(True, confidence=0.9),
        outcome(True, confidence=0.6),
        outcome(True, confidence=0.2, right=False),
        outcome(True, confidence=0.1, refused=True),
    ]
    assert risk_coverage(outcomes) == [(1 / 5, 0.0), (3 / 5, 1 / 3), (4 / 5, 2 / 4)]
    assert risk_coverage(outcomes[::-1]) == risk_coverage(outcomes)
    assert SET_METRICS["aurc"](outcomes) == pytest.approx((0 + 1 / 3 + 1 / 2) / 3, abs=1e-15)


def test_without_answers_there_is_no_risk():
    refused = [outcome(True, refused=True), outcome(False, refused=True)]
    assert risk_coverage(refused) == []
    assert SET_METRICS["aurc"](refused) is None
    assert risk_coverage([outcome(None)]) == []


def test_good_order_lowers_the_area_and_nothing_else():
    good = [outcome(True, confidence=0.9, right=True), outcome(True, confidence=0.1, right=False)]
    bad = [outcome(True, confidence=0.1, right=True), outcome(True, confidence=0.9, right=False)]
    assert SET_METRICS["aurc"](good) == (0 + 1 / 2) / 2
    assert SET_METRICS["aurc"](bad) == (1 + 1 / 2) / 2
    assert mean("wrong_answers", good) == mean("wrong_answers", bad) == 0.5


def test_a_log_odds_of_minus_infinity_is_the_least_of_all():
    assert SET_METRICS["auroc"]([claim(True, 1.0), claim(False, -math.inf)]) == 1.0
