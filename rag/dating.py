"""Notes about time beside an answer: what "last year" meant when it was written, and what may be out of date. Pure."""

import re
from collections.abc import Sequence
from datetime import date

from rag.periods import spoken
from rag.types import Citation

STALE_DAYS = 365
"""An article so much older than today is named as such if the question asks how things are now."""

_RELATIVE = re.compile(r"\b(last|this|next) (year|month)\b|\b(yesterday|today|tomorrow)\b", re.IGNORECASE)
_STEPS = {"last": -1, "this": 0, "next": 1, "yesterday": -1, "today": 0, "tomorrow": 1}
_NOW = re.compile(
    r"\b(is|are|does|do|has|have|now|current(ly)?|today|latest|newest|at present)\b(?!.*\b(19|20)\d\d\b)", re.IGNORECASE
)
_PAST = re.compile(r"\b(was|were|did|had|founded|ago|history)\b", re.IGNORECASE)


def notes(question: str, text: str, citations: Sequence[Citation], *, today: date) -> tuple[str, ...]:
    """What a reader has to know about the times in an answer; empty if there is nothing."""
    return (*relative_times(text, citations), *stale(question, citations, today=today))


def relative_times(text: str, citations: Sequence[Citation]) -> tuple[str, ...]:
    """For each phrase such as "last year" in `text` that a dated article wrote, when that was."""
    found: dict[str, None] = {}
    for citation in citations:
        for match in _RELATIVE.finditer(text[citation.answer_start : citation.answer_end]):
            meant = _meant(match[0].lower(), citation.date or "")
            if meant and match[0].lower() in citation.quote.lower():
                found[f"“{match[0]}” is {meant}: the article is of {spoken(citation.date or '')}"] = None
    return tuple(found)


def stale(question: str, citations: Sequence[Citation], *, today: date) -> tuple[str, ...]:
    """A warning if the question asks how things are now, and the newest dated article cited is old."""
    if not _NOW.search(question) or _PAST.search(question):
        return ()
    newest = max((citation.date for citation in citations if citation.date), default=None)
    if newest is None or any(citation.date is None for citation in citations):
        return ()
    written = date.fromisoformat(f"{newest}-12-31"[:10] if len(newest) == 4 else f"{newest}-28"[:10])
    if (today - written).days < STALE_DAYS:
        return ()
    return (f"The newest article cited is of {spoken(newest)}; this may have changed since",)


def _meant(phrase: str, iso: str) -> str | None:
    """The time that `phrase` means in an article of this date; None if the date is not exact enough for it."""
    parts = [int(part) for part in iso.split("-") if part.isdigit()]
    words = phrase.split()
    step = _STEPS[words[0]]
    if not parts:
        return None
    if words[-1] == "year":
        return str(parts[0] + step)
    if words[-1] == "month" and len(parts) >= 2:
        month = parts[0] * 12 + parts[1] - 1 + step
        return spoken(f"{month // 12}-{month % 12 + 1:02}")
    if len(words) == 1 and len(parts) == 3:
        return spoken(date.fromordinal(date(*parts).toordinal() + step).isoformat())
    return None
