"""Word documents into text: paragraphs, and the rows of tables, in the order of the document."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from index.errors import ArticleError
from index.layout import tidy
from index.metadata import Metadata
from index.readers import RawArticle

_LARGEST_PARTS = 200_000_000
"""Bytes of all that is packed into a document; more is no document but a trap."""


def read_docx(data: bytes, *, shown_as: str) -> RawArticle:
    """A document of Word or whatever else writes `.docx`. Its title is the paragraph that is styled as one, else what
    the document's properties say. Raises ArticleError for one that is broken, has a password, or holds no words."""
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > _LARGEST_PARTS:
            raise ArticleError(f"{shown_as} unpacks to {size:,} bytes; a document may have {_LARGEST_PARTS:,} at most.")
        document = docx.Document(io.BytesIO(data))
        blocks = list(_blocks(document))
    except (zipfile.BadZipFile, PackageNotFoundError):
        raise ArticleError(
            f"{shown_as} is no Word document that can be read: it is broken, has a password or is an old one (.doc).",
            help="Save it once more as .docx, without a password.",
        ) from None
    text = "\n\n".join(shown for shown, _ in blocks)
    if not any(character.isalnum() for character in text):
        raise ArticleError(f"{shown_as} holds no words.")
    titles = [shown for wanted in ("Title", "Heading 1") for shown, style in blocks if style == wanted]
    return RawArticle(
        text, metadata=Metadata(title=titles[0] if titles else tidy(document.core_properties.title or "") or None)
    )


def _blocks(document: Any) -> Iterator[tuple[str, str]]:
    """Each paragraph and each row of a table, and the name of its style. Who saved a document is not who wrote the
    article in it, so its author is not looked at."""
    from docx.table import Table

    for item in document.iter_inner_content():
        if isinstance(item, Table):
            for row in item.rows:
                # A cell that spans others is given once for each of them.
                cells = dict.fromkeys(tidy(cell.text) for cell in row.cells)
                if shown := " | ".join(cell for cell in cells if cell):
                    yield shown, ""
        elif shown := tidy(item.text):
            yield shown, item.style.name if item.style is not None else ""
