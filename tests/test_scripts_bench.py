"""The benchmark's figures, bars and page, from made-up measurements; and its measuring parts on tiny sizes."""

import importlib
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from eval.intervals import Estimate
from eval.provenance import Provenance
from eval.questions import Question
from eval.reading import read_questions
from index.errors import InputError
from rag.chatbot import Chatbot
from rag.fakes import CopyingGenerator
from rag.settings import Settings

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


@pytest.fixture(autouse=True)
def scripts(monkeypatch) -> None:
    monkeypatch.syspath_prepend(SCRIPTS)


@pytest.fixture
def figures():
    return importlib.import_module("bench_figures")


@pytest.fixture
def bench():
    return importlib.import_module("bench")


@pytest.fixture
def asked(figures):
    """Two answers, a refusal, and a question counted in the index."""

    def answer(name: str, first: float, done: float, **more: float):
        steps = (("search", 0.1), ("write", done - 0.1))
        return figures.Asked(name, 0.1, first, done, False, False, f"The {name}.", steps, **more)

    return (
        answer("a", 1.0, 2.0, repeated_s=0.2),
        answer("b", 2.0, 4.0, repeated_s=0.4),
        figures.Asked("c", 0.05, None, 0.75, True, False, "The articles do not tell.", (("search", 0.75),)),
        figures.Asked("d", 0.9, None, 0.9, False, True, "Four articles.", (("count", 0.9),)),
    )


@pytest.fixture
def ours(figures, asked):
    alone = figures.Alone(400, (90.0, 100.0, 110.0), (5.0,), 2e9, 3e9, {"a": 1.0, "b": 2.0})
    ahead = tuple(replace(item, first_token_s=0.3 * item.first_token_s, done_s=item.done_s / 2) for item in asked[:2])
    return figures.Ours("bfloat16", 3.5, asked, ahead, alone, 3_300_000_000)


@pytest.fixture
def limits(figures):
    return figures.Limits(("avx2",), 2, {"bfloat16": (250e9,)}, (20e9,))


@pytest.fixture
def naive(figures):
    return (figures.Plain("a", 12.0, 20.0), figures.Plain("b", 18.0, 24.0), figures.Plain("c", 9.0, 9.5))


@pytest.fixture
def bars(figures, ours, limits, naive):
    return figures.judge(ours, limits, naive, (), no_llama="xllamacpp is not installed")


def test_medians_have_an_interval_that_is_the_same_every_time(figures):
    assert figures.median_estimate([3.0, None, 1.0, 2.0, 10.0]) == figures.median_estimate([3.0, 1.0, 2.0, 10.0])
    found = figures.median_estimate([3.0, 1.0, 2.0, 10.0])
    assert (found.value, found.low, found.high, found.n) == (2.5, 1.0, 10.0, 4)
    assert figures.median_estimate([7.0]) == Estimate(7.0, 7.0, 7.0, 1)
    assert figures.median_estimate([None]) is None


def test_paired_ratios_resample_both_sides_together(figures):
    """Each question takes the naive way three times as long: there is no doubt about the ratio, as far apart as the
    questions are."""
    below = [1.0, 2.0, 5.0, 30.0]
    above = [3 * value for value in below]
    assert figures.ratio_estimate(above, below, paired=True) == Estimate(3.0, 3.0, 3.0, 4)
    apart = figures.ratio_estimate(above, below)
    assert apart.value == 3.0
    assert apart.low < 1
    assert apart.high > 9


def test_a_question_without_its_other_half_counts_in_neither(figures):
    assert figures.ratio_estimate([4.0, 100.0, None], [2.0, None, 1.0], paired=True) == Estimate(2.0, 2.0, 2.0, 1)
    assert figures.ratio_estimate([4.0, None], [None, 1.0], paired=True) is None
    assert figures.ratio_estimate([], [1.0]) is None


