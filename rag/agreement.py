"""Whether an answer holds what its cited sentences say when they are read alone. Pure."""

from rag.facts import numbers
from rag.words import content_stems

_VERDICTS = frozenset(("yes", "no"))


def agreement(answer: str, reading: str, *, question: str) -> float:
    """The share (0 to 1) of what `reading` says beyond the question that `answer` says, too; 1 if that is nothing.

    `reading` is a phrase that answers the question from the cited sentences alone. Equal numbers agree however they are
    written ("3", "three"); synonyms do not.
    """
    new = content_stems(reading) - content_stems(question) - _VERDICTS
    if not new:
        return 1.0
    values = {number.value for number in numbers(answer)}
    same = (content_stems(number.shown) for number in numbers(reading) if number.value in values)
    return len(new & content_stems(answer).union(*same)) / len(new)
