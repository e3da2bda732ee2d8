"""The nouns of the index: what an article, a sentence, a passage and a hit are.

Offsets are character offsets (Python `str` indices) into `Article.text`, which is the article as it was read:
cleaning never rewrites it, it only names the spans to leave out. So a citation always points at the original.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
"""Embeddings, shape (n, dimension), float32, each row of unit length."""


class Span(NamedTuple):
    """A half-open range of characters, `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One article: its text as read, what is known about it, and which spans of it are not article.

    `title`, `source` (publisher), `author`, `date` (ISO 8601) and `url` are None where the text does not state them;
    `tags` are those that its format names.
    `path` is what people are shown; `location` is the absolute path that it was read from and is unique in an index.
    `pages` are the offsets at which its pages begin; none where its format has no pages.
    """

    id: str
    path: str
    location: str
    text: str
    boilerplate: tuple[Span, ...] = ()
    title: str | None = None
    source: str | None = None
    author: str | None = None
    date: str | None = None
    url: str | None = None
    content_hash: str = ""
    tags: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """The number, from 1, of the page on which this character stands; None where there are no pages."""
        return max(1, bisect_right(self.pages, offset)) if self.pages else None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an article: `article.text[start:end] == text`."""

    article_id: str
    start: int
    end: int
    text: str

    @property
    def span(self) -> Span:
        """Where it stands in the article."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive sentences of one article: `article.text[start:end] == text`.

    `sentences` are the kept sentences inside it, in order; text between them may be boilerplate.
    `id` is its number in the index (FAISS wants 64-bit integers).
    """

    id: int
    article_id: str
    start: int
    end: int
    text: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """What a hit's score was made of, each before its weight; None where a search does not say.

    `passage` and `sentence` are the cosines of the question with the passage and with its best sentence,
    `passage_words` and `article_words` the keyword scores, `words_late` the late interaction (`index/reranking.py`).
    `preference` is what was added afterwards for the time that the question speaks of.
    """

    passage: float | None = None
    sentence: float | None = None
    passage_words: float | None = None
    article_words: float | None = None
    preference: float = 0.0
    words_late: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that search found. Higher `score` is better; `rank` counts from 1.

    `sentence_scores` are cosine similarities of the question with each of `passage.sentences`, in their order.
    `copies` are passages of other articles that say the same nearly word for word, found with a lower score.
    """

    passage: Passage
    article: Article
    score: float
    rank: int
    sentence_scores: tuple[float, ...] = ()
    parts: ScoreParts = ScoreParts()
    copies: tuple["Hit", ...] = ()
