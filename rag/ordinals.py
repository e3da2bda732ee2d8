"""Counts that are told by the last one counted: "the third Trump lawyer to plead guilty" says that three have.

Pure; English only.
"""

import re
from collections.abc import Sequence

from index.words import stem
from rag.words import content_words

_ORDINALS = dict(
    zip(
        "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), range(2, 13), strict=True
    )
)
_ORDINAL = re.compile(rf"\b({'|'.join(_ORDINALS)})\b(?!-|\s(?:\w+est|most)\b)", re.IGNORECASE)
"""None of a rank: the third largest market is not one of three. "3rd" is a number by itself (`rag/facts.py`)."""
_PHRASE_END = re.compile(
    r"[.,;:!?()–—]|\b(?:and|are|as|at|beside|by|for|from|ha[ds]|have|in|is|of|on|or|that|to|was|were|who|which|with)\b"
)
_REACH = 4
"""Words after an ordinal among which the noun that it counts may be: "third former Trump campaign lawyer"."""
_AFTER = 3
"""Words after a number among which its noun is, the first in the plural: "three former campaign lawyers"."""
_NO_COUNT = frozenset(
    "century day decade edition floor generation half hour minute month party person place quarter round season time "
    "week world year".split()
)
"""What is numbered in a row and not added up: in the third quarter not three of them are told of."""


def counts_up_to(number: int, text: str, sources: Sequence[str]) -> bool:
    """Whether one of `sources` tells by an ordinal that there are this many of what stands after it in `text`, which
    begins behind the number: 3 and " lawyers pleaded guilty" of "the third lawyer to plead guilty"."""
    plural = next((word for word in _phrase(text)[:_AFTER] if word.endswith("s")), None)
    return plural is not None and any(
        stem(plural) in map(stem, _phrase(source[match.end() :])[:_REACH])
        for source in sources
        for match in _ORDINAL.finditer(source)
        if number == _ORDINALS[match[1].lower()]
    )


def _phrase(text: str) -> list[str]:
    """The words of the text up to where another phrase begins, without those that are not added up."""
    words = content_words(_PHRASE_END.split(text, maxsplit=1)[0])
    return [word for word in words if not {word, stem(word)} & _NO_COUNT]
