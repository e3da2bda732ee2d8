"""What a question itself says about the articles that it wants: their publisher, their date, the newest. No model.

A filter is inferred only where the question plainly speaks of articles ("articles from 2018", "according to CNBC"),
and only for publishers that the index knows, or where it asks what happened "this week" or "last year": what was new
five years ago does not answer that. Any other time that may be that of an event ("in 2018") is a preference, which
changes the order of what is found and excludes nothing (`rag/preference.py`).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

from index.filters import Filters, name_key
from rag.asked_kinds import asks_about_present
from rag.periods import FoundPeriod, Period, find_periods
from rag.publishers import MARK, NAMES, FoundSource, find_sources, mask
from rag.saying import listed

_REPORT = r"(?:articles?|reports?|reporting|stor(?:y|ies)|pieces?|posts?|coverage)"
_ARTICLE = r"(?:articles?|news(?:\s+(?:articles?|stor(?:y|ies)|reports?|items?|coverage))?|stories)"
_ARTICLES = rf"(?:(?:the|this|that)\s+article|(?!article\b){_ARTICLE})"
_BE = r"(?:(?:that|which)\s+)?(?:(?:is|are|was|were|has\s+been|have\s+been)\s+)?"
_WRITES = r"(?:publish(?:e[sd])?|writes?|wrote|written|(?:report(?:s|ed)?|says?|said)\s+(?:on|about|that))\b"
_BY_SOURCE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\baccording\s+to\s+(?:(?:an?|the|one|two|several|recent|news|both)\s+)*(?:{_REPORT}\s+(?:by|from|in|of|on)\s+)?"
        rf"(?:both\s+)?{NAMES}",
        rf"\b(?:as\s+per|(?:reported|published|written|covered)\s+(?:by|in|on))\s+(?:both\s+)?{NAMES}",
        rf"\b{_REPORT}\s+{_BE}(?:(?:published|written|posted|printed)\s+)?(?:by|from|in|of|on)\s+(?:both\s+)?{NAMES}",
        rf"\b{_ARTICLE}\s+{_BE}(?:(?:published|written|posted|printed)\s+)?(?:by|from|in|of|on)\s+(?:both\s+)?{NAMES}",
        rf"(?<![\w{MARK}])(?:the\s+)?{MARK}++(?:['’]s?)?\s+(?:(?-i:[a-z]+)\s+)?(?:(?!report){_REPORT}|{_ARTICLE})\b",
        rf"(?<![\w{MARK}])(?<!did )(?<!does )(?<!do )(?:the\s+)?{MARK}++(?:['’]s?)?\s+reports?\b",
        # A company reports its revenue; a newspaper reports on something.
        rf"\b(?:did|does|do|has|have)\s+{NAMES}\s+(?:recently\s+)?{_WRITES}",
        rf"(?<![\w{MARK}]){NAMES}\s+(?:has\s+)?{_WRITES}",
    )
)
_OTHERS = re.compile(
    r"\b(?:other\s+than|besides|except(?:\s+for)?|apart\s+from|aside\s+from|unlike|contrary\s+to|without|excluding"
    r"|not\s+(?:in|by|from|according\s+to))\s+(?:(?:an?|the)\s+)?(?:\w+\s+){0,2}?" + MARK,
    re.IGNORECASE,
)
_DATED_ARTICLES = re.compile(
    rf"\b(?:{_ARTICLES}\s+{_BE}|(?:{_ARTICLES}|coverage|what|everything|anything)\s+{_BE}"
    rf"(?:published|written|posted|printed|dated)\s+)(?:(?:by|in|on|from)\s+{NAMES}\s+)?(?:from\s+)?$",
    re.IGNORECASE,
)
_ANY_ARTICLE = re.compile(rf"\b(?:{_REPORT}|{_ARTICLE})\b", re.IGNORECASE)
_COMPARING = re.compile(
    r"\b(?:chang(?:e|ed|es)|compared?|consisten(?:t|cy)|inconsisten(?:t|cy)|same|differ\w*|subsequent|later|earlier)\b",
    re.IGNORECASE,
)
_LATEST = re.compile(
    r"\b(?:(?:the\s+)?(?<!at the )(?:latest|newest|most\s+recent)"
    r"|(?<!buy )(?<!until )(?<!till )(?:right\s+)?now(?!\s+(?:known|called|named|defunct))"
    r"|recent(?:ly)?|this\s+(?:week|weekend|month|year)|so\s+far"
    r"|currently|nowadays|these\s+days|at\s+present|presently|at\s+the\s+moment|as\s+of\s+(?:today|now)|(?<!usa )today"
    r"|(?<!direct )(?<!alternating )(?<!electric )(?<!electrical )(?<!ocean )(?<!sea )(?<!air )current"
    r"(?!\s+(?:account|assets|liabilit\w+|affairs|ratio|density)))\b(?!-)",
    re.IGNORECASE,
)
_LATELY = re.compile(r"\b(this|last)\s+(?:past\s+)?(week|month|year)(?:end)?\b", re.IGNORECASE)
_OLDEST_DAYS = {"this week": 14, "last week": 21, "this month": 45, "last month": 75, "this year": 60}
"""So much older than the newest article one may be that tells what was "this week": longer than the span itself, since
reports come before and after. What tells of a year may be from its first day on."""


class _Fresh(NamedTuple):
    """Where the question speaks of a week, month or year by today, in its words and in those of `_OLDEST_DAYS`."""

    start: int
    end: int
    span: str

    def since(self, newest: date) -> date:
        """The first day of which an article may be, beside a newest one of that day."""
        if self.span == "last year":
            return date(newest.year - 1, 1, 1)
        oldest = newest - timedelta(days=_OLDEST_DAYS[self.span])
        return min(oldest, date(newest.year, 1, 1)) if self.span == "this year" else oldest


@dataclass(frozen=True, slots=True)
class Said:
    """A phrase of the question and what was read from it; `period` if that is a time."""

    about: Literal["sources", "date", "period", "latest"]
    phrase: str
    meaning: str
    period: Period | None = None

    def __str__(self) -> str:
        """For the user: "Preferring articles of 2018, as the question says “in 2018”"."""
        verb = "Only" if self.about in ("sources", "date") else "Preferring"
        return f"{verb} {self.meaning}, as the question says “{self.phrase}”"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question asks for: `filters` exclude, `periods` (any of them) and `latest` only prefer.

    `present`: it asks how things are without naming a time, so that of reports that fit alike the newest are preferred.
    Only "this week" and the like let `filters.undated` be true.
    `said` are the phrases that it was read from.
    """

    filters: Filters = field(default_factory=Filters)
    periods: tuple[Period, ...] = ()
    latest: bool = False
    present: bool = False
    said: tuple[Said, ...] = ()

    @property
    def prefers(self) -> bool:
        """Whether it says that the order of what is found is to depend on dates."""
        return self.latest or bool(self.periods)

    @property
    def moves(self) -> bool:
        """Whether the order of what is found depends on dates."""
        return self.prefers or self.present

    def beside(self, filters: Filters) -> "Wanted":
        """What is left of it beside the caller's own filters: nothing about what they settle.

        Named articles settle publisher and date, but for "this week" among them; a date settles filters and preferences
        of date.
        """
        kept = self
        if filters.articles is not None or filters.sources:
            kept = kept._without("sources", replace(kept.filters, sources=()))
        if (filters.articles is not None and not kept.filters.undated) or filters.dated:
            kept = kept._without("date", replace(kept.filters, since=None, until=None, undated=False))
        if filters.dated:
            kept = replace(kept._without("period", kept.filters), periods=(), present=False)
        return kept

    def _without(self, about: str, filters: Filters) -> "Wanted":
        return replace(self, filters=filters, said=tuple(item for item in self.said if item.about != about))


