"""How fast answers come: the naive way, Byline, and llama.cpp where it is installed, against the machine's limits.

Writes a page, and ends with how many of the bars hold. Bars are those of the first precision that is named. A missed
bar is a result, not an error: the exit code is 0.
"""

import argparse
import json
import multiprocessing
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from bench_figures import Bar, Limits, Ours, Plain, judge, same_answers, verdict
from bench_machine import measure_limits
from bench_others import measure_llama, measure_naive, no_llama
from bench_page import Found, page
from bench_plot import draw
from bench_systems import Job, measure_ours

from eval.provenance import provenance
from eval.questions import Question
from eval.reading import read_questions
from index.build import update_index
from index.errors import BylineError, InputError
from index.paths import Home, project_seeds
from index.precisions import best_precision
from index.search import SavedIndex
from index.weights import ensure_model
from rag.opening import open_embedder
from rag.settings import PRECISIONS, Settings

QUESTIONS = Path(__file__).resolve().parent.parent / "eval" / "seed_questions.jsonl"
OUT = Path("docs/results/performance.md")
UNANSWERABLE = 3
"""One question in so many has no answer in the articles."""

_Result = TypeVar("_Result")


def chosen(questions: Sequence[Question], count: int) -> tuple[Question, ...]:
    """`count` of the questions without a conversation before them, spread evenly, a third of them unanswerable.

    Those are spread among the others, so that a time limit leaves some of both.
    """
    alone = [question for question in questions if not question.history]
    answerable = [question for question in alone if question.answerable]
    others = [question for question in alone if question.answerable is False]
    refusals = min(len(others), max(count // UNANSWERABLE, int(count > 1)))
    kinds = (_spread(answerable, count - refusals), _spread(others, refusals))
    placed = [((place + 0.5) / len(kind), item) for kind in kinds for place, item in enumerate(kind)]
    return tuple(item for _, item in sorted(placed, key=lambda pair: pair[0]))


def parsed_precisions(text: str) -> tuple[str, ...]:
    """The precisions in "auto" or "bfloat16,int8", "auto" as the one that it stands for here. Raises InputError."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in PRECISIONS]
    if unknown or not names:
        raise InputError(f"{text!r} names no precisions.", help=f"Precisions: {', '.join(PRECISIONS)}.")
    return tuple(dict.fromkeys(best_precision() if name == "auto" else name for name in names))


def run(arguments: argparse.Namespace, folder: Path) -> Found:
    """Measure everything, with an index of the seeds in `folder`."""
    ends = time.time() + arguments.time_limit
    precisions = parsed_precisions(arguments.precisions)
    home = Home.from_environment()
    settings = Settings(model=arguments.model, index=str(folder), precision=precisions[0])
    settings = replace(settings, wrong_per_hundred=arguments.wrong_per_hundred)
    weights = ensure_model(settings.model, role="generator", home=home)
    embedder = ensure_model(settings.embedder, role="embedder", home=home)
    update_index(folder, [project_seeds()], embedder=(loaded := open_embedder(settings, home=home)))
    with SavedIndex.open(folder, embedder=loaded) as index:
        made_with = provenance(settings, generator=weights, embedder=embedder, index=index)
    asked = chosen(read_questions(QUESTIONS), arguments.questions)
    job = Job(settings, asked, ends)
    why_no_llama = no_llama(arguments.gguf)
    load = _load()

    parts = len(precisions) + (1 if why_no_llama else 2)
    _say("the limits of the machine")
    limits: Limits = _apart(measure_limits, weights.path, ("bfloat16", "int8", *precisions), _share(ends, 4 * parts))
    ours: list[Ours] = []
    for precision in precisions:
        _say(f"Byline in {precision}")
        mine = replace(job, settings=replace(settings, precision=precision), until=_share(ends, parts))
        ours.append(_apart(measure_ours, mine))
        parts -= 1
    _say("the naive baseline")
    naive: tuple[Plain, ...] = _apart(measure_naive, replace(job, until=_share(ends, parts)))
    llama: tuple[Plain, ...] = ()
    if not why_no_llama:
        _say("llama.cpp")
        llama = _apart(measure_llama, replace(job, until=ends), arguments.gguf)
    by_precision = {item.precision: item for item in ours}
    same = None
    if {"int8", "bfloat16"} <= set(by_precision):
        same = same_answers(by_precision["int8"].asked, by_precision["bfloat16"].asked)
    bars: tuple[Bar, ...] = judge(ours[0], limits, naive, llama, no_llama=why_no_llama, same=same)
    command = shlex.join(
        ["make", "bench"] if len(sys.argv) == 1 else ["python", "scripts/bench.py", *_public(arguments)]
    )
    return Found(
        command=command,
        made_with=made_with,
        planned=len(asked),
        limits=limits,
        ours=tuple(ours),
        naive=naive,
        llama=llama,
        bars=bars,
        load=(load, _load()),
        notes=tuple(arguments.note),
    )


def main() -> None:
    """Measure, write the page, and say how many bars hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default", help="as in BYLINE_MODEL")
    parser.add_argument("--questions", type=int, default=30, help="so many of the seed questions (30)")
    parser.add_argument("--precisions", default="auto", help="auto, or several: bfloat16,int8; bars are of the first")
    parser.add_argument(
        "--time-limit",
        type=float,
        default=3600,
        help="seconds (3600), looked at between measurements; the rest is left out",
    )
    parser.add_argument(
        "--wrong-per-hundred",
        type=float,
        default=Settings().wrong_per_hundred,
        help="as in BYLINE_WRONG_PER_HUNDRED; 100 lets a weak model answer in a short trial",
    )
    parser.add_argument("--gguf", type=Path, help="the same model's weights for llama.cpp, if xllamacpp is installed")
    parser.add_argument("--out", type=Path, default=OUT, help=f"the page ({OUT})")
    parser.add_argument("--rows", type=Path, help="also write every measurement as JSON to this file")
    parser.add_argument("--note", action="append", default=[], help="a sentence for the page, about the machine, say")
    arguments = parser.parse_args()
    if arguments.questions < 1:
        parser.error("--questions must be at least 1")
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = run(arguments, Path(folder) / "seeds")
    except BylineError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    picture = arguments.out.with_suffix(".png")
    draw(found, picture)
    arguments.out.write_text(page(found, picture=picture.name), encoding="utf-8")
    if arguments.rows:
        arguments.rows.write_text(json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for bar in found.bars:
        if bar.holds is None:
            print(f"not measured: {bar.name} ({bar.why})")
    print(verdict(found.bars))


def _apart(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """The result of `function` in a new process: its memory is its own, and is given back."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def _share(ends: float, parts: int) -> float:
    """When the next of `parts` has to end, if each gets as much of the time that is left."""
    now = time.time()
    return now + max(0.0, ends - now) / parts


def _spread(items: Sequence[Question], count: int) -> list[Question]:
    count = min(count, len(items))
    return [items[place * len(items) // count] for place in range(count)]


def _public(arguments: argparse.Namespace) -> list[str]:
    """The arguments that shape the figures; paths stay out of the page."""
    shown = ["--model", arguments.model, "--questions", str(arguments.questions), "--precisions", arguments.precisions]
    shown += ["--wrong-per-hundred", f"{arguments.wrong_per_hundred:g}", "--time-limit", f"{arguments.time_limit:g}"]
    return [*shown, *(["--gguf", "GGUF"] if arguments.gguf else [])]


def _load() -> float:
    return os.getloadavg()[0]


def _say(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
