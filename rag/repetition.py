"""Answers that only give the question back, "Alipay is behind Alipay.", or go round in a circle, "Its CEO is the CEO of
the firm." Pure; English."""

import re

from rag.words import content_stems, content_words

_ASKS_FOR_MORE = re.compile(r"\b(who|whom|whose|what|which|where|when|why|how)\b", re.IGNORECASE)
# Where the question offers the answers itself, one of them says something.
_OFFERS = re.compile(r"\bor\b|\bbetween\b|\b(which|what|who) of\b|\beither\b", re.IGNORECASE)

_IS = re.compile(r"\b(?:is|are|was|were)\b", re.IGNORECASE)


def only_repeats(claim: str, question: str) -> bool:
    """Whether the claim has words of content, and every one stands in the question, which asks for something else; or
    whether what it says of its subject is that subject once more, as the question has it.

    Never for questions that ask yes or no, or that offer what they ask for ("A or B?").
    """
    if not _ASKS_FOR_MORE.search(question) or _OFFERS.search(question):
        return False
    said, asked = content_stems(claim), content_stems(question)
    return bool(said) and (said <= asked or _goes_round(claim, asked))


def _goes_round(claim: str, asked: frozenset[str]) -> bool:
    """Whether it is of the form "the CEO of Snapdeal is the CEO of the company Snapdeal"."""
    subject, *rest = _IS.split(claim, maxsplit=1)
    stems = content_stems(subject)
    if not rest or len(stems) < 2 or not stems <= asked or not stems <= content_stems(rest[0]):
        return False
    return content_stems(content_words(rest[0])[0]) <= stems
