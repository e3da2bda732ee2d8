"""Which passages, and which articles, hold a word, and how often: an inverted index in one file of NumPy arrays.

It is memory-mapped and never changed: a new state is merged from the old one and the passages that came, without
reading any text again. `index.word_scores` makes scores of it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
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

_MAGIC = b"BYLINEKW2"
_MOST_OF_A_WORD = 65_535
_Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One word: the places of the passages that hold it, ascending, and how often each does; the same of articles."""

    places: NDArray[np.int32]
    counts: NDArray[np.uint16]
    article_places: NDArray[np.int32]
    article_counts: NDArray[np.uint16]


class KeywordIndex:
    """Words of passages, and of the articles that they belong to. Made with `build`, `merged` or `open`.

    `ids` are the passages' ids, ascending; `articles` the number of each passage's article, whose passages stand
    together. A place is a position in these. `sizes` says how many passages each article has, `weights` and
    `article_weights` how much BM25 holds their lengths against them.
    """

    def __init__(self, arrays: Mapping[str, _Array]) -> None:
        self._arrays = dict(arrays)
        self.ids: NDArray[np.int64] = arrays["ids"]
        self.articles: NDArray[np.int64] = arrays["articles"]
        self._firsts = firsts = _first_of_each(self.articles)
        self.sizes: NDArray[np.int64] = np.diff(firsts, append=len(self.ids))
        lengths = np.asarray(arrays["lengths"], dtype=np.int64)
        self.weights = _length_weights(lengths)
        self.article_weights = _length_weights(np.add.reduceat(lengths, firsts) if len(firsts) else lengths)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def build(cls, passages: Iterable[tuple[int, int, str]]) -> Self:
        """An index of (passage id, article number, text); ids must ascend, the passages of an article follow each
        other."""
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
            _with_articles(
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
        )

    def merged(self, other: "KeywordIndex", *, without: Collection[int] = ()) -> "KeywordIndex":
        """This index without the passages in `without`, and `other`, of other articles, behind it; the ids of `other`
        must be higher."""
        kept = ~np.isin(self.ids, np.fromiter(without, dtype=np.int64, count=len(without)))
        place_of = np.cumsum(kept) - 1
        entries = kept[self._arrays["places"]]
        words = np.concatenate([_word_of_entry(self._arrays)[entries], _word_of_entry(other._arrays)])
        places = np.concatenate(
            [place_of[self._arrays["places"][entries]], other._arrays["places"].astype(np.int64) + int(kept.sum())]
        )
        counts = np.concatenate([self._arrays["counts"][entries], other._arrays["counts"]])
        # Places ascend within each of the two indexes and from one to the other, so they stay in order by themselves;
        # of two sequences in order such a sort makes one in a single pass.
        order = np.argsort(words, kind="stable")
        vocabulary, firsts = np.unique(words[order], return_index=True)
        return KeywordIndex(
            _with_articles(
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
        )

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

    def article_of(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The position of each passage's article in `sizes`."""
        found: NDArray[np.int64] = np.searchsorted(self._firsts, places, side="right") - 1
        return found

    def entry(self, word: str) -> "Entry | None":
        """Where the word occurs; None if it does not."""
        hashed = np.uint64(_hashed(word))
        words = self._arrays["words"]
        place = int(np.searchsorted(words, hashed))
        if place == len(words) or words[place] != hashed:
            return None
        columns = []
        for ends, names in (("ends", ("places", "counts")), ("article_ends", ("article_places", "article_counts"))):
            part = slice(int(self._arrays[ends][place - 1]) if place else 0, int(self._arrays[ends][place]))
            columns += [np.asarray(self._arrays[name][part]) for name in names]
        return Entry(*columns)


@lru_cache(maxsize=200_000)
def _hashed(word: str) -> int:
    """64 bits stand for a word; that two words of an index fall together is as good as impossible."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _with_articles(arrays: dict[str, _Array]) -> dict[str, _Array]:
    """The arrays, and with them those of articles: the counts of their passages added up, word by word."""
    firsts = _first_of_each(arrays["articles"])
    article_of = np.zeros(len(arrays["articles"]), dtype=np.int32)
    article_of[firsts[1:]] = 1
    of_entries = np.cumsum(article_of, dtype=np.int32)[arrays["places"]]
    begins = np.ones(len(of_entries), dtype=bool)
    np.not_equal(of_entries[1:], of_entries[:-1], out=begins[1:])
    begins[arrays["ends"][:-1]] = True
    places = np.flatnonzero(begins)
    counts = np.add.reduceat(arrays["counts"], places, dtype=np.int32) if len(places) else places
    return {
        **arrays,
        "article_ends": np.searchsorted(places, arrays["ends"]).astype(np.int64),
        "article_places": of_entries[places],
        "article_counts": np.minimum(counts, _MOST_OF_A_WORD).astype(np.uint16),
    }


def _first_of_each(articles: _Array) -> NDArray[np.int64]:
    """The place of the first passage of each article."""
    return np.flatnonzero(np.append(True, articles[1:] != articles[:-1])[: len(articles)])


def _length_weights(lengths: _Array) -> NDArray[np.float32]:
    average = float(lengths.mean()) if len(lengths) else 1.0
    weights: NDArray[np.float32] = (K1 * (1 - B + B * lengths / (average or 1.0))).astype(np.float32)
    return weights


def _word_of_entry(arrays: Mapping[str, _Array]) -> _Array:
    sizes = np.diff(arrays["ends"], prepend=0)
    repeated: _Array = np.repeat(arrays["words"], sizes)
    return repeated
