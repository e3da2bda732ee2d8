"""PDF into text: paragraphs in the order in which people read them, without what every page repeats.

pdfminer.six finds the characters of each page, their lines and the boxes of lines. Here boxes become paragraphs: lines
are joined, words that the end of a line broke are mended, paragraphs that the end of a page broke go on, and running
heads, page numbers and the address that a browser prints stand at the end of the text, as boilerplate.
"""

import io
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from index.errors import ArticleError
from index.layout import tidy
from index.metadata import Metadata
from index.readers import RawArticle, find_web_address, storable
from index.types import Span

_MOST_PAGES = 1_000
_EDGE = 0.12
"""The share of a page's height, from above and from below, where what each page repeats may stand."""
_REPEATED = 0.6
"""The share of pages that have a line at their edge which is no part of the article."""
_LARGER = 1.15
"""Letters of a title, in those of the text."""
_LONGEST_TITLE = 300  # characters
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"(?i)\W*(?:page\W+)?\d{1,4}(?:\W*(?:/|of)\W*\d{1,4})?\W*")
_BROKEN_WORD = re.compile(r"([^\W\d_]+)[-\u2010]$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_ENDED = re.compile(r"[.!?…:;][\"'”’)\]]*$")
# What pdfminer.six writes for a character of a font that does not say which one it is.
_UNKNOWN = re.compile(r"\(cid:\d+\)")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that stand together on a page; `size` is the height of their letters in points."""

    page: int
    lines: tuple[str, ...]
    size: float
    at_edge: bool


def read_pdf(data: bytes, *, shown_as: str) -> RawArticle:
    """A PDF that holds text. Its title is what it calls itself if it says so on its pages too, else what stands in the
    largest letters on the first page. Raises ArticleError for one with a password or without text.
    """
    named, pages = _opened(data, shown_as=shown_as)
    blocks = [block for page in pages for block in page]
    if not any(character.isalnum() for block in blocks for line in block.lines for character in line):
        raise ArticleError(
            f"{shown_as} holds no text, only pictures of it.",
            help="A program for text recognition (OCR) makes a PDF with text of it.",
        )
    body, edges = _apart(blocks, pages=len(pages))
    text, starts = _laid_out(body, _vocabulary(blocks), pages=len(pages))
    whole = "\n\n".join(part for part in (text, "\n".join(edges)) if part)
    title = named if named and named.lower() in tidy(text).lower() else _largest(body)
    address = next((found for line in edges if (found := find_web_address(line))), None)
    boilerplate = (Span(len(text), len(whole)),) if edges and text else ()
    return RawArticle(whole, boilerplate, Metadata(title=title, url=address), pages=starts)


def _opened(data: bytes, *, shown_as: str) -> tuple[str | None, list[list[_Block]]]:
    """What the file calls itself, and the blocks of each page."""
    from pdfminer.converter import PDFPageAggregator
    from pdfminer.layout import LAParams
    from pdfminer.pdfdocument import PDFDocument, PDFPasswordIncorrect
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage
    from pdfminer.pdfparser import PDFParser
    from pdfminer.utils import decode_text

    try:
        document = PDFDocument(PDFParser(io.BytesIO(data)))
    except PDFPasswordIncorrect:
        raise ArticleError(f"{shown_as} opens with a password only; save it without one.") from None
    resources = PDFResourceManager()
    device = PDFPageAggregator(resources, laparams=LAParams(all_texts=True))
    interpreter = PDFPageInterpreter(resources, device)
    pages = []
    for number, page in enumerate(PDFPage.create_pages(document)):
        if number == _MOST_PAGES:
            raise ArticleError(f"{shown_as} has more than {_MOST_PAGES:,} pages; split it.")
        interpreter.process_page(page)
        pages.append(list(_blocks(device.get_result(), number)))
    titles = [info["Title"] for info in document.info if isinstance(info.get("Title"), bytes)]
    return (_shown(decode_text(titles[0])) or None if titles else None), pages


def _shown(text: str) -> str:
    return tidy(storable(_UNKNOWN.sub("", text).translate(_LIGATURES)))


def _blocks(page: Any, number: int) -> Iterator[_Block]:
    from pdfminer.layout import LTChar, LTTextBox

    for box in _inside(page, LTTextBox):
        lines = [(_shown(line.get_text()), line) for line in box]
        shown = tuple(text for text, _ in lines if text)
        sizes = [letter.size for _, line in lines for letter in line if isinstance(letter, LTChar)]
        if shown and sizes:
            low, high = ((edge - page.y0) / (page.height or 1) for edge in (box.y0, box.y1))
            yield _Block(number, shown, median(sizes), high < _EDGE or low > 1 - _EDGE)


def _inside(container: Iterable[Any], kind: type[Any]) -> Iterator[Any]:
    from pdfminer.layout import LTFigure

    for item in container:
        if isinstance(item, kind):
            yield item
        elif isinstance(item, LTFigure):
            yield from _inside(item, kind)


def _apart(blocks: Sequence[_Block], *, pages: int) -> tuple[list[_Block], list[str]]:
    """The article's own blocks, and the lines that pages repeat at their edges, each once."""
    seen = {(block.page, _DIGITS.sub("0", line)) for block in blocks if block.at_edge for line in block.lines}
    counts = Counter(line for _, line in seen)
    body: list[_Block] = []
    edges: dict[str, None] = {}
    for block in blocks:
        own = []
        for line in block.lines:
            repeated = pages > 1 and counts[_DIGITS.sub("0", line)] >= max(2, _REPEATED * pages)
            if block.at_edge and (repeated or _PAGE_NUMBER.fullmatch(line) or find_web_address(line) == line):
                edges[line] = None
            else:
                own.append(line)
        if own:
            body.append(_Block(block.page, tuple(own), block.size, block.at_edge))
    return body, list(edges)


def _laid_out(blocks: Sequence[_Block], words: Container[str], *, pages: int) -> tuple[str, tuple[int, ...]]:
    """The text of the blocks in paragraphs, and where each page of it begins. What begins in small letters after an
    unfinished paragraph goes on with it, from one page to the next too.
    """
    text, last, size = "", "", 0.0  # what is finished, and the paragraph that may go on
    starts: list[int] = []
    for block in blocks:
        first, *others = block.lines
        if last and not (abs(size - block.size) < 1 and not _ENDED.search(last) and first[:1].islower()):
            text, last = f"{text}{last}\n\n", ""
        last = _joined(last, first, words) if last else first
        # A page without text of its own begins where the next one does.
        starts += [len(text) + len(last) - len(first)] * (block.page + 1 - len(starts))
        for line in others:
            last = _joined(last, line, words)
        size = block.size
    text += last
    return text, (*starts, *[len(text)] * (pages - len(starts)))


def _joined(text: str, line: str, words: Container[str]) -> str:
    """A line after what stands before it. A word that the end of a line broke is whole again; whether its hyphen is
    its own is known from the other places where it stands."""
    broken, rest = _BROKEN_WORD.search(text), _FIRST_WORD.match(line)
    if not broken or not rest or not rest[0].islower():
        return f"{text} {line}"
    first, second = broken[1].lower(), rest[0].lower()
    keeps_hyphen = f"{first}-{second}" in words and first + second not in words
    return (text if keeps_hyphen else text[:-1]) + line


def _vocabulary(blocks: Iterable[_Block]) -> frozenset[str]:
    """The words that stand whole in a line, in small letters."""
    return frozenset(word.lower() for block in blocks for line in block.lines for word in _WORD.findall(line))


def _largest(blocks: Sequence[_Block]) -> str | None:
    """What stands in the largest letters on the first page, if they are larger than those of the text."""
    first = [block for block in blocks if block.page == blocks[0].page]
    letters = Counter[float]()
    for block in blocks:
        letters[round(block.size, 1)] += sum(map(len, block.lines))
    largest = max(first, key=lambda block: block.size, default=None)
    if largest is None or largest.size < _LARGER * letters.most_common(1)[0][0]:
        return None
    title = " ".join(largest.lines)
    return title if len(title) <= _LONGEST_TITLE else None
