"""Articles into sentences, each a span of the article as it was read.

No sentence crosses a blank line or a boilerplate span; everything outside boilerplate that holds a letter or
digit is in exactly one sentence. Hard-wrapped lines are joined, lines that are paragraphs are not.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from index.layout import count_words, find_lines
from index.metadata import PUBLISHED_IN
from index.types import Article, Sentence, Span

LONG_SENTENCE = 80
"""Words; a longer "sentence" (a list, a table) is cut at a semicolon, colon or line break if it has one."""

LONGEST_SENTENCE = 150
"""Words; a longer one is cut between two words, or inside a word that is longer than that itself."""

# A line longer than this was not wrapped by an editor: where such lines occur, each line is a paragraph.
_WIDEST_WRAPPED_LINE = 120
_LIST_OR_HEADING = re.compile(r"(?:#{1,6}|[-*+•·▪>]|\d{1,2}[.)])\s+")
_LINE_MARKER = re.compile(r"(?:#{1,6}|[-*+•·▪>])\s+")
_SOFT_CUT = re.compile(r"[;:]\s+|\n\s*")
_HARD_CUT = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+")
_NEGATION = re.compile(r"\b(?:not|no|never|none|nor|neither|without)\b|n['’]t\b", re.IGNORECASE)


def split_sentences(article: Article) -> tuple[Sentence, ...]:
    """The sentences of an article outside its boilerplate: in order, not overlapping,
    `article.text[start:end] == text`."""
    return tuple(sentence for paragraph in split_paragraphs(article) for sentence in paragraph)


def split_paragraphs(article: Article) -> tuple[tuple[Sentence, ...], ...]:
    """The same sentences as `split_sentences`, grouped by paragraph; boilerplate ends a paragraph. None is
    empty."""
    paragraphs: list[tuple[Sentence, ...]] = []
    for start, end in _paragraph_spans(article.text, article.boilerplate):
        sentences = tuple(
            Sentence(article.id, span.start, span.end, article.text[span.start : span.end])
            for sentence_start, sentence_end in _sentence_spans(article.text, start, end)
            for span in _cut_long(article.text, sentence_start, sentence_end)
        )
        if sentences:
            paragraphs.append(sentences)
    return tuple(paragraphs)


def segment(text: str) -> list[str]:
    """The sentences of `text`, white space included: joined, they are `text` again, whatever it holds."""
    import sentencex

    pieces: list[str] = list(sentencex.segment("en", text))
    return pieces if "".join(pieces) == text else [text]


def is_repeat(sentence: str, earlier: str) -> bool:
    """Whether `sentence` says nothing that `earlier` does not: nearly all its words, all its numbers, no
    other negation."""
    said, before = _said(sentence), _said(earlier)
    if len(said.words) < 5 or not said.numbers <= before.words:
        return sentence.strip() == earlier.strip()
    if said.negations != before.negations:
        return False
    return len(said.words & before.words) >= 0.85 * len(said.words)


class _Said(NamedTuple):
    words: frozenset[str]
    numbers: frozenset[str]
    negations: int


@lru_cache(maxsize=4_096)  # a search compares each sentence with many others
def _said(sentence: str) -> _Said:
    words = frozenset(word.lower() for word in _WORD.findall(sentence))
    numbers = frozenset(word for word in words if any(character.isdigit() for character in word))
    return _Said(words, numbers, len(_NEGATION.findall(sentence)))


def _paragraph_spans(text: str, boilerplate: tuple[Span, ...]) -> Iterator[Span]:
    lines = find_lines(text)
    wide_blocks = {line.block for line in lines if line.end - line.start > _WIDEST_WRAPPED_LINE}
    start = end = -1
    block = None
    after_heading = False
    for line in lines:
        mark = _LIST_OR_HEADING.match(text, line.start, line.end)
        new = line.block != block or line.block in wide_blocks or after_heading or mark
        after_heading = mark is not None and mark.group().startswith("#")
        if new and start >= 0:
            yield from _outside(boilerplate, Span(start, end))
        start = line.start if new else start
        end, block = line.end, line.block
    if start >= 0:
        yield from _outside(boilerplate, Span(start, end))


def _outside(boilerplate: tuple[Span, ...], span: Span) -> Iterator[Span]:
    """What is left of `span`; the boilerplate is ordered and does not overlap."""
    start = span.start
    first = bisect_right(boilerplate, start, key=lambda masked: masked.end)
    for position in range(first, len(boilerplate)):
        masked = boilerplate[position]
        if masked.start >= span.end:
            break
        if masked.start > start:
            yield Span(start, masked.start)
        start = max(start, masked.end)
    if start < span.end:
        yield Span(start, span.end)


def _sentence_spans(text: str, start: int, end: int) -> Iterator[Span]:
    paragraph = text[start:end]
    # The line that names the publisher is a statement of its own, even if the full stop before it is missing.
    published = PUBLISHED_IN.search(paragraph)
    cut = published.start() if published and published["date"] else 0
    for part in (paragraph[:cut], paragraph[cut:]):
        for piece in segment(part):
            span = _trimmed(text, start, start + len(piece))
            start += len(piece)
            if span:
                yield span


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without white space and list marks around it; None if no letter or digit is left."""
    raw = text[start:end]
    start += len(raw) - len(raw.lstrip())
    marker = _LINE_MARKER.match(text, start, end)
    if marker and (start == 0 or text[start - 1].isspace()):
        start = marker.end()
    stripped = text[start:end].rstrip()
    if not any(character.isalnum() for character in stripped):
        return None
    return Span(start, start + len(stripped))


def _cut_long(text: str, start: int, end: int) -> Iterator[Span]:
    """The span whole, or cut near its middle, again and again, until no part is too long."""
    words = count_words(text[start:end])
    cut: int | None = None
    if words > LONG_SENTENCE:
        cut = _nearest_cut(_SOFT_CUT, text, start, end)
        if cut is None and words > LONGEST_SENTENCE:
            cut = _nearest_cut(_HARD_CUT, text, start, end) or (start + end) // 2
    if cut is None:
        span = _trimmed(text, start, end)
        if span:
            yield span
        return
    yield from _cut_long(text, start, cut)
    yield from _cut_long(text, cut, end)


def _nearest_cut(pattern: re.Pattern[str], text: str, start: int, end: int) -> int | None:
    middle = (start + end) // 2
    cuts = [match.end() for match in pattern.finditer(text, start, end) if start < match.end() < end]
    return min(cuts, key=lambda cut: abs(cut - middle)) if cuts else None
