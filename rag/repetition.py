"""Answers that only give the question back: "Alipay is behind Alipay." Pure; English."""

import re

from rag.words import content_stems

_ASKS_FOR_MORE = re.compile(r"\b(who|whom|whose|what|which|where|when|why|how)\b", re.IGNORECASE)
# Where the question offers the answers itself, one of them says something.
_OFFERS = re.compile(r"\bor\b|\bbetween\b|\b(which|what|who) of\b|\beither\b", re.IGNORECASE)


def only_repeats(claim: str, question: str) -> bool:
    """Whether the claim has words of content, and every one stands in the question, which asks for something else.

    Never for questions that ask yes or no, or that offer what they ask for ("A or B?").
    """
    if not _ASKS_FOR_MORE.search(question) or _OFFERS.search(question):
        return False
    said = content_stems(claim)
    return bool(said) and said <= content_stems(question)
