"""What the words of a question say about passages.

Scores are BM25 (Robertson and Zaragoza 2009) over passages and over whole articles, mixed. They are divided by the
weight of the question's words, so that 1 means about "every word of the question, once": scores of short and of long
questions can be compared, and mixed with similarities.

The best passages are found without adding up every word for every passage: once the words that are left could not bring
the others up to the best ones (their scores have a limit, as in Turtle and Flood's MaxScore, 1995), only the passages
that could still be among these are looked at. What comes out is exact.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.keywords import K1, Entry, KeywordIndex
from index.words import words_of

_WORTH_A_LOOK = 50_000
"""Before the passages of a word that is in more than these are gone through, it is asked whether they must be."""

_BLOCK = 256
_ROUNDING = 1e-5  # sums of float32 depend on their order


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the question that occurs, and what it adds to the score of a passage at most, of an article at most."""

    entry: Entry
    limit: float
    article_limit: float


class WordScores:
    """What the words of one question are worth for every passage: a mix of its own score and its article's."""

    def __init__(self, keywords: KeywordIndex, question: str, *, passage: float, article: float) -> None:
        words = list(dict.fromkeys(words_of(question)))
        entries = [entry for word in words if (entry := keywords.entry(word)) is not None]
        passages, articles = len(keywords.ids), len(keywords.sizes)
        rarities = [_rarity(len(entry.places), passages) for entry in entries]
        # A word that occurs nowhere is the rarest of all: an answer to the question would have to hold it.
        total = sum(rarities) + (len(words) - len(entries)) * _rarity(0, passages)
        self._keywords = keywords
        self._words = [
            _Word(
                entry,
                (K1 + 1) * passage * rarity / total,
                (K1 + 1) * article * _rarity(len(entry.article_places), articles) / total,
            )
            for entry, rarity in zip(entries, rarities, strict=True)
        ]
        # The rarest first: it leaves the fewest passages to look at.
        self._words.sort(key=lambda word: len(word.entry.places))
        self._of_articles = np.zeros(articles, dtype=np.float32)
        for word in self._words if article else ():
            places, counts = word.entry.article_places, word.entry.article_counts
            self._of_articles[places] += _worth(counts, keywords.article_weights[places], word.article_limit)

    def of(self, ids: Sequence[int]) -> dict[int, float]:
        """Id of a passage → its score; 0 where no word of the question occurs."""
        if not self._words:
            return dict.fromkeys(ids, 0.0)
        places = np.searchsorted(self._keywords.ids, np.array(ids, dtype=np.int64))
        return dict(zip(ids, self._exact(places).tolist(), strict=True))

    def parts(self, ids: Sequence[int]) -> dict[int, tuple[float, float]]:
        """Id of a passage → what its own words and its article's add to its score, as mixed; together that of `of`."""
        if not self._words:
            return dict.fromkeys(ids, (0.0, 0.0))
        places = np.searchsorted(self._keywords.ids, np.array(ids, dtype=np.int64))
        of_articles = self._of_articles[self._keywords.article_of(places)]
        own = self._exact(places) - of_articles
        return dict(zip(ids, zip(own.tolist(), of_articles.tolist(), strict=True), strict=True))

    def best(self, count: int, among: Collection[int] | None) -> list[tuple[int, float]]:
        """The ids of the `count` best passages with their scores, best first, equal ones by id; none without a word."""
        if not self._words:
            return []
        ids = self._keywords.ids
        allowed = None
        if among is not None:
            allowed = np.searchsorted(ids, np.sort(np.fromiter(among, dtype=np.int64, count=len(among))))
        places = self._promising(count, allowed)
        scores = self._exact(places)
        held = np.flatnonzero(scores > 0)
        order = held[np.lexsort((ids[places[held]], -scores[held]))][:count]
        return [(int(ids[places[position]]), float(scores[position])) for position in order]

    def _exact(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """The scores of the passages at these places."""
        scores: NDArray[np.float32] = self._of_articles[self._keywords.article_of(places)]
        weights = self._keywords.weights[places]
        for word in self._words:
            of_word = word.entry.places
            found = np.minimum(np.searchsorted(of_word, places), len(of_word) - 1)
            held = np.flatnonzero(of_word[found] == places)
            scores[held] += _worth(word.entry.counts[found[held]], weights[held], word.limit)
        return scores

    def _promising(self, count: int, allowed: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """The places of passages, of those `allowed`, of which the `count` best are some."""
        scores = np.repeat(self._of_articles, self._keywords.sizes)
        if allowed is not None:
            others = np.ones(len(scores), dtype=bool)
            others[allowed] = False
            scores[others] = -np.inf
        for done, word in enumerate(self._words):
            places = word.entry.places
            if len(places) > _WORTH_A_LOOK:
                least = _lower_limit(scores, count) - sum(word.limit for word in self._words[done:])
                if least > _ROUNDING:
                    found = np.flatnonzero(scores >= least - _ROUNDING)
                    if 8 * len(found) < len(places):
                        return found
            scores[places] += _worth(word.entry.counts, self._keywords.weights[places], word.limit)
        least = _lower_limit(scores, count) - _ROUNDING
        return np.flatnonzero(scores >= least if least > 0 else scores > 0)


def _rarity(occurrences: int, total: int) -> float:
    return float(np.log1p((total - occurrences + 0.5) / (occurrences + 0.5)))


def _worth(counts: NDArray[np.uint16], length_weights: NDArray[np.float32], limit: float) -> NDArray[np.float32]:
    """What a word adds to texts that hold it so often: nearly `limit` if very often."""
    worth: NDArray[np.float32] = counts.astype(np.float32)
    worth /= worth + length_weights
    worth *= np.float32(limit)
    return worth


def _lower_limit(scores: NDArray[np.float32], count: int) -> float:
    """At most the `count`-th best score, and near it."""
    if len(scores) > _BLOCK * (count + 1):
        # Each block has one such score at least. Looking for the best of each is much quicker than sorting.
        scores = scores[: len(scores) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).max(axis=1)
    if count > len(scores):
        return -np.inf
    return float(np.partition(scores, len(scores) - count)[len(scores) - count])
