"""Words that carry content, brought to their stems, so that "exceeded" and "exceeding" are one."""

import re
from functools import cache, lru_cache
from typing import Any

_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
_COMMON = frozenset(
    [
        "a",
        "about",
        "according",
        "after",
        "also",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "before",
        "being",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "itself",
        "may",
        "more",
        "most",
        "not",
        "of",
        "on",
        "or",
        "our",
        "s",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "under",
        "up",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "article",
        "articles",
        "excerpt",
        "excerpts",
        "state",
        "states",
        "stated",
        "mention",
        "mentioned",
        "mentions",
        "say",
        "says",
        "said",
    ]
)


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words of `text` that carry content; possessives dropped, numbers kept whole."""
    words = _WORD.findall(text.lower().replace("’s", "").replace("'s", ""))
    return frozenset(_stem(word) for word in words if word not in _COMMON)


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))
