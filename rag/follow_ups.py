"""What a question means in its conversation, where rules can tell: corrections and swaps become questions of their own.

"No, I meant Ant Group", "and in 2018?", "what about Pinduoduo?" are the question before with one part replaced. What
brings its own names and refers to nothing before is a new topic. Everything else ("When was it cancelled?") is left as
it is, and is searched together with the question before (`rag/searching.py`). English only; no model.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from rag.periods import find_periods
from rag.small_talk import recognise
from rag.types import Message

_LONGEST_PART = 8  # words
_LEAD = r"(?:(?:no|nope|sorry|oh|wait|hm+|ah|well|actually|excuse me|my bad|my mistake)\b[\s,.!;:–—-]*)"
_CORRECTION = re.compile(
    rf"{_LEAD}*(?:i\s+(?:mean|meant|was\s+asking\s+(?:about|for)|am\s+asking\s+(?:about|for)|wanted)"
    r"|i['’]m\s+asking\s+(?:about|for)|make\s+(?:it|that)|(?:it|that)\s+should\s+be)\b[\s,:]*(?P<new>.+)",
    re.IGNORECASE,
)
_ONLY_LEAD = re.compile(rf"{_LEAD}+(?P<new>.+)", re.IGNORECASE)
_SWAP = re.compile(
    r"(?:(?:and|or|but)\s+)?(?:what\s+about|how\s+about|what\s+of|(?:the\s+)?same\s+(?:question\s+)?(?=for\b)"
    r"|now(?=\s+for\b)|and|or)\b[\s,:]*(?P<new>.+)",
    re.IGNORECASE,
)
_INSTEAD = (
    re.compile(r"not\s+(?:the\s+)?(?P<old>.+?)(?:\s*[,;–—-]\s*(?:but\s+)?|\s+but\s+)(?P<new>.+)", re.IGNORECASE),
    re.compile(r"(?P<new>.+?)\s*,?\s+(?:not|instead\s+of|rather\s+than)\s+(?P<old>.+)", re.IGNORECASE),
)
_PREPOSITION = re.compile(r"(?P<word>in|at|of|for|by|to|from|on|about|with|under|into)\s+(?=\S)", re.IGNORECASE)
_ASKS = re.compile(
    r"(?:who|whom|whose|what|when|where|why|which|how|is|are|was|were|do|does|did|has|have|had|can|could|will"
    r"|would|should"
    r"|tell|list|name|give|show|explain|describe)\b",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(
    (
        "who whom whose what when where why which how is are was were do does did has have had can could will "
        "would should "
        "tell list name give show explain describe i the a an in at of for by to from on about with and or but if so "
        "according no yes please also then it he she they this that there january february march april may "
        "june july august "
        "september october november december"
    ).split()
)
_INSIDE = r"of|the|de|van|von|der|bin|al|la|le|du|di|da|for|&"
_CAPITAL = r"(?:[A-Z]|\d+[A-Z])[\w&+-]*(?:\.\w+)*(?:['’](?!s\b)\w+)*!?"
_NAME = re.compile(rf"{_CAPITAL}(?:\s+(?:(?:{_INSIDE})\s+)*{_CAPITAL})*")
_REFERS = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then|one|ones|same"
    r"|such|another|others?|else|also|too|either|both|former|latter|first|second|next|more|again|here|above|earlier"
    r"|previous\w*|you\s+(?:said|mentioned|(?:are|were)\s+mentioning)|differences?"
    r"|the\s+(?:company|firm|group|deal|man|woman|person|event|article|fund|platform|country|project))\b",
    re.IGNORECASE,
)
# "Thanks! …", "OK, different subject: …": politeness, and words that say that something else is asked about now.
_POLITE = re.compile(
    r"(?:(?:ok(?:ay)?|thanks(?:\s+a\s+lot)?|thank\s+you(?:\s+very\s+much)?|great|all\s?right)\s*[,.!;:–—-]+\s*)+(?=\w)",
    re.IGNORECASE,
)
_OTHER_TOPIC = re.compile(
    r"(?:(?:and\s+)?(?:now\s+)?(?:a\s+|on\s+an?\s?)?(?:different|new|other|another|next)\s+(?:subject|topic|question|thing|matter|note)"
    r"|chang(?:e|ing)\s+(?:of\s+)?(?:the\s+)?(?:subject|topic))\s*[:,.;–—-]+\s*(?=\w)",
    re.IGNORECASE,
)
_NOW_ABOUT = re.compile(r"(?:and\s+)?now\s+(?:about|to|on\s+to|for)\s+[^:?]{2,40}:\s*(?=\w)", re.IGNORECASE)
_LEANS = re.compile(r"\s*(?:and|or|but|so|then|because|what\s+about|how\s+about|why\s*\?|really)\b", re.IGNORECASE)
_FEWEST_WORDS = 4
_LONGEST_SAID, _LONGEST_BEFORE = 200, 500  # characters
_TURNS_READ = 20


class _Part(NamedTuple):
    """What is to replace something: a name or a time, with the preposition that it came with."""

    text: str
    preposition: str
    is_time: bool


@dataclass(frozen=True, slots=True)
class Meant:
    """The question as it is to be searched and put to the model, and what of the conversation still matters for it.

    `rewritten` is True if that is not what was typed.
    """

    question: str
    history: tuple[Message, ...] = ()
    rewritten: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """For the reader: how the question was understood."""
        return (f"Read as “{self.question}”",) if self.rewritten else ()


def in_conversation(question: str, history: Sequence[Message], *, today: date) -> Meant:
    """What `question` asks after `history`, in which earlier corrections are worked in the same way.

    A rewritten question and one about something new need no history; it is empty then.
    """
    question, other_topic = _without_preamble(question)
    if not history or other_topic:
        return Meant(question)
    standing, kept = _understood(history, today)
    if standing is None:
        return Meant(question, kept)
    rewritten = rewrite(question, standing, today=today)
    if rewritten is not None:
        return Meant(rewritten, rewritten=True)
    return Meant(question, () if is_new_topic(question, standing) else kept)


def rewrite(said: str, before: str, *, today: date) -> str | None:
    """The question `before` with what `said` puts right or swaps; None if `said` is no such thing."""
    if len(said) > _LONGEST_SAID or len(before) > _LONGEST_BEFORE:
        return None
    said = " ".join(said.split())
    corrects = _CORRECTION.fullmatch(said) or _ONLY_LEAD.fullmatch(said)
    swaps = None if corrects else _SWAP.fullmatch(said)
    new = (corrects or swaps or {"new": said})["new"].strip(" ?!.,;:–—-")
    if (corrects or swaps) and _ASKS.match(new) and len(new.split()) >= _FEWEST_WORDS:
        # "No, I meant: when was Ant Group founded?" needs nothing of the question before.
        return f"{new[0].upper()}{new[1:]}?" if corrects and _NAME.search(new[1:]) else None
    for form in _INSTEAD:
        match = None if len(new.split()) > 2 * _LONGEST_PART else form.fullmatch(new)
        if match and (corrects or _part(match["new"], today)):
            old = _find(match["old"], before)
            if old:
                return before[: old[0]] + match["new"].strip(" ?!.,;") + before[old[1] :]
            if corrects:
                new = match["new"].strip(" ?!.,;")
                break
    if not (corrects or swaps):
        return None
    part = _part(new, today)
    return None if part is None else _with_part(before, part, today)


def is_new_topic(question: str, before: str) -> bool:
    """Whether the question stands on its own and is about others: it has names, none of them in `before`, and refers to
    nothing."""
    if _LEANS.match(question) or _REFERS.search(question) or len(question.split()) < _FEWEST_WORDS:
        return False
    known = set(re.findall(r"\w+", before.lower()))
    own = [before_name for span in _names(question) for before_name in question[slice(*span)].lower().split()]
    return bool(own) and not known.intersection(own)


def _without_preamble(question: str) -> tuple[str, bool]:
    """The question without politeness before it, and whether it says that it is about something else than before."""
    bare = question[polite.end() :] if (polite := _POLITE.match(question)) else question
    marked = _OTHER_TOPIC.match(bare)
    other = marked is not None or _NOW_ABOUT.match(bare) is not None
    rest = bare[marked.end() :] if marked else bare
    return (question, other) if rest == question else (rest[0].upper() + rest[1:], other)


def _understood(history: Sequence[Message], today: date) -> tuple[str | None, tuple[Message, ...]]:
    """The last question of the history as it was understood, and the history with such questions and no small talk."""
    standing: str | None = None
    kept: list[Message] = []
    answers = False
    for turn in history[-_TURNS_READ:]:
        if turn.role == "user":
            answers = recognise(turn.content) is None
            if answers:
                standing = (standing and rewrite(turn.content, standing, today=today)) or turn.content
                kept.append(Message("user", standing))
        elif answers:
            kept.append(turn)
    return standing, tuple(kept)


def _part(text: str, today: date) -> _Part | None:
    """The name or time that this is, and nothing else; None if it is more or other than that."""
    match = _PREPOSITION.match(text)
    preposition, bare = (match["word"].lower(), text[match.end() :]) if match else ("", text)
    if not bare or len(bare.split()) > _LONGEST_PART:
        return None
    for candidate, word in ((text, preposition), (f"in {bare}", preposition or "in")):
        periods = find_periods(candidate, today=today)
        if len(periods) == 1 and periods[0].start == 0 and periods[0].end == len(candidate):
            return _Part(bare, word, True)
    possessive = re.sub(r"['’]s?$", "", bare)
    name = re.sub(r"^(?:the|The)\s+", "", possessive)
    if _NAME.fullmatch(name) and name.lower() not in _NO_NAMES:
        return _Part(possessive, preposition, False)
    return None


def _with_part(before: str, part: _Part, today: date) -> str | None:
    bare = before.rstrip(" ?!.")
    periods = find_periods(bare, today=today)
    if part.is_time:
        said = f"{part.preposition} {part.text}".strip()
        if len(periods) > 1:
            return None
        if periods:
            start, end = periods[0].start, periods[0].end
            return f"{bare[:start]}{said if start else said[0].upper() + said[1:]}{bare[end:]}?"
        return f"{bare} {said}?"
    spans = [span for span in _names(bare) if not any(one.start < span[1] and span[0] < one.end for one in periods)]
    if not spans:
        return f"{bare} {part.preposition} {part.text}?" if part.preposition and part.preposition != "for" else None
    start, end = _replaced(bare, spans, part)
    # "the CEO of Snapdeal" gives way to "Jack Ma", and "China" to "the United States".
    head = re.sub(r"\bthe\s+$", "", bare[:start], flags=re.IGNORECASE)
    return f"{head}{part.text}{bare[end:]}?"


def _replaced(before: str, spans: Sequence[tuple[int, int]], part: _Part) -> tuple[int, int]:
    """Which name gives way: the one behind the same preposition, the one that shares a word, the first of as many
    words, or the first."""
    if part.preposition not in ("", "for", "about", "with"):
        for span in spans:
            if re.search(rf"\b{part.preposition}\s+(?:the\s+)?$", before[: span[0]], re.IGNORECASE):
                return span
    words = set(part.text.lower().split())
    for span in spans:
        if words.intersection(before[slice(*span)].lower().split()):
            return span
    # "Taobao" stands for "Alibaba" and not for "Jack Ma": people have two names, most companies and countries one.
    return next((span for span in spans if len(before[slice(*span)].split()) == len(part.text.split())), spans[0])


def _names(text: str) -> list[tuple[int, int]]:
    """The spans of capitalised words that belong together, without what only begins the question."""
    found = []
    for match in _NAME.finditer(text):
        start, end = match.span()
        while start < end and re.split(r"\W", text[start:end], maxsplit=1)[0].lower() in _NO_NAMES:
            first = re.match(r"\S+\s*", text[start:end])
            start += first.end() if first else end - start
        if start < end and (start == 0 or not text[start - 1].isalnum()):
            found.append((start, end))
    return found


def _find(old: str, before: str) -> tuple[int, int] | None:
    """Where the words of `old` stand in the question before."""
    wanted = old.strip(" ?!.,;'\"“”")
    match = re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", before, re.IGNORECASE) if wanted else None
    return match.span() if match else None
