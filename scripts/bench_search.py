"""How long a search takes, and what it finds, with four articles and with a thousand to a million passages.

The large indexes are grown from a real one (`grown_index.py`). Every figure is of whole calls of `SavedIndex.search`,
the question embedded and all; the stages are parts of such calls.
"""

import argparse
import gc
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from grown_index import MOVED_BY, grow

import index.search
from index import SavedIndex, SentenceTransformerEmbedder, update_index
from index.paths import Home, project_seeds
from index.search import DEFAULT_MIX, PASSAGE_CANDIDATES
from index.stores import LARGEST_EXACT
from index.stores.ivf_store import CELLS_SEARCHED
from index.vector_file import VectorFile
from index.weights import ensure_model

NO_LATE = replace(DEFAULT_MIX, words_late=0.0)
COMMANDS = """byline index add FOLDER --index INDEX
python scripts/bench_search.py INDEX --questions QUESTIONS.jsonl --work FOLDER --out docs/results/scale.md"""

FILTERED = {"a tenth": 10, "a hundredth": 100}
"""Filters of which recall is measured: one article in so many passes."""


class Timed:
    """Passes everything on to `of`, and adds the seconds that calls of `methods` take to `spent[stage]`."""

    def __init__(self, of: Any, stage: str, spent: dict[str, float], *methods: str) -> None:
        self._of, self._stage, self._spent, self._methods = of, stage, spent, methods

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        return timed(found, self._stage, self._spent) if name in self._methods else found

    def __len__(self) -> int:
        return len(self._of)


