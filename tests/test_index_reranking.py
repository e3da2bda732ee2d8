import numpy as np
import pytest
from rag_material import ARTICLE, hit

from index.passages import text_to_embed
from index.reranking import RERANKED, Reranker, max_similarity


def row(*values):
    return np.array(values, dtype=np.float32)


class ByFirstLetter:
    """Two words a text, told by its article's title; remembers what it was asked to embed."""

    def __init__(self, words):
        self.words = words
        self.asked = []

    def embed_words(self, texts):
        self.asked.append(list(texts))
        return [self.words[next(key for key in self.words if text.startswith(key))] for text in texts]


X, Y = row(1, 0), row(0, 1)
WORDS = {"question": np.stack([X, Y]), "A": np.stack([X, X]), "B": np.stack([X, Y]), "C": np.stack([row(0.6, 0.8)])}


def found(title, score, number):
    import dataclasses

    return hit((), article=dataclasses.replace(ARTICLE, id=title, title=title, source=None, date=None), score=score,
               number=number, rank=number)  # fmt: skip


def test_each_word_of_the_question_counts_by_its_nearest_word():
    assert max_similarity(WORDS["question"], WORDS["B"]) == pytest.approx(1.0)
    assert max_similarity(WORDS["question"], WORDS["A"]) == pytest.approx(0.5)
    assert max_similarity(WORDS["question"], WORDS["C"]) == pytest.approx(0.7)
    assert max_similarity(WORDS["question"], WORDS["C"][:0]) == 0.0


def test_scores_are_weighted_means_and_order_the_hits():
    hits = [found("A", 0.9, 1), found("B", 0.8, 2), found("C", 0.7, 3)]
    ranked = Reranker(ByFirstLetter(WORDS)).rerank("question", hits, weight=1.0)
    assert [(one.passage.id, round(one.score, 4), one.rank) for one in ranked] == [
        (2, 0.9, 1),
        (1, 0.7, 2),
        (3, 0.7, 3),
    ]
    assert [round(one.parts.words_late, 4) for one in ranked] == [1.0, 0.5, 0.7]


def test_what_is_not_looked_at_stays_below_and_in_order():
    hits = [found("B", 1 - place / 100, place + 1) for place in range(RERANKED)]
    hits += [found("B", 0.5, 98), found("B", 0.4, 99)]
    ranked = Reranker(ByFirstLetter(WORDS)).rerank("question", hits, weight=3.0)
    assert [one.passage.id for one in ranked] == [*range(1, RERANKED + 1), 98, 99]
    assert ranked[-1].parts.words_late is None


def test_a_passage_is_embedded_once():
    embedder = ByFirstLetter(WORDS)
    reranker = Reranker(embedder)
    one = found("A", 0.9, 1)
    reranker.rerank("question", [one], weight=1.0)
    reranker.rerank("question", [one], weight=1.0)
    text = text_to_embed(one.article, one.passage)
    assert embedder.asked == [["question"], [text], ["question"]]


def test_without_vectors_of_words_or_weight_nothing_changes():
    class Without:
        def embed_words(self, texts):
            return None

    hits = (found("A", 0.9, 1),)
    assert Reranker(Without()).rerank("question", hits, weight=3.0) == hits
    assert Reranker(ByFirstLetter(WORDS)).rerank("question", hits, weight=0.0) == hits