def infer(
    question: str, *, sources: Iterable[str], today: date, newest: Callable[[], date | None] = lambda: None
) -> Wanted:
    """What `question` says plainly about publisher and time. `sources` are the publishers of the index, `newest` tells
    the day of its newest article: "this week" is the last that a collection knows of, however long ago."""
    named = find_sources(question, tuple(sources))
    masked = mask(question, named)
    said: list[Said] = []
    names, phrase = _wanted_sources(masked, question, named)
    if names:
        said.append(Said("sources", phrase, f"articles by {listed(names)}"))
    periods = [found for found in find_periods(masked, today=today) if _has_articles(found.period, today)]
    articles = _find_dated_articles(masked, periods, sources=len(names))
    # "The articles of this week" means the calendar's, and beside another time this week is not all that is wanted.
    fresh = None if any(start is not None for _, start in articles) else _find_fresh(question)
    day = newest() if fresh and all(fresh.start < found.end and found.start < fresh.end for found in periods) else None
    articles = [] if day else articles
    period = Period()
    soft: list[Period] = []
    for found, start in articles:
        if start is not None:
            period = found.period
            said.append(Said("date", question[start : found.end], f"articles {period}", period))
        elif found.period not in soft:
            soft.append(found.period)
            said.append(Said("period", question[found.start : found.end], f"articles {found.period}", found.period))
    latest = _find_latest(question)
    if fresh and day:
        phrase = question[fresh.start : fresh.end]
        period = Period(since=fresh.since(day).isoformat())
        said.append(Said("date", phrase, f"articles {period} or without a date", period))
    if latest and not day:
        said.append(Said("latest", latest, "the newest articles"))
    filters = Filters(sources=names, since=period.since, until=period.until, undated=day is not None)
    present = not latest and not periods and asks_about_present(masked)
    return Wanted(filters, tuple(soft), latest is not None, present, tuple(said))


