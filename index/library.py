"""The texts of an index in one SQLite file: articles, passages, sentences, and the words of passages to
search by.

Passages and sentences are stored as spans of their article's text. Their row ids are the ids of their
vectors, and are never given twice. Knows nothing about vectors.
"""

import json
import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from index.errors import IndexDamaged
from index.layout import UNSPACED
from index.types import Article, Passage, Sentence, Span

_SCHEMA = """
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL,
    location TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL, title TEXT, source TEXT, author TEXT, date TEXT, url TEXT, content_hash TEXT NOT NULL
) STRICT;
CREATE TABLE boilerplate (
    article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL
) STRICT;
CREATE INDEX boilerplate_of_article ON boilerplate (article);
CREATE TABLE tags (article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE, tag TEXT NOT NULL) STRICT;
CREATE INDEX tags_of_article ON tags (article);
CREATE INDEX articles_of_tag ON tags (tag);
-- Articles with writing without spaces, whose words the table of words does not tell apart.
CREATE TABLE unspaced (article INTEGER PRIMARY KEY REFERENCES articles ON DELETE CASCADE) STRICT;
CREATE INDEX articles_by_date ON articles (date, source, id);
CREATE INDEX articles_by_source ON articles (source, date, id);
CREATE INDEX articles_by_author ON articles (author);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL
) STRICT;
CREATE INDEX passages_of_article ON passages (article);
CREATE TABLE sentences (
    id INTEGER PRIMARY KEY AUTOINCREMENT, passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL
) STRICT;
CREATE INDEX sentences_of_passage ON sentences (passage);
CREATE VIRTUAL TABLE passage_words USING fts5 (words, tokenize = 'porter unicode61 remove_diacritics 2');
"""
_PAGES_SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (
    article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE, start INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS pages_of_article ON pages (article);
"""
"""Libraries of earlier versions lack it: they are read without pages, and copies of them get it."""
_ARTICLE_COLUMNS = "id, path, location, text, title, source, author, date, url, content_hash"
_TAGS = "(SELECT json_group_array(tag) FROM (SELECT tag FROM tags WHERE article = number ORDER BY rowid))"
_PAGES = "(SELECT json_group_array(start) FROM (SELECT start FROM pages WHERE article = number ORDER BY rowid))"
_MOST_VARIABLES = 500  # SQLite allows 999 in old builds
_Id = TypeVar("_Id", int, str)


class StoredPassage(NamedTuple):
    """A numbered passage and the ids of its sentences, in their order."""

    passage: Passage
    sentence_ids: tuple[int, ...]


class StoredIds(NamedTuple):
    """The ids of vectors that belong to an article."""

    passages: tuple[int, ...]
    sentences: tuple[int, ...]


class _Part(NamedTuple):
    """A part of an article's text that begins at `first`."""

    article_id: str
    first: int
    text: str

    def between(self, start: int, end: int) -> str:
        return self.text[start - self.first : end - self.first]


class Library:
    """One SQLite file of articles. Open it to read, or create or copy it to write; close it.

    Not safe for use from several threads at once, but it may pass from one to another. An unreadable file is
    IndexDamaged.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new, empty library to write to."""
        library = cls(_writable(path), path)
        library._connection.executescript(_SCHEMA + _PAGES_SCHEMA)
        return library

    @classmethod
    def copy(cls, source: Path, path: Path) -> Self:
        """A copy of the library at `source`, to write to."""
        connection = _writable(path)
        library = cls(connection, path)
        try:
            with closing(_readable(source)) as original:
                original.backup(connection)
        except sqlite3.DatabaseError as error:
            library.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise
            raise IndexDamaged(f"{source} cannot be read: {error}.") from error
        connection.executescript(_PAGES_SCHEMA)
        return library

    @classmethod
    def open(cls, path: Path) -> Self:
        """The library at `path`, to read. Its file must not change any more."""
        connection = _readable(path)
        library = cls(connection, path)
        try:
            library.counts()
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def commit(self) -> None:
        """Make what was written part of the file."""
        self._connection.commit()

    def counts(self) -> tuple[int, int, int]:
        """How many articles, passages and sentences there are."""
        row = self._rows(
            "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages), (SELECT count(*) FROM sentences)"
        )[0]
        return int(row[0]), int(row[1]), int(row[2])

    def articles(self) -> tuple[Article, ...]:
        """All articles, ordered by path."""
        return self._articles("ORDER BY path, id", ())

    def article(self, article_id: str) -> Article | None:
        """The article with this id, if there is one."""
        found = self._articles("WHERE id = ?", (article_id,))
        return found[0] if found else None

    def select(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over the tables above; for modules that ask for more than texts (see `filters`)."""
        return self._rows(query, values)

    def names(self) -> tuple[tuple[str, str, str], ...]:
        """(id, path, location) of all articles, ordered by path."""
        return tuple(
            (str(a), str(b), str(c))
            for a, b, c in self._rows("SELECT id, path, location FROM articles ORDER BY path, id")
        )

    def content_hashes(self) -> dict[str, str]:
        """Location → SHA-256 of the bytes that were read there, of all articles."""
        return dict(self._rows("SELECT location, content_hash FROM articles ORDER BY location"))

    def passages(self, ids: Iterable[int]) -> dict[int, StoredPassage]:
        """The passages with these ids; unknown ids are left out."""
        wanted = list(ids)
        found: dict[int, StoredPassage] = {}
        for some in _slices(wanted):
            marks = ",".join("?" * len(some))
            sentences: dict[int, list[tuple[int, int, int]]] = {}
            for number, *span in self._rows(
                f'SELECT passage, id, start, "end" FROM sentences WHERE passage IN ({marks}) ORDER BY start',
                some,
            ):
                sentences.setdefault(number, []).append((span[0], span[1], span[2]))
            parts = self._parts(some)
            for number, article, start, end in self._rows(
                f'SELECT id, article, start, "end" FROM passages WHERE id IN ({marks})', some
            ):
                found[number] = _stored_passage(number, parts[article], start, end, sentences.get(number, []))
        return {number: found[number] for number in wanted if number in found}

    def passages_of_articles(self, article_ids: Iterable[str]) -> list[int]:
        """The ids of all passages of these articles, in order; unknown articles have none."""
        found: list[int] = []
        for some in _slices(list(article_ids)):
            marks = ",".join("?" * len(some))
            query = f"SELECT p.id FROM passages p JOIN articles a ON a.number = p.article WHERE a.id IN ({marks})"
            found += [number for (number,) in self._rows(query, some)]
        return sorted(found)

    def add(self, article: Article, passages: Sequence[Passage], words: Sequence[str]) -> tuple[StoredPassage, ...]:
        """Store an article with its passages, and give these their numbers. `words[i]` is searched for
        passage i."""
        cursor = self._connection.execute(
            f"INSERT INTO articles ({_ARTICLE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(article.id, article.path, article.location, article.text, article.title, article.source),
                *(article.author, article.date, article.url, article.content_hash),
            ),
        )
        number = cursor.lastrowid
        self._connection.executemany(
            "INSERT INTO boilerplate VALUES (?, ?, ?)", [(number, *span) for span in article.boilerplate]
        )
        self._connection.executemany("INSERT INTO tags VALUES (?, ?)", [(number, tag) for tag in article.tags])
        self._connection.executemany("INSERT INTO pages VALUES (?, ?)", [(number, start) for start in article.pages])
        if UNSPACED.search(unicodedata.normalize("NFC", article.text)):
            self._connection.execute("INSERT INTO unspaced VALUES (?)", (number,))
        return tuple(self._add_passage(number, passage, text) for passage, text in zip(passages, words, strict=True))

    def remove(self, article_id: str) -> StoredIds:
        """Delete an article and all that belongs to it; the ids of its vectors come back."""
        passages = self._rows(
            "SELECT p.id FROM passages p JOIN articles a ON a.number = p.article WHERE a.id = ? ORDER BY p.id",
            (article_id,),
        )
        sentences = self._rows(
            "SELECT s.id FROM sentences s JOIN passages p ON p.id = s.passage"
            " JOIN articles a ON a.number = p.article WHERE a.id = ? ORDER BY s.id",
            (article_id,),
        )
        self._connection.executemany("DELETE FROM passage_words WHERE rowid = ?", passages)
        self._connection.execute("DELETE FROM articles WHERE id = ?", (article_id,))
        return StoredIds(tuple(row[0] for row in passages), tuple(row[0] for row in sentences))

    def _add_passage(self, article_number: int | None, passage: Passage, words: str) -> StoredPassage:
        execute = self._connection.execute
        number = execute(
            'INSERT INTO passages (article, start, "end") VALUES (?, ?, ?)',
            (article_number, passage.start, passage.end),
        ).lastrowid
        if number is None:
            raise IndexDamaged(f"{self._path} gave a passage no number.")
        execute("INSERT INTO passage_words (rowid, words) VALUES (?, ?)", (number, words))
        sentence_ids = []
        for sentence in passage.sentences:
            sentence_id = execute(
                'INSERT INTO sentences (passage, start, "end") VALUES (?, ?, ?)',
                (number, sentence.start, sentence.end),
            ).lastrowid
            sentence_ids.append(int(sentence_id or 0))
        return StoredPassage(replace(passage, id=number), tuple(sentence_ids))

    def _articles(self, condition: str, values: Sequence[str]) -> tuple[Article, ...]:
        pages = _PAGES if self._rows("SELECT 1 FROM sqlite_master WHERE name = 'pages'") else "'[]'"
        rows = self._rows(f"SELECT number, {_ARTICLE_COLUMNS}, {_TAGS}, {pages} FROM articles {condition}", values)
        if len(rows) == 1:
            spans = self._rows(
                'SELECT article, start, "end" FROM boilerplate WHERE article = ? ORDER BY start',
                (rows[0][0],),
            )
        else:
            spans = self._rows('SELECT article, start, "end" FROM boilerplate ORDER BY start')
        boilerplate: dict[int, list[Span]] = {}
        for number, start, end in spans:
            boilerplate.setdefault(number, []).append(Span(start, end))
        return tuple(
            replace(
                Article(row[1], row[2], row[3], row[4], tuple(boilerplate.get(row[0], ())), *row[5:11]),
                tags=tuple(json.loads(row[11])),
                pages=tuple(json.loads(row[12])),
            )
            for row in rows
        )

    def _parts(self, passages: list[int]) -> dict[int, _Part]:
        """Article number → the part of its text that holds these passages. A long article is not read as a whole."""
        marks = ",".join("?" * len(passages))
        rows = self._rows(
            "SELECT number, id, first, substr(text, first + 1, last - first)"
            ' FROM (SELECT article, min(start) AS first, max("end") AS last'
            f" FROM passages WHERE id IN ({marks}) GROUP BY article) JOIN articles ON number = article",
            passages,
        )
        return {number: _Part(article_id, first, text) for number, article_id, first, text in rows}

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(f"{self._path} cannot be read: {error}.") from error


def _stored_passage(
    number: int, part: _Part, start: int, end: int, sentences: list[tuple[int, int, int]]
) -> StoredPassage:
    article_id = part.article_id
    kept = tuple(Sentence(article_id, first, last, part.between(first, last)) for _, first, last in sentences)
    passage = Passage(number, article_id, start, end, part.between(start, end), kept)
    return StoredPassage(passage, tuple(sentence_id for sentence_id, _, _ in sentences))


def _slices(ids: list[_Id]) -> Iterable[list[_Id]]:
    return (ids[start : start + _MOST_VARIABLES] for start in range(0, len(ids), _MOST_VARIABLES))


def _writable(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    # A file that no manifest names yet needs no journal: after a crash it is thrown away.
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;")
    return connection


def _readable(path: Path) -> sqlite3.Connection:
    # Immutable: no lock and no journal beside a file that nobody changes.
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        return sqlite3.connect(address, uri=True, check_same_thread=False)
    except sqlite3.DatabaseError as error:
        raise IndexDamaged(f"{path} cannot be opened: {error}.") from error
