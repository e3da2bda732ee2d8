"""Markdown into text: YAML front matter tells what is known of the article."""

import re
from datetime import date, datetime
from typing import Any

from index.dates import DATE, to_iso
from index.layout import tidy
from index.metadata import Metadata
from index.readers import RawArticle, decode, find_web_address, storable, tags_of
from index.types import Span

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<yaml>.{0,65536}?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_LONGEST_VALUE = 1_000  # characters of a title or name
_MARKDOWN_TITLE = re.compile(r"^#\s+(?P<title>\S.*?)\s*#*\s*$", re.MULTILINE)


def read_markdown(data: bytes, *, shown_as: str) -> RawArticle:
    """Markdown: YAML front matter is metadata and not text to search; the first `# heading` is the title."""
    text = decode(data, shown_as=shown_as)
    front = _FRONT_MATTER.match(text)
    values = _front_matter_values(front["yaml"]) if front else None
    body_start = front.end() if front and values is not None else 0
    heading = _MARKDOWN_TITLE.search(text, body_start)
    title = re.sub(r"[*_`]", "", heading["title"]) if heading else None
    metadata = _as_metadata(values or {}).or_else(Metadata(title=title))
    return RawArticle(
        text,
        (Span(0, body_start),) if body_start else (),
        metadata,
        tags_of(*((values or {}).get(name) for name in ("tags", "keywords"))),
    )


def _front_matter_values(source: str) -> dict[str, Any] | None:
    """The mapping that the YAML holds; None if it is not front matter after all, but text between rules."""
    import yaml

    try:
        values = yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return {str(key).lower(): value for key, value in values.items()} if isinstance(values, dict) else None


def _as_metadata(values: dict[str, Any]) -> Metadata:
    def text_of(*names: str) -> str | None:
        for name in names:
            value = values.get(name)
            if isinstance(value, list) and all(isinstance(part, str) for part in value):
                value = " and ".join(value)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
                return storable(tidy(str(value)))[:_LONGEST_VALUE]
        return None

    url = text_of("url", "link", "canonical_url")

    return Metadata(
        title=text_of("title", "headline"),
        source=text_of("source", "publisher", "publication", "site"),
        author=text_of("author", "authors", "by"),
        date=_iso_date(values.get("date", values.get("published"))),
        # Whoever shows it may make it a link; "javascript:" is no address of an article.
        url=url if url and find_web_address(url) == url else None,
    )


def _iso_date(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and 1500 <= value <= 2999:
        return str(value)
    found = re.search(DATE, value) if isinstance(value, str) else None
    return to_iso(found.group()) if found else None
