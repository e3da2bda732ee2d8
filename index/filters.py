"""Which articles a search may look at: by id, publisher, tag and date. Read from the library without any text.

Publishers are compared by what people hear, not by how they are written: case, accents, spaces and punctuation do
not count, nor does a leading "the" or a web ending, so "CNBC" finds "CNBC.com", and "FOX News" finds "FOX News -
Health". "Times" does not find "Daily Times".
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from index.errors import InputError

if TYPE_CHECKING:
    from index.library import Library

_ISO_DATE = re.compile("([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_AFTER_EVERY_DATE = "~"  # sorts after every digit and "-": "2018~" comes after every day of 2018
_WEB_ADDRESS = re.compile(r"^(?:https?://)?(?:www\.)?|(?<=\w)\.(?:com?|org|net|info|news|tv|io)(?:\.[a-z]{2})?/?$")
_ACCENTS = re.compile("[\u0300-\u036f]")
_LEADING_THE = re.compile(r"^the\s+(?=\S)")
_SECTION = re.compile(r"\s[|–—-]\s.*|\s*\(.*", re.DOTALL)
_KNOWN_NAMES = """
WITH RECURSIVE known (name) AS (
    SELECT min({column}) FROM {table}
    UNION ALL SELECT (SELECT min({column}) FROM {table} WHERE {column} > name) FROM known WHERE name IS NOT NULL
) SELECT name FROM known WHERE name IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """What an article must be like. What is left out does not limit.

    `articles` are ids; unknown ones are ignored. One of `sources` must be its publisher, one of `tags` a tag of it.
    `since` and `until` are "2018", "2018-07" or "2018-07-19", both included. Where an article's own date is only a
    month or year, it passes if it may lie in the range. With `undated`, articles without a date pass as well.

    Raises InputError for a date of another form, a range that ends before it begins, or a text in place of a list.
    """

    articles: tuple[str, ...] | None = None
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    undated: bool = False

    def __post_init__(self) -> None:
        for name in ("articles", "sources", "tags"):
            value: Any = getattr(self, name)
            if value is None and name == "articles":
                continue
            if not isinstance(value, tuple | list) or not all(isinstance(item, str) for item in value):
                raise InputError(f"The filter {name} must be a list of texts, not {value!r}.")
            object.__setattr__(self, name, tuple(value))
        for name in ("since", "until"):
            _check_date(getattr(self, name), name)
        if self.since and self.until and self.since > self.until + _AFTER_EVERY_DATE:
            raise InputError(f"The dates since {self.since} until {self.until} end before they begin.")
        if not isinstance(self.undated, bool):
            raise InputError(f"The filter undated must be true or false, not {self.undated!r}.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Filters":
        """Filters of plain values, as they come as JSON. InputError for unknown names too."""
        known = [field.name for field in fields(cls)]
        if unknown := sorted(str(name) for name in set(values) - set(known)):
            raise InputError(f"Unknown filters: {', '.join(unknown)}.", help=f"Known are {', '.join(known)}.")
        return cls(**values)

    def limited_to(self, articles: Collection[str] | None) -> "Filters":
        """These filters, and only the articles with these ids; None limits nothing."""
        if articles is None:
            return self
        allowed = None if self.articles is None else frozenset(self.articles)
        return replace(self, articles=tuple(item for item in articles if allowed is None or item in allowed))

    @property
    def limits(self) -> bool:
        """Whether any article could fail to pass."""
        return self.articles is not None or bool(self.sources or self.tags or self.dated)

    @property
    def dated(self) -> bool:
        """Whether the date counts."""
        return bool(self.since or self.until)


def may_lie_in(day: str, since: str | None, until: str | None) -> bool:
    """Whether an ISO date, perhaps without day or month, may lie between two such dates, both included."""
    return (since is None or day >= since[: len(day)]) and (until is None or day <= until + _AFTER_EVERY_DATE)


def matching_articles(library: "Library", filters: Filters, *, authors: Collection[str] | None = None) -> list[str]:
    """The ids of the articles that pass, in no particular order; with `authors`, only theirs (as stored)."""
    condition, values = _condition(library, filters)
    if authors is not None:
        condition, values = f"{condition} AND {_among('a.author')}", [*values, json.dumps(list(authors))]
    return [identity for (identity,) in library.select(f"SELECT a.id FROM articles a WHERE {condition}", values)]


def count_articles(library: "Library", filters: Filters) -> int:
    """How many articles pass."""
    condition, values = _condition(library, filters)
    return int(library.select(f"SELECT count(*) FROM articles a WHERE {condition}", values)[0][0])


def newest_date(library: "Library", filters: Filters, *, until: date) -> date | None:
    """The day of the newest article that passes and is not of a time after `until`; the first day of it where only a
    month or year is known. None if none has a date."""
    condition, values = _condition(library, filters)
    newest = library.select(
        f"SELECT max(a.date) FROM articles a WHERE {condition} AND a.date <= ?", [*values, until.isoformat()]
    )[0][0]
    return newest and date.fromisoformat(f"{newest}-01-01"[:10])


def passages_within(
    library: "Library", articles: Collection[str] | None, filters: Filters | None = None
) -> list[int] | None:
    """The ids of the passages that a search limited to `articles` and `filters` may look at, in order; None if all."""
    if articles is None and not (filters and filters.limits):
        return None
    condition, values = _condition(library, filters or Filters())
    if articles is not None:
        condition, values = f"{condition} AND {_among('a.id')}", [*values, json.dumps(list(articles))]
    rows = library.select(
        f"SELECT p.id FROM articles a JOIN passages p ON p.article = a.number WHERE {condition} ORDER BY p.id", values
    )
    return [number for (number,) in rows]


def known_sources(library: "Library") -> tuple[str, ...]:
    """The publishers of the articles, each once, in order. Quick: steps from name to name along the index of them."""
    return _known(library, "articles", "source")


def known_authors(library: "Library") -> tuple[str, ...]:
    """The authors of the articles as stored ("Ana Silva and Li Na" is one), each once, in order."""
    return _known(library, "articles", "author")


def known_tags(library: "Library") -> tuple[str, ...]:
    """The tags of the articles, each once, in order."""
    return _known(library, "tags", "tag")


def same_sources(known: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Those publishers (or authors) of `known` that one of `wanted` means."""
    keys = {name_key(name) for name in wanted} - {""}
    return [name for name in known if keys & name_keys(name)]


@lru_cache(maxsize=20_000)
def name_key(name: str) -> str:
    """What a name is compared by: no case, accents, spaces, punctuation, leading "the" or web ending."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", name)).casefold().strip()
    plain = _LEADING_THE.sub("", _WEB_ADDRESS.sub("", plain).replace("&", " and "))
    key = "".join(letter for letter in plain if letter.isalnum() or unicodedata.category(letter).startswith("M"))
    return key or plain


