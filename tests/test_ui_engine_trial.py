"""Which engine to use on this machine: what is tried, for how long, and what is recommended."""

import json
import os
import subprocess
import sys
import time

import pytest

from index import Home
from index.precisions import best_precision
from rag.settings import Settings
from rag.speed import Speed
from ui.engine_trial import Candidate, Trial, advice, candidates, measure_apart, trial_report, try_engines

INT8 = Candidate("default", "int8")
BFLOAT16 = Candidate("default", "bfloat16")
SMALL = Candidate("small", "int8")
GGUF = Candidate("/models/qwen.gguf", None)


def trial(candidate: Candidate, *, prefill: float, decode: float) -> Trial:
    return Trial(candidate, load_s=4.0, speed=Speed(prefill, decode), memory_bytes=2 * 1024**3)


def test_what_the_settings_name_is_first_and_nothing_is_tried_twice(tmp_path):
    best = best_precision()
    found = candidates(Settings(precision=best), Home(tmp_path))
    assert found[0] == Candidate("default", best)
    assert len(set(found)) == len(found)
    assert {item.model for item in found} == {"default"}  # no other is on this disk
    assert candidates(Settings(model="/models/qwen.gguf"), Home(tmp_path)) == (GGUF,)


def test_an_answer_is_all_its_passes_and_its_words():
    # First pass 120 + 310 tokens, the task 40, 36 words of two a second, the second look 110 + 80.
    assert trial(INT8, prefill=100.0, decode=36.0).answer_s == pytest.approx(4.3 + 0.4 + 1.0 + 1.9)
    assert Trial(INT8, failure="no").answer_s is None


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([trial(INT8, prefill=400, decode=12), trial(BFLOAT16, prefill=390, decode=9)], "Keep what is used now: def"),
        # A difference that the next minute may turn round is none.
        ([trial(BFLOAT16, prefill=390, decode=11), trial(INT8, prefill=400, decode=12)], "Keep what is used now: def"),
        (
            [trial(BFLOAT16, prefill=200, decode=5), trial(INT8, prefill=400, decode=12)],
            "Choose it with BYLINE_MODEL=default BYLINE_PRECISION=int8",
        ),
        (
            [trial(GGUF, prefill=50, decode=9), trial(INT8, prefill=400, decode=12)],
            "Choose it with BYLINE_MODEL=default BYLINE_PRECISION=int8",
        ),
        # The small one is faster everywhere, and worse: only a long wait makes up for that.
        ([trial(INT8, prefill=400, decode=12), trial(SMALL, prefill=1200, decode=30)], "Keep what is used now: def"),
        (
            [trial(INT8, prefill=30, decode=1), trial(SMALL, prefill=100, decode=4)],
            "BYLINE_MODEL=small BYLINE_PRECISION=int8 takes about 16 s for one; it answers worse and refuses more.",
        ),
        (
            [Trial(INT8, failure="it is not here"), trial(SMALL, prefill=1200, decode=30)],
            "BYLINE_MODEL=small BYLINE_PRECISION=int8 takes about 2 s",
        ),
        ([Trial(INT8, failure="it is not here")], "Nothing could be measured."),
    ],
)
def test_recommended_is_what_pays(trials, said):
    assert said in advice(trials, Settings())


def test_who_chose_the_small_model_keeps_it_in_its_fastest_form():
    used = Settings(model="small")
    slower = trial(Candidate("small", "bfloat16"), prefill=100, decode=4)
    faster = trial(SMALL, prefill=400, decode=12)
    best = trial(INT8, prefill=90, decode=3)
    assert advice([slower, best], used) == "Keep what is used now: small, bfloat16."
    assert advice([slower, faster, best], used).endswith("Choose it with BYLINE_MODEL=small BYLINE_PRECISION=int8")


def test_what_there_is_no_time_for_says_so(tmp_path):
    home, told = Home(tmp_path), []
    settings = Settings(precision=best_precision())
    first = candidates(settings, home)[0]

    def measure(candidate, chosen, folder, seconds):
        assert (chosen, folder) == (settings, home)
        assert seconds <= 0.05
        time.sleep(0.06)
        return trial(candidate, prefill=400, decode=12)

    trials = try_engines(settings, home, seconds=0.05, said=told.append, measure=measure)
    assert trials[0] == trial(first, prefill=400, decode=12)
    assert {item.failure for item in trials[1:]} <= {"no time was left for it"}
    assert told == [f"measuring {first.label}"]


def test_the_report_has_a_line_for_each():
    trials = [trial(INT8, prefill=100.0, decode=36.0), Trial(BFLOAT16, failure="it wants 4.3 GB of memory")]
    assert trial_report(trials, Settings()).splitlines() == [
        "",
        "Engines on this machine (a checked answer from the seed articles, about):",
        "  default, int8: 7.6 s; reads 100 and writes 36 tokens a second, loads in 4 s, 2.0 GB",
        "  default, bfloat16: not measured, it wants 4.3 GB of memory",
        "→ Keep what is used now: default, int8.",
    ]


def test_nothing_is_fetched_for_a_measurement(tmp_path):
    home = Home(tmp_path)
    assert measure_apart(INT8, Settings(), home, 60.0) == Trial(
        INT8, failure="it is not here; byline models fetch default brings it"
    )
    assert list(tmp_path.iterdir()) == []


def test_without_memory_for_it_none_is_loaded(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"0" * 1000)
    scarce = type("Memory", (), {"available": 1299})
    monkeypatch.setattr("ui.engine_trial.psutil.virtual_memory", lambda: scarce)
    mine = Candidate(str(folder), "bfloat16")
    found = measure_apart(mine, Settings(), Home(tmp_path), 60.0)
    assert found.failure == "it wants 0.0 GB of memory, and 0.0 are free"


@pytest.mark.model
def test_the_small_model_is_measured_in_a_process_of_its_own():
    best, home = best_precision(), Home.from_environment()
    found = measure_apart(Candidate("small", best), Settings(), home, 120.0)
    assert found.failure is None
    assert found.speed is not None
    assert found.speed.prefill_tokens_s > found.speed.decode_tokens_s > 0
    assert 0.3e9 < (found.memory_bytes or 0) < 4e9
    stopped = measure_apart(Candidate("small", best), Settings(), home, 0.01)
    assert stopped == Trial(Candidate("small", best), failure="the time was up before it had answered")


def test_the_command_says_what_cannot_be_measured(tmp_path):
    environment = {**os.environ, "BYLINE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", "from ui.cli import main; main()", "doctor", "--bench", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert {engine["failure"] for engine in found["engines"]} == {
        "it is not here; byline models fetch default brings it"
    }
    assert found["advice"] == "Nothing could be measured. `byline doctor` without --bench says what is wrong."
    assert {check["name"] for check in found["checks"]} >= {"Processor", "Memory", "Generator"}
