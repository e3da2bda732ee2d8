"""Where a question names publishers of the index. Pure; knows nothing about what is asked of them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from index.filters import name_key, name_keys

MARK = "\uf8ff"
"""Stands for each letter of a publisher's name. It is for private use: no honest question holds it."""

NAME = rf"(?:the\s+)?{MARK}++(?!\s(?-i:[A-Z]))"
NAMES = rf"{NAME}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s+or\s+|\s*&\s*){NAME})*"
"""Patterns, for use without regard to case, for one or several names in a masked question."""

_LONGEST_NAME = 8
_WORD = re.compile(r"[^\s,;:?!()\"“”'‘’]+(?:['’](?!s?(?:\W|$))[^\s,;:?!()\"“”'‘’]+)*(?<!\.)")
_LEADING_THE = re.compile(r"^(?i:the)\s+")
_QUOTES = tuple("'\"‘’“”")


class FoundSource(NamedTuple):
    """A publisher of the index, as the question calls it, and where."""

    name: str
    start: int
    end: int


def find_sources(question: str, sources: Sequence[str]) -> list[FoundSource]:
    """Where the question names publishers of the index, longest names first; they do not overlap."""
    keys = {key for source in sources for key in name_keys(source)}
    words = [match.span() for match in _WORD.finditer(question)]
    has_capitals = any(question[start].isupper() for start, _ in words[1:])
    found: list[FoundSource] = []
    place = 0
    while place < len(words):
        start = words[place][0]
        count = 0
        # In a question with capitals, a word without one is an ordinary word: "according to time".
        if not has_capitals or _begins_a_name(question, start):
            ends = [end for _, end in words[place : place + _LONGEST_NAME]]
            lengths = [length for length, end in enumerate(ends, start=1) if name_key(question[start:end]) in keys]
            count = max(lengths, default=0)
        if count:
            name = question[start : words[place + count - 1][1]]
            found.append(FoundSource(name.removeprefix("the "), start, start + len(name)))
        place += count or 1
    return found


def _begins_a_name(question: str, start: int) -> bool:
    """Whether the word there is a name, and not the end of a longer one, as "Times" in "Financial Times"."""
    before = re.search(r"(\w+)\s+$", question[:start])
    continued = before is not None and before.start() > 0 and before[1][0].isupper() and before[1].lower() != "the"
    letter = _LEADING_THE.sub("", question[start:])[:1]
    return (letter.isupper() or letter.isdigit()) and not continued


def mask(question: str, named: Sequence[FoundSource]) -> str:
    """The question with marks for the publishers' names, and for quotation marks around them."""
    for item in named:
        start = item.start - (question[item.start - 1 : item.start] in _QUOTES)
        end = item.end + (start < item.start and question[item.end : item.end + 1] in _QUOTES)
        question = question[:start] + MARK * (end - start) + question[end:]
    return question
