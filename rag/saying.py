"""How counts, lists, filters and times are said to people. Pure."""

from collections.abc import Sequence

from index.filters import Filters
from rag.periods import Period, spoken


def described(filters: Filters) -> str:
    """Filters as they follow "articles that are": "from CNBC, tagged climate and from 2018"."""
    parts = []
    if filters.articles is not None:
        parts.append("one of those named")
    if filters.sources:
        parts.append(f"from {listed(filters.sources)}")
    if filters.tags:
        parts.append(f"tagged {listed(filters.tags)}")
    if filters.dated:
        parts.append(dated(Period(filters.since, filters.until)))
    return listed(parts, "and")


def dated(period: Period) -> str:
    """A period as it follows "articles that are": "from July 2018", "from 2018 or later"."""
    if period.since and period.until:
        return str(period).replace("of ", "from ", 1) if period.since == period.until else str(period)
    return f"from {spoken(period.since)} or later" if period.since else f"from {spoken(period.until or '')} or earlier"


def listed(names: Sequence[str], joint: str = "or") -> str:
    """ "a", "a or b", "a, b or c"."""
    return f"{', '.join(names[:-1])} {joint} {names[-1]}" if len(names) > 1 else "".join(names)


def for_want_of_time(skipped: Sequence[str]) -> tuple[str, ...]:
    """What was skipped, as one note; none if nothing was."""
    return (f"For want of time: {'; '.join(skipped)}",) if skipped else ()


def counted(number: int, noun: str) -> str:
    """ "1 article", "1,200 articles"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
