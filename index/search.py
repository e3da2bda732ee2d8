"""A saved index, opened to be asked: dense search over passages and sentences, keyword search, fused.

A passage's score is a mix of similarities: half the cosine of the question with the passage, half that with its best
sentence, and the keyword scores of the passage and of its whole article. The likeliest candidates are scored exactly,
whichever search found them.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import numpy as np

from index.embedders import Embedder
from index.errors import IndexDamaged, InputError
from index.filters import Filters, passages_within
from index.library import Library, StoredPassage
from index.manifest import REBUILD_HELP, Manifest, read_manifest
from index.reranking import RERANKED, Reranker
from index.sentences import is_repeat
from index.state import State, open_state, stamp_of
from index.types import Article, Hit, Passage, ScoreParts, Vectors
from index.vector_file import VectorFile
from index.word_scores import WordScores

PASSAGE_CANDIDATES = 60
KEYWORD_CANDIDATES = 60
LIKELY = 64
"""Of the candidates, so many are looked at sentence by sentence: those that are best without it. Among the other third
is hardly ever one of the best twenty (docs/lab-notes.md), and looking them up takes time."""
LOOKED_AT_WHOLE = 2_000
"""A search limited to at most so many passages scores all of them; beyond, the candidates among them."""


@dataclass(frozen=True, slots=True)
class Mix:
    """How much each similarity counts in the score of a passage: that of its vector, of its best sentence's vector, of
    its words and of its article's words; and how much late interaction counts beside all these together. Found on the
    development halves of six public sets (docs/lab-notes.md); around these values little changes."""

    passage: float = 0.5
    sentence: float = 0.5
    passage_words: float = 0.2
    article_words: float = 0.3
    words_late: float = 1.0


DEFAULT_MIX = Mix()

_Read = TypeVar("_Read")


class SavedIndex:
    """An index on disk, as it is now: every call sees the newest state. Safe to use from several threads.

    Open it with `SavedIndex.open`; `close` lets go of its files, as does leaving a `with` block.
    """

    def __init__(self, folder: Path, embedder: Embedder, state: State) -> None:
        self._folder = folder
        self._embedder = embedder
        self._state = state
        self._reranker = Reranker(embedder)
        self._lock = threading.RLock()

    @classmethod
    def open(cls, folder: Path, *, embedder: Embedder) -> Self:
        """The index in `folder`, to be asked with the embedder that made it. Does not load the embedder's
        model.

        Raises IndexMissing, IndexDamaged, or EmbedderMismatch.
        """
        folder = Path(folder).absolute()
        return cls(folder, embedder, open_state(folder, embedder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._state.library.close()

    @property
    def folder(self) -> Path:
        """Where the index lies."""
        return self._folder

    @property
    def embedder(self) -> Embedder:
        """What makes its vectors."""
        return self._embedder

    @property
    def manifest(self) -> Manifest:
        """How the state was made that was last looked at."""
        return self._state.manifest

    def refresh(self) -> bool:
        """Take up the newest state; True if it is another one. Cheap if it is not: one look at the
        manifest's file."""
        with self._lock:
            if stamp_of(self._folder) == self._state.stamp:
                return False
            old, self._state = self._state, open_state(self._folder, self._embedder)
            old.library.close()
            return True

    def articles(self) -> tuple[Article, ...]:
        """All articles, ordered by path."""
        with self._lock:
            self.refresh()
            return self._state.library.articles()

    def article(self, article_id: str) -> Article | None:
        """The article with this id, if it is in the index."""
        with self._lock:
            self.refresh()
            return self._state.library.article(article_id)

    def passages(self, article_id: str) -> tuple[Passage, ...]:
        """The passages of one article, in order; none if the article is not in the index."""
        with self._lock:
            self.refresh()
            library = self._state.library
            stored = library.passages(library.passages_of_articles([article_id]))
        return tuple(sorted((kept.passage for kept in stored.values()), key=lambda passage: passage.start))

    def read(self, reader: Callable[[Library], _Read]) -> _Read:
        """What `reader` finds in the library of the newest state, which it must not keep."""
        with self._lock:
            self.refresh()
            return reader(self._state.library)

    def search(
        self,
        question: str,
        *,
        passages: int = 8,
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
        mix: Mix = DEFAULT_MIX,
    ) -> tuple[Hit, ...]:
        """The best `passages` passages for the question, best first; fewer if the index has fewer.

        `articles` limits the search to the articles with these ids; unknown ones are ignored. `filters` limit it
        further.
        """
        if not question.strip():
            raise InputError("The question is empty.")
        if passages < 1:
            raise InputError(f"passages must be at least 1, not {passages}.")
        vector = self._embedder.embed_question(question)
        deep = max(passages, RERANKED) if mix.words_late else passages
        with self._lock:
            self.refresh()
            state = self._state
            among = passages_within(state.library, articles, filters)
            words = WordScores(state.keywords, question, passage=mix.passage_words, article=mix.article_words)
            if among is not None and len(among) <= LOOKED_AT_WHOLE:
                candidates = among
            else:
                candidates = self._candidates(vector, words, deep, among)
            cosines = _cosines(state.passages, candidates, vector)
            by_words = words.of(candidates)
            if candidates is not among:
                # A passage's own vector stands in for its best sentence's until that is looked up.
                likely = {n: (mix.passage + mix.sentence) * cosines[n] + by_words[n] for n in candidates}
                candidates = sorted(_best(likely, max(LIKELY, deep)))
            stored = state.library.passages(candidates)
            sentence_ids = [sentence for kept in stored.values() for sentence in kept.sentence_ids]
            sentence_cosines = _cosines(state.sentences, sentence_ids, vector)
            best = _best_sentences(stored, sentence_cosines)
            scores = {n: mix.passage * cosines[n] + mix.sentence * best[n] + by_words[n] for n in stored}
            chosen = _best(scores, deep)
            parts = {
                number: ScoreParts(
                    passage=cosines[number],
                    sentence=best[number],
                    passage_words=own / mix.passage_words if mix.passage_words else None,
                    article_words=of_article / mix.article_words if mix.article_words else None,
                )
                for number, (own, of_article) in words.parts(chosen).items()
            }
            hits = self._hits(chosen, stored, scores, sentence_cosines, parts)
        return self._reranker.rerank(question, hits, weight=mix.words_late)[:passages]

    def keyword_search(
        self,
        question: str,
        *,
        passages: int = 8,
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
    ) -> tuple[Hit, ...]:
        """The best passages by their words alone (BM25), without any vector: what the other search is compared with.

        Scores are those of `index.keywords`; `sentence_scores` are empty.
        """
        with self._lock:
            self.refresh()
            library = self._state.library
            among = passages_within(library, articles, filters)
            scores = dict(WordScores(self._state.keywords, question, passage=1.0, article=0.0).best(passages, among))
            return self._hits(list(scores), library.passages(scores), scores, {})

    def _candidates(
        self, vector: Vectors, words: WordScores, passages: int, among: Collection[int] | None = None
    ) -> list[int]:
        """The passages that one of the two searches found, of those `among`."""
        allowed = None if among is None else np.array(among, dtype=np.int64)
        nearest = self._state.store.search(vector, max(PASSAGE_CANDIDATES, passages), among=allowed)
        with_words = words.best(max(KEYWORD_CANDIDATES, passages), among)
        return sorted({number for number, _ in (*nearest, *with_words)})

    def _hits(
        self,
        chosen: Sequence[int],
        stored: Mapping[int, StoredPassage],
        scores: Mapping[int, float],
        sentence_cosines: Mapping[int, float],
        parts: Mapping[int, ScoreParts] | None = None,
    ) -> tuple[Hit, ...]:
        articles: dict[str, Article] = {}
        for number in chosen:
            article_id = stored[number].passage.article_id
            if article_id not in articles:
                articles[article_id] = _required(self._state.library.article(article_id), article_id)
        return tuple(
            Hit(
                stored[number].passage,
                articles[stored[number].passage.article_id],
                scores[number],
                rank,
                tuple(sentence_cosines[item] for item in stored[number].sentence_ids if item in sentence_cosines),
                ScoreParts() if parts is None else parts[number],
            )
            for rank, number in enumerate(chosen, start=1)
        )


