"""What is in a saved index, read without an embedder."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError
from index.manifest import MANIFEST_NAME, read_manifest
from index.search import list_articles
from index.types import Article


@dataclass(frozen=True, slots=True)
class ArticleStatus:
    """An article of the index; `present` says whether its file is still where it was read."""

    id: str
    path: str
    location: str
    title: str | None
    source: str | None
    author: str | None
    date: str | None
    present: bool


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """A saved index at one moment. `updated` is ISO 8601 in UTC."""

    folder: str
    embedder: str
    passages: int
    sentences: int
    generation: int
    updated: str
    articles: tuple[ArticleStatus, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def has_index(folder: Path) -> bool:
    """Whether there is an index in `folder`, whatever its state."""
    return (folder / MANIFEST_NAME).exists()


def read_status(folder: Path) -> IndexStatus:
    """The state of the index in `folder`. Raises IndexMissing or IndexDamaged."""
    manifest = read_manifest(folder)
    return IndexStatus(
        folder=str(folder),
        embedder=manifest.embedder,
        passages=manifest.passage_count,
        sentences=manifest.sentence_count,
        generation=manifest.generation,
        updated=manifest.updated,
        articles=tuple(
            ArticleStatus(
                id=article.id,
                path=article.path,
                location=article.location,
                title=article.title,
                source=article.source,
                author=article.author,
                date=article.date,
                present=Path(article.location).exists(),
            )
            for article in list_articles(folder)
        ),
    )


def read_stored_article(folder: Path, article_id: str) -> Article:
    """One article as stored. Raises InputError if the index has none with that id."""
    for article in list_articles(folder):
        if article.id == article_id:
            return article
    raise InputError(f"There is no article {article_id!r} in {folder}.", help="byline index status")
