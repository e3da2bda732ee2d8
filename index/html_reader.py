"""Saved web pages into text: the article without menus, comments and what else stands around it.

trafilatura (Barbaresi, ACL 2021) tells an article from its page, and reads what the page says of itself: title,
publisher, author, date, address and keywords. Dates are read where the page states its own, and never guessed.
"""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from index.errors import ArticleError
from index.layout import tidy
from index.metadata import Metadata
from index.readers import RawArticle, decode, find_web_address, tags_of

_FEWEST_WORDS = 12
"""With fewer, what was found is a menu or a notice."""
_SPACE = re.compile(r"\s+")
_BETWEEN_NAMES = re.compile(r"\s*;\s*")


def read_html(data: bytes, *, shown_as: str) -> RawArticle:
    """A page that holds an article. Its text begins with its title; paragraphs, headings and rows of tables are blocks
    of their own. Raises ArticleError if nothing on it looks like an article."""
    return _from_page(decode(data, shown_as=shown_as), shown_as=shown_as)


def read_web_archive(data: bytes, *, shown_as: str) -> RawArticle:
    """A page that a browser saved with all its parts in one file (MHTML). Raises ArticleError like `read_html`, and if
    there is no page in it."""
    archive = message_from_bytes(data, _class=EmailMessage, policy=policy.default)
    for part in archive.walk():
        if part.get_content_type() == "text/html":
            page = part.get_payload(decode=True)
            assert isinstance(page, bytes)
            saved_from = find_web_address(str(archive.get("Snapshot-Content-Location", "")))
            return _from_page(decode(page, shown_as=shown_as), shown_as=shown_as, address=saved_from)
    raise ArticleError(f"{shown_as} holds no web page.")


def _from_page(page: str, *, shown_as: str, address: str | None = None) -> RawArticle:
    from trafilatura import bare_extraction, load_html

    tree = load_html(page)
    if tree is None:
        raise _nothing(shown_as)
    _without_source_lines(tree)
    found = bare_extraction(
        tree,
        url=address,
        with_metadata=True,
        include_comments=False,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    assert not isinstance(found, dict)  # which it is only where it is asked for
    blocks = [tidy(line) for line in (found.text or "").splitlines()] if found else []
    blocks = [block for block in blocks if block]
    if not found or sum(len(block.split()) for block in blocks) < _FEWEST_WORDS:
        raise _nothing(shown_as)
    title = tidy(found.title or "") or None
    if title and blocks[0].lower() != title.lower():
        blocks.insert(0, title)
    metadata = Metadata(
        title=title,
        source=tidy(found.sitename or "") or None,
        author=_BETWEEN_NAMES.sub(" and ", tidy(found.author or "")) or None,
        date=found.date or None,
        url=find_web_address(found.url or "") or address,
    )
    # trafilatura gives what stands in one tag of the page as one, commas and all.
    tags = tags_of(", ".join((*(found.tags or ()), *(found.categories or ()))))
    return RawArticle("\n\n".join(blocks), (), metadata, tags)


def _without_source_lines(tree: Any) -> None:
    """Where a line of the page's source ends means nothing to who reads the page; trafilatura would keep it."""
    for element in tree.iter():
        if element.tag != "pre":
            element.text = element.text and _SPACE.sub(" ", element.text)
        element.tail = element.tail and _SPACE.sub(" ", element.tail)


def _nothing(shown_as: str) -> ArticleError:
    return ArticleError(
        f"{shown_as} holds nothing that looks like an article.",
        help="Copy what you want to ask about into a .txt file.",
    )
