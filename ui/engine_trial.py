"""`byline doctor --bench`: how fast the engines at hand answer on this machine, and which of them to use.

Each is tried in a process of its own, so that its memory is measured alone and given back, and stopped when its time
is up.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import psutil

from index.errors import BylineError
from index.paths import Home
from index.precisions import best_precision, has_bfloat16_instructions
from index.weights import CATALOG, list_models
from rag.budget import USUAL_ANSWER, Frame, answer_s, second_look_s
from rag.engines import described, engine_of
from rag.huge_pages import gather
from rag.opening import find_generator, open_generator
from rag.settings import Settings
from rag.speed import Speed, measure_speed

SECONDS = 60.0
"""For all of them together."""
LONG_WAIT_S = 20.0
"""From so long an answer, the small model is worth its worse answers."""

_TYPICAL = Frame(first=120, task=40, again=110)
_TYPICAL_EVIDENCE = 310
"""Tokens of a question on the seed articles (docs/lab-notes.md)."""
_LOADING_FACTOR = 1.3
"""Memory while loading, in sizes of the file."""
_WORTH_CHANGING = 0.85
"""The share of the time now taken that another choice must reach to be recommended."""
_GB = 1024**3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model and what it computes in; `precision` is None where that is not ours to choose."""

    model: str
    precision: str | None

    @property
    def label(self) -> str:
        """For a person."""
        return described(self.model) if self.precision is None else f"{self.model}, {self.precision}"

    @property
    def variables(self) -> str:
        """The environment variables that choose it."""
        chosen = f"BYLINE_MODEL={self.model}"
        return chosen if self.precision is None else f"{chosen} BYLINE_PRECISION={self.precision}"


@dataclass(frozen=True, slots=True)
class Trial:
    """What was measured of a candidate; `failure` says why it was not."""

    candidate: Candidate
    load_s: float | None = None
    speed: Speed | None = None
    memory_bytes: int | None = None
    failure: str | None = None

    @property
    def answer_s(self) -> float | None:
        """About how long a checked answer from the seed articles takes."""
        if self.speed is None:
            return None
        writing = answer_s(self.speed, _TYPICAL, evidence=_TYPICAL_EVIDENCE, answer=USUAL_ANSWER)
        return writing + second_look_s(self.speed, _TYPICAL)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "model": self.candidate.model,
            "precision": self.candidate.precision,
            "load_s": self.load_s,
            "prefill_tokens_s": self.speed and self.speed.prefill_tokens_s,
            "decode_tokens_s": self.speed and self.speed.decode_tokens_s,
            "answer_s": self.answer_s,
            "memory_bytes": self.memory_bytes,
            "failure": self.failure,
        }


Measure = Callable[[Candidate, Settings, Home, float], Trial]


def candidates(settings: Settings, home: Home) -> tuple[Candidate, ...]:
    """What could answer here without fetching anything, what the settings name first."""
    best = best_precision()
    others = [name for name in ("int8", "bfloat16") if name != "bfloat16" or has_bfloat16_instructions()]
    found: list[Candidate] = []
    if engine_of(settings.model) != "transformers":
        found.append(Candidate(settings.model, None))
    else:
        now = best if settings.precision == "auto" else settings.precision
        found.append(Candidate(settings.model, now))
        found += [Candidate(settings.model, precision) for precision in (best, *others)]
    found += [Candidate(name, best) for name in ("default", "small") if name in _here(home)]
    return tuple(dict.fromkeys(found))


def try_engines(
    settings: Settings,
    home: Home,
    *,
    seconds: float = SECONDS,
    said: Callable[[str], None] = lambda _: None,
    measure: Measure | None = None,
) -> tuple[Trial, ...]:
    """Every candidate, one after another, as far as `seconds` go; `said` is told which one is next."""
    ends = time.monotonic() + seconds
    trials = []
    for candidate in candidates(settings, home):
        left = ends - time.monotonic()
        if left <= 0:
            trials.append(Trial(candidate, failure="no time was left for it"))
            continue
        said(f"measuring {candidate.label}")
        trials.append((measure or measure_apart)(candidate, settings, home, left))
    return tuple(trials)


