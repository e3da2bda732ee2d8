"""The order of what was found, changed a little by what the question says about time.

Pure. A preference decides between passages that fit the question about as well, such as two reports that give different
figures; it lifts none by more than a share of the best score, and never drops one. Where a question speaks of the
present, the newest of what was found are to be tried alone first.
"""

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta

from index.filters import may_lie_in
from index.types import Article, Hit
from rag.wanted import Wanted

PERIOD_BONUS = 0.05
"""What an article of the period asked about gains, as a share of the best score: a passage has to be within 5 % of
another to pass it. A share, so that it means the same whatever scale the search uses."""

LATEST_BONUS = 0.2
"""What the newest article gains where the newest are asked for, as a share of the best score; others by their age.
Where a question says both, the two add up."""

PRESENT_BONUS = 0.1
"""The same where a question speaks of the present without saying more."""

LATEST_HALF_LIFE_DAYS = 365.0
"""An article so much older than the newest of the best ones found gains half as much."""
PRESENT_HALF_LIFE_DAYS = 90.0

NEAR_THE_BEST = 0.8
"""What fits so well, as a share of the best score, may be the news that a question about the present wants."""

SAME_NEWS = timedelta(days=7)
"""Reports of one piece of news come within so much of each other."""

_UNDATED = 0.5
"""An article without a date counts as one of middling age: it is neither moved up nor down among the others."""


def prefer(hits: Sequence[Hit], wanted: Wanted) -> tuple[Hit, ...]:
    """The same hits, ranked anew with the bonuses in their scores; equal ones keep their order."""
    if not wanted.moves or not hits:
        return tuple(hits)
    best = max(0.0, max(hit.score for hit in hits))
    gain, half_life = LATEST_BONUS, LATEST_HALF_LIFE_DAYS
    if not wanted.latest:
        gain, half_life = (PRESENT_BONUS if wanted.present else 0.0), PRESENT_HALF_LIFE_DAYS
    # Something newer that hardly fits the question makes the reports that do fit no older.
    near = [hit for hit in hits if hit.score >= best * (1 - PERIOD_BONUS - gain)]
    days = {middle for hit in near if (middle := _middle(hit.article.date)) is not None}
    newest = max(days, default=None)
    if wanted.present and len(days) < 2:
        gain = 0.0  # one date alone says nothing about which is newer

    def bonus(article: Article) -> float:
        share = 0.0
        if article.date and any(may_lie_in(article.date, period.since, period.until) for period in wanted.periods):
            share += PERIOD_BONUS
        if newest is not None:
            share += gain * _recency(article.date, newest, half_life)
        return share * best

    def raised(hit: Hit) -> Hit:
        gained = bonus(hit.article)
        parts = dataclasses.replace(hit.parts, preference=gained)
        return dataclasses.replace(hit, score=hit.score + gained, parts=parts)

    scored = [raised(hit) for hit in hits]
    scored.sort(key=lambda hit: -round(hit.score, 6))
    return tuple(dataclasses.replace(hit, rank=rank) for rank, hit in enumerate(scored, start=1))


def newest_of(hits: Sequence[Hit], wanted: Wanted) -> tuple[Hit, ...]:
    """The hits that are about as new as the newest of those that fit, where the question speaks of the present; none if
    it does not, or if none among them is known to be older: then all that was found is what there is to read."""
    if not (wanted.latest or wanted.present) or not hits:
        return ()
    days = {hit.passage.id: middle for hit in hits if (middle := _middle(hit.article.date)) is not None}
    least = NEAR_THE_BEST * max(hit.score for hit in hits)
    newest = max((days[hit.passage.id] for hit in hits if hit.score >= least and hit.passage.id in days), default=None)
    if newest is None:
        return ()
    kept = tuple(hit for hit in hits if hit.passage.id in days and days[hit.passage.id] >= newest - SAME_NEWS)
    return kept if len(kept) < len(days) else ()


def _recency(iso: str | None, newest: date, half_life: float) -> float:
    """1 for the newest and what is newer still, halved with every half-life of age."""
    middle = _middle(iso)
    return _UNDATED if middle is None else 0.5 ** (max(0, (newest - middle).days) / half_life)


def _middle(iso: str | None) -> date | None:
    """The day itself, or that in the middle of the month or year; None for what is no date."""
    if iso is None:
        return None
    try:
        return date.fromisoformat(f"{iso}-07-01"[:10] if len(iso) == 4 else f"{iso}-15"[:10])
    except ValueError:
        return None
