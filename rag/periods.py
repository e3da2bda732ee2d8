"""Times as questions speak of them: "in October 2020", "between 2016 and 2018", "since last year".

Only a date beside a word that makes it one is read ("in 2018", not the 2018 of "in 2018 shops" or "China 2025"). Fiscal
years are not: they are reported on when they are over.
Pure: today is given. Knows nothing about articles.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from index.dates import DATE, MONTH, to_iso

_YEAR = (
    r"(?:19|20)[0-9][0-9](?![\w%]|[.,]\d|-\d{1,2}\b|\s?%|(?-i::\s?[A-Z]))"
    # "in 2005 shops", "of 2000 people", "in 2020 Vision" are no years.
    r"(?!\s+(?:vision|hundred|thousand|million|billion|trillion|per\s?cent|people|men|women|children|staff|feet|yuan|yen"
    r"|won|km|kg|other|more|different|such)\b)"
    r"(?!\s+(?!(?:was|is|as|does|has|this|its|his|plus|versus|vs|across|unless|onwards|perhaps|less)\b)(?-i:[a-z]+s\b))"
)
_QUARTER = rf"(?:Q[1-4],?\s+|(?:the\s+)?(?:first|second|third|fourth|last)\s+quarter\s+(?:of\s+)?){_YEAR}"
_DECADE = r"(?:the\s+)?(?:19|20)[0-9]0['’]?s\b"
_PART = (
    r"(?:(?:the\s+)?(?:beginning|start|middle|end|course|spring|summer|autumn|fall|winter|first\s+half|second\s+half)"
    r"\s+(?:of\s+)?|(?:the\s+)?(?:early|mid|late)[\s-]+|(?:the\s+)?year\s+(?:of\s+)?)*"
)
_POINT = rf"(?:{_PART}(?:{DATE}|{MONTH}\s+of\s+{_YEAR}|{_QUARTER}|{_DECADE}|{_YEAR}))"
_NO_YEAR_BEFORE_OF = r"(?<!total )(?<!sum )(?<!population )(?<!capacity )(?<!average )(?<!maximum )(?<!price )"
_SOMEONES = re.compile(r"(?i)\b(?:the|his|her|its|their|my|our|your)\s+$")
_CHANGED = re.compile(r"(?i)\b(?:r[iou]se[ns]?|f[ae]ll(?:en|s)?|gr[eo]wn?s?|(?:in|de)creased?|dropped|up|down|cut)\s+$")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_COUNTS = {name: number for number, name in enumerate("two three four five six seven eight nine ten".split(), start=2)}
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365, "decade": 3652}


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time, both ends included: ISO 8601, perhaps only a year or month. An end that is None is open."""

    since: str | None = None
    until: str | None = None

    def __str__(self) -> str:
        """For a person: "of July 2018", "since 2018", "until 2018", "from 2016 to 2018"."""
        if self.since and self.until:
            same = self.since == self.until
            return f"of {spoken(self.since)}" if same else f"from {spoken(self.since)} to {spoken(self.until)}"
        return f"since {spoken(self.since)}" if self.since else f"until {spoken(self.until or '')}"


class FoundPeriod(NamedTuple):
    """A period and where the question speaks of it, its preposition included."""

    period: Period
    start: int
    end: int


def find_periods(question: str, *, today: date) -> list[FoundPeriod]:
    """The periods that a question names, in order; they do not overlap."""
    found = [item for pattern, read in _READERS for item in _matches(pattern, read, question, today)]
    found.sort(key=lambda item: (item.start, -item.end))
    kept: list[FoundPeriod] = []
    for item in found:
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept


def spoken(iso: str) -> str:
    """ "2018-07-19" as "19 July 2018", "2018-07" as "July 2018"; anything else as it stands."""
    try:
        if len(iso) == 7:
            return f"{date.fromisoformat(iso + '-01'):%B %Y}"
        return f"{date.fromisoformat(iso).day} {date.fromisoformat(iso):%B %Y}" if len(iso) == 10 else iso
    except ValueError:
        return iso


_Read = Callable[[re.Match[str], date], Period | None]


def _matches(pattern: re.Pattern[str], read: _Read, question: str, today: date) -> Iterator[FoundPeriod]:
    for match in pattern.finditer(question):
        period = read(match, today)
        if period is not None:
            yield FoundPeriod(period, match.start(), match.end())


def _point(text: str) -> Period | None:
    """The period of a `_POINT`; None for a day that does not exist."""
    years = re.findall("(?:19|20)[0-9][0-9]", text)
    if not years:
        return None  # digits of another script
    quarter = re.search(r"(?i)\bQ([1-4])|\b(first|second|third|fourth|last)\s+quarter", text)
    if quarter:
        named = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}
        last_month = 3 * (int(quarter[1]) if quarter[1] else named[quarter[2].lower()])
        return Period(f"{years[0]}-{last_month - 2:02}", f"{years[0]}-{last_month:02}")
    if re.search(r"0['’]?s$", text):
        return Period(years[0], str(int(years[0]) + 9))
    dated = re.search(DATE, re.sub(rf"(?i)({MONTH})\s+of\b", r"\1", text))
    iso = to_iso(dated.group()) if dated else years[0]
    return Period(iso, iso) if iso else None


def _span(first: str, last: str) -> Period | None:
    begin, end = _point(first), _point(last)
    if begin is None or end is None or (begin.since or "") > (end.until or "") + "~":
        return None
    return Period(begin.since, end.until)


