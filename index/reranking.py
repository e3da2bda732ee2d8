"""The best passages ordered anew, each word of the question against each word of them.

Late interaction (MaxSim of ColBERT, Khattab and Zaharia 2020) with the embedder's own vectors of words, which nobody
trained for it: for each word of the question the most similar word of the passage, averaged. It sees which passage says
what is asked where whole passages are about equally near (docs/lab-notes.md).
"""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from index.embedders import Embedder
from index.passages import text_to_embed
from index.types import Hit, Vectors

RERANKED = 20
"""Passages looked at; the others keep their order below them."""

KEPT_TEXTS = 500
"""Passages whose vectors of words are remembered, some 130 kB each: a conversation comes back to the same ones."""

_Key: TypeAlias = tuple[str | None, str | None, str | None, str]


class Reranker:
    """Orders hits anew by late interaction. Remembers what it has embedded; safe to use from several threads."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[_Key, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def rerank(self, question: str, hits: Sequence[Hit], *, weight: float) -> tuple[Hit, ...]:
        """`hits`, best first, with late interaction counting `weight` beside the score that they have.

        The scores are weighted means, so they stay on their scale. Nothing changes with an embedder that has no
        vectors of words, or with a weight of 0.
        """
        if not hits or not weight:
            return tuple(hits)
        asked = self._embedder.embed_words([question])
        if asked is None:
            return tuple(hits)
        near, far = hits[:RERANKED], hits[RERANKED:]
        late = [max_similarity(asked[0], words) for words in self._words(near)]
        # What is not looked at counts as the worst of those that are, and so stays below them.
        late += [min(late)] * len(far)
        scored = [
            dataclasses.replace(
                hit,
                score=(hit.score + weight * value) / (1 + weight),
                parts=dataclasses.replace(hit.parts, words_late=value if place < RERANKED else None),
            )
            for place, (hit, value) in enumerate(zip(hits, late, strict=True))
        ]
        order = sorted(range(len(scored)), key=lambda place: (-round(scored[place].score, 6), place))
        return tuple(dataclasses.replace(scored[place], rank=rank) for rank, place in enumerate(order, start=1))

    def _words(self, hits: Sequence[Hit]) -> list[Vectors]:
        keys = [_key(hit) for hit in hits]
        with self._lock:
            known = {key: self._kept[key] for key in keys if key in self._kept}
        missing = {
            key: text_to_embed(hit.article, hit.passage)
            for key, hit in zip(keys, hits, strict=True)
            if key not in known
        }
        if missing:
            # Halves are exact enough to compare, and half as large to keep.
            fresh = self._embedder.embed_words(list(missing.values())) or []
            known |= {key: words.astype(np.float16) for key, words in zip(missing, fresh, strict=True)}
        with self._lock:
            for key in keys:
                self._kept[key] = known[key]
                self._kept.move_to_end(key)
            while len(self._kept) > KEPT_TEXTS:
                self._kept.popitem(last=False)
        return [known[key] for key in keys]


def _key(hit: Hit) -> _Key:
    """What the text that is embedded is made of."""
    return hit.article.title, hit.article.source, hit.article.date, hit.passage.text


def max_similarity(question: Vectors, passage: Vectors) -> float:
    """The mean over the words of the question of the cosine with the nearest word of the passage.

    Shapes (words, dimension), rows of unit length; 0 if there is no word on one side.
    """
    if not len(question) or not len(passage):
        return 0.0
    return float((question.astype(np.float32) @ passage.astype(np.float32).T).max(axis=1).mean())
