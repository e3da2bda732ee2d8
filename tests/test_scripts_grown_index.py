"""An index made large for measurements is one like any other: whole, searchable, with copies of every article."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from index import HashingEmbedder, SavedIndex, read_manifest
from index.keywords import KeywordIndex
from index.vector_file import VectorFile

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "grown_index.py"


@pytest.fixture
def grow():
    specification = importlib.util.spec_from_file_location("grown_index", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.grow


@pytest.mark.parametrize(("size", "articles"), [(2, 2), (3, 3), (8, 8)])
def test_a_grown_index_can_be_searched(grow, tiny_index, tmp_path, monkeypatch, size, articles):
    monkeypatch.setattr("index.stores.LARGEST_EXACT", 6)
    folder = tmp_path / "grown"
    manifest = grow(tiny_index, folder, size).manifest
    assert (manifest.article_count, manifest.passage_count) == (articles, size)
    assert manifest.store == ("faiss-ivf" if size > 6 else "faiss")
    with SavedIndex.open(folder, embedder=HashingEmbedder()) as saved:
        everything = saved.articles()
        assert len({article.id for article in everything}) == articles
        hits = saved.search("Who won the bread prize?", passages=size)
        assert hits[0].article.path == "articles/bakery.md"
        for hit in hits:
            assert hit.article.text[hit.passage.start : hit.passage.end] == hit.passage.text
    words = KeywordIndex.open(folder / read_manifest(folder).keywords.name)
    entry = words.entry("bread")
    assert words.ids[entry.places].tolist() == [number for number in (1, 4, 7) if number <= size]
    vectors = VectorFile.open(folder / read_manifest(folder).passage_vectors.name)
    rows = vectors.vectors(np.array(vectors.ids))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-3)
    if size == 8:
        assert 0.7 < float(rows[0] @ rows[3]) < 0.95