def _within(match: re.Match[str], today: date) -> Period | None:
    period = _point(match["a"])
    last = _point(match["b"]) if match["b"] else period
    return Period(period.since, last.until) if period and last and (period.since or "") <= (last.until or "") else None


def _between(match: re.Match[str], today: date) -> Period | None:
    first = match["a"]
    if re.fullmatch(rf"(?i:{MONTH})\.?", first):
        years = re.findall("(?:19|20)[0-9][0-9]", match["b"])
        first = f"{first} {years[-1] if years else ''}"  # "between July and October 2020"
    return _span(first, match["b"])


def _since(match: re.Match[str], today: date) -> Period | None:
    period = _point(match["a"])
    return Period(since=period.since) if period else None


def _after(match: re.Match[str], today: date) -> Period | None:
    period = _point(match["a"])
    return Period(since=_next(period.until)) if period and period.until else None


def _until(match: re.Match[str], today: date) -> Period | None:
    if _CHANGED.search(match.string[: match.start()]):
        return None  # "rose by 2000"
    period = _point(match["a"])
    return Period(until=period.until) if period else None


def _before(match: re.Match[str], today: date) -> Period | None:
    period = _point(match["a"])
    return Period(until=_previous(period.since)) if period and period.since else None


def _relative(match: re.Match[str], today: date) -> Period | None:
    if _SOMEONES.search(match.string[: match.start()]):
        return None  # "in his last year", "over the last year"
    last, unit = match["which"].lower() != "this", match["unit"].lower()
    if unit == "year":
        period = str(today.year - last)
    elif unit == "month":
        period = f"{today.replace(day=1) - timedelta(days=1 if last else 0):%Y-%m}"
    elif unit == "week":
        monday = today - timedelta(days=today.weekday() + 7 * last)
        begin, end = monday.isoformat(), (monday + timedelta(days=6)).isoformat()
        return Period(begin, end) if not match["since"] else Period(since=begin)
    else:
        month = _MONTHS.index(unit[:3]) + 1
        period = f"{today.year - (last and month >= today.month)}-{month:02}"
    return Period(since=period) if match["since"] else Period(period, period)


def _yesterday(match: re.Match[str], today: date) -> Period | None:
    day = (today - timedelta(days=1)).isoformat()
    return Period(day, day)


def _recent(match: re.Match[str], today: date) -> Period | None:
    word = (match["count"] or "1").lower()
    count = _COUNTS.get(word) or (int(word) if word.isdecimal() else 3)  # "a few", "several"
    days = count * _DAYS[match["unit"].lower().rstrip("s")]
    return Period(since=(today - timedelta(days=days)).isoformat()) if days < 366 * 100 else None


def _next(iso: str) -> str:
    """The day, month or year after."""
    if len(iso) == 4:
        return str(int(iso) + 1)
    if len(iso) == 7:
        return f"{date.fromisoformat(iso + '-28') + timedelta(days=4):%Y-%m}"
    return (date.fromisoformat(iso) + timedelta(days=1)).isoformat()


def _previous(iso: str) -> str:
    """The day, month or year before."""
    if len(iso) == 4:
        return str(int(iso) - 1)
    if len(iso) == 7:
        return f"{date.fromisoformat(iso + '-01') - timedelta(days=1):%Y-%m}"
    return (date.fromisoformat(iso) - timedelta(days=1)).isoformat()


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"\b{text}", re.IGNORECASE)


_A, _B = f"(?P<a>{_POINT})", f"(?P<b>{_POINT})"
_READERS: tuple[tuple[re.Pattern[str], _Read], ...] = (
    (_pattern(rf"between\s+(?P<a>{_POINT}|{MONTH}\.?)\s+(?:and|&|to|-|–)\s+{_B}"), _between),
    (_pattern(rf"from\s+(?P<a>{_POINT}|{MONTH}\.?)\s*(?:to|until|till|through|-|–)\s*{_B}"), _between),
    (_pattern(rf"(?:ever\s+)?since\s+{_A}"), _since),
    (_pattern(rf"(?:starting|beginning)\s+(?:in|from)\s+{_A}"), _since),
    (_pattern(rf"from\s+{_A}\s+on(?:wards?)?\b"), _since),
    (_pattern(rf"(?:later\s+than|after)\s+{_A}"), _after),
    (_pattern(rf"(?:until|till|up\s+to|through|by|no\s+later\s+than)\s+{_A}"), _until),
    (_pattern(rf"(?:earlier\s+than|before|prior\s+to)\s+{_A}"), _before),
    (
        _pattern(
            rf"(?:(?:back\s+)?in|during|throughout|within|{_NO_YEAR_BEFORE_OF}of|for|from|on|dated|as\s+of|around)\s+{_A}"
            rf"(?:(?:\s*,\s*{_YEAR})*,?\s*(?:and|or|-|–|/)\s*(?P<b>{_YEAR}))?"
        ),
        _within,
    ),
    (
        _pattern(
            rf"(?P<since>since\s+)?(?:(?:in|during|from|of|for)\s+)?(?P<which>last|this|previous)\s+"
            # "may" and "march" are words of their own.
            rf"(?P<unit>year|month|week|(?-i:(?!may|mar)){MONTH})\b(?!\s+(?:of|as|in\s+office))"
        ),
        _relative,
    ),
    (_pattern(r"yesterday\b"), _yesterday),
    (
        _pattern(
            r"(?:in|over|during|within|for)\s+the\s+(?:last|past)\s+"
            r"(?:(?P<count>\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|few|several|couple\s+of)\s+)?"
            r"(?P<unit>days?|weeks?|months?|years?|decades?)\b(?!\s+of)"
        ),
        _recent,
    ),
)
