"""What fits into a time, in numbers that can be followed by hand: 100 tokens a second are read and 10 written."""

import dataclasses

import pytest

from index.errors import SettingsError
from rag.budget import Frame, Plan, answer_s, other_figures_s, plan_answer, second_look_s, too_short
from rag.settings import read_seconds
from rag.speed import Speed

SPEED = Speed(prefill_tokens_s=100.0, decode_tokens_s=10.0)
FRAME = Frame(first=150, task=40, again=70)


def test_the_cost_of_each_step():
    assert answer_s(SPEED, FRAME, evidence=400, answer=36) == pytest.approx(5.5 + 0.4 + 3.6)
    assert second_look_s(SPEED, FRAME) == pytest.approx(1.5)
    assert second_look_s(SPEED, dataclasses.replace(FRAME, check=64)) == pytest.approx(1.5 + 1.0)
    assert other_figures_s(SPEED, FRAME) == pytest.approx(4 * 1.3)
    # However short, a pass reads the weights once, as writing a token does.
    assert (SPEED.reading_s(3), SPEED.reading_s(0)) == (pytest.approx(0.1), 0.0)


@pytest.mark.parametrize(
    ("left_s", "plan"),
    [
        (16.3, Plan(400, 36, second_look=True, other_figures=True)),
        # First the other figures go,
        (16.1, Plan(400, 36, second_look=True, other_figures=False)),
        (11.1, Plan(400, 36, second_look=True, other_figures=False)),
        # then evidence beyond the best,
        (10.0, Plan(300, 36, second_look=True, other_figures=False)),
        (8.2, Plan(120, 36, second_look=True, other_figures=False)),
        # then the length of the answer,
        (8.0, Plan(120, 34, second_look=True, other_figures=False)),
        (7.0, Plan(120, 24, second_look=True, other_figures=False)),
        # then the second look, which leaves a little more for the rest,
        (6.9, Plan(140, 36, second_look=False, other_figures=False)),
        (6.5, Plan(120, 34, second_look=False, other_figures=False)),
        (5.5, Plan(120, 24, second_look=False, other_figures=False)),
        # and then it is too short.
        (5.0, Plan(70, 24, second_look=False, other_figures=False)),
        (4.9, Plan(60, 24, second_look=False, other_figures=False)),
        (4.8, None),
        (-1.0, None),
    ],
)
def test_what_is_skipped_and_in_which_order(left_s, plan):
    assert plan_answer(left_s, SPEED, FRAME, evidence=400, answer=160) == plan


def test_a_plan_never_takes_longer_than_there_is_time():
    for tenths in range(1, 300):
        for speed in (SPEED, Speed(60.0, 7.0), Speed(900.0, 30.0)):
            plan = plan_answer(tenths / 10, speed, FRAME, evidence=400, answer=160)
            if plan is None:
                assert answer_s(speed, FRAME, evidence=60, answer=24) > tenths / 10
                continue
            needed = answer_s(speed, FRAME, evidence=plan.evidence_tokens, answer=plan.answer_tokens)
            needed += second_look_s(speed, FRAME) if plan.second_look else 0.0
            needed += other_figures_s(speed, FRAME) if plan.other_figures else 0.0
            assert needed <= tenths / 10 + 1e-6


def test_little_evidence_and_short_answers_are_not_made_longer():
    plan = Plan(30, 10, second_look=True, other_figures=True)
    assert plan_answer(60.0, SPEED, FRAME, evidence=30, answer=10) == plan
    assert plan_answer(3.2, SPEED, FRAME, evidence=30, answer=10) == Plan(30, 10, False, False)
    assert plan_answer(3.1, SPEED, FRAME, evidence=30, answer=10) is None


def test_the_seconds_that_would_be_needed_are_rounded_up():
    assert too_short(1.0, 4.91) == "Answering takes at least 5 s on this machine; 1 s were given."
    assert too_short(2.5, 4.9) == "Answering takes at least 4.9 s on this machine; 2.5 s were given."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("3s", 3.0), ("2.5s", 2.5), (" 2.5 s ", 2.5), (".5", 0.5), ("4 seconds", 4.0), ("0", 0.0)],
)
def test_times_as_people_write_them(text, seconds):
    assert read_seconds(text, where="--budget") == seconds


@pytest.mark.parametrize("text", ["soon", "", "-3", "3 m", "1e3", "nan", "inf", "3,5", "٣"])
def test_what_is_no_time_is_an_error_that_says_where(text):
    with pytest.raises(SettingsError, match=r"--budget is .*; it must be a number of seconds\.\nWrite 3, 3s or 2\.5s"):
        read_seconds(text, where="--budget")
