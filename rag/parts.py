"""Questions that ask two things: each is asked on its own, and what is known of them is told together.

A small model combines two articles badly, and one unknown half would make it refuse the half that it knows. English
only: parts begin with a question word of their own after "and" or a full stop. Pure.
"""

import dataclasses
import re
from collections.abc import Sequence

from rag.refusing import NO_TIME
from rag.types import Answer, Citation, Message, PassageUse

NOT_TOLD = "The articles do not tell: "
"""Before the parts of a question that nothing is known of."""

_ASKS = r"(?:who|whom|whose|what|which|when|where|why|how|in which|in what|to whom|with whom|from whom|at what|by how)"
_BETWEEN = re.compile(rf"(?:\?\s+(?:and\s+)?|,\s+and\s+|;\s*(?:and\s+)?|\s+and\s+)(?={_ASKS}\b)", re.IGNORECASE)
_OPENS = re.compile(rf"\W*{_ASKS}\b", re.IGNORECASE)
_FEWEST_WORDS = 3
_MOST = 3
_REFERS = re.compile(
    r"\b(?:he|him|his|she|hers?|it|its|they|them|theirs?|this|that|these|those|there)\b", re.IGNORECASE
)
# What a name can be put in place of, and how; "her" is either, by what follows.
_OWNERS = re.compile(
    r"\b(?:his|its|their|her(?=\s+(?!in\b|on\b|at\b|by\b|to\b|for\b|among\b|as\b|with\b)\w))\b", re.IGNORECASE
)
_OTHERS = re.compile(
    r"\b(?:he|him|she|her|it|they|them|(?<!is )(?<!are )(?<!was )(?<!were )(?P<place>there))\b", re.IGNORECASE
)
# Not the first word, which is always written with a capital.
_NAME = re.compile(r"(?<=\s)[A-Z][\w’'&.-]*(?:\s+[A-Z][\w’'&.-]*)*")
_OF_AN_ARTICLE = re.compile(
    r"\b(?:the|its|that|this)\s+(?:author|writer|journalist|reporter|article|piece|story|report)\b(?!\s+(?:about|on|of|in)\b)",
    re.IGNORECASE,
)


def parts_of(question: str) -> tuple[str, ...]:
    """The questions in it, each with its question mark; empty unless it asks two or three things."""
    if not _OPENS.match(question):
        return ()
    pieces = [piece.strip(" ?.!,;") for piece in _BETWEEN.split(question.strip())]
    if not 2 <= len(pieces) <= _MOST or any(len(piece.split()) < _FEWEST_WORDS for piece in pieces):
        return ()
    return tuple(f"{piece[0].upper()}{piece[1:]}?" for piece in pieces)


def asked_alone(part: str, before: Sequence[str]) -> str | None:
    """The part as it can be asked without the parts before it; None if it cannot.

    It can if it names what it is about, and refers to nothing; or if it refers to one thing, and the parts before it
    name one alone, which is put in its place: "How rich is Jack Ma?", "Which magazine praises him?".
    """
    references = len(_REFERS.findall(part))
    if not references:
        return part if _names(part) else None
    named = {name for question in before for name in _names(question)}
    if references > 1 or len(named) != 1:
        return None
    (name,) = named
    # A name of its own may be what it refers to, but for a place ("What did goods from Xinjiang bring in there?").
    if _names(part) and not re.search(r"\bthere\b", part, re.IGNORECASE):
        return None
    filled = _OWNERS.sub(f"{name}’s", part)
    filled = _OTHERS.sub(lambda found: f"at {name}" if found["place"] else name, filled)
    return filled if not _REFERS.search(filled) else None


def _names(question: str) -> set[str]:
    return {re.sub(r"[’']s?$|[.]$", "", found) for found in _NAME.findall(question)}


def article_meant(part: str, before: Sequence[Answer]) -> str | None:
    """The id of the article that a part speaks of ("… and what is the author's position?"): the only one that the parts
    before it were answered from; None if it speaks of none, or there are several."""
    if not _OF_AN_ARTICLE.search(part):
        return None
    cited = {item.article_id for answer in before for item in answer.citations}
    return next(iter(cited)) if len(cited) == 1 else None


def as_turns(answers: Sequence[Answer]) -> tuple[Message, ...]:
    """The parts asked before, as a conversation that the next part may refer to ("… and how big is its stake?")."""
    turns: list[Message] = []
    for answer in answers:
        turns += [Message("user", answer.question), Message("assistant", answer.text)]
    return tuple(turns)


def joined(question: str, answers: Sequence[Answer]) -> Answer:
    """One answer to the whole question from those to its parts, with one numbering of sources.

    Refused only if every part was; otherwise it ends with the parts that the articles do not tell. Its confidence is
    that of the least certain part told.
    """
    told = [answer for answer in answers if not answer.abstained]
    first = answers[0]
    whole = dataclasses.replace(
        min(told or answers, key=lambda answer: answer.confidence),
        question=question,
        passages=_passages(answers),
        timings=dataclasses.replace(
            first.timings,
            search_s=sum(answer.timings.search_s for answer in answers),
            total_s=sum(answer.timings.total_s for answer in answers),
        ),
        usage=sum((answer.usage for answer in answers[1:]), start=first.usage),
        searched=first.searched
        and dataclasses.replace(
            first.searched,
            questions=tuple(dict.fromkeys([question, *(text for item in answers for text in _searched(item))])),
            notes=tuple(dict.fromkeys(note for item in answers if item.searched for note in item.searched.notes)),
        ),
        skipped=tuple(dict.fromkeys(item for answer in answers for item in answer.skipped)),
        explanation=first.explanation,
    )
    if not told:
        reasons = dict.fromkeys(answer.reason for answer in answers if answer.reason)
        return dataclasses.replace(whole, reason=" ".join(reasons))
    text, citations = _text(told)
    late = [f"“{answer.question}”" for answer in answers if answer.text == NO_TIME]
    unknown = [f"“{answer.question}”" for answer in answers if answer.abstained and answer.text != NO_TIME]
    if unknown:
        text += f" {NOT_TOLD}{', '.join(unknown)}"
    if late:
        text += f" There was no time for: {', '.join(late)}"
    notes = tuple(dict.fromkeys(note for answer in told for note in answer.notes))
    return dataclasses.replace(whole, text=text, citations=citations, notes=notes)


def _text(told: Sequence[Answer]) -> tuple[str, tuple[Citation, ...]]:
    text = ""
    numbers: dict[tuple[str, int], int] = {}
    citations = []
    for answer in told:
        shift = len(text) + bool(text)
        text = f"{text} {answer.text}" if text else answer.text
        for item in answer.citations:
            number = numbers.setdefault((item.article_id, item.start), len(numbers) + 1)
            start, end = item.answer_start + shift, item.answer_end + shift
            citations.append(dataclasses.replace(item, number=number, answer_start=start, answer_end=end))
    return text, tuple(citations)


def _passages(answers: Sequence[Answer]) -> tuple[PassageUse, ...]:
    found: dict[tuple[str, int], PassageUse] = {}
    for answer in answers:
        for item in answer.passages:
            known = found.get((item.article_id, item.start))
            used = item.used or (known is not None and known.used)
            found[item.article_id, item.start] = dataclasses.replace(known or item, used=used)
    return tuple(dataclasses.replace(item, rank=rank) for rank, item in enumerate(found.values(), start=1))


def _searched(answer: Answer) -> tuple[str, ...]:
    return answer.searched.questions if answer.searched else ()
