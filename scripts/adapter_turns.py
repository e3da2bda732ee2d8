"""Questions as people put them in a chat: after others about the same page, with names left out, or in a hurry.

Used by `scripts/adapter_pairs.py`. What follows other questions is read as `rag/follow_ups.py` understands it.
"""

import random
import re
from collections.abc import Sequence
from datetime import date

from eval.questions import Question
from rag.follow_ups import in_conversation
from rag.refusing import REFUSAL
from rag.types import Message

HASTY, FOLLOWING = 0.08, 0.2
"""Shares of all questions."""
LONGEST_ANSWER = 300  # characters
_NAME = re.compile(
    r"\b(?:the )?(?P<bare>[A-Z][\w.-]+(?: (?:of |the |de )*[A-Z][\w.-]+)*)"
    r"(?:(?P<owns>['’]s)"
    r"|(?=\W*$|,| (?:in|on|at|by|for|from|to|of|with|during|between|as|and|is|was|were|be|have|had)\b))"
)
_ASKS_FOR = re.compile(r"(?:what|who|which) (?:is|are|was|were) (?=\w+ \w)", re.IGNORECASE)
_ASKS = re.compile(r"(?:who|whose|whom|what|which|when|where|why|how|in|on|the)\b", re.IGNORECASE)
_STANDS_FOR = {"it": "its", "they": "their", "he": "his", "she": "her"}


def as_people_ask(question: Question, page: Sequence[Question], chance: random.Random) -> tuple[str, Sequence[Message]]:
    """The question in words, and the turns before it, which are other questions of `page`."""
    drawn = chance.random()
    if drawn < HASTY:
        return hasty(question.question), ()
    others = [other for other in page if other.question != question.question]
    if drawn > HASTY + FOLLOWING or not others:
        return question.question, ()
    turns = chance.sample(others, min(len(others), chance.choice((1, 1, 2))))
    history = [
        message
        for turn in turns
        for message in (Message("user", turn.question), Message("assistant", _answer(turn, chance)))
    ]
    words = referring(question.question, " ".join(turn.question for turn in turns), chance)
    meant = in_conversation(words, history, today=date(2026, 1, 1))
    return meant.question, meant.history


def hasty(question: str) -> str:
    """Small letters, no mark, and no more words than it needs: "what is the height of Cape Grey?"."""
    return _ASKS_FOR.sub("", question, count=1).rstrip("? ").lower()


def referring(question: str, before: str, chance: random.Random) -> str:
    """A name that stands in what was said before is a pronoun; the same question if there is none."""
    for name in _NAME.finditer(question):
        if name["bare"] in before and not _ASKS.match(name["bare"]):
            word = chance.choice(sorted(_STANDS_FOR))
            return question[: name.start()] + (_STANDS_FOR[word] if name["owns"] else word) + question[name.end() :]
    return question


def _answer(question: Question, chance: random.Random) -> str:
    """What was answered: a sentence that states it, or a phrase."""
    if not question.answerable:
        return REFUSAL
    quotes = [quote.quote for quote in question.evidence or () if quote.quote and len(quote.quote) < LONGEST_ANSWER]
    phrases = [part[0] for part in question.answers or ()]
    if quotes and (not phrases or chance.random() < 0.6):
        return quotes[0]
    return f"{', '.join(phrases)[:LONGEST_ANSWER]}."
