"""Many people asking at once over loopback: does everyone get an answer, how long do they wait, does memory stay?

    python scripts/load.py                                the offline stand-in for the model, 20 askers, 300 seconds
    python scripts/load.py --model default                the real model, a server of its own on a free port
    python scripts/load.py --url http://127.0.0.1:7860    a server that runs already, with whatever it runs

Each asker asks the seed questions one after another, beginning at a place of its own, and reads the events of every
answer. Nobody begins a question after the time is up; those begun are waited for. Leaves with 1 if anything failed.
"""

import argparse
import contextlib
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "eval" / "seed_questions.jsonl"
READY_WITHIN_S = 600.0
SILENCE_S = 600.0
"""A server that says nothing for so long has failed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and what became of it, in seconds after it was sent; None: that did not come."""

    asker: int
    question: str
    evidence_s: float | None = None
    first_token_s: float | None = None
    answer_s: float | None = None
    abstained: bool = False
    most_ahead: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What the server holds, in megabytes, and how many threads it has."""

    resident_mb: float
    threads: int


def ask(url: str, question: str, *, asker: int = 0) -> Asked:
    """Ask it, and note when each kind of event comes first."""
    began = time.perf_counter()
    came: dict[str, float] = {}
    most_ahead = 0
    abstained = False
    try:
        for event in events(url, question):
            came.setdefault(event["type"], time.perf_counter() - began)
            match event:
                case {"type": "status", "text": str(text)} if text.endswith(" before this one"):
                    most_ahead = max(most_ahead, int(text.split()[0].replace(",", "")))
                case {"type": "done", "answer": answer}:
                    abstained = answer["abstained"]
                case {"type": "error", "error": error}:
                    raise RuntimeError(error)
        if "done" not in came:
            raise RuntimeError("the events ended before the answer")
    except (OSError, http.client.HTTPException, RuntimeError, ValueError) as error:
        return Asked(asker, question, most_ahead=most_ahead, error=f"{type(error).__name__}: {error}")
    return Asked(
        asker,
        question,
        evidence_s=came.get("passages"),
        first_token_s=came.get("text"),
        answer_s=came["done"],
        abstained=abstained,
        most_ahead=most_ahead,
    )


def events(url: str, question: str) -> Iterator[dict[str, Any]]:
    """The events of an answer as they come. Raises RuntimeError if the server refuses the question."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=SILENCE_S)
    with contextlib.closing(connection):
        body = json.dumps({"question": question, "stream": True})
        connection.request("POST", "/api/ask", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        if reply.status != 200:
            raise RuntimeError(f"{reply.status}: {json.loads(reply.read())['error']}")
        for line in reply:
            yield json.loads(line)


def press(url: str, questions: Sequence[str], *, askers: int, seconds: float) -> list[Asked]:
    """So many askers for so long."""
    until = time.monotonic() + seconds
    asked: list[Asked] = []

    def one_asker(number: int) -> None:
        place = number * len(questions) // askers
        while time.monotonic() < until:
            asked.append(ask(url, questions[place % len(questions)], asker=number))
            place += 1

    threads = [threading.Thread(target=one_asker, args=(number,), daemon=True) for number in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return asked


def wait_until_ready(url: str) -> None:
    """Raises RuntimeError if its models do not load, or not in time."""
    address = urlsplit(url)
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/api/health")
            health = json.loads(connection.getresponse().read())
        if health["state"] == "ready":
            return
        if health["state"] == "error":
            raise RuntimeError(health["text"])
        time.sleep(0.2)
    raise RuntimeError(f"The server is not ready after {READY_WITHIN_S:.0f} seconds.")


@contextlib.contextmanager
def started(model: str | None, word_s: float) -> Iterator[tuple[str, psutil.Process]]:
    """A server of its own, and its process."""
    command = [sys.executable, __file__, "--serve", "--word-s", str(word_s), *(["--model", model] if model else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None  # a pipe was asked for
    try:
        for line in process.stdout:
            if "http://" in line:
                yield line[line.index("http://") :].split()[0], psutil.Process(process.pid)
                return
        raise RuntimeError(f"The server ended with {process.wait()} before it listened.")
    finally:
        process.terminate()
        process.wait(30)


def serve_one(model: str | None, word_s: float) -> None:
    """Be the server: the stand-in over an index of the seeds in a temporary folder, or the real thing."""
    from index.paths import Home
    from rag.settings import load_settings
    from ui.server import serve
    from ui.warmup import Warmup

    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            warmup = Warmup(lambda progress: stand_in(Path(folder), word_s))
        else:
            from rag.opening import open_chatbot

            home = Home.from_environment()
            settings = load_settings(home, overrides={"model": model, "most_remembered": 0})
            warmup = Warmup(lambda progress: open_chatbot(settings, home=home, progress=progress, load=True))
        serve(warmup, port=0, open_browser=False, on_ready=lambda line: print(line, flush=True))


def stand_in(folder: Path, word_s: float) -> Any:
    """A chatbot without models, whose answers take `word_s` seconds a word."""
    from index import HashingEmbedder, SavedIndex, project_seeds, update_index
    from rag import Chatbot, Settings
    from rag.fakes import CopyingGenerator

    class Slow(CopyingGenerator):
        def generate(self, messages: Any, *, max_tokens: int) -> Any:
            for piece in super().generate(messages, max_tokens=max_tokens):
                time.sleep(word_s)
                yield piece

    update_index(folder, [project_seeds()], embedder=HashingEmbedder())
    index = SavedIndex.open(folder, embedder=HashingEmbedder())
    return Chatbot(index, Slow(), settings=Settings(most_remembered=0))


def memory_of(process: psutil.Process) -> Memory:
    """What it holds now."""
    return Memory(process.memory_info().rss / 2**20, process.num_threads())


@contextlib.contextmanager
def watched(process: psutil.Process | None) -> Iterator[list[Memory]]:
    """What it holds, looked at every half second from beginning to end of the block; nothing if it is not ours."""
    seen: list[Memory] = []
    if process is None:
        yield seen
        return
    over = threading.Event()

    def look() -> None:
        seen.append(memory_of(process))
        while not over.wait(0.5):
            seen.append(memory_of(process))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
        seen.append(memory_of(process))


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else None


def summary(asked: Sequence[Asked], *, askers: int, took_s: float, memory: Sequence[Memory]) -> dict[str, Any]:
    """What is reported, as JSON. `memory` is what the server held from the beginning to the end."""
    answered = [one for one in asked if one.error is None]
    each = [sum(one.asker == number for one in answered) for number in range(askers)]

    def times(values: Sequence[float | None]) -> dict[str, Any]:
        known = [value for value in values if value is not None]
        return {
            "count": len(known),
            "p50_s": percentile(known, 0.5),
            "p95_s": percentile(known, 0.95),
            "max_s": max(known, default=None),
        }

    return {
        "askers": askers,
        "took_s": took_s,
        "answered": len(answered),
        "refused": sum(one.abstained for one in answered),
        "failed": len(asked) - len(answered),
        "errors": sorted({one.error for one in asked if one.error}),
        "answers_per_asker": [min(each), max(each)],
        "most_ahead": max((one.most_ahead for one in asked), default=0),
        "evidence": times([one.evidence_s for one in answered]),
        "first_token": times([one.first_token_s for one in answered]),
        "answer": times([one.answer_s for one in answered]),
        "memory_mb": course([one.resident_mb for one in memory]),
        "threads": course([one.threads for one in memory]),
    }


def course(values: Sequence[float]) -> dict[str, float] | None:
    """How a value went, in four numbers; None if nobody looked. What is first touched on the way shows before
    halfway, what grows for ever after it."""
    if not values:
        return None
    return {"before": values[0], "halfway": values[len(values) // 2], "after": values[-1], "most": max(values)}


def told(report: dict[str, Any]) -> str:
    """The report for a person."""

    def seconds(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f} s"

    lines = [
        f"{report['askers']} askers for {report['took_s']:.0f} s: {report['answered']} answered "
        f"({report['refused']} of them refusals), {report['failed']} failed",
        f"answers per asker: {report['answers_per_asker'][0]} to {report['answers_per_asker'][1]}; "
        f"longest line: {report['most_ahead']} before one",
    ]
    for name in ("evidence", "first_token", "answer"):
        times = report[name]
        lines.append(
            f"time to {name.replace('_', ' '):<12} p50 {seconds(times['p50_s']):>9}  p95 {seconds(times['p95_s']):>9}  "
            f"max {seconds(times['max_s']):>9}  of {times['count']}"
        )
    for name, unit in (("memory_mb", " MB"), ("threads", "")):
        if report[name] is not None:
            values = ", ".join(f"{value:.0f}{unit} {when}" for when, value in report[name].items())
            lines.append(f"{name.split('_')[0]} of the server: {values}")
    return "\n".join([*lines, *(f"error: {error}" for error in report["errors"])])


def commit() -> str:
    """What the code is at, as git says it; with "-dirty" if it was changed since."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"


def read_questions(file: Path) -> list[str]:
    """The questions of a question set."""
    return [json.loads(line)["question"] for line in file.read_text("utf-8").splitlines() if line.strip()]


def main() -> int:
    """Entry point; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--askers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--url", help="a server that runs already; its memory is not looked at")
    parser.add_argument("--model", help="default, small, …; without it the offline stand-in")
    parser.add_argument("--word-s", type=float, default=0.005, help="seconds that the stand-in takes for a word")
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--out", type=Path, help="write the figures there as JSON too")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_one(options.model, options.word_s)
        return 0
    running = contextlib.nullcontext((options.url, None)) if options.url else started(options.model, options.word_s)
    with running as (url, process):
        wait_until_ready(url)
        questions = read_questions(options.questions)
        first = ask(url, questions[0])  # what is loaded late is loaded now
        began = time.monotonic()
        with watched(process) as memory:
            asked = press(url, questions, askers=options.askers, seconds=options.seconds)
        took_s = time.monotonic() - began
        wait_until_ready(url)
    report = summary(asked, askers=options.askers, took_s=took_s, memory=memory)
    print(told(report))
    if options.out is not None:
        made_with = {"model": options.model or "stand-in", "cores": psutil.cpu_count(), "commit": commit()}
        options.out.write_text(json.dumps(made_with | report, indent=2) + "\n", "utf-8")
    return 1 if first.error or report["failed"] or not report["answered"] else 0


if __name__ == "__main__":
    sys.exit(main())
