"""Keyword search: which passages, and which articles, hold the telling words of a question.

An inverted index in one file of NumPy arrays. It is memory-mapped and never changed: a new state is merged from the old
one and the passages that came, without reading any text again. Scores are BM25 (Robertson and Zaragoza 2009) over
passages, and over whole articles by adding up the counts of their passages; both are divided by the weight of the
question's words, so that 1 means about "every word of the question, once": scores of short and of long questions can be
compared, and mixed with similarities.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged
from index.words import words_of

K1 = 1.2
B = 0.75
"""BM25's own parameters: how soon more of the same word stops to count, and how much length does."""

_MAGIC = b"BYLINEKW1"
_MOST_OF_A_WORD = 65_535
_Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """Scores of passages that hold a word of the question: positions in the index, of passage and of its article."""

    passages: NDArray[np.float32]
    articles: NDArray[np.float32]


class KeywordIndex:
    """Words of passages, and of the articles that they belong to. Made with `build`, `merged` or `open`.

    `ids` are the passages' ids, ascending; `articles` the number of each passage's article.
    """

    def __init__(self, arrays: Mapping[str, _Array]) -> None:
        self._arrays = dict(arrays)
        self.ids: NDArray[np.int64] = arrays["ids"]
        self.articles: NDArray[np.int64] = arrays["articles"]
        numbers, self._article_of = np.unique(self.articles, return_inverse=True)
        self._article_count = len(numbers)
        lengths = np.asarray(arrays["lengths"], dtype=np.float32)
        of_articles = np.bincount(self._article_of, weights=lengths, minlength=self._article_count)
        self._weights = _length_weights(lengths)
        self._article_weights = _length_weights(of_articles.astype(np.float32))

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def build(cls, passages: Iterable[tuple[int, int, str]]) -> Self:
        """An index of (passage id, article number, text); ids must ascend."""
        ids: list[int] = []
        articles: list[int] = []
        lengths: list[int] = []
        columns: dict[int, tuple[list[int], list[int]]] = {}
        for place, (number, article, text) in enumerate(passages):
            counts = Counter(words_of(text))
            ids.append(number)
            articles.append(article)
            lengths.append(counts.total())
            for word, count in counts.items():
                places, repeats = columns.setdefault(_hashed(word), ([], []))
                places.append(place)
                repeats.append(min(count, _MOST_OF_A_WORD))
        vocabulary = sorted(columns)
        return cls(
            {
                "ids": np.array(ids, dtype=np.int64),
                "articles": np.array(articles, dtype=np.int64),
                "lengths": np.array(lengths, dtype=np.int32),
                "words": np.array(vocabulary, dtype=np.uint64),
                "ends": np.cumsum([len(columns[word][0]) for word in vocabulary], dtype=np.int64),
                "places": np.array([place for word in vocabulary for place in columns[word][0]], dtype=np.int32),
                "counts": np.array([count for word in vocabulary for count in columns[word][1]], dtype=np.uint16),
            }
        )

    def merged(self, other: "KeywordIndex", *, without: Collection[int] = ()) -> "KeywordIndex":
        """This index without the passages in `without`, and `other` behind it; the ids of `other` must be higher."""
        kept = ~np.isin(self.ids, np.fromiter(without, dtype=np.int64, count=len(without)))
        place_of = np.cumsum(kept) - 1
        entries = kept[self._arrays["places"]]
        words = np.concatenate([_word_of_entry(self._arrays)[entries], _word_of_entry(other._arrays)])
        places = np.concatenate(
            [place_of[self._arrays["places"][entries]], other._arrays["places"].astype(np.int64) + int(kept.sum())]
        )
        counts = np.concatenate([self._arrays["counts"][entries], other._arrays["counts"]])
        order = np.lexsort((places, words))
        vocabulary, firsts = np.unique(words[order], return_index=True)
        return KeywordIndex(
            {
                "ids": np.concatenate([self.ids[kept], other.ids]),
                "articles": np.concatenate([self.articles[kept], other.articles]),
                "lengths": np.concatenate([self._arrays["lengths"][kept], other._arrays["lengths"]]),
                "words": vocabulary,
                "ends": np.append(firsts[1:], len(order)).astype(np.int64)[: len(vocabulary)],
                "places": places[order].astype(np.int32),
                "counts": counts[order].astype(np.uint16),
            }
        )

    def scores(self, question: str) -> KeywordScores | None:
        """The scores of every passage, and of every passage's article; None if no word of the question occurs."""
        words = list(dict.fromkeys(words_of(question)))
        found = [entry for word in words if (entry := self._entry(word)) is not None]
        if not found:
            return None
        passages = np.zeros(len(self.ids), dtype=np.float32)
        articles = np.zeros(self._article_count, dtype=np.float32)
        total = 0.0
        for places, counts in found:
            weight = _rarity(len(places), len(self.ids))
            total += weight
            passages[places] += weight * _saturated(counts, self._weights[places])
            here = np.bincount(self._article_of[places], weights=counts, minlength=self._article_count)
            holding = np.flatnonzero(here)
            rarity = _rarity(len(holding), self._article_count)
            articles[holding] += rarity * _saturated(here[holding].astype(np.float32), self._article_weights[holding])
        # A word that occurs nowhere is the rarest of all: an answer to the question would have to hold it.
        total += (len(words) - len(found)) * _rarity(0, len(self.ids))
        return KeywordScores(passages / total, articles[self._article_of] / total)

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        head = {name: [str(array.dtype), len(array)] for name, array in self._arrays.items()}
        text = json.dumps(head).encode()
        with open(path, "wb") as file:
            file.write(_MAGIC + len(text).to_bytes(4, "little") + text)
            for array in self._arrays.values():
                file.write(b"\0" * (-file.tell() % 8))
                file.write(np.ascontiguousarray(array).tobytes())

    @classmethod
    def open(cls, path: Path) -> Self:
        """What `save` wrote, memory-mapped: only what a question needs is read. IndexDamaged if it is not that."""
        try:
            with open(path, "rb") as file:
                if file.read(len(_MAGIC)) != _MAGIC:
                    raise ValueError("it holds something else")
                head = json.loads(file.read(int.from_bytes(file.read(4), "little")))
                offset = file.tell()
            arrays: dict[str, _Array] = {}
            for name, (kind, length) in head.items():
                offset += -offset % 8
                size = np.dtype(kind).itemsize * length
                arrays[name] = (
                    np.memmap(path, dtype=kind, mode="r", offset=offset, shape=(length,))
                    if length
                    else np.empty(0, dtype=kind)
                )
                offset += size
            return cls(arrays)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise IndexDamaged(f"The keywords in {path} cannot be read: {error}.") from error

    def _entry(self, word: str) -> tuple[_Array, _Array] | None:
        """Where the word occurs, and how often."""
        hashed = np.uint64(_hashed(word))
        words, ends = self._arrays["words"], self._arrays["ends"]
        place = int(np.searchsorted(words, hashed))
        if place == len(words) or words[place] != hashed:
            return None
        entries = slice(int(ends[place - 1]) if place else 0, int(ends[place]))
        return np.asarray(self._arrays["places"][entries]), np.asarray(
            self._arrays["counts"][entries], dtype=np.float32
        )


