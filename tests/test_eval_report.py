"""What a person sees of a report at a terminal, and the words and figures that all reports share."""

import io

import eval_material as material
import pytest
from rich.console import Console

from eval.intervals import Estimate
from eval.questions import Question
from eval.report import terminal_report
from eval.results import QUESTION_SET_METRICS, Report
from eval.showing import explanation, figure, grouped, interval, kind_columns, said, worst_first
from eval.stages import FAILURES


def printed(report: Report, *, width: int = 100) -> list[str]:
    """The lines that go down a pipe."""
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(terminal_report(report))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def words_of(lines: list[str], first: str) -> list[str]:
    """The words of the only line that begins with `first`."""
    (line,) = [line for line in lines if line.split()[:1] == [first]]
    return line.split()


def test_the_head_says_what_was_run_with_what():
    assert printed(material.report())[:2] == [
        "Invented questions (invented)",
        "11 questions · model small-talker · commit 0123456789 with changes · complete",
    ]


def test_an_interrupted_run_says_so():
    (row, *_) = material.small_rows()
    assert printed(material.report((row,), complete=False))[1].startswith("1 question · ")
    assert printed(material.report(complete=False))[1].endswith(" · INTERRUPTED, not all asked")


def test_every_figure_stands_with_interval_and_n_beside_its_baselines():
    lines = printed(material.report())
    heads = ["metric", "value", "95", "%", "interval", "n", "always-refuse", "always-answer", "keyword-only"]
    assert words_of(lines, "metric") == heads
    assert "citation_precision 0.333 0.000–0.750 3 – – –".split() in [line.split() for line in lines]
    assert words_of(lines, "f1") == "f1 0.543 0.400–0.700 6 – – –".split()
    assert words_of(lines, "recall@4") == "recall@4 0.750 0.600–0.900 7 – – 0.550".split()
    assert words_of(lines, "total_p50_s") == "total_p50_s ↓ 4.00 s 2.00–5.25 9 – – 0.004 s".split()
    assert words_of(lines, "tokens_in_p50") == "tokens_in_p50 ↓ 412 tokens 380–412 9 – – –".split()
    # Measured once: no interval.
    assert words_of(lines, "peak_memory_mb") == "peak_memory_mb ↓ 3,211 MB 1 – – –".split()


def test_the_parts_of_a_metric_stand_under_it_further_in():
    lines = printed(material.report())
    place = next(number for number, line in enumerate(lines) if line.startswith("  contained"))
    assert lines[place + 1].startswith("    plain ")
    assert lines[place + 1].split() == ["plain", "0.900", "0.800–1.000", "5", "–", "–", "–"]


def test_kinds_and_stages_are_counted():
    lines = printed(material.report())
    heads = ["kind", "asked", "contained", "false_refusal", "↓", "refused_unanswerable", "wrong_answers", "↓"]
    assert words_of(lines, "kind") == heads
    assert words_of(lines, "who") == ["who", "2", "1.000", "–", "1.000", "0.000"]
    assert words_of(lines, "rightly") == ["rightly", "refused", "1", "9", "%"]
    assert [line.split() for line in lines if line.startswith("  not judged")] == [["not", "judged", "2", "18", "%"]]


def test_what_went_wrong_stands_in_a_line_each_the_worst_first():
    lines = printed(material.report(), width=160)
    start = lines.index("What went wrong") + 1
    assert [line.split()[0] for line in lines[start : start + 6]] == [
        "q-should-refuse", "q-wrong", "q-badly-cited", "q-not-retrieved", "q-not-chosen", "q-chosen-refused",
    ]  # fmt: skip
    assert lines[start].split("  ")[-1].strip() == "They cost 12 million euros."
    assert "should be refused" in lines[start]
    assert "What did the new boats cost?" in lines[start]
    assert lines[start + 6] == ""
    assert lines[-1] == "  - 1 of 11 questions have no accepted answers; those scores leave them out."


def test_of_many_failures_only_the_worst_ten_are_listed():
    wrong = material.small_rows()[6]
    rows = tuple(wrong | {"id": f"w{number:02}"} for number in range(12))
    lines = printed(material.report(rows))
    start = lines.index("The worst 10 of 12") + 1
    assert [line.split()[0] for line in lines[start : start + 11] if line] == [f"w{number:02}" for number in range(10)]


def test_a_pipe_gets_no_colour_and_no_line_above_a_hundred_columns():
    lines = printed(material.varied_report(40))
    assert max(map(len, lines)) <= 100
    assert not any("\x1b" in line for line in lines)
    assert not any("…" in line for line in lines if line.startswith("  refused_unanswerable"))


def test_a_reply_can_neither_steer_the_terminal_nor_write_markup():
    row = material.small_rows()[6]
    row["answer"]["text"] = "\x1b[2J\x07[red]gone[/red]\r\n:smile:"
    row["id"] = "[link=x]\x9bid"
    lines = printed(material.report((row,), title="[bold]\x1b]0;t\x07title[/bold]"), width=200)
    assert lines[0] == "[bold] ]0;t title[/bold] (invented)"
    start = lines.index("What went wrong") + 1
    assert lines[start].endswith("[2J [red]gone[/red] :smile:")
    assert lines[start].startswith("  [link=x] id")


