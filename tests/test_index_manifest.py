"""The manifest: refuses everything that it does not know or that does not agree."""

import json
from dataclasses import replace

import pytest

from index import HashingEmbedder, SavedIndex, read_manifest, update_index
from index.errors import IndexDamaged, IndexMissing
from index.manifest import MANIFEST_NAME, write_manifest


def test_what_it_says(tiny_index, tiny_corpus):
    manifest = read_manifest(tiny_index)
    assert manifest.generation == 1
    assert [file.name for file in manifest.files] == [
        "articles-000001.sqlite",
        "passages-000001.vectors",
        "sentences-000001.vectors",
        "passages-000001.faiss",
        "words-000001.keywords",
    ]
    assert (manifest.store, manifest.store_made_for) == ("faiss", 3)
    assert [file.size for file in manifest.files] == [
        (tiny_index / file.name).stat().st_size for file in manifest.files
    ]
    assert (manifest.embedder, manifest.embedder_fingerprint, manifest.dimension) == ("hashing", "hashing-256-v1", 256)
    assert (manifest.article_count, manifest.passage_count, manifest.sentence_count) == (3, 3, 13)
    assert manifest.splitter == {"words_per_passage": 110, "longest_passage": 170}
    assert sorted(manifest.articles) == [
        (tiny_corpus / name).as_posix() for name in ("bakery.md", "harbour.txt", "railway.txt")
    ]


def test_written_and_read_it_is_the_same(tiny_index):
    manifest = read_manifest(tiny_index)
    changed = replace(manifest, updated="2030-01-01T00:00:00+00:00")
    write_manifest(tiny_index, changed)
    assert read_manifest(tiny_index) == changed


def test_no_index(tmp_path):
    with pytest.raises(IndexMissing) as caught:
        read_manifest(tmp_path / "nowhere")
    assert "byline index add" in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": 4},
        {"format": None},
        {"colour": "blue"},
        {"generation": "1"},
        {"dimension": True},
        {"article_count": 4},
        {"articles": []},
        {"library": "articles-000001.sqlite"},
        {"library": {"name": "../articles-000001.sqlite", "size": 1}},
        {"library": {"name": "articles-000009.sqlite", "size": 1}},
        {"library": {"name": "articles-000001.sqlite", "size": 1}},
    ],
)
def test_what_does_not_agree_is_damage(tiny_index, change):
    path = tiny_index / MANIFEST_NAME
    values = json.loads(path.read_bytes()) | change
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(IndexDamaged) as caught:
        read_manifest(tiny_index)
    assert "byline index add --rebuild" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 2}'])
def test_what_is_no_manifest_is_damage(tiny_index, content):
    (tiny_index / MANIFEST_NAME).write_bytes(content)
    with pytest.raises(IndexDamaged):
        read_manifest(tiny_index)


@pytest.mark.parametrize(
    "name",
    [
        "articles-000001.sqlite",
        "passages-000001.vectors",
        "sentences-000001.vectors",
        "passages-000001.faiss",
        "words-000001.keywords",
    ],
)
@pytest.mark.parametrize("harm", ["gone", "cut", "garbled"])
def test_harmed_files_are_damage_and_a_rebuild_mends_them(tiny_index, tiny_corpus, name, harm):
    file = tiny_index / name
    if harm == "gone":
        file.unlink()
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    else:
        file.write_bytes(b"\x01" * file.stat().st_size)
    with pytest.raises(IndexDamaged):
        SavedIndex.open(tiny_index, embedder=HashingEmbedder())
    changes = update_index(tiny_index, [tiny_corpus], embedder=HashingEmbedder(), rebuild=True)
    assert changes.generation == 2
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as saved:
        assert saved.search("When did the harbour reopen?")[0].article.path == "articles/harbour.txt"


def test_a_rebuild_of_a_damaged_index_needs_its_folders(tiny_index):
    (tiny_index / MANIFEST_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(IndexDamaged, match="no longer tells where its articles are") as caught:
        update_index(tiny_index, [], embedder=HashingEmbedder(), rebuild=True)
    assert "byline index add --rebuild <folders>" in str(caught.value)