class WordScores:
    """What the words of one question are worth for every passage: a mix of its own score and its article's."""

    def __init__(self, keywords: KeywordIndex, question: str, *, passage: float, article: float) -> None:
        found = keywords.scores(question)
        self._ids = keywords.ids
        self._scores = None if found is None else passage * found.passages + article * found.articles

    def of(self, ids: Sequence[int]) -> dict[int, float]:
        """Id of a passage → its score; 0 where no word of the question occurs."""
        if self._scores is None or not ids:
            return dict.fromkeys(ids, 0.0)
        places = np.searchsorted(self._ids, np.array(ids, dtype=np.int64))
        return {number: float(self._scores[place]) for number, place in zip(ids, places, strict=True)}

    def best(self, count: int, among: Collection[int] | None) -> list[tuple[int, float]]:
        """The ids of the `count` best passages with their scores, best first, equal ones by id; none without a word."""
        if self._scores is None:
            return []
        ids, scores = self._ids, self._scores
        if among is not None:
            places = np.searchsorted(ids, np.array(sorted(among), dtype=np.int64))
            ids, scores = ids[places], scores[places]
        held = np.flatnonzero(scores > 0)
        if len(held) > count:
            least = np.partition(scores[held], len(held) - count)[len(held) - count]
            held = held[scores[held] >= least]
        order = held[np.lexsort((ids[held], -scores[held]))][:count]
        return [(int(ids[place]), float(scores[place])) for place in order]


@lru_cache(maxsize=200_000)
def _hashed(word: str) -> int:
    """64 bits stand for a word; that two words of an index fall together is as good as impossible."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _rarity(occurrences: int, total: int) -> float:
    return float(np.log1p((total - occurrences + 0.5) / (occurrences + 0.5)))


def _length_weights(lengths: NDArray[np.float32]) -> NDArray[np.float32]:
    average = float(lengths.mean()) if len(lengths) else 1.0
    weights: NDArray[np.float32] = (K1 * (1 - B + B * lengths / (average or 1.0))).astype(np.float32)
    return weights


def _saturated(counts: _Array, length_weights: _Array) -> _Array:
    saturated: _Array = counts * (K1 + 1) / (counts + length_weights)
    return saturated


def _word_of_entry(arrays: Mapping[str, _Array]) -> _Array:
    sizes = np.diff(arrays["ends"], prepend=0)
    repeated: _Array = np.repeat(arrays["words"], sizes)
    return repeated
