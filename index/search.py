"""A saved index, opened to be asked: dense search over passages and sentences, keyword search, fused.

A passage's score is half the cosine of the question with the passage, half that with its best sentence, plus
a small bonus for keyword rank. All candidates are scored exactly, whichever of the three searches found them.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import numpy as np

from index.build import check_embedder
from index.embedders import Embedder
from index.errors import IndexDamaged, IndexMissing, InputError
from index.filters import Filters, passages_within
from index.library import Library, StoredPassage
from index.manifest import MANIFEST_NAME, REBUILD_HELP, Manifest, read_manifest
from index.sentences import is_repeat
from index.stores import VectorStore, open_store
from index.types import Article, Hit, Passage, Vectors

PASSAGE_CANDIDATES = 30
SENTENCE_CANDIDATES = 60
KEYWORD_CANDIDATES = 30
LOOKED_AT_WHOLE = 2_000
"""A search limited to at most so many passages scores all of them; beyond, the candidates among them."""

PASSAGE_WEIGHT = 0.5
SENTENCE_WEIGHT = 0.5
KEYWORD_WEIGHT = 0.1
"""The bonus of the best keyword match; the second best gets half of it, the third a third, and so on."""

_Read = TypeVar("_Read")


class _Stamp(NamedTuple):
    """What changes about a manifest file when it is replaced."""

    modified_ns: int
    size: int
    inode: int


@dataclass(frozen=True, slots=True)
class _State:
    """One generation, opened."""

    stamp: _Stamp
    manifest: Manifest
    library: Library
    passages: VectorStore
    sentences: VectorStore


class SavedIndex:
    """An index on disk, as it is now: every call sees the newest state. Safe to use from several threads.

    Open it with `SavedIndex.open`; `close` lets go of its files, as does leaving a `with` block.
    """

    def __init__(self, folder: Path, embedder: Embedder, state: _State) -> None:
        self._folder = folder
        self._embedder = embedder
        self._state = state
        self._lock = threading.RLock()

    @classmethod
    def open(cls, folder: Path, *, embedder: Embedder) -> Self:
        """The index in `folder`, to be asked with the embedder that made it. Does not load the embedder's
        model.

        Raises IndexMissing, IndexDamaged, or EmbedderMismatch.
        """
        folder = Path(folder).absolute()
        return cls(folder, embedder, _open_state(folder, embedder))

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
    def manifest(self) -> Manifest:
        """How the state was made that was last looked at."""
        return self._state.manifest

    def refresh(self) -> bool:
        """Take up the newest state; True if it is another one. Cheap if it is not: one look at the
        manifest's file."""
        with self._lock:
            if _stamp(self._folder) == self._state.stamp:
                return False
            old, self._state = self._state, _open_state(self._folder, self._embedder)
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
        with self._lock:
            self.refresh()
            state = self._state
            among = passages_within(state.library, articles, filters)
            keywords = state.library.keyword_search(question, max(KEYWORD_CANDIDATES, passages), among=among)
            keyword_rank = {number: rank for rank, (number, _) in enumerate(keywords, start=1)}
            if among is not None and len(among) <= LOOKED_AT_WHOLE:
                candidates = among
            else:
                candidates = self._candidates(vector, keyword_rank, passages, among)
            stored = state.library.passages(candidates)
            cosines = _cosines(state.passages, candidates, vector)
            sentence_ids = [sentence for kept in stored.values() for sentence in kept.sentence_ids]
            sentence_cosines = _cosines(state.sentences, sentence_ids, vector)
            best = _best_sentences(stored, sentence_cosines)
            scores = {
                number: PASSAGE_WEIGHT * cosines[number]
                + SENTENCE_WEIGHT * best[number]
                + (KEYWORD_WEIGHT / keyword_rank[number] if number in keyword_rank else 0.0)
                for number in stored
            }
            chosen = sorted(scores, key=lambda number: (-round(scores[number], 6), number))[:passages]
            return self._hits(chosen, stored, scores, sentence_cosines)

    def keyword_search(
        self,
        question: str,
        *,
        passages: int = 8,
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
    ) -> tuple[Hit, ...]:
        """The best passages by their words alone (BM25), without any vector: what the other search is compared with.

        Scores are BM25's; `sentence_scores` are empty.
        """
        with self._lock:
            self.refresh()
            library = self._state.library
            among = passages_within(library, articles, filters)
            scores = dict(library.keyword_search(question, passages, among=among))
            return self._hits(list(scores), library.passages(scores), scores, {})

    def _candidates(
        self, vector: Vectors, keyword_rank: Mapping[int, int], passages: int, among: Collection[int] | None = None
    ) -> list[int]:
        """The passages that one of the three searches found, of those `among`."""
        state = self._state
        wanted = max(PASSAGE_CANDIDATES, passages)
        allowed = None if among is None else frozenset(among)
        depth = 1
        while True:
            nearest = {number for number, _ in state.passages.search(vector, depth * wanted)}
            near_sentences = [number for number, _ in state.sentences.search(vector, depth * SENTENCE_CANDIDATES)]
            found = nearest | set(state.library.passages_of_sentences(near_sentences).values())
            if allowed is None:
                return sorted(found | set(keyword_rank))
            # Stores know no limits: they are asked for more until enough of the nearest are among the allowed.
            if len(nearest & allowed) >= wanted or depth * wanted >= len(state.passages):
                return sorted(found & allowed | set(keyword_rank))
            depth *= 4

    def _hits(
        self,
        chosen: Sequence[int],
        stored: Mapping[int, StoredPassage],
        scores: Mapping[int, float],
        sentence_cosines: Mapping[int, float],
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


def _cosines(store: VectorStore, ids: list[int], vector: np.ndarray) -> dict[int, float]:
    scores = store.vectors(np.array(ids, dtype=np.int64)) @ vector
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


def _stamp(folder: Path) -> _Stamp:
    try:
        status = (folder / MANIFEST_NAME).stat()
    except OSError:
        raise IndexMissing(f"There is no index at {folder}.", help="`byline index add <folder>` makes one.") from None
    return _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


def _open_state(folder: Path, embedder: Embedder) -> _State:
    """The current generation; if it was replaced twice while being opened, the one that replaced it."""
    while True:
        stamp = _stamp(folder)
        try:
            return _opened(folder, stamp, embedder)
        except IndexDamaged:
            if _stamp(folder) == stamp:
                raise


def _opened(folder: Path, stamp: _Stamp, embedder: Embedder) -> _State:
    manifest = read_manifest(folder)
    check_embedder(manifest, embedder)
    passages = open_store(manifest.store, folder / manifest.passage_vectors.name)
    sentences = open_store(manifest.store, folder / manifest.sentence_vectors.name)
    library = Library.open(folder / manifest.library.name)
    try:
        counted = (*library.counts(), len(passages), len(sentences), passages.dimension, sentences.dimension)
        counts = (manifest.passage_count, manifest.sentence_count)
        if counted != (manifest.article_count, *counts, *counts, manifest.dimension, manifest.dimension):
            raise IndexDamaged(f"The files of the index at {folder} do not agree with its manifest.", help=REBUILD_HELP)
    except BaseException:
        library.close()
        raise
    return _State(stamp, manifest, library, passages, sentences)
