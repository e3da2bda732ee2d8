"""The kind of thing that a question asks for (a figure, a time, a name), and whether a sentence holds one. Pure.

English only, by the question's words: "how much", "in which year", "who". Used to rank sentences; shuts none out.
"""

import re
from collections.abc import Callable
from typing import Literal

from index.dates import MONTH
from rag.facts import numbers

Kind = Literal["figure", "time", "name"]

_ASKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "figure",
        re.compile(
            r"\bhow (?:much|many|big|large|high|tall|far|long|old|fast|heavy)\b"
            r"|\bwhat (?:percent|percentage|share|number|amount|price)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "time",
        # Before a subject "when" asks nothing: "What was it called when he bought it?"
        re.compile(
            r"\bwhen(?: exactly)? (?:is|are|was|were|do|does|did|has|have|had|will|would|can|could|shall|should|may"
            r"|might)\b|\bwhen(?=['’]s\b|\W*$)|\b(?:what|which) (?:year|day|date|month|time|century|decade)\b"
            r"|\bhow long ago\b",
            re.IGNORECASE,
        ),
    ),
    (
        "name",
        re.compile(
            r"\bwho(?:m|se)?\b|\bwhere\b|\b(?:what|which) (?:city|country|company|person|place|state|province|town"
            r"|region|river|team|university|school|group|firm|publisher|newspaper)\b",
            re.IGNORECASE,
        ),
    ),
)
_HOLDS: dict[Kind, re.Pattern[str]] = {
    "figure": re.compile(
        # Not "one": "one of the malls" counts nothing.
        r"\d[\d.,]*|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million"
        r"|billion|half)\b",
        re.IGNORECASE,
    ),
    "time": re.compile(
        rf"\b(?:1[5-9]|20)\d\d\b|\b{MONTH}\b|\b(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|yesterday"
        r"|today|century)\b|\byears? ago\b"
    ),
    # A word with a capital that does not open the sentence.
    "name": re.compile(r"(?<=[\w,;:'’\"”)] )[A-Z][\w-]+"),
}


def _kind(question: str) -> Kind | None:
    """The kind of thing that it asks for, the first if it asks for several."""
    return next((kind for kind, pattern in _ASKS if pattern.search(question)), None)


def kind_test(question: str) -> Callable[[str], bool]:
    """Whether a sentence holds something of the kind asked for that the question does not hold itself.

    True of no sentence if the question asks for none of these kinds; of several, the first counts.
    """
    kind = _kind(question)
    if kind is None:
        return lambda sentence: False
    said = {match.group().lower() for match in _HOLDS[kind].finditer(question)}
    said |= set(re.findall(r"[\w-]+", question.lower()))
    pattern = _HOLDS[kind]
    return lambda sentence: any(match.group().lower() not in said for match in pattern.finditer(sentence))


# What may stand for a figure in an answer: "it doubled", "free of charge", "a year".
_AMOUNT_WORD = re.compile(
    r"\b(one|half|third|quarter|dozens?|hundreds?|thousands?|millions?|billions?|trillions?|doubled?|twice|tripled?|both"
    r"|several|many|few|most|all|decades?|century|centuries|years?|months?|weeks?|days?|hours?|free|none|no|zero)\b",
    re.IGNORECASE,
)


def lacks_figure(question: str, answer: str) -> bool:
    """Whether the question asks for a figure and the answer gives none that the question does not hold itself.

    "How many dollars will he invest?" is not answered by "He will invest more." Words for amounts count as figures.
    """
    if _kind(question) != "figure" or _AMOUNT_WORD.search(answer):
        return False
    return not {number.value for number in numbers(answer)} - {number.value for number in numbers(question)}


_DATE = re.compile(rf"(?<![$€£.,])\b(?:1[0-9]|20)\d\ds?\b|\b{MONTH}\b|\b(?:[Cc]entury|[Cc]hristmas|[Ee]aster)\b")
# A time of day, or a distance in time.
_OTHER_TIME = re.compile(
    r"\b\d{1,2}(?::\d\d|\s*[ap]\.?m\b)|\b(?:noon|midnight)\b"
    r"|\b(?:hours?|days?|weeks?|months?|years?|decades?) (?:ago|later|earlier|before|after|into)\b",
    re.IGNORECASE,
)
# What may tell a time by an event: "after the deal was signed".
_BY_EVENT = re.compile(
    r"\b(?:after|as|at the end|before|beginning|between|by the time|during|following|from|once|prior|since|soon|start"
    r"|till|until|upon|when|while)\b",
    re.IGNORECASE,
)
_DAY_OF_WEEK = re.compile(r"\b(?:what|which) day\b", re.IGNORECASE)


def holds_date(text: str) -> bool:
    """Whether it tells a date of the calendar, at least its month, year or century."""
    return _DATE.search(text) is not None


def lacks_date(question: str, answer: str) -> bool:
    """Whether the question asks for a time and the answer gives none that means anything without its article.

    "When did the Queen die?" is not answered by "on Thursday", or "today". Times of day, distances and times told by an
    event count, and so does every date that the question does not hold itself.
    """
    if _kind(question) != "time" or _DAY_OF_WEEK.search(question):
        return False
    told, known = (
        {found.group().lower() for pattern in (_DATE, _OTHER_TIME, _BY_EVENT) for found in pattern.finditer(text)}
        for text in (answer, question)
    )
    return told <= known


_COMPARES = re.compile(
    r"\b(?:compar(?:e|ed|es|ing|ison)|differ(?:s|ed|ent|ence|ences)?|versus|vs|both|agree|disagree|contradict\w*"
    r"|consistent|inconsistent|the same|more than|less than|than (?:in|at|before)|chang(?:e|ed|es|ing)|over time"
    r"|over the years|between \S+ and|evol(?:ve|ved|ution)|trend|each (?:article|report)|(?:two|three|all) articles"
    r"|while)\b",
    re.IGNORECASE,
)


# Of most questions. That of the group speaks of the present.
_VERB = re.compile(r"\b(?:(is|are|has|have|does|do|can)|was|were|did|had|will|would|could|used)\b", re.IGNORECASE)


def asks_about_present(question: str) -> bool:
    """Whether its first verb speaks of how things are, or have become by now."""
    verb = _VERB.search(question)
    return verb is not None and verb[1] is not None


def compares(question: str) -> bool:
    """Whether the question compares, or asks over time: then what several articles say is wanted, side by side."""
    return bool(_COMPARES.search(question))
