"""Questions about the collection itself, which are counted and not guessed: "Which articles mention X?".

A small grammar over the whole question (`rag/exact_forms.py`). What it does not know to the last word is not such a
question: "How many articles of clothing …" and "Which articles mention Snapdeal, and why?" go the ordinary way.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, TypeAlias

from index.filters import Filters, name_key, name_keys
from rag import exact_forms as forms
from rag.periods import FoundPeriod, find_periods
from rag.publishers import FoundSource, find_sources, mask

Kind: TypeAlias = Literal["count", "list", "detail"]

_LONGEST_PHRASE = 8  # words
_LONGEST_ORDINARY_PHRASE = 3
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_QUOTATION = re.compile(r"\"[^\"]+\"|(?<!\w)['‘][^'‘’]+['’](?!\w)")
_ENDING = re.compile(r"[\s?!.,;:]*(?:\b(?:please|thanks|thank you))?[\s?!.,;:]*$", re.IGNORECASE)
_BEFORE_PHRASE = re.compile(
    r"(?:the\s+)?(?:(?:words?|names?|terms?|phrase|expression)\s+|(?:company|firm)\s+(?=(?-i:[A-Z])))|the\s+",
    re.IGNORECASE,
)
_SPEAKS_OF_ARTICLES = re.compile(r"\barticles?\b|\bnews\s+stories\b", re.IGNORECASE)
_SAYS_WORDS = re.compile(r"\b(?:words?|names?|terms?|phrase|expression)\s+$", re.IGNORECASE)
_BEHIND_PHRASE = re.compile(r"\s+(?:by\s+name|at\s+all|anywhere|in\s+the\s+text|in\s+their\s+text)$", re.IGNORECASE)
_OF_AN_EVENT = re.compile(r"(?:back\s+)?(?:in|during|throughout|for|of|on|around)\b", re.IGNORECASE)
_INSIDE_NAMES = frozenset("of the de van von der den bin al la le du di da & for".split())
_ADVERB = re.compile(r"(?!(?:r?ally|family|supply|reply|assembly|monopoly|anomaly|bully|fly)$)[a-z]+ly")
_MORE_THAN_A_PHRASE = frozenset(
    (
        "that who whom whose which what how why when where whether if because is are was were be been being will would "
        "can could did does do has have had and or but nor not than both either most least more less best often first "
        "last only also together times between with without in at during since after before until by from as it this "
        "these those them they him her he she there here above below earlier something anything everything nothing "
        "someone anyone each every other others another"
    ).split()
)
"""Whoever says one of these asks for more than a phrase, or for what an earlier question named."""
_BEFORE_DESCRIPTIONS = frozenset("a an any some his her its their my your our no all".split())


@dataclass(frozen=True, slots=True)
class ExactQuestion:
    """How many articles, or which, pass `filters`, are by `author` and hold the phrase `mentions`.

    `literal` says that the phrase is surely meant to the letter: it is quoted, or a name. A question with another
    phrase, which stands nowhere, is an ordinary one after all.
    """

    kind: Kind
    mentions: str | None = None
    author: str | None = None
    filters: Filters = field(default_factory=Filters)
    literal: bool = True


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question while it is read: as it is, and of equal length with quotations, publishers and periods hidden."""

    text: str
    masked: str
    sources: tuple[FoundSource, ...]
    periods: tuple[FoundPeriod, ...]
    source_keys: frozenset[str]
    author_keys: frozenset[str]

    @property
    def has_capitals(self) -> bool:
        """Whether capitals tell names from other words."""
        return any(letter.isupper() for letter in self.text[1:])


def may_be_exact(question: str) -> bool:
    """Whether it is worth reading as one: a look at a word or two."""
    return _SPEAKS_OF_ARTICLES.search(question) is not None


