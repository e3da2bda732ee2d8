"""Intervals: deterministic, right where the answer is known, and honest about what was scored."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import bootstrap

from eval.intervals import SEED, Difference, Estimate, mean_estimate, paired_difference, set_estimate, table_estimate
from eval.metrics import SET_METRICS
from eval.outcomes import Outcome
from eval.questions import Question
from rag.types import Answer, Timings


def outcome(answerable, confidence=0.5, refused=False) -> Outcome:
    answer = Answer("?", "A cat.", refused, confidence, None, (), (), Timings(0.1, 0.2, 3.0), "model", "index")
    return Outcome(Question("1", "?", answerable=answerable), None, (), answer=answer)


def test_the_mean_counts_what_was_scored():
    estimate = mean_estimate([1.0, None, 0.0, None, 1.0, 1.0])
    assert (estimate.value, estimate.n) == (0.75, 4)
    assert mean_estimate([None, None]) is None
    assert mean_estimate([]) is None


def test_a_constant_sample_has_an_interval_without_width():
    assert mean_estimate([0.1] * 7) == Estimate(0.1, 0.1, 0.1, 7)
    assert mean_estimate([0.3]) == Estimate(0.3, 0.3, 0.3, 1)
    refused = [outcome(False, refused=True)] * 5
    assert set_estimate(refused, SET_METRICS["refusal_f1"]) == Estimate(1.0, 1.0, 1.0, 5)


def test_the_interval_of_a_share_is_that_of_the_binomial_distribution():
    # 30 of 100: ± 1.96 · √(0.3 · 0.7 / 100) = ± 0.0898.
    estimate = mean_estimate([1.0] * 30 + [0.0] * 70)
    assert estimate.value == 0.3
    assert estimate.low == pytest.approx(0.3 - 0.0898, abs=0.015)
    assert estimate.high == pytest.approx(0.3 + 0.0898, abs=0.015)


def test_the_interval_of_a_mean_is_that_of_scipy():
    values = np.random.default_rng(8).exponential(size=60)
    expected = bootstrap(
        (values,), np.mean, n_resamples=1000, method="percentile", rng=np.random.default_rng(SEED)
    ).confidence_interval
    estimate = mean_estimate(values.tolist())
    assert (estimate.low, estimate.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_the_same_scores_have_the_same_interval_and_another_seed_nearly_the_same():
    values = [float(number % 3 == 0) for number in range(50)]
    assert mean_estimate(values) == mean_estimate(values)
    other = mean_estimate(values, seed=1)
    assert other != mean_estimate(values)
    assert other.low == pytest.approx(mean_estimate(values).low, abs=0.05)


def test_more_questions_make_it_narrower():
    few, many = mean_estimate([0.0, 1.0] * 20), mean_estimate([0.0, 1.0] * 2000)
    assert (few.value, many.value) == (0.5, 0.5)
    # √100 times as many questions: a tenth of the width.
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(0.1, rel=0.2)


def test_large_sets_are_drawn_in_blocks_and_all_resamples_count():
    estimate = mean_estimate([0.0, 1.0] * 15_000)
    width = 2 * 1.96 * 0.5 / 30_000**0.5
    assert estimate.high - estimate.low == pytest.approx(width, rel=0.15)


def test_a_score_of_the_whole_is_resampled_by_outcome():
    outcomes = [outcome(number < 30, confidence=(number * 7 % 40) / 40) for number in range(40)] + [outcome(None)]
    estimate = set_estimate(outcomes, SET_METRICS["auroc"])
    assert estimate.value == SET_METRICS["auroc"](outcomes)
    assert estimate.n == 40
    table = SET_METRICS["auroc"].table(outcomes)
    draws = np.random.default_rng(SEED).integers(0, 40, size=(1000, 40))
    scores = [SET_METRICS["auroc"].score(table[drawn]) for drawn in draws]
    assert (estimate.low, estimate.high) == tuple(np.percentile(scores, (2.5, 97.5)))


def test_resamples_in_which_the_score_is_undefined_are_left_out():
    # Two questions: half of the resamples draw one of them twice, which has no ROC curve; all others are perfect.
    outcomes = [outcome(True, 0.9), outcome(False, 0.1)]
    assert set_estimate(outcomes, SET_METRICS["auroc"]) == Estimate(1.0, 1.0, 1.0, 2)
    assert set_estimate(outcomes[:1], SET_METRICS["auroc"]) is None
    assert set_estimate([], SET_METRICS["auroc"]) is None


def test_a_score_that_only_the_full_table_has_stands_alone():
    table = np.arange(30, dtype=float).reshape(30, 1)
    estimate = table_estimate(table, lambda rows: 5.0 if len(set(rows[:, 0])) == 30 else None)
    assert estimate == Estimate(5.0, 5.0, 5.0, 30)


def test_a_paired_difference_looks_at_questions_scored_in_both():
    first = [1.0, 1.0, None, 0.0, 1.0]
    second = [0.0, 1.0, 1.0, None, 0.5]
    found = paired_difference(first, second)
    # Differences: 1, 0 and 0.5.
    assert (found.value, found.n) == (0.5, 3)
    assert (found.low, found.high) == (0.0, 1.0)
    # All three draws are the 0 in 1 of 27 resamples: p = 2/27.
    assert found.p == pytest.approx(2 / 27, abs=0.03)


def test_the_other_way_round_the_difference_has_the_other_sign_and_the_same_p():
    chance = np.random.default_rng(4)
    first, second = chance.random(40).tolist(), chance.random(40).tolist()
    one, other = paired_difference(first, second), paired_difference(second, first)
    assert other == Difference(-one.value, pytest.approx(-one.high), pytest.approx(-one.low), one.p, 40)


def test_equal_runs_do_not_differ_and_a_constant_gain_is_certain():
    scores = [0.0, 1.0, 0.5]
    assert paired_difference(scores, scores) == Difference(0.0, 0.0, 0.0, 1.0, 3)
    assert paired_difference([1.0, 1.0], [0.5, 0.5]) == Difference(0.5, 0.5, 0.5, 0.0, 2)
    assert paired_difference([None, 1.0], [1.0, None]) is None


def test_gains_and_losses_that_cancel_out_have_p_one():
    found = paired_difference([0.3, 0.0, 0.1, 0.7], [0.0, 0.3, 0.7, 0.1])
    assert found.value == pytest.approx(0.0, abs=1e-15)
    assert found.p == 1.0


def test_sums_that_miss_zero_by_a_hair_count_as_zero():
    # 0.1 + 0.1 + 0.1 − 0.3 is 5.6e-17 in floats; whole numbers have no such hair.
    whole = [1.0, 2.0, -3.0, 9.0]
    tenths = [0.1, 0.2, -0.3, 0.9]
    zeros = [0.0] * 4
    assert paired_difference(tenths, zeros).p == paired_difference(whole, zeros).p


def test_pairing_makes_a_small_steady_gain_visible():
    second = np.random.default_rng(2).random(50)
    first = second + 0.05 + 0.01 * np.random.default_rng(3).random(50)
    found = paired_difference(first.tolist(), second.tolist())
    assert 0.05 < found.low < found.value < found.high < 0.06
    assert found.p == 0.0
    # Unpaired, the two intervals overlap.
    assert mean_estimate(first.tolist()).low < mean_estimate(second.tolist()).high


def test_runs_of_different_length_cannot_be_paired():
    with pytest.raises(ValueError, match="longer than"):
        paired_difference([1.0], [1.0, 0.0])


def test_inputs_are_left_as_they_are():
    outcomes = [outcome(True, 0.9), outcome(False, 0.1)]
    before = [replace(item) for item in outcomes]
    set_estimate(outcomes, SET_METRICS["auroc"])
    assert outcomes == before
