"""Is an outcome right or wrong, all in all? A rule of thumb without a judge model, for wrong answers and risk."""

import re

from eval.metrics.amounts import has_amount, numbers_match
from eval.metrics.answers import accepted_wholes, contains, fold, rouge_l
from eval.outcomes import Outcome
from rag.facts import numbers

_LONG_ANSWER_WORDS = 12
_LEAST_ROUGE_L = 0.3
_SHORT_ANSWER_WORDS = 4
_WORD = re.compile(r"[^\W\d_]{2,}")
# Capitalised words that say nothing about what an amount is an amount of.
_AROUND_AMOUNTS = frozenset(
    (
        "about almost approximately around at least less more nearly over roughly some than under up to us usd eur gbp"
    ).split()
)


def is_right(outcome: Outcome) -> bool | None:
    """Whether the right thing was done; None if that cannot be judged, which depends on the question alone.

    A question that cannot be answered, or has no right answer, must be refused, any other must not. A reply is right if
    it states each part of the answer: if one of its spellings is contained, or if all numbers of one match within 1 %
    and its names stand in the reply or the question (of spellings up to 12 words; up to 4 if years are its only
    numbers). "Yes" and "no" must be the first word. If every accepted answer has more than 12 words, wording varies too
    much for that, and ROUGE-L of at least 0.3 will do. It errs both ways: read the rows.
    """
    reply, answers = outcome.reply, outcome.question.answers
    if reply is None:
        return None
    if outcome.question.answerable is False or answers == ():
        return not reply
    if answers is None:
        return None
    if not reply:
        return False
    if all(any(_states(outcome, reply, spelling) for spelling in part) for part in answers):
        return True
    shortest = min(len(whole.split()) for whole in accepted_wholes(answers))
    return shortest > _LONG_ANSWER_WORDS and (rouge_l(outcome) or 0.0) >= _LEAST_ROUGE_L


def _states(outcome: Outcome, reply: str, spelling: str) -> bool:
    if fold(spelling).strip(" .") in ("yes", "no"):
        first = _WORD.match(fold(reply))
        return first is not None and first[0] == fold(spelling).strip(" .")
    if contains(reply, spelling):
        return True
    # The few numbers of a long answer do not tell what it says, nor does the year of a sentence.
    words = len(spelling.split())
    if words > _LONG_ANSWER_WORDS or (words > _SHORT_ANSWER_WORDS and not has_amount(spelling)):
        return False
    if not numbers_match(reply, spelling):
        return False
    given = {word.casefold() for text in (reply, outcome.question.question) for word in _WORD.findall(text)}
    return _names_beside_numbers(spelling) <= given


def _names_beside_numbers(spelling: str) -> set[str]:
    """Its capitalised words: "15 August 1843" is not any 15th of 1843, nor "Apollo 11" any 11."""
    for number in numbers(spelling):
        spelling = spelling.replace(number.shown, " ")
    capitalised = {word.casefold() for word in _WORD.findall(spelling) if word != word.lower()}
    return capitalised - _AROUND_AMOUNTS