@lru_cache(maxsize=20_000)
def name_keys(name: str) -> frozenset[str]:
    """The keys by which a publisher can be meant: its whole name, and that without the section after it."""
    return frozenset((name_key(name), name_key(_SECTION.sub("", name)))) - {""}


def tag_key(tag: str) -> str:
    """What a tag is compared by: no case, no "#" before it; hyphens and underscores are spaces."""
    return " ".join(re.split(r"[\s_-]+", tag.casefold().strip().lstrip("#")))


def _condition(library: "Library", filters: Filters) -> tuple[str, list[object]]:
    """The filters in SQL about the table `articles` called a, and the values of its question marks."""
    parts, values = ["1"], list[object]()

    def require(part: str, *given: object) -> None:
        parts.append(part)
        values.extend(given)

    if filters.articles is not None:
        require(_among("a.id"), json.dumps(filters.articles))
    if filters.sources:
        require(_among("a.source"), json.dumps(same_sources(known_sources(library), filters.sources)))
    if filters.tags:
        wanted = {tag_key(tag) for tag in filters.tags}
        tags = [tag for tag in known_tags(library) if tag_key(tag) in wanted]
        require(f"a.number IN (SELECT article FROM tags WHERE {_among('tag')})", json.dumps(tags))
    if filters.dated:
        # The same rule as `may_lie_in`; comparing with whole texts as well lets the index of dates be used.
        since, until = filters.since or "", (filters.until or "") + _AFTER_EVERY_DATE
        dated = "a.date >= ? AND a.date <= ? AND a.date >= substr(?, 1, length(a.date))"
        require(f"({dated} OR a.date IS NULL)" if filters.undated else dated, since[:4], until, since)
    return " AND ".join(parts), values


def _among(column: str) -> str:
    # SQLite allows too few variables for a list of values: it is handed over as JSON.
    return f"{column} IN (SELECT value FROM json_each(?))"


def _known(library: "Library", table: str, column: str) -> tuple[str, ...]:
    return tuple(name for (name,) in library.select(_KNOWN_NAMES.format(table=table, column=column)))


def _check_date(value: object, name: str) -> None:
    if value is None:
        return
    match = _ISO_DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        raise InputError(
            f"The date {name} is {value!r}, which is no day, month or year.",
            help="Dates are written 2018, 2018-07 or 2018-07-19.",
        ) from None
