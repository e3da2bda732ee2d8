"""Words that carry content, brought to their stems, so that "exceeded" and "exceeding" are one."""

import re
from functools import cache

from index.layout import visible
from index.words import stem

VERDICTS = frozenset(("yes", "no"))
"""Answers that stand in no article."""

_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
_COMMON = frozenset(
    (
        "a about according after also an and are as at be been before being but by can could did do does for "
        "from had has have he her him his how i if in into is it its itself may more most not of on or our s "
        "she should so some such than that the their them then there these they this those to under up was we "
        "were what when where which while who whom whose why will with would you your article articles "
        "excerpt excerpts state states stated mention mentioned mentions say says said"
    ).split()
)


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words of `text` that carry content; possessives dropped, numbers kept whole."""
    return frozenset(stem(word) for word in content_words(text))


def content_words(text: str) -> tuple[str, ...]:
    """The words of `text` that carry content, in their order and in small letters; possessives dropped."""
    words = _WORD.findall(visible(text).lower().replace("’s", "").replace("'s", ""))
    return tuple(word for word in words if word not in _COMMON)


# Words that news uses for one another. Only for finding: a claim is never supported by a word that merely resembles.
_ALIKE = (
    "peak highest maximum top",
    "worth value valuation capitalisation capitalization valued",
    "buy bought acquire acquisition purchase takeover",
    "sell sold sale sales",
    "found founded founder establish established start launch create creation",
    "cancel canceled cancelled scrap halt suspend postpone",
    "rise rose risen grow grew growth increase gain climb surge jump up",
    "fall fell fallen drop decline decrease plunge slump down",
    "employee worker staff job workforce",
    "customer user client consumer buyer",
    "company firm business enterprise corporation",
    "boss chief head ceo chairman leader",
    "invest investment stake shareholder investor",
    "fine fined penalty",
    "write wrote written author",
    "publish published newspaper publisher",
    "goal aim purpose objective",
)


_HIGH = re.compile(r"\b(?:record|all-time)[ -]highs?\b", re.IGNORECASE)


@cache
def _groups() -> dict[str, str]:
    return {stem(word): group.split()[0] for group in _ALIKE for word in group.split()}


def search_stems(text: str) -> frozenset[str]:
    """The stems of `content_stems`, with words that news uses for one another brought together."""
    return frozenset(_groups().get(one, one) for one in content_stems(_HIGH.sub("peak", text)))
