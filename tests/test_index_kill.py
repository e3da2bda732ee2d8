"""Killed at any moment, indexing leaves the old index or the new one, whole; and the next run completes."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import index
from index import HashingEmbedder, SavedIndex, update_index
from index.checkpoint import CHECKPOINT_NAME

ROOT = Path(index.__file__).resolve().parent.parent
RUN = """
import sys, time
from index import HashingEmbedder, update_index
print("started", flush=True)
begin = time.perf_counter()
update_index(sys.argv[1], [sys.argv[2]], embedder=HashingEmbedder())
print(time.perf_counter() - begin, flush=True)
"""


def write_corpus(folder, *, version):
    folder.mkdir(exist_ok=True)
    rng = random.Random(version)
    words = [
        "harbour",
        "bakery",
        "railway",
        "mayor",
        "storm",
        "bread",
        "train",
        "euro",
        "boat",
        "prize",
        "winter",
        "bridge",
        "river",
        "school",
    ]
    for number in range(40):
        sentences = [" ".join(rng.choices(words, k=12)).capitalize() + f" in version {version}." for _ in range(25)]
        (folder / f"{number:02d}.txt").write_text(
            f"Article number {number}\n\n" + " ".join(sentences), encoding="utf-8"
        )


def start(index_folder, corpus):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(index_folder), str(corpus)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "started\n"
    return process


def state_of(index_folder):
    """Everything that an index says: texts, and the scores of a search, which need all its files."""
    with SavedIndex.open(index_folder, embedder=HashingEmbedder()) as saved:
        hits = saved.search("Which mayor won a prize for the bridge?", passages=20)
        return (
            [(article.id, article.text) for article in saved.articles()],
            [(hit.article.id, hit.passage.text, round(hit.score, 5), hit.sentence_scores) for hit in hits],
        )


@pytest.mark.timeout(180)
def test_killed_at_ten_moments(tmp_path):
    corpus, index_folder = tmp_path / "articles", tmp_path / "index"
    write_corpus(corpus, version=1)
    update_index(index_folder, [corpus], embedder=HashingEmbedder())
    states = {1: state_of(index_folder)}
    write_corpus(corpus, version=2)
    process = start(index_folder, corpus)
    duration = float(process.communicate()[0])
    assert process.returncode == 0
    states[2] = state_of(index_folder)
    assert states[1] != states[2]

    rng = random.Random(20240828)
    current, killed = 2, 0
    moments = [(part + rng.random()) / 10 * duration for part in range(10)]
    rng.shuffle(moments)
    for moment in moments:
        target = 3 - current
        write_corpus(corpus, version=target)
        process = start(index_folder, corpus)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert state_of(index_folder) in (states[current], states[target])
        # The next run completes, and clears away what the killed one left.
        update_index(index_folder, [corpus], embedder=HashingEmbedder())
        assert state_of(index_folder) == states[target]
        assert len(list(index_folder.glob("*-*.*"))) <= 10
        assert not (index_folder / CHECKPOINT_NAME).exists()
        current = target
    assert killed >= 5  # otherwise the moments were not within the run, and nothing was tested
