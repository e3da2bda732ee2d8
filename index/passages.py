"""Sentences into passages: whole sentences, about as long as an embedder reads well, along the paragraphs.

A heading goes with the paragraph that follows it. Passages do not overlap, and each sentence is in exactly
one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.errors import SettingsError
from index.layout import count_words, looks_like_heading, tidy
from index.metadata import PUBLISHED_IN, names_after_by
from index.sentences import LONGEST_SENTENCE, split_paragraphs
from index.types import Article, Passage, Sentence

# Words; what is longer takes room from the passage.
_LONGEST_HEADER = 40


@dataclass(frozen=True, slots=True)
class SplitterSettings:
    """How long passages are, in words. The default embedder reads 256 word pieces (about 190 words) and
    ignores the rest."""

    words_per_passage: int = 110
    longest_passage: int = 170

    def __post_init__(self) -> None:
        if not 20 <= self.words_per_passage <= self.longest_passage:
            raise SettingsError("words_per_passage must be at least 20 and at most longest_passage.")
        if self.longest_passage < LONGEST_SENTENCE:
            raise SettingsError(f"longest_passage must be at least {LONGEST_SENTENCE}, the longest sentence.")


def split_passages(article: Article, settings: SplitterSettings) -> tuple[Passage, ...]:
    """The passages of an article, in order. Their ids are 0: numbers are given by the library that stores
    them."""
    passages = []
    for group in _joined_remainders(list(_group(article, settings)), settings):
        start, end = group[0].start, group[-1].end
        passages.append(Passage(0, article.id, start, end, article.text[start:end], tuple(group)))
    return tuple(passages)


def text_to_embed(article: Article, passage: Passage) -> str:
    """What the embedder and the keyword index see of a passage: a line with title, publisher and date, then
    its sentences.

    Boilerplate that stands between its sentences is left out.
    """
    header = ". ".join(tidy(part) for part in (article.title, article.source, article.date) if part)
    body = " ".join(_with_meaning(article, sentence.text) for sentence in passage.sentences)
    # The first passage often begins with the title itself.
    if article.title and tidy(body).startswith(tidy(article.title)):
        header = ". ".join(tidy(part) for part in (article.source, article.date) if part)
    header = " ".join(header.split()[:_LONGEST_HEADER])
    return f"{header}\n{body}" if header else body


def _with_meaning(article: Article, sentence: str) -> str:
    """The sentence; and if it is a byline or publisher line, what it means: "By X" is far from "Who wrote"."""
    if article.author and any(names_after_by(tidy(line)) == article.author for line in sentence.splitlines()):
        return f"{sentence} The author who wrote this article is {article.author}."
    published = PUBLISHED_IN.search(tidy(sentence))
    if article.source and published and published["source"].strip(" .,") == article.source:
        return f"{sentence} This article was published in {article.source}."
    return sentence


def _words(sentences: Sequence[Sentence]) -> int:
    return sum(count_words(sentence.text) for sentence in sentences)


def _units(article: Article) -> Iterator[tuple[list[Sentence], bool]]:
    """Paragraphs, each with the headings above it; and whether it has one."""
    headings: list[Sentence] = []
    for paragraph in split_paragraphs(article):
        if len(paragraph) == 1 and looks_like_heading(tidy(paragraph[0].text)) and _words(headings) < 40:
            headings.extend(paragraph)
            continue
        yield headings + list(paragraph), bool(headings)
        headings = []
    if headings:
        yield headings, True


def _group(article: Article, settings: SplitterSettings) -> Iterator[list[Sentence]]:
    target, limit = settings.words_per_passage, settings.longest_passage
    current: list[Sentence] = []
    size = 0
    for unit, has_heading in _units(article):
        unit_size = _words(unit)
        too_large = size + unit_size > target * 1.2
        if current and ((too_large and size >= target * 0.4) or (has_heading and size >= target * 0.6)):
            yield current
            current, size = [], 0
        # A paragraph longer than a passage is cut into parts of about the same length.
        parts = max(1, round((size + unit_size) / target)) if size + unit_size > target * 1.2 else 1
        part_size = (size + unit_size) / parts
        for sentence in unit:
            words = count_words(sentence.text)
            if current and (size + words > limit or (parts > 1 and size + words / 2 > part_size)):
                yield current
                current, size = [], 0
            current.append(sentence)
            size += words
    if current:
        yield current


def _joined_remainders(groups: list[list[Sentence]], settings: SplitterSettings) -> Iterator[list[Sentence]]:
    """A few words left at the end ("By Judy Wei") go with the passage before them where they fit."""
    if len(groups) > 1 and _words(groups[-1]) < settings.words_per_passage * 0.25:
        joined = groups[-2] + groups[-1]
        if _words(joined) <= settings.longest_passage:
            groups = [*groups[:-2], joined]
    yield from groups