def test_every_bar_is_judged_from_what_it_names(bars):
    values = {bar.name: bar.found and round(bar.found.value, 3) for bar in bars}
    assert values == {
        "first token, articles read ahead: naive ÷ ours": 33.333,  # 15 ÷ 0.45: of a and b, which both answered
        "complete answer, articles read ahead: naive, unchecked ÷ ours, checked": 14.667,  # 22 ÷ 1.5
        "first token, nothing read ahead: naive ÷ ours": 10.0,  # 15 ÷ 1.5
        "complete answer, nothing read ahead: naive, unchecked ÷ ours, checked": 7.333,  # 22 ÷ 3
        "the same prompt answered: llama.cpp ÷ our generator": None,
        "first token: hot ÷ cold": 0.3,  # read ahead; the larger of 0.3 and 0.2
        "verdict of a refusal ÷ first token of an answer": 0.5,  # 0.75 ÷ 1.5
        "prefill: share of the bfloat16 product rate": 0.8,  # 100 × 2 of 250 GFLOP/s
        "decode: share of the memory's read bandwidth": 0.75,  # 5 × 3 of 20 GB/s
        "evidence on screen": 100.0,  # of 100, 100 and 50 ms; what was counted is not searched for
        "resident memory": 3.3,
        "same answers in int8 and bfloat16": None,
    }
    held = [bar.holds for bar in bars]
    assert held == [True, True, True, True, None, True, True, True, True, True, False, None]


def test_the_last_line_counts_what_was_measured(figures, bars):
    assert figures.verdict(bars) == "bars: 9 of 10 hold"
    assert figures.verdict(()) == "bars: 0 of 0 hold"


@pytest.mark.parametrize(
    ("value", "at_least", "holds"), [(2.0, True, True), (1.9, True, False), (2.0, False, True), (2.1, False, False)]
)
def test_a_bar_that_is_just_reached_holds(figures, value, at_least, holds):
    assert figures.Bar("x", 2.0, Estimate(value, value, value, 1), at_least).holds is holds


def test_the_same_prompts_are_compared_with_llama(figures, ours, limits):
    llama = (figures.Plain("a", None, 1.5), figures.Plain("b", None, 3.0), figures.Plain("z", None, 99.0))
    bar = figures.judge(ours, limits, (), llama)[4]
    assert (bar.found, bar.holds) == (Estimate(1.5, 1.5, 1.5, 2), True)


def test_bars_that_cannot_be_measured_say_why(figures, ours, limits):
    refusing = replace(ours, precision="int8", asked=ours.asked[2:], ahead=())
    whys = {bar.name: bar.why for bar in figures.judge(refusing, limits, (), (), no_llama="x") if bar.holds is None}
    assert whys == {
        "first token, articles read ahead: naive ÷ ours": "no question was answered by both",
        "complete answer, articles read ahead: naive, unchecked ÷ ours, checked": "no question was answered by both",
        "first token, nothing read ahead: naive ÷ ours": "no question was answered by both",
        "complete answer, nothing read ahead: naive, unchecked ÷ ours, checked": "no question was answered by both",
        "the same prompt answered: llama.cpp ÷ our generator": "x",
        "first token: hot ÷ cold": "no question was answered both ways",
        "verdict of a refusal ÷ first token of an answer": "no question was answered",
        "prefill: share of the int8 product rate": "the int8 product rate was not measured",
        "same answers in int8 and bfloat16": "needs both: --precisions int8,bfloat16",
    }


def test_answers_are_the_same_but_for_case_and_punctuation(figures, asked):
    others = (replace(asked[0], text="the a"), replace(asked[1], text="The c."), replace(asked[2], id="elsewhere"))
    found = figures.same_answers(asked, others)
    assert (found.value, found.n) == (0.5, 2)
    assert figures.same_answers(asked, ()) is None


def test_the_waterfall_has_each_step_in_its_order(figures, asked):
    rows = figures.waterfall(asked[:3])
    assert [(name, round(share.value, 3), round(seconds.value, 3)) for name, share, seconds in rows] == [
        ("search", 0.05, 0.1),  # shares 0.05, 0.025 and 1
        ("write", 0.95, 1.9),  # the refusal never came to it: 0
    ]