def parse_exact(
    question: str, *, sources: Sequence[str] = (), authors: Sequence[str] = (), today: date
) -> ExactQuestion | None:
    """The exact question that `question` is; None if it is another, or if there is any doubt.

    `sources` and `authors` are those of the index.
    """
    asked = prepared(question, sources, authors, today)
    for form in forms.TURNED:
        if match := form.fullmatch(asked.masked):
            known = _with_source(ExactQuestion("count" if "many" in match["which"].lower() else "list"), asked, match)
            return known and _with_phrase(known, asked, match.span("phrase"), names_only=False)
    openings: tuple[tuple[re.Pattern[str], Kind], ...] = (
        (forms.COUNT, "count"), (forms.LIST, "list"), (forms.WHICH, "list"), (forms.ANY, "list"),
    )  # fmt: skip
    for form, kind in openings:
        if match := form.match(asked.masked):
            known = _with_source(ExactQuestion(kind), asked, match)
            # "How many articles?", "List all articles", but neither "Which articles?" nor "Show me the article".
            several = match.group()[-1] in "sS"
            read = known and _rest(known, asked, match.end(), complete=several and form is not forms.WHICH)
            # "What article was published in 1937?" asks about the world.
            return read if several or (read and read.mentions) else None
    return None


def prepared(question: str, sources: Sequence[str], authors: Sequence[str], today: date) -> Prepared:
    """The question without politeness and the marks at its end, with what `Prepared` hides."""
    text = _ENDING.sub("", " ".join(question.translate(_STRAIGHT).split()))
    while polite := forms.POLITE.match(text):
        text = text[polite.end() :]
    masked = _QUOTATION.sub(lambda match: forms.QUOTED * len(match.group()), text)
    named = find_sources(masked, sources)
    masked = mask(masked, named)
    periods = find_periods(masked, today=today)
    for period in periods:
        masked = masked[: period.start] + forms.PERIOD * (period.end - period.start) + masked[period.end :]
    source_keys = frozenset(key for name in sources for key in name_keys(name))
    author_keys = frozenset(name_key(part) for name in authors for part in (name, *name.split(" and ")))
    return Prepared(text, masked, tuple(named), tuple(periods), source_keys, author_keys)


def _rest(known: ExactQuestion, asked: Prepared, place: int, *, complete: bool) -> ExactQuestion | None:
    """`known` with all that stands behind `place`; None if that cannot be read, or is not `complete` without more."""
    while True:
        place += len(asked.masked[place:]) - len(asked.masked[place:].lstrip(" ,"))
        if place == len(asked.masked):
            return known if complete else None
        if match := forms.EXISTS.match(asked.masked, place):
            place, complete = match.end(), True
            continue
        link = forms.LINK.match(asked.masked, place)
        place = link.end() if link else place
        for form in (forms.WHERE_MENTIONED, forms.MENTIONS, forms.IS_ABOUT):
            if match := form.match(asked.masked, place):
                return _with_phrase(known, asked, match.span("phrase"), names_only=form is forms.IS_ABOUT)
        if match := forms.EXISTS.match(asked.masked, place):
            place, complete = match.end(), True
            continue
        more = _one_more(known, asked, place)
        if more is None:
            return None
        known, place, complete = *more, True


def _one_more(known: ExactQuestion, asked: Prepared, place: int) -> tuple[ExactQuestion, int] | None:
    """The publisher, author, time or tag that stands at `place`, and where it ends."""
    for form in (forms.SOURCE_DID, forms.BY_SOURCE):
        if match := form.match(asked.masked, place):
            more = _with_source(known, asked, match)
            return (more, match.end()) if more else None
    for form in (forms.AUTHOR_DID, forms.BY_AUTHOR):
        if match := form.match(asked.masked, place):
            name = asked.text[slice(*match.span("author"))].strip("\"'‘’")
            more = _with_author(known, asked, name, must_be_known=form is forms.AUTHOR_DID)
            return (more, match.end()) if more else None
    if (match := forms.WHEN.match(asked.masked, place)) and not known.filters.dated:
        period = next(found.period for found in asked.periods if found.start == match.start("period"))
        if known.mentions and match.start() == match.start("period") and _OF_AN_EVENT.match(asked.text, match.start()):
            return None  # "mention Alibaba in 2018" may be about what Alibaba did then
        filters = replace(known.filters, since=period.since, until=period.until)
        return replace(known, filters=filters), match.end()
    if (match := forms.TAGGED.match(asked.masked, place)) and not known.filters.tags:
        tag = asked.text[slice(*match.span("tag"))].strip("\"'‘’")
        return replace(known, filters=replace(known.filters, tags=(tag,))), match.end()
    return None