def test_a_report_of_nothing_can_be_shown():
    lines = printed(material.report((), metrics={}, baselines={}, kinds={}, notes=(), complete=False))
    assert lines[1].startswith("0 questions")


def test_every_metric_of_a_question_set_belongs_to_a_group():
    estimate = Estimate(0.5, 0.4, 0.6, 9)
    groups = grouped(dict.fromkeys(QUESTION_SET_METRICS, estimate))
    assert [group for group, _ in groups] == ["Answers", "Citations", "Refusals", "Retrieval", "Time and memory"]
    assert sorted(name for _, names in groups for name in names) == sorted(QUESTION_SET_METRICS)


def test_parts_follow_their_metric_unless_they_are_the_whole_set():
    whole, half = Estimate(0.5, 0.4, 0.6, 9), Estimate(0.5, 0.4, 0.6, 4)
    metrics = {"new": whole, "f1/b": half, "em": whole, "em/all": whole, "f1": whole, "f1/a": half}
    assert grouped(metrics) == [("Answers", ["f1", "f1/b", "f1/a", "em"]), ("Other", ["new"])]


def test_kinds_are_shown_by_the_metric_that_the_set_names_first():
    half = Estimate(0.5, 0.4, 0.6, 4)
    kinds = {"who": {"f1": half, "contained": half}, "why": {"wrong_answers": half}}
    assert kind_columns(kinds, ["em", "contained", "f1", "wrong_answers"]) == ("contained", ("wrong_answers",))
    assert kind_columns(kinds, ["f1", "contained"])[0] == "f1"
    assert kind_columns({"who": {}}, ["f1"]) == (None, ())


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("f1", 0.5436, "0.544"),
        ("accuracy/plain", 1.0, "1.000"),
        ("total_p50_s", 4.256, "4.26 s"),
        ("search_p50_s", 0.0041, "0.004 s"),
        ("total_p95_s", 125.04, "125.0 s"),
        ("evidence_tokens", 411.6, "412 tokens"),
        ("tokens_out_p50/plain", 31.0, "31 tokens"),
        ("reply_length", 12.34, "12.3 words"),
        ("peak_memory_mb", 3210.6, "3,211 MB"),
        ("f1", float("nan"), "–"),
    ],
)
def test_a_figure_has_the_digits_that_matter_and_its_unit(name, value, shown):
    assert figure(name, value) == shown


def test_there_is_no_interval_of_one_measurement():
    assert interval("f1", Estimate(0.5, 0.25, 0.75, 4)) == "0.250–0.750"
    assert interval("f1", Estimate(1.0, 1.0, 1.0, 4)) == "1.000–1.000"
    assert interval("f1", Estimate(1.0, 1.0, 1.0, 1)) == ""
    assert interval("f1", Estimate(0.5, float("nan"), float("nan"), 4)) == ""


def test_the_surest_failure_of_a_stage_comes_first_and_what_went_well_last():
    wrong = material.small_rows()[6]
    less, more = (wrong | {"id": name, "answer": wrong["answer"] | {"confidence": sure}} for name, sure in
                  (("less", 0.3), ("more", 0.7)))  # fmt: skip
    rows = [*material.small_rows(), less, more]
    assert [row["id"] for row in worst_first(rows)] == [
        "q-should-refuse", "more", "q-wrong", "less", "q-badly-cited", "q-not-retrieved", "q-not-chosen",
        "q-chosen-refused", "q-not-judged", "q-support", "q-right", "q-refused", "q-search",
    ]  # fmt: skip


def test_what_was_said_is_one_line_whatever_the_task():
    rows = {row["id"]: row for row in material.small_rows()}
    assert said(rows["q-right"]) == "Repairs cost 12 million euros."
    assert said(rows["q-refused"]) == (
        "Refused: The nearest passages, from 3 articles, do not state the answer to this question."
    )
    assert said(rows["q-search"]) == "evidence at rank 1"
    assert said(rows["q-search"] | {"gold_ranks": [2, None, None]}) == "evidence at rank 2; 2 of 3 not found"
    assert said(rows["q-support"]) == "log-odds that the articles state it: -1.25"


def test_each_stage_is_explained_with_what_to_look_at():
    told = {row["stage"]: explanation(row, passages_read=8) for row in material.small_rows()[:9]}
    assert set(FAILURES) < set(told)
    assert len(set(told.values())) == len(told)
    assert told["not retrieved"].startswith(
        "Search lost it: no evidence among the 8 passages that an answer uses (first found at rank 23)."
    )
    assert "(first found at rank 3)" in told["retrieved, not chosen"]
    assert "with confidence 0.45" in told["chosen, but refused"]
    assert "with confidence 0.80" in told["should be refused"]


def test_the_explanation_does_not_claim_what_nobody_judged():
    unjudged = material.row(Question("1", "?", (("x",),), True), "answered wrong", material.answered("y"))
    assert "nobody knows where it was lost" in explanation(unjudged)
    lost = material.small_rows()[3] | {"gold_ranks": [None]}
    assert "(not found at all)" in explanation(lost)
