"""Whether an answer holds what its cited sentences say when they are read alone. Pure."""

from rag.facts import missing_facts, numbers
from rag.words import VERDICTS, content_stems, search_stems

_OTHER_WORDS = 0.5
"""At least so much where only other words are read: "how" and "why" are answered truly in many ways."""


def agreement(answer: str, reading: str, *, question: str) -> float:
    """The share (0 to 1) of what `reading` says beyond the question that `answer` says, too; 1 if that is nothing.

    `reading` is a phrase that answers the question from the cited sentences alone. Its numbers and names decide,
    however they are written ("3", "three"); if it has none, its words, which tell less.
    """
    if len(reading.split()) == 1 and not numbers(reading) and not content_stems(reading) <= VERDICTS:
        reading = f"It is {reading}"  # else a name would be taken for the beginning of a sentence
    facts = missing_facts(reading, [question])
    if facts:
        return 1 - len(missing_facts(reading, [question, answer])) / len(facts)
    new = search_stems(reading) - search_stems(question) - VERDICTS
    if not new:
        return 1.0
    return max(_OTHER_WORDS, len(new & search_stems(answer)) / len(new))