def _wanted_sources(masked: str, question: str, named: Sequence[FoundSource]) -> tuple[tuple[str, ...], str]:
    """The publishers whose articles alone are asked about, and the phrase that says so.

    One that the question names besides ("while The Verge claims") counts as well: it must not be shut out.
    """
    if not named or _OTHERS.search(masked):
        return (), ""
    for pattern in _BY_SOURCE:
        match = pattern.search(masked)
        if match:
            by_key = {name_key(item.name): item.name for item in reversed(named)}
            return tuple(dict.fromkeys(by_key[name_key(item.name)] for item in named)), question[slice(*match.span())]
    return (), ""


def _find_dated_articles(
    masked: str, periods: Sequence[FoundPeriod], *, sources: int
) -> list[tuple[FoundPeriod, int | None]]:
    """The periods, each with the start of the words that make it the date of the articles; None if nothing does.

    A question that speaks of several times, articles or publishers may mean the date of one of them only.
    """
    several = len(periods) > 1 or sources > 1 or len(_ANY_ARTICLE.findall(masked)) > 1 or _COMPARING.search(masked)
    matches = [None if several else _DATED_ARTICLES.search(masked[: period.start]) for period in periods]
    return [(period, match and match.start()) for period, match in zip(periods, matches, strict=True)]


def _has_articles(period: Period, today: date) -> bool:
    """Whether some articles can be of the period and others not: not so for "in 2050" and "by 2035"."""
    now = today.isoformat()
    began = period.since is None or period.since <= now
    return began and (period.since is not None or (period.until or "") < now)


def _find_fresh(question: str) -> _Fresh | None:
    match = _said(_LATELY, question)
    return match and _Fresh(match.start(), match.end(), f"{match[1]} {match[2]}".lower())


def _find_latest(question: str) -> str | None:
    match = _said(_LATEST, question)
    return match and match.group()


def _said(pattern: re.Pattern[str], question: str) -> re.Match[str] | None:
    for match in pattern.finditer(question):
        # With a capital inside a question it is part of a name: USA Today, Apocalypse Now, NOW.
        if not match.group()[:1].isupper() or (match.start() == 0 and not match.group().isupper()):
            return match
    return None
