"""Embedding many texts: in their order whatever the order of work, none twice, and nothing done is lost."""

import numpy as np
import pytest

from index import HashingEmbedder, SavedIndex, update_index
from index.checkpoint import CHECKPOINT_NAME, Checkpoint
from index.embedding import Embedding
from index.progress import silent
from index.vector_file import key_of


class CountingEmbedder(HashingEmbedder):
    """Remembers what it was asked to embed; fails once it was asked `limit` times."""

    def __init__(self, limit=None):
        self.calls = []
        self.limit = limit

    def embed_passages(self, texts):
        if self.limit is not None and len(self.calls) >= self.limit:
            raise KeyboardInterrupt
        self.calls.append(list(texts))
        return super().embed_passages(texts)

    @property
    def texts(self):
        return [text for call in self.calls for text in call]


def embedding_of(folder, embedder, texts, *, known=(), progress=silent):
    return Embedding(
        embedder,
        known=known,
        checkpoint=Checkpoint(folder, embedder=("hashing", "v1"), dimension=256),
        total=len(texts),
        letters=sum(map(len, texts)),
        progress=progress,
    )


TEXTS = ["a storm", "the harbour of Porto Claro", "", "a storm", "bread", "\ud800 日本語", "harbour " * 40]


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr("index.embedding.TEXTS_PER_STEP", 2)
    monkeypatch.setattr("index.embedding.TEXTS_AT_ONCE", 5)


def test_vectors_stand_in_the_order_of_the_texts_and_long_ones_are_embedded_first(tmp_path, small_steps):
    embedder = CountingEmbedder()
    said = []
    embedding = embedding_of(tmp_path, embedder, TEXTS, progress=lambda *state: said.append(state))
    keys, vectors = embedding.vectors(TEXTS)
    assert keys.tolist() == [key_of(text) for text in TEXTS]
    np.testing.assert_array_equal(vectors, HashingEmbedder().embed_passages(TEXTS))
    lengths = [len(text) for text in embedder.texts]
    assert lengths == sorted(lengths, reverse=True)
    assert sorted(embedder.texts) == sorted(set(TEXTS))
    # "a storm" stands there twice and is done at once.
    assert [(done, total) for _, done, total in said] == [(0, 7), (2, 7), (5, 7), (7, 7)]


def test_rate_and_time_left_are_told_until_the_end(tmp_path, small_steps):
    said = []
    embedding = embedding_of(tmp_path, CountingEmbedder(), TEXTS, progress=lambda what, *_: said.append(what))
    embedding.vectors(TEXTS)
    assert said[0] == said[-1] == "embedding passages and sentences"
    assert said[1].startswith("embedding passages and sentences · ")
    assert said[1].endswith(" a second, 0 s left")


def test_what_an_interrupted_run_embedded_is_not_embedded_again(tmp_path, small_steps):
    broken = CountingEmbedder(limit=2)
    with pytest.raises(KeyboardInterrupt):
        embedding_of(tmp_path, broken, TEXTS).vectors(TEXTS)
    done = broken.texts
    assert len(done) == 4
    again = CountingEmbedder()
    _, vectors = embedding_of(tmp_path, again, TEXTS).vectors(TEXTS)
    assert set(again.texts) == set(TEXTS) - set(done)
    np.testing.assert_allclose(vectors, HashingEmbedder().embed_passages(TEXTS), atol=3e-4)
    third = CountingEmbedder()
    embedding_of(tmp_path, third, TEXTS).vectors(TEXTS)
    assert third.texts == []


@pytest.mark.parametrize("cut", [0, 3, 20, 40, 700, -1])
def test_a_checkpoint_that_was_cut_off_counts_as_far_as_it_is_whole(tmp_path, cut):
    first, second = np.array([1, 2], dtype=np.uint64), np.array([3], dtype=np.uint64)
    rows = np.eye(3, 4, dtype=np.float32)
    checkpoint = Checkpoint(tmp_path, embedder=("e", "1"), dimension=4)
    checkpoint.add(first, rows[:2])
    size = (tmp_path / CHECKPOINT_NAME).stat().st_size
    checkpoint.add(second, rows[2:])
    whole = (tmp_path / CHECKPOINT_NAME).read_bytes()
    (tmp_path / CHECKPOINT_NAME).write_bytes(whole[:cut] if cut < len(whole) else whole)
    again = Checkpoint(tmp_path, embedder=("e", "1"), dimension=4)
    keys, found = again.read()
    expected = [1, 2, 3] if cut >= len(whole) else [1, 2] if (cut % len(whole) if cut < 0 else cut) >= size else []
    assert keys.tolist() == expected
    np.testing.assert_array_equal(found, rows[: len(expected)])
    again.add(np.array([9], dtype=np.uint64), rows[:1])
    assert Checkpoint(tmp_path, embedder=("e", "1"), dimension=4).read()[0].tolist() == [*expected, 9]


def test_a_checkpoint_of_another_embedder_or_with_wrong_bytes_is_not_used(tmp_path):
    Checkpoint(tmp_path, embedder=("e", "1"), dimension=4).add(np.array([1], dtype=np.uint64), np.eye(1, 4, dtype="f4"))
    for embedder, dimension in ((("e", "2"), 4), (("f", "1"), 4), (("e", "1"), 5)):
        keys, rows = Checkpoint(tmp_path, embedder=embedder, dimension=dimension).read()
        assert (keys.tolist(), rows.shape) == ([], (0, dimension))
    path = tmp_path / CHECKPOINT_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + b"\x01" + whole[-2:])
    assert Checkpoint(tmp_path, embedder=("e", "1"), dimension=4).read()[0].tolist() == []


def test_an_interrupted_update_is_taken_up_where_it_stopped(tiny_corpus, tmp_path, small_steps):
    folder = tmp_path / "index"
    broken = CountingEmbedder(limit=3)
    with pytest.raises(KeyboardInterrupt):
        update_index(folder, [tiny_corpus], embedder=broken)
    assert [path.name for path in folder.iterdir() if path.name != ".lock"] == [CHECKPOINT_NAME]
    again = CountingEmbedder()
    assert update_index(folder, [tiny_corpus], embedder=again).generation == 1
    assert not set(again.texts) & set(broken.texts)
    assert not (folder / CHECKPOINT_NAME).exists()
    whole = tmp_path / "whole"
    update_index(whole, [tiny_corpus], embedder=HashingEmbedder())
    asked = []
    for index in (folder, whole):
        with SavedIndex.open(index, embedder=HashingEmbedder()) as saved:
            hits = saved.search("When did the harbour reopen?")
            asked.append([(hit.passage, hit.score, hit.sentence_scores) for hit in hits])
    assert asked[0] == asked[1]


def test_a_changed_article_is_embedded_only_where_it_changed(tiny_index, tiny_corpus):
    text = (tiny_corpus / "harbour.txt").read_text(encoding="utf-8")
    (tiny_corpus / "harbour.txt").write_text(text.replace("six weeks", "seven weeks"), encoding="utf-8")
    embedder = CountingEmbedder()
    update_index(tiny_index, [tiny_corpus], embedder=embedder)
    passage, sentence = sorted(embedder.texts, key=len, reverse=True)
    assert sentence == "Fishing boats had waited for seven weeks."
    assert sentence in passage
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as saved:
        hit = saved.search("How long had the fishing boats waited?")[0]
    expected = HashingEmbedder().embed_question("How long had the fishing boats waited?")
    texts = [sentence.text for sentence in hit.passage.sentences]
    np.testing.assert_allclose(hit.sentence_scores, HashingEmbedder().embed_passages(texts) @ expected, atol=2e-4)