def list_articles(folder: Path) -> tuple[Article, ...]:
    """All articles of the index in `folder`, ordered by path; needs no embedder. IndexMissing,
    IndexDamaged."""
    manifest = read_manifest(folder)
    library = Library.open(folder / manifest.library.name)
    try:
        return library.articles()
    finally:
        library.close()


def _best(scores: Mapping[int, float], count: int) -> list[int]:
    """The `count` numbers with the highest scores, best first; of equals the lowest number."""
    return sorted(scores, key=lambda number: (-round(scores[number], 6), number))[:count]


def _cosines(file: VectorFile, ids: list[int], vector: np.ndarray) -> dict[int, float]:
    scores = file.vectors(np.array(ids, dtype=np.int64)) @ vector
    return {number: float(score) for number, score in zip(ids, scores, strict=True)}


def _best_sentences(stored: Mapping[int, StoredPassage], cosines: Mapping[int, float]) -> dict[int, float]:
    """Passage id → its best sentence's cosine, where a sentence that another passage of the article says
    better is not counted.

    So an article that repeats itself fills one place with the repeated sentence, not several.
    """
    sentences = sorted(
        (
            (-cosines[sentence_id], sentence_id, number, sentence.article_id, sentence.text)
            for number, kept in stored.items()
            for sentence_id, sentence in zip(kept.sentence_ids, kept.passage.sentences, strict=True)
        )
    )
    best: dict[int, float] = {}
    said: dict[str, list[tuple[int, str]]] = {}
    for negative, _, number, article_id, text in sentences:
        if number in best:
            continue
        before = said.setdefault(article_id, [])
        repeated = any(
            other != number and (is_repeat(text, words) or is_repeat(words, text)) for other, words in before
        )
        before.append((number, text))
        if not repeated:
            best[number] = -negative
    # A passage of nothing but repeats still has its own cosine; its sentences just add nothing to it.
    return {number: best.get(number, 0.0) for number in stored}


def _required(article: Article | None, article_id: str) -> Article:
    if article is None:
        raise IndexDamaged(f"The index names an article {article_id} that it does not hold.", help=REBUILD_HELP)
    return article