def timed(function: Callable[..., Any], stage: str, spent: dict[str, float]) -> Callable[..., Any]:
    """`function`, which adds the seconds that it takes to `spent[stage]`."""

    def call(*arguments: Any, **options: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            spent[stage] += time.thread_time() - began

    return call


@contextmanager
def stages(saved: SavedIndex, spent: dict[str, float]) -> Iterator[None]:
    """Measure the parts of every search within."""
    state, embedder, words = saved._state, saved._embedder, index.search.WordScores

    def words_timed(*arguments: Any, **options: Any) -> Any:
        made = timed(words, "words", spent)(*arguments, **options)
        return Timed(made, "words", spent, "best", "of")

    saved._embedder = Timed(embedder, "embed", spent, "embed_question")
    saved._state = replace(
        state,
        store=Timed(state.store, "nearest", spent, "search"),
        library=Timed(state.library, "texts", spent, "passages", "article"),
        passages=Timed(state.passages, "exact", spent, "vectors"),
        sentences=Timed(state.sentences, "exact", spent, "vectors"),
    )
    index.search.WordScores = words_timed  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        saved._state, saved._embedder, index.search.WordScores = state, embedder, words  # type: ignore[misc]


def latency(saved: SavedIndex, questions: list[str]) -> dict[str, Any]:
    """Milliseconds of whole searches: median, 95th percentile, median of the processor's time; medians of stages; all
    without late interaction. "late" is the median with it, for passages whose words nobody embedded before."""
    for question in questions[:20]:
        saved.search(question, mix=NO_LATE)
    walls, processor, parts = [], [], defaultdict[str, list[float]](list)
    spent: dict[str, float] = defaultdict(float)
    for question in questions:
        began, began_here = time.perf_counter(), time.thread_time()
        saved.search(question, mix=NO_LATE)
        walls.append(time.perf_counter() - began)
        processor.append(time.thread_time() - began_here)
    with stages(saved, spent):
        for question in questions:
            spent.clear()
            saved.search(question, mix=NO_LATE)
            for stage in ("embed", "nearest", "words", "texts", "exact"):
                parts[stage].append(spent[stage])
    late = []
    for question in questions:
        began = time.perf_counter()
        saved.search(question)
        late.append(time.perf_counter() - began)
    return {
        "p50": 1e3 * np.median(walls),
        "late": 1e3 * np.median(late),
        "p95": 1e3 * np.percentile(walls, 95),
        "cpu": 1e3 * np.median(processor),
        **{stage: 1e3 * np.median(values) for stage, values in parts.items()},
    }


def recall(saved: SavedIndex, vectors: np.ndarray) -> dict[str, float]:
    """Share of the ten nearest passages that are found: by the store, and after its candidates were scored exactly.
    Of filters: after scoring."""
    state = saved._state
    file = state.passages
    counts: dict[str, float] = {}
    ids = np.array(file.ids)
    allowed = {"": np.ones(len(ids), dtype=bool)}
    articles = np.array([a for (a,) in state.library.select("SELECT article FROM passages ORDER BY id")])
    for name, one_in in FILTERED.items():
        allowed[name] = np.random.default_rng(one_in).integers(0, one_in, articles.max() + 1)[articles] == 0
    exact = {name: _nearest(file, vectors, mask) for name, mask in allowed.items()}
    for name, mask in allowed.items():
        among = None if not name else ids[mask]
        found, scored = 0.0, 0.0
        for vector, expected in zip(vectors, exact[name], strict=True):
            near = np.array([number for number, _ in state.store.search(vector, PASSAGE_CANDIDATES, among=among)])
            found += len(expected & set(near[:10].tolist())) / max(len(expected), 1)
            best = near[np.argsort(-(file.vectors(near) @ vector))[:10]]
            scored += len(expected & set(best.tolist())) / max(len(expected), 1)
        counts[name or "all"] = scored / len(vectors) if mask.any() else float("nan")
        if not name:
            counts["store"] = found / len(vectors)
    return counts


def _nearest(file: VectorFile, vectors: np.ndarray, allowed: np.ndarray) -> list[set[int]]:
    """The ten nearest ids of each vector, by comparing all."""
    best_ids = np.zeros((len(vectors), 0), dtype=np.int64)
    best = np.zeros((len(vectors), 0), dtype=np.float32)
    start = 0
    for ids, rows in file.blocks():
        here = allowed[start : start + len(ids)]
        start += len(ids)
        best = np.hstack([best, vectors @ rows[here].T])
        best_ids = np.hstack([best_ids, np.tile(ids[here], (len(vectors), 1))])
        top = np.argsort(-best, axis=1)[:, :10]
        best, best_ids = np.take_along_axis(best, top, 1), np.take_along_axis(best_ids, top, 1)
    return [set(row.tolist()) for row in best_ids]


def measure(folder: Path, embedder: SentenceTransformerEmbedder, questions: list[str]) -> dict[str, Any]:
    """All figures of the index in `folder`."""
    gc.collect()
    before = psutil.Process().memory_info()
    began = time.perf_counter()
    with SavedIndex.open(folder, embedder=embedder) as saved:
        open_s = time.perf_counter() - began
        figures = latency(saved, questions)
        after = psutil.Process().memory_info()
        own = (after.rss - after.shared) - (before.rss - before.shared)
        manifest = saved.manifest
        vectors = np.stack([embedder.embed_question(question) for question in questions])
        figures |= {
            "articles": manifest.article_count,
            "passages": manifest.passage_count,
            "sentences": manifest.sentence_count,
            "store": manifest.store,
            "open_s": open_s,
            "memory": own / 2**20,
            "mapped": (after.shared - before.shared) / 2**20,
            "disk": sum(file.size for file in manifest.files) / 2**20,
            "recall": recall(saved, vectors),
        }
    return figures


def page(rows: list[dict[str, Any]], notes: list[str]) -> str:
    """The measurements as tables to read."""

    def line(*cells: object) -> str:
        return f"| {' | '.join(map(str, cells))} |"

    lines = ["# Scale", "", "```sh", *(line.strip() for line in COMMANDS.splitlines()), "```", ""]
    lines += [part for note in notes for part in (note, "")]
    told = "Milliseconds of a search, medians, without late interaction but for the last column."
    lines += [f"{told} Stages are processor's time of the asking thread:", ""]
    lines += [
        line("passages", "sentences", "whole", "95 %", "processor's time", "question embedded", "nearest", "words")[:-1]
        + "| texts | exact scores | whole, with late interaction |",
        line(*["---"] * 11),
    ]
    for row in rows:
        times = (f"{row[name]:.1f}" for name in "p50 p95 cpu embed nearest words texts exact late".split())
        lines.append(line(f"{row['passages']:,}", f"{row['sentences']:,}", *times))
    lines += ["", "What is found, and what it takes:", ""]
    lines += [
        line("passages", "store", "recall@10", "by the store alone", *(f"filter: {name}" for name in FILTERED))[:-1]
        + "| store made in | opened in | memory | memory-mapped, touched | on disk |",
        line(*["---"] * 11),
    ]
    for row in rows:
        found = row["recall"]
        shares = (f"{found[name]:.3f}".replace("nan", "–") for name in ("all", "store", *FILTERED))
        made = f"{row['store_s']:.0f} s" if row.get("store_s") is not None else "–"
        sizes = (f"{row[name]:,.0f} MB" for name in ("memory", "mapped", "disk"))
        lines.append(line(f"{row['passages']:,}", row["store"], *shares, made, f"{row['open_s']:.2f} s", *sizes))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Grow, measure and write the page."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{COMMANDS}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", type=Path, help="an index to grow from, made in one run")
    parser.add_argument("--questions", type=Path, required=True, help='JSON lines with a "question"')
    parser.add_argument("--work", type=Path, required=True, help="where the indexes are kept; some GB for a million")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--limit", type=int, default=200, help="so many of the questions")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--note", action="append", default=[], help="a sentence for the page, about the machine, say")
    arguments = parser.parse_args()
    lines = arguments.questions.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines][: arguments.limit]
    model = ensure_model("minilm", role="embedder", home=Home.from_environment())
    embedder = SentenceTransformerEmbedder(model.path, name=model.name, fingerprint=model.fingerprint)
    seeds = arguments.work / "seeds"
    update_index(seeds, [project_seeds()], embedder=embedder)
    rows = [measure(seeds, embedder, questions)]
    for size in arguments.sizes:
        folder = arguments.work / str(size)
        timing = folder / "store_s.json"
        if not timing.exists():
            grown = grow(arguments.base, folder, size)
            timing.write_text(json.dumps(grown.store_s), encoding="utf-8")
        rows.append(measure(folder, embedder, questions) | {"store_s": json.loads(timing.read_text(encoding="utf-8"))})
        print(json.dumps(rows[-1], default=float), flush=True)
    notes = [
        f"{len(questions)} questions; {torch.get_num_threads()} of {os.cpu_count()} cores; the embedder computes in"
        f" {embedder.precision}. Copies are moved by {MOVED_BY}. Up to {LARGEST_EXACT:,} passages all are compared,"
        f" beyond those in the {CELLS_SEARCHED} nearest cells; the {PASSAGE_CANDIDATES} best are scored exactly.",
        *arguments.note,
    ]
    arguments.out.write_text(page(rows, notes), encoding="utf-8")


if __name__ == "__main__":
    main()
