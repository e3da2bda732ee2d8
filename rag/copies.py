"""One report carried by several publishers: told by its sentences, kept once, with the other places named. Pure.

Compares only what search has found. Two reports of one event in different words are not copies, and neither are two
issues of one form that differ in their figures. A copy of which no longer sentence was left as it was is not noticed.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from functools import lru_cache

from index.sentences import count_negations
from index.types import Article, Hit, Sentence
from rag.types import Copy
from rag.words import content_words

_SHARE = 0.6
"""A passage is a copy if so much of it (by content words) stands in passages of one other article. What it says beyond
that is not lost: evidence is chosen from copies too."""

_TELLING = 5
"""A sentence of fewer content words may stand in any two articles."""


def collapse_copies(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The same hits, each copy of a better one moved to its `copies`; ranks as they were."""
    kept: list[list[Hit]] = []  # a hit, and its copies
    holders: dict[tuple[str, ...], set[str]] = {}  # content words of a sentence → articles kept that hold it
    for hit in hits:
        words = [content_words(sentence.text) for sentence in hit.passage.sentences]
        shared = {
            article_id
            for telling in words
            for article_id in holders.get(telling, ())
            if article_id != hit.article.id and len(telling) >= _TELLING
        }
        original = next((group for group in kept if group[0].article.id in shared and _is_copy(hit, group, kept)), None)
        if original is None:
            kept.append([hit])
            for telling in words:
                holders.setdefault(telling, set()).add(hit.article.id)
        else:
            original.append(hit)
    return tuple(dataclasses.replace(first, copies=(*first.copies, *others)) for first, *others in kept)


def says_the_same(sentence: str, other: str) -> bool:
    """Whether `other` says what `sentence` does: all its content words in their order, few more, as many negations."""
    words, others = _content(sentence), _content(other)
    if not words or not len(words) <= len(others) <= 1.3 * len(words) + 2:
        return False
    following = iter(others)
    return all(word in following for word in words) and count_negations(sentence) == count_negations(other)


def find_copies(sentence: Sentence, hits: Iterable[Hit]) -> tuple[Copy, ...]:
    """The other articles of `hits`, and of their copies, that hold the sentence too; one place of each."""
    found: dict[str, Copy] = {}
    telling = len(_content(sentence.text)) >= _TELLING
    for first in hits:
        group = (first, *first.copies)
        copied = any(hit.article.id == sentence.article_id for hit in group)
        for hit in group if telling or copied else ():
            if hit.article.id == sentence.article_id or hit.article.id in found:
                continue
            for other in hit.passage.sentences:
                if says_the_same(sentence.text, other.text):
                    found[hit.article.id] = copy_at(hit.article, other.start, other.end)
                    break
    return tuple(found.values())


def copy_at(article: Article, start: int, end: int) -> Copy:
    """That place of the article as a copy."""
    return Copy(article.id, article.title, article.source, article.date, article.path, start, end)


def _is_copy(hit: Hit, group: Sequence[Hit], kept: Sequence[Sequence[Hit]]) -> bool:
    """Whether enough of `hit` stands in the article of `group`, as far as that is found.

    Passages of a copy need not begin where those of the original do, so all of its passages count, but one of them must
    be `group` itself in some part.
    """
    original = group[0].article.id
    texts = [s.text for other in kept if other[0].article.id == original for s in other[0].passage.sentences]
    beside = {s.text for s in group[0].passage.sentences}
    sizes: list[int] = []
    held: list[int] = []
    touches = False
    for sentence in hit.passage.sentences:
        same = [text for text in texts if says_the_same(sentence.text, text) or says_the_same(text, sentence.text)]
        sizes.append(len(_content(sentence.text)))
        held.append(sizes[-1] if same else 0)
        touches = touches or not beside.isdisjoint(same)
    return touches and sum(held) >= _SHARE * sum(sizes)


@lru_cache(maxsize=4_096)
def _content(sentence: str) -> tuple[str, ...]:
    return content_words(sentence)
