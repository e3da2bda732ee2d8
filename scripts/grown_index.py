"""A large index made of a real one, for measurements: its articles again and again, as other articles.

Texts, spans and words are those of the real articles. Every copy of a vector but the first is moved into a direction of
its own: by half its length and more, so that copies are about as near each other (cosine 0.74) as related passages are.
Nothing is embedded. The table of words for exact questions, which search does not look at, stays empty.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.keywords import KeywordIndex, _with_articles
from index.library import Library
from index.manifest import Manifest, StoredFile, read_manifest, write_manifest
from index.store_making import made_store
from index.vector_file import VectorFile, VectorWriter

MOVED_BY = 0.6
"""Length of the random step, the vector's own being 1; the result has length 1 again."""

_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Grown:
    """A grown index: its manifest, and how many seconds its store of passages took (training included)."""

    manifest: Manifest
    store_s: float


@dataclass(frozen=True, slots=True)
class _Rows:
    """The first rows of a table that are taken over from each copy: so many of `per_copy`, but of the last `rest`."""

    per_copy: int
    copies: int
    rest: int

    def of(self, copy: int) -> int:
        return self.per_copy if copy < self.copies else self.rest


def grow(base: Path, folder: Path, size: int) -> Grown:
    """Write an index of at least `size` passages, by less than an article more, to `folder`. `base` must have been
    made in one run, so that its numbers have no gaps."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = read_manifest(base)
    copies, left = divmod(size, manifest.passage_count)
    with closing(sqlite3.connect(f"file:{base / manifest.library.name}?mode=ro", uri=True)) as source:
        rest = _rest(source, left)
    every = (manifest.article_count, manifest.passage_count, manifest.sentence_count)
    rows = [_Rows(count, copies, part) for count, part in zip(every, rest, strict=True)]
    paths = {name: folder / getattr(manifest, name).name for name in ("library", "keywords", "passage_store")}
    locations = _copy_library(base / manifest.library.name, paths["library"], rows)
    KeywordIndex(_keywords(KeywordIndex.open(base / manifest.keywords.name), rows[1])).save(paths["keywords"])
    for name, of in (("passage_vectors", rows[1]), ("sentence_vectors", rows[2])):
        paths[name] = folder / getattr(manifest, name).name
        _copy_vectors(VectorFile.open(base / paths[name].name), paths[name], of)
    began = time.perf_counter()
    made = made_store(VectorFile.open(paths["passage_vectors"]), before=None, gone=(), new=())
    store_s = time.perf_counter() - began
    made.store.save(paths["passage_store"])
    counts = [row.per_copy * copies + row.rest for row in rows]
    files: dict[str, Any] = {name: StoredFile(path.name, path.stat().st_size) for name, path in paths.items()}
    grown = replace(
        manifest,
        **files,
        store=made.kind,
        store_made_for=made.made_for,
        articles=locations,
        article_count=counts[0],
        passage_count=counts[1],
        sentence_count=counts[2],
    )
    write_manifest(folder, grown)
    return Grown(grown, store_s)


def _rest(source: sqlite3.Connection, passages: int) -> tuple[int, int, int]:
    """How many articles have so many passages together, at least, and how many passages and sentences they have."""
    if not passages:
        return 0, 0, 0
    (article,) = source.execute("SELECT article FROM passages WHERE id = ?", (passages,)).fetchone()
    (passage,) = source.execute("SELECT max(id) FROM passages WHERE article = ?", (article,)).fetchone()
    (sentence,) = source.execute("SELECT max(id) FROM sentences WHERE passage <= ?", (passage,)).fetchone()
    return article, passage, sentence


def _copy_library(source: Path, path: Path, rows: list[_Rows]) -> dict[str, str]:
    """Write the articles of all copies; their locations and hashes come back."""
    Library.create(path).close()
    with closing(sqlite3.connect(path)) as library:
        library.execute("ATTACH ? AS base", (source.as_posix(),))
        for copy in range(rows[0].copies + 1):
            article, passage, sentence = (row.per_copy * copy for row in rows)
            last = [row.of(copy) for row in rows]
            library.execute(
                "INSERT INTO articles SELECT number + ?, substr(id, 1, 8) || printf('%04x', ?), path,"
                " location || '#' || ?, text, title, source, author, date, url, content_hash"
                " FROM base.articles WHERE number <= ? ORDER BY number",
                (article, copy, copy, last[0]),
            )
            library.execute(
                'INSERT INTO passages SELECT id + ?, article + ?, start, "end" FROM base.passages WHERE id <= ?',
                (passage, article, last[1]),
            )
            library.execute(
                'INSERT INTO sentences SELECT id + ?, passage + ?, start, "end" FROM base.sentences WHERE id <= ?',
                (sentence, passage, last[2]),
            )
        library.commit()
        return dict(library.execute("SELECT location, content_hash FROM articles"))


def _keywords(base: KeywordIndex, rows: _Rows) -> dict[str, NDArray[Any]]:
    arrays = base._arrays
    words = np.repeat(np.arange(len(arrays["words"])), np.diff(arrays["ends"], prepend=0))
    copies = [(copy, rows.of(copy)) for copy in range(rows.copies + 1)]
    taken = [np.flatnonzero(arrays["places"] < last) for _, last in copies]
    order = np.argsort(np.concatenate([words[entries] for entries in taken]), kind="stable")
    counted = sum(np.bincount(words[entries], minlength=len(arrays["words"])) for entries in taken)
    places = [
        arrays["places"][entries] + copy * rows.per_copy for (copy, _), entries in zip(copies, taken, strict=True)
    ]
    kept = np.flatnonzero(counted)
    return _with_articles(
        {
            "ids": np.concatenate([base.ids[:last] + copy * rows.per_copy for copy, last in copies]),
            "articles": np.concatenate([(base.articles[:last] >> 16 << 16) + copy for copy, last in copies]),
            "lengths": np.concatenate([arrays["lengths"][:last] for _, last in copies]),
            "words": arrays["words"][kept],
            "ends": np.cumsum(counted)[kept],
            "places": np.concatenate(places).astype(np.int32)[order],
            "counts": np.concatenate([arrays["counts"][entries] for entries in taken])[order],
        }
    )


def _copy_vectors(source: VectorFile, path: Path, rows: _Rows) -> None:
    random = np.random.default_rng(len(source))
    with VectorWriter(path, source.dimension) as writer:
        for copy in range(rows.copies + 1):
            for start in range(0, rows.of(copy), _AT_ONCE):
                part = slice(start, min(start + _AT_ONCE, rows.of(copy)))
                vectors = source.rows(part)
                if copy:
                    step = random.standard_normal(vectors.shape, dtype=np.float32)
                    vectors = vectors + step * np.float32(MOVED_BY / source.dimension**0.5)
                    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
                writer.append(source.ids[part] + copy * rows.per_copy, source.keys[part], vectors)