def _with_source(known: ExactQuestion, asked: Prepared, match: re.Match[str]) -> ExactQuestion | None:
    """With the publishers of the group `source`, if there are any; None if `known` has some already."""
    if not match["source"]:
        return known
    start, end = match.span("source")
    names = tuple(item.name for item in asked.sources if start <= item.start < end)
    return None if known.filters.sources else replace(known, filters=replace(known.filters, sources=names))


def _with_author(known: ExactQuestion, asked: Prepared, name: str, *, must_be_known: bool) -> ExactQuestion | None:
    if known.author is None and name_key(name) in asked.author_keys:
        return replace(known, author=name)
    if not known.filters.sources and name_key(name) in asked.source_keys:
        return replace(known, filters=replace(known.filters, sources=(name,)))
    return None if must_be_known or known.author is not None else replace(known, author=name)


def _with_phrase(
    known: ExactQuestion, asked: Prepared, span: tuple[int, int], *, names_only: bool
) -> ExactQuestion | None:
    """With the phrase that the span begins with, and with what follows it."""
    start, end = span
    before = _BEFORE_PHRASE.match(asked.masked, start, end)
    start = before.end() if before else start
    if known.mentions is not None or start == end:
        return None
    quoted = re.compile(forms.QUOTED + "+").match(asked.masked, start, end)
    if quoted:
        phrase = asked.text[start : quoted.end()].strip("\"'‘’ ")
        more = replace(known, mentions=phrase)
        return _rest(more, asked, quoted.end(), complete=True) if end == len(asked.masked) else more
    for split in forms.AFTER_PHRASE.finditer(asked.masked, start, end):
        # "Which articles mention Alibaba from 2018": only behind a name is it clear that the articles are meant.
        literal = _literal(asked, start, split.start(), names_only=True)
        if literal:
            with_phrase = replace(known, mentions=asked.text[start : split.start()])
            if all_of_it := _rest(with_phrase, asked, split.end(), complete=False):
                return all_of_it
    behind = _BEHIND_PHRASE.search(asked.masked, start, end)
    end = behind.start() if behind else end
    literal = _literal(asked, start, end, names_only=names_only)
    if literal is None:
        return None
    to_the_letter = literal or bool(_SAYS_WORDS.search(asked.masked[:start]))
    return replace(known, mentions=asked.text[start:end], literal=to_the_letter)


def _literal(asked: Prepared, start: int, end: int, *, names_only: bool) -> bool | None:
    """Whether these words are surely meant to the letter; None if they may be more than a phrase."""
    phrase, masked = asked.text[start:end], asked.masked[start:end]
    words = phrase.split()
    if forms.PERIOD in masked or forms.QUOTED in masked or re.search(r"[,;:?!\"()]|\.\s", phrase):
        return None
    if not 1 <= len(words) <= _LONGEST_PHRASE or _MORE_THAN_A_PHRASE.intersection(words):
        return None
    if words[0].lower() in _BEFORE_DESCRIPTIONS or (len(words) > 1 and _ADVERB.fullmatch(words[-1])):
        return None
    if not asked.has_capitals:
        # It may be a name: "jack ma".
        longest = 2 if names_only else _LONGEST_ORDINARY_PHRASE
        return len(words) == 1 and not names_only if len(words) <= longest else None
    if words[0][0].islower() or words[-1][0].islower() or not all(map(_is_part_of_name, words)):
        return None if names_only or len(words) > _LONGEST_ORDINARY_PHRASE else False
    return True


def _is_part_of_name(word: str) -> bool:
    return not word[0].islower() or word in _INSIDE_NAMES