def measure_apart(candidate: Candidate, settings: Settings, home: Home, seconds: float) -> Trial:
    """One candidate in a process of its own, which is stopped after so many seconds."""
    chosen = replace(settings, model=candidate.model)
    if candidate.precision is not None:
        chosen = replace(chosen, precision=candidate.precision)
    if (obstacle := _obstacle(chosen, home)) is not None:
        return Trial(candidate, failure=obstacle)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measure_here, args=(candidate, chosen, home, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            return Trial(candidate, failure="the time was up before it had answered")
        found: Trial = ours.recv()
        return found
    except EOFError:
        return Trial(candidate, failure="its process ended, perhaps for want of memory")
    finally:
        process.kill()
        process.join()
        ours.close()


def _measure_here(candidate: Candidate, settings: Settings, home: Home, result: Connection) -> None:
    began = time.perf_counter()
    try:
        generator = open_generator(settings, find_generator(settings, home=home), home=home)
        generator.load()
        load_s = time.perf_counter() - began
        gather()  # as it will be half a minute later
        speed = measure_speed(generator)
    except BylineError as error:
        result.send(Trial(candidate, failure=error.message))
        return
    # A server's memory is not this process's.
    memory = None if engine_of(candidate.model) == "server" else psutil.Process().memory_info().rss
    result.send(Trial(candidate, load_s, speed, memory))


def _obstacle(settings: Settings, home: Home) -> str | None:
    """Why it should not even be loaded: nothing is fetched for a measurement, and no memory taken that others need."""
    if engine_of(settings.model) != "transformers":
        return None
    if settings.model in CATALOG and settings.model not in _here(home):
        return f"it is not here; byline models fetch {settings.model} brings it"
    try:
        folder = find_generator(settings, home=home).path
    except BylineError as error:
        return error.message
    small = folder / "int8.safetensors"
    file = small if settings.precision == "int8" and small.exists() else folder / "model.safetensors"
    needed = _LOADING_FACTOR * file.stat().st_size if file.exists() else 0.0
    free = psutil.virtual_memory().available
    if needed <= free:
        return None
    return f"it wants {needed / _GB:.1f} GB of memory, and {free / _GB:.1f} are free"


def advice(trials: Sequence[Trial], settings: Settings) -> str:
    """Which to use, and how to choose it. The first trial is what is used now."""
    measured = [trial for trial in trials if trial.answer_s is not None]
    if not measured:
        return "Nothing could be measured. `byline doctor` without --bench says what is wrong."
    now = trials[0]
    small = next((trial for trial in measured if trial.candidate.model == "small"), None)
    # The small model is always faster, and worse: only who chose it already compares by time alone.
    equals = measured if settings.model == "small" else [t for t in measured if t.candidate.model != "small"]
    best = min(equals, key=_seconds, default=None)
    if best is None or (small is not None and settings.model != "small" and _seconds(best) > LONG_WAIT_S):
        assert small is not None
        return (
            f"Answers take long here. {small.candidate.variables} takes about {_seconds(small):.0f} s for one; "
            "it answers worse and refuses more."
        )
    if now.answer_s is not None and (best is now or _seconds(best) > _WORTH_CHANGING * now.answer_s):
        return f"Keep what is used now: {now.candidate.label}."
    return f"The fastest here is {best.candidate.label}. Choose it with {best.candidate.variables}"


def _here(home: Home) -> frozenset[str]:
    """Names of our models that are on the disk."""
    return frozenset(model.spec.name for model in list_models(home) if model.state == "ready")


def _seconds(trial: Trial) -> float:
    return trial.answer_s if trial.answer_s is not None else float("inf")


def trial_report(trials: Sequence[Trial], settings: Settings) -> str:
    """For a person: a line for each, and what to do."""
    lines = ["", "Engines on this machine (a checked answer from the seed articles, about):"]
    for trial in trials:
        if trial.speed is None:
            lines.append(f"  {trial.candidate.label}: not measured, {trial.failure}")
            continue
        memory = "" if trial.memory_bytes is None else f", {trial.memory_bytes / _GB:.1f} GB"
        lines.append(
            f"  {trial.candidate.label}: {_seconds(trial):.1f} s; reads {trial.speed.prefill_tokens_s:.0f} and writes "
            f"{trial.speed.decode_tokens_s:.0f} tokens a second, loads in {trial.load_s:.0f} s{memory}"
        )
    return "\n".join([*lines, f"→ {advice(trials, settings)}"])
