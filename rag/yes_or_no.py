"""Log-odds of Yes against No from what a server tells of the first word of its reply.

A server shows the likeliest tokens alone, and some show none. Pure; knows nothing about servers.
"""

import math
from collections.abc import Mapping

COARSE_LOG_ODDS = 2.0
"""What a plain Yes counts, and a No as much below nought, where nothing is told of how sure the model was.

So a Yes is shown at the usual bar (`Settings.wrong_per_hundred`), but not if only ten of a hundred may be wrong."""

_LEAST = 1e-12
"""Chances are taken as no smaller, whatever a server writes for those that it rules out."""


def log_odds_of(likeliest: Mapping[str, float]) -> float:
    """log P(Yes) - log P(No), in nats, from the log-probabilities of the likeliest tokens.

    Each side is the sum of its usual spellings. A side that is not shown gets the most that it could have: as much as
    the last token shown, or what all of these leave of 1, whichever is less. So an answer that is told from part of
    the tokens errs towards nought. Nought if neither is shown.
    """
    if not likeliest:
        return 0.0
    yes, no = (_shown(word, likeliest) for word in ("Yes", "No"))
    if yes is None and no is None:
        return 0.0
    left = 1 - sum(math.exp(value) for value in likeliest.values())
    most = math.log(max(min(math.exp(min(likeliest.values())), left), _LEAST))
    return (most if yes is None else yes) - (most if no is None else no)


def coarse_log_odds(reply: str) -> float:
    """The same from the words alone: one of three values. Nought if the reply begins with neither."""
    start = reply.strip().strip("\"'*“”").lower()
    return COARSE_LOG_ODDS * (start.startswith("yes") - (start.startswith("no") and not start.startswith("not")))


def _shown(word: str, likeliest: Mapping[str, float]) -> float | None:
    """The log-probability of all spellings that are shown; None if none is."""
    spellings = (word, word.lower(), word.upper(), f" {word}")
    shown = [likeliest[spelling] for spelling in spellings if spelling in likeliest]
    return math.log(max(sum(math.exp(value) for value in shown), _LEAST)) if shown else None
