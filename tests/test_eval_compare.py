"""Two runs side by side, and bars for continuous integration."""

import io

import pytest
from rich.console import Console

from eval.bars import Bar, missed_bars, parse_bars
from eval.compare import Flip, compare_reports
from eval.comparison_view import comparison_view
from eval.intervals import Estimate
from index.errors import InputError


def report(*rows: tuple[str, str, dict[str, float]], **more: object) -> dict[str, object]:
    questions = [{"id": key, "question": f"{key}?", "stage": stage, "scores": scores} for key, stage, scores in rows]
    return {"suite": "s", "metrics": {}, "questions": questions, **more}


BEFORE = report(
    ("a", "right", {"contained": 1.0, "f1": 0.5}),
    ("b", "answered wrong", {"contained": 0.0, "f1": 0.0}),
    ("c", "rightly refused", {}),
    ("d", "not retrieved", {"contained": 0.0}),
    ("gone", "right", {"contained": 1.0}),
    settings={"evidence_tokens": 420, "model": "default"},
    commit="one",
)
AFTER = report(
    ("b", "right", {"contained": 1.0, "f1": 0.75}),
    ("a", "right", {"contained": 1.0, "f1": 0.25}),
    ("c", "should be refused", {}),
    ("d", "chosen, but refused", {"contained": 0.0}),
    ("new", "right", {"contained": 1.0}),
    settings={"evidence_tokens": 300, "model": "default"},
    commit="two",
)


def test_scores_are_paired_by_question():
    comparison = compare_reports(BEFORE, AFTER, names=("A.json", "B.json"))
    assert (comparison.compared, comparison.only_first, comparison.only_second) == (4, 1, 1)
    contained, f1 = comparison.scores["contained"], comparison.scores["f1"]
    assert (contained.first, contained.second) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert contained.difference.value == pytest.approx(1 / 3)  # b alone: (0 + 1 + 0) / 3
    assert contained.difference.n == 3
    assert (f1.first, f1.second) == (0.25, 0.5)
    assert f1.difference.value == pytest.approx((-0.25 + 0.75) / 2)
    assert (f1.difference.low, f1.difference.high) == (-0.25, 0.75)


def test_flips_are_listed_worse_first_and_settings_that_differ_are_named():
    comparison = compare_reports(BEFORE, AFTER, names=("A.json", "B.json"))
    assert comparison.flips == (
        Flip("c", "c?", "rightly refused", "should be refused", better=False),
        Flip("b", "b?", "answered wrong", "right", better=True),
    )
    assert comparison.changes == (("commit", "one", "two"), ("settings.evidence_tokens", "420", "300"))


def test_a_run_compared_with_itself_differs_in_nothing():
    comparison = compare_reports(BEFORE, BEFORE, names=("A", "A"))
    assert comparison.flips == ()
    assert comparison.changes == ()
    difference = comparison.scores["contained"].difference
    assert (difference.value, difference.low, difference.high, difference.p) == (0.0, 0.0, 0.0, 1.0)


def test_runs_of_other_questions_cannot_be_compared():
    with pytest.raises(InputError, match="have no question in common"):
        compare_reports(BEFORE, report(("z", "right", {})), names=("A", "B"))
    # The same id for another question is another question.
    other = report(("a", "right", {}))
    other["questions"][0]["question"] = "Something else?"
    with pytest.raises(InputError, match="have no question in common"):
        compare_reports(BEFORE, other, names=("A", "B"))


def test_the_view_says_what_flipped():
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(comparison_view(compare_reports(BEFORE, AFTER, names=("A.json", "B.json"))))
    text = console.export_text()
    assert "4 questions in both" in text
    assert "left out: 1 only in the first, 1 only in the second" in text
    assert "settings.evidence_tokens: 420 → 300" in text
    assert "2 questions flipped: 1 better, 1 worse" in text
    assert "worse   c: rightly refused → should be refused  c?" in text


METRICS = {
    "f1": Estimate(0.7, 0.6, 0.8, 9),
    "false_refusal": Estimate(0.1, 0, 0.2, 9),
    "f1/given": Estimate(0.5, 0, 1, 9),
}


def test_bars_are_read_and_what_is_missed_is_said():
    bars = parse_bars(" f1=0.7, false_refusal=0.05 ,f1/given=0.5,em=0.1,")
    assert bars == (Bar("f1", 0.7), Bar("false_refusal", 0.05), Bar("f1/given", 0.5), Bar("em", 0.1))
    assert missed_bars(bars, METRICS) == (
        "false_refusal is 0.1; the bar is at most 0.05.",
        "em was not scored; the bar is 0.1.",
    )
    assert missed_bars((Bar("f1", 0.71),), METRICS) == ("f1 is 0.7; the bar is at least 0.71.",)
    assert parse_bars("") == ()


@pytest.mark.parametrize("text", ["f1", "f2=0.7", "f1=high", "=0.5"])
def test_what_is_no_bar_is_a_clear_error(text):
    with pytest.raises(InputError, match="is not a bar"):
        parse_bars(text)
