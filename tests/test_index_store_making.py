"""The store of a generation: kept while it fits, of another kind or made anew when it does not."""

import numpy as np
import pytest

from index import HashingEmbedder, SavedIndex, read_manifest, remove_articles, update_index
from index.store_making import made_store
from index.vector_file import VectorFile, VectorWriter

DIMENSION = 8


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    monkeypatch.setattr("index.stores.LARGEST_EXACT", 100)


def vector_file(path, ids):
    rows = np.random.default_rng(0).normal(size=(2000, DIMENSION)).astype(np.float32)[ids]
    with VectorWriter(path, DIMENSION) as writer:
        writer.append(ids, ids.astype(np.uint64), rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return VectorFile.open(path)


class Story:
    """Generations of a store, one after the other, each checked to hold exactly its passages."""

    def __init__(self, folder):
        self.folder, self.number, self.ids, self.before = folder, 0, np.empty(0, dtype=np.int64), None

    def next(self, ids):
        ids = np.array(ids, dtype=np.int64)
        self.number += 1
        file = vector_file(self.folder / f"{self.number}.vectors", ids)
        gone, new = np.setdiff1d(self.ids, ids), np.setdiff1d(ids, self.ids)
        made = made_store(file, before=self.before, gone=gone.tolist(), new=new.tolist())
        path = self.folder / f"{self.number}.store"
        made.store.save(path)
        assert len(made.store) == len(ids)
        found = [number for number, _ in made.store.search(np.eye(DIMENSION, dtype=np.float32)[0], 5000)]
        assert sorted(found) == ids.tolist()
        self.ids, self.before = ids, (made.kind, made.made_for, path)
        return made.kind, made.made_for


def test_from_flat_to_cells_and_back(tmp_path):
    story = Story(tmp_path)
    assert story.next(range(60)) == ("faiss", 60)
    assert story.next(range(10, 100)) == ("faiss", 60)
    assert story.next(range(10, 150)) == ("faiss-ivf", 140)
    assert story.next([*range(20, 100), *range(120, 300)]) == ("faiss-ivf", 140)
    assert story.next(range(120, 420)) == ("faiss-ivf", 300)  # more than doubled
    assert story.next(range(120, 180)) == ("faiss-ivf", 300)
    assert story.next(range(120, 170)) == ("faiss", 50)
    assert story.next([]) == ("faiss", 50)


def test_the_same_vectors_make_the_same_store(tmp_path):
    file = vector_file(tmp_path / "v", np.arange(500, dtype=np.int64))
    question = np.eye(DIMENSION, dtype=np.float32)[3]
    one, other = (made_store(file, before=None, gone=(), new=()).store.search(question, 20) for _ in range(2))
    assert one == other


def test_an_index_with_cells_answers_as_one_without(tmp_path, monkeypatch):
    corpus = tmp_path / "articles"
    corpus.mkdir()
    towns = ["Alsen", "Brevik", "Cloppen", "Dorum", "Esens", "Fehmarn"]
    for number in range(240):
        town = f"{towns[number % 6]}{number}"
        (corpus / f"{number:03d}.txt").write_text(
            f"News of {town}\n\nThe harbour of {town} earned {number} million euros with ship number {number * 7}.",
            encoding="utf-8",
        )
    folder = tmp_path / "index"
    update_index(folder, [corpus], embedder=HashingEmbedder())
    assert read_manifest(folder).store == "faiss-ivf"
    questions = [f"How much did the harbour of {towns[number % 6]}{number} earn?" for number in range(0, 240, 7)]
    with SavedIndex.open(folder, embedder=HashingEmbedder()) as saved:
        titles = [saved.search(question, passages=1)[0].article.title for question in questions]
        assert titles == [f"News of {towns[number % 6]}{number}" for number in range(0, 240, 7)]
        ids = {article.title: article.id for article in saved.articles()}
        some = [ids[f"News of {towns[number % 6]}{number}"] for number in range(40, 240)]
        (hit,) = saved.search(questions[0], passages=1, articles=some)
        assert hit.article.id in some
        remove_articles(folder, ["007.txt"])
        assert saved.search(questions[1], passages=1)[0].article.title != "News of Brevik7"
        assert (saved.manifest.store, saved.manifest.store_made_for) == ("faiss-ivf", 240)
