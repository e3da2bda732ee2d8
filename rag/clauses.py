"""The clauses of a long question, each to be searched on its own beside the whole.

"Who, according to TechCrunch, did X, and was said by Fortune to have done Y?" is near to no single passage; its clauses
are. Short questions and those of one or two clauses are left whole. English only. Pure.
"""

import re

from rag.words import content_stems

FEWEST = 3
"""A question with fewer clauses is searched as it stands: there, clauses lose more than they find
(docs/lab-notes.md)."""
MOST = 6
"""Each costs the embedding and search of a short question."""

_TELLING = 3  # words of content; a shorter piece joins the one before it
_BETWEEN = re.compile(
    r"[,;:]\s|\b(?:and|while|but|whereas|compared (?:to|with)|than|or|who|which|that|whose)\b", re.IGNORECASE
)


def clauses_of(question: str) -> tuple[str, ...]:
    """Its clauses in order; empty if it is short."""
    found: list[str] = []
    for piece in _BETWEEN.split(question):
        piece = piece.strip(" \t\n,;:.?!")
        if len(content_stems(piece)) >= _TELLING:
            found.append(piece)
        elif found and piece:
            found[-1] += f" {piece}"
    return tuple(found[:MOST]) if len(found) >= FEWEST else ()