def test_the_table_of_bars_shows_goal_value_interval_and_verdict(figures):
    table = importlib.import_module("bench_page").bars_table(
        [
            figures.Bar("fast", 10, Estimate(12.345, 9.5, 14.0, 8)),
            figures.Bar("shown", 100, Estimate(141.4, 113.0, 169.0, 2), at_least=False, unit="ms"),
            figures.Bar("small", 3.2, Estimate(1.512, 1.512, 1.512, 1), at_least=False, unit="GB"),
            figures.Bar("other", 1.3, None, why="it is not installed"),
        ]
    )
    assert table[2:] == [
        "| fast | ≥ 10 | 12.3 (9.5–14) | 8 | yes |",
        "| shown | ≤ 100 ms | 141 ms (113–169) | 2 | **no** |",
        "| small | ≤ 3.2 GB | 1.51 GB | 1 | yes |",
        "| other | ≥ 1.3 | not measured: it is not installed | – | – |",
    ]


@pytest.fixture
def found(ours, limits, naive, bars):
    """Everything that a run found."""
    made_with = Provenance(
        commit="0123456789abcdef+changes",
        date="2026-11-25T18:00:00+00:00",
        settings={},
        models={"generator": {"name": "default", "fingerprint": "f"}},
        index={"articles": 4, "passages": 23},
        machine={"processor": "A processor", "cores": 1, "memory_gb": 24.0},
        versions={"torch": "2", "transformers": "5"},
    )
    found = importlib.import_module("bench_page").Found
    return found("make bench", made_with, 5, limits, (ours,), naive, (), bars, (0.2, 1.1), ("On a quiet machine.",))


