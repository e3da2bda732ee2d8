"""Dates as articles print them, turned into ISO 8601; a part that is not stated is left out ("2018-07").

Only what a strict pattern found is parsed, so "may" and "second" in prose never become dates.
"""

import re
from datetime import datetime

MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
"""A pattern for the name of a month, whole or shortened."""

_YEAR = r"(?:19|20)\d\d"
_ORDINAL = r"(?:st|nd|rd|th)?"
DATE = (
    rf"(?:(?i:{MONTH})\.?\s+\d{{1,2}}{_ORDINAL},?\s+{_YEAR}"
    rf"|\d{{1,2}}{_ORDINAL}\s+(?:of\s+)?(?i:{MONTH})\.?,?\s+{_YEAR}"
    rf"|(?i:{MONTH})\.?,?\s+{_YEAR}"
    rf"|{_YEAR}-\d{{2}}(?:-\d{{2}})?(?!\d)"
    rf"|{_YEAR}/\d{{1,2}}/\d{{1,2}}(?!\d)"
    rf"|\d{{1,2}}[/.]\d{{1,2}}[/.]{_YEAR})"
)
"""A pattern (to be used without flags that change its meaning) for one date, without a weekday or time."""

WEEKDAY = r"(?:(?i:Mon|Tues?|Wed(?:nes)?|Thu(?:rs?)?|Fri|Sat(?:ur)?|Sun)(?i:day)?\.?,?\s+)"
"""A pattern for a weekday before a date."""

_NUMERIC = re.compile(rf"(\d{{1,2}})[/.](\d{{1,2}})[/.]({_YEAR})")
_ISO = re.compile(rf"({_YEAR})[-/](\d{{1,2}})(?:[-/](\d{{1,2}}))?(?!\d)")
_HAS_DAY = re.compile(rf"\b\d{{1,2}}{_ORDINAL}\b(?!\d)")


def to_iso(found: str) -> str | None:
    """ISO 8601 of a date that `DATE` matched: "2018-07-19", "2018-07" or "2018"; None if there is no such
    day.

    In 03/04/2018 day and month cannot be told apart: only the year is given.
    """
    iso = _ISO.match(found)
    if iso:
        year, month, day = iso.groups()
        return _checked(int(year), int(month), int(day) if day else None)
    numeric = _NUMERIC.match(found)
    if numeric:
        first, second, year = (int(group) for group in numeric.groups())
        if first != second and first <= 12 and second <= 12:
            return str(year)
        day_of_month, month_of_year = (first, second) if second <= 12 else (second, first)
        return _checked(year, month_of_year, day_of_month)
    return _from_words(found)


def _from_words(found: str) -> str | None:
    from dateutil import parser

    plain = re.sub(r"(?i)\bof\b", " ", re.sub(r"(?i)\bsept\b", "Sep", found))
    try:
        parsed = parser.parse(plain, default=datetime(2000, 1, 1))
    except (ValueError, OverflowError):
        return None
    return parsed.strftime("%Y-%m-%d" if _HAS_DAY.search(found) else "%Y-%m")


def _checked(year: int, month: int, day: int | None) -> str | None:
    try:
        date = datetime(year, month, day or 1)
    except ValueError:
        return None
    return date.strftime("%Y-%m-%d" if day else "%Y-%m")
