"""The table of metrics, times, and many metrics at once."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from eval.intervals import Estimate, mean_estimate
from eval.metrics import METRICS, ROW_METRICS, SET_METRICS
from eval.metrics.measure import by_kind, measure
from eval.metrics.times import percentile
from eval.outcomes import GoldEvidence, Outcome, Place
from eval.questions import Question
from index.errors import InputError
from rag.types import Answer, Citation, Timings


def outcome(*, text="A cat.", refused=False, answerable=True, timings=(0.1, 0.2, 3.0), **named) -> Outcome:
    answer = Answer("?", text, refused, 0.5, None, (), (), Timings(*timings), "model", "index")
    question = Question("1", "?", answers=(("cat",),), answerable=answerable, **named)
    return Outcome(question, None, (), answer=answer)


def test_every_metric_of_the_contract_has_a_meaning_and_at_most_one_function():
    names = (
        "recall@1 recall@4 recall@5 recall@10 hit@1 hit@4 hit@5 hit@10 mrr ndcg@10 article_hit@1 article_hit@5 "
        "evidence_kept evidence_tokens em f1 has_answer_f1 no_answer_f1 contained number_match rouge_l accuracy "
        "reply_length citation_precision citation_recall cited_sentences numbers_covered refusal_precision "
        "refusal_recall refusal_f1 refused_unanswerable false_refusal wrong_answers auroc balanced_accuracy ece aurc "
        "search_p50_s search_p95_s first_token_p50_s first_token_p95_s total_p50_s total_p95_s tokens_in_p50 "
        "tokens_out_p50 peak_memory_mb"
    ).split()
    assert list(METRICS) == names
    assert {name: metric.name for name, metric in METRICS.items()} == {name: name for name in names}
    assert sorted([*ROW_METRICS, *SET_METRICS, "accuracy", "peak_memory_mb"]) == sorted(names)
    assert all(metric.meaning for metric in METRICS.values())


def test_what_is_better_when_lower_is_marked():
    marked = {name: metric.better for name, metric in METRICS.items() if metric.better != "higher"}
    assert marked == {
        "evidence_tokens": "neither",
        "reply_length": "neither",
        "tokens_out_p50": "neither",
        **dict.fromkeys(
            (
                "false_refusal wrong_answers ece aurc search_p50_s search_p95_s first_token_p50_s first_token_p95_s "
                "total_p50_s total_p95_s tokens_in_p50 peak_memory_mb"
            ).split(),
            "lower",
        ),
    }


def test_importing_the_metrics_loads_no_heavy_library():
    code = (
        "import sys, eval.metrics.measure\n"
        "heavy = ('sklearn', 'scipy', 'rouge_score', 'nltk', 'torch', 'sentencex')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_times_are_percentiles_over_the_questions_that_have_them():
    outcomes = [
        outcome(timings=(0.1, 1.0, 2.0)),
        outcome(timings=(0.2, None, 1.0), refused=True),
        outcome(timings=(0.3, 3.0, 6.0)),
        Outcome(Question("1", "?", task="search"), None, (), search_s=0.8),
        Outcome(Question("1", "?", task="search"), None, ()),
    ]
    outcomes[0] = replace(outcomes[0], tokens_in=100, tokens_out=20)
    outcomes[1] = replace(outcomes[1], tokens_in=300, tokens_out=0)
    # Position of p95 among 4 sorted values: 0.95 · 3 = 2.85; among 2: 0.95; among 3: 1.9.
    expected = {
        "search_p50_s": 0.25,
        "search_p95_s": 0.3 + 0.85 * 0.5,
        "first_token_p50_s": 2.0,
        "first_token_p95_s": 1.0 + 0.95 * 2.0,
        "total_p50_s": 2.0,
        "total_p95_s": 2.0 + 0.9 * 4.0,
        "tokens_in_p50": 200.0,
        "tokens_out_p50": 10.0,
    }
    assert {name: SET_METRICS[name](outcomes) for name in expected} == pytest.approx(expected, abs=1e-12)
    assert SET_METRICS["total_p50_s"](outcomes[3:]) is None


@pytest.mark.parametrize("percent", [0, 50, 95, 100])
def test_percentiles_are_those_of_numpy(percent):
    chance = np.random.default_rng(1)
    for size in (1, 2, 7, 300):
        table = chance.random((size, 1))
        assert percentile(percent)(table) == pytest.approx(np.percentile(table, percent), abs=1e-12)


def test_metrics_come_in_the_order_asked_for_and_those_that_do_not_apply_are_left_out():
    outcomes = [outcome(), outcome(text="A dog."), outcome(refused=True, text="Not told.")]
    found = measure(outcomes, ["false_refusal", "recall@5", "accuracy", "peak_memory_mb", "contained", "auroc"])
    assert list(found) == ["false_refusal", "contained"]
    assert found["contained"] == mean_estimate([1.0, 0.0, 0.0])
    assert (found["contained"].value, found["contained"].n) == (1 / 3, 3)
    assert measure([], ["contained", "auroc"]) == {}


def test_every_part_is_measured_after_the_whole():
    outcomes = [outcome(part="new"), outcome(part="old", text="A dog."), outcome(part="new"), outcome()]
    found = measure(outcomes, ["contained", "refusal_f1"])
    assert list(found) == ["contained", "contained/new", "contained/old"]
    assert found["contained/new"] == Estimate(1.0, 1.0, 1.0, 2)
    assert found["contained/old"] == Estimate(0.0, 0.0, 0.0, 1)
    assert (found["contained"].value, found["contained"].n) == (3 / 4, 4)


def test_a_part_in_which_a_metric_is_undefined_is_left_out():
    outcomes = [
        outcome(part="easy"),
        outcome(part="easy", refused=True),
        outcome(part="hard", answerable=False, refused=True),
    ]
    found = measure(outcomes, ["refusal_precision"])
    assert list(found) == ["refusal_precision", "refusal_precision/hard"]
    assert (found["refusal_precision"].value, found["refusal_precision/hard"].value) == (0.5, 1.0)


def test_kinds_are_measured_alike_without_the_whole():
    outcomes = [outcome(kind="who", part="new"), outcome(kind="when", text="A dog."), outcome()]
    assert by_kind(outcomes, ["contained"]) == {
        "contained/who": Estimate(1.0, 1.0, 1.0, 1),
        "contained/when": Estimate(0.0, 0.0, 0.0, 1),
    }


def test_a_suite_brings_its_own_accuracy():
    outcomes = [outcome(part="new"), outcome(part="new", text="A dog."), outcome(part="old", refused=True)]

    def accuracy(item: Outcome) -> float | None:
        return None if not item.reply else float("cat" in item.reply)

    found = measure(outcomes, ["accuracy"], accuracy)
    assert {name: (estimate.value, estimate.n) for name, estimate in found.items()} == {
        "accuracy": (0.5, 2),
        "accuracy/new": (0.5, 2),
    }


def test_an_unknown_metric_is_an_error_that_names_the_known_ones():
    with pytest.raises(InputError, match="no metric called 'recal@5'") as caught:
        measure([outcome()], ["recal@5"])
    assert "recall@5" in caught.value.help


def test_three_hundred_outcomes_take_seconds_and_give_every_metric():
    chance = np.random.default_rng(0)
    places = [Place("a.md", start, start + 80) for start in range(0, 1600, 80)]

    def any_outcome(number: int) -> Outcome:
        answerable, refused = number % 3 > 0, bool(chance.random() < 0.3)
        text = "The firm sold 476,000 units in 2018, which was far more than " + " ".join(
            map(str, chance.integers(9, size=40))
        )
        citation = Citation(1, 0, len(text), "id", None, None, "2018", None, "a.md", 0, 80, "In 2018 it sold.", 0.9)
        citations = () if refused else (citation,)
        timings = Timings(float(chance.random()), float(chance.random()), float(chance.random()))
        answer = Answer("?", text, refused, float(chance.random()), None, citations, (), timings, "model", "index")
        wordy = "what it sold in that year, as the report that came out in May 2018 said, was 476,000 units"
        question = Question(
            str(number), "?", (() if number % 9 == 0 else ((wordy,),)), answerable, part=f"part {number % 2}"
        )
        gold = (GoldEvidence((places[number % 20],)), GoldEvidence((places[number % 7],)))
        ranking = tuple(places[position] for position in chance.permutation(20))
        return Outcome(question, gold, ranking, ranking[:4], 300, answer, tokens_in=number, tokens_out=60)

    outcomes = [any_outcome(number) for number in range(300)]
    names = [name for name in METRICS if name not in ("accuracy", "peak_memory_mb")]
    measure(outcomes[:10], names)  # the libraries are loaded
    started = time.process_time()
    found = measure(outcomes, names)
    spent = time.process_time() - started
    assert list(found) == [f"{name}{part}" for name in names for part in ("", "/part 0", "/part 1")]
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in found.values())
    assert spent < 3  # 0.8 where it was written; of all and of two parts