def test_the_picture_shows_medians_and_steps_longest_first(found, tmp_path):
    plots = importlib.import_module("bench_plot")
    assert plots.times(found) == [("plain use", 12.0, 20.0), ("Byline, bfloat16", 1.5, 3.0)]
    assert plots.steps(found) == [("write", pytest.approx(2.9)), ("search", pytest.approx(0.1))]
    plots.draw(found, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_says_what_it_was_made_with_and_ends_its_bars_with_the_verdict(found):
    pages = importlib.import_module("bench_page")
    text = pages.page(found, picture="performance.png")
    assert "\n\n![Seconds to the first token and to the end, and where they go](performance.png)\n\n| median |" in text
    assert "Model default in bfloat16; **2 threads** on 1 core of A processor (avx2), 24.0 GB." in text
    assert "Commit 0123456789 with changes, 2026-11-25;" in text
    assert "busy" not in text
    assert (
        "5 questions of the seed set on 4 articles (23 passages). bfloat16: 2 answered by the model, 1 refused, 1"
        " counted in the index (the time limit left out 1)." in text
    )
    assert (
        "**bars: 9 of 10 hold** (not measured: the same prompt answered: llama.cpp ÷ our generator; same answers in"
        " int8 and bfloat16)" in text
    )
    assert "| first token | 12 s (9–18) | 1.5 s (1–2) | 3 / 2 |" in text
    assert "| prefill, bfloat16, 400 tokens | 100 tokens/s (90–110) | 80 % |" in text
    assert "| search | 4 % █ | 0.1 s (0.1–0.1) |" in text
    assert "\n\nOn a quiet machine.\n\n" in text
    assert "busy with other work" in pages.page(replace(found, load=(5.0, 5.0)), picture="")


def test_questions_are_spread_and_a_third_has_no_answer(bench):
    questions = [Question(f"y{n}", f"Y{n}?", answerable=True) for n in range(6)]
    questions += [Question(f"n{n}", f"N{n}?", answerable=False) for n in range(4)]

    def ids(count: int) -> list[str]:
        return [question.id for question in bench.chosen(questions, count)]

    assert ids(1) == ["y0"]
    assert ids(2) == ["y0", "n0"]
    assert ids(6) == ["y0", "n0", "y1", "y3", "n2", "y4"]
    assert sorted(ids(100)) == sorted(question.id for question in questions)


def test_thirty_of_the_seed_questions_are_drawn(bench):
    asked = bench.chosen(read_questions(bench.QUESTIONS), 30)
    assert (len(asked), sum(question.answerable is False for question in asked)) == (30, 10)


def test_precisions_are_named_or_refused(bench):
    assert bench.parsed_precisions("int8, bfloat16,int8") == ("int8", "bfloat16")
    assert bench.parsed_precisions("auto")[0] in ("bfloat16", "int8", "float32")
    with pytest.raises(InputError, match="names no precisions"):
        bench.parsed_precisions("int8,int3")
    with pytest.raises(InputError):
        bench.parsed_precisions("")


def test_what_a_token_takes_follows_from_the_sizes_of_the_model(tmp_path):
    machine = importlib.import_module("bench_machine")
    config = {
        "hidden_size": 8, "intermediate_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
        "num_hidden_layers": 3, "vocab_size": 100,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    sizes = machine.sizes_of(tmp_path)
    weights = 8 * 8 + 2 * 4 * 8 + 8 * 8 + 3 * 8 * 32
    assert sizes.layer == ((8, 8), (4, 8), (4, 8), (8, 8), (32, 8), (32, 8), (8, 32))
    assert sizes.operations == 2 * 3 * weights
    assert sizes.bytes_read("bfloat16") == 2 * (3 * weights + 800)
    assert sizes.bytes_read("int8") == 3 * weights + 800
    assert sizes.bytes_read("float32") == 4 * (3 * weights + 800)


@pytest.mark.parametrize("precision", ["bfloat16", "float32", "int8"])
def test_a_limit_is_measured_at_least_once_however_little_time_there_is(precision):
    import torch

    machine = importlib.import_module("bench_machine")
    if precision == "int8" and "fbgemm" not in torch.backends.quantized.supported_engines:
        pytest.skip("int8 is for x86 processors with AVX2 only")
    (rate,) = machine.product_rates([(64, 32), (32, 64)], precision, rows=16, until=0.0)
    assert rate > 0
    (read,) = machine.reading_rates(2**20, until=0.0)
    assert read > 0


def test_llama_is_never_a_hard_dependency(monkeypatch):
    others = importlib.import_module("bench_others")
    monkeypatch.setattr(others, "find_spec", lambda name: None)
    assert others.no_llama(Path("weights.gguf")) == "xllamacpp is not installed"
    monkeypatch.setattr(others, "find_spec", lambda name: object())
    assert others.no_llama(None) == "--gguf names no weights for it"
    assert others.no_llama(Path("weights.gguf")) == ""


def test_the_first_token_is_not_the_prompt_that_a_streamer_is_given_first():
    clock = importlib.import_module("bench_others")._Clock()
    clock.put("the prompt")
    assert clock.first_token_s is None
    clock.put("a token")
    first = clock.first_token_s
    clock.put("another")
    assert first is not None
    assert clock.first_token_s == first


def test_the_naive_prompt_numbers_its_passages():
    others = importlib.import_module("bench_others")
    assert others.naive_messages("Who?", ["One.", "Two."])[1] == {
        "role": "user",
        "content": "Passage 1: One.\n\nPassage 2: Two.\n\nQuestion: Who?",
    }


def test_a_question_is_timed_from_its_events(tiny_saved_index):
    systems = importlib.import_module("bench_systems")
    chatbot = Chatbot(tiny_saved_index, CopyingGenerator())
    answered = systems._ask(chatbot, Question("q1", "How much did the repairs cost?"), kept="all")
    assert (answered.id, answered.answered, "12 million euros" in answered.text) == ("q1", True, True)
    assert 0 < answered.evidence_s < answered.first_token_s < answered.done_s
    assert [name for name, _ in answered.steps][:3] == ["search", "evidence", "wait"]
    assert sum(took for _, took in answered.steps) <= answered.done_s
    counted = systems._ask(chatbot, Question("q2", "How many articles are from 2020?"), kept="all")
    assert (counted.counted, counted.answered, counted.first_token_s) == (True, False, None)


def test_a_job_does_its_first_question_and_stops_when_the_time_is_up():
    systems = importlib.import_module("bench_systems")
    questions = tuple(Question(name, f"{name}?", answerable=name != "c") for name in "abc")
    late, early = (systems.Job(Settings(), questions, until) for until in (0.0, time.time() + 60))
    assert [question.id for question in late.in_time(questions)] == ["a"]
    assert [question.id for question in early.in_time(questions)] == ["a", "b", "c"]
    assert [question.id for question in early.answerable] == ["a", "b"]
