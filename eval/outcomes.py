"""What came of a question: the answer, the ranking and the evidence behind it, next to what was right.

Everything that a metric looks at is in an `Outcome`, so metrics are pure functions and a run can be scored again.
"""

from dataclasses import dataclass

from eval.questions import Question
from index.types import Span
from rag.types import Answer


@dataclass(frozen=True, slots=True)
class Place:
    """A span of characters of an article (named by file name)."""

    article: str
    start: int
    end: int

    def overlaps(self, other: "Place") -> bool:
        """Whether they share at least half of the shorter one."""
        if self.article != other.article:
            return False
        shared = min(self.end, other.end) - max(self.start, other.start)
        return shared > 0 and 2 * shared >= min(self.end - self.start, other.end - other.start)


@dataclass(frozen=True, slots=True)
class GoldEvidence:
    """One thing that had to be found: any of its places will do. `whole_article`: any span of the article counts."""

    places: tuple[Place, ...]
    whole_article: bool = False

    def found_in(self, place: Place) -> bool:
        """Whether `place` (a passage or a sentence) shows it."""
        return any(
            gold.article == place.article if self.whole_article else gold.overlaps(place) for gold in self.places
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, what was right, and what was done.

    `gold` is None if the question has no judged evidence, or a quote of it is not in its article (then `unfound` holds
    that quote). `ranking` are the passages found, best first, deeper than an answer needs. `chosen` are the sentences
    that the model read, `evidence_tokens` their size. `support_score` (log-odds) is there for the task "support" alone;
    `answer` is None for tasks without one. `tokens_in` were computed by the model (cached ones are not counted again),
    `tokens_out` written by it.
    """

    question: Question
    gold: tuple[GoldEvidence, ...] | None
    ranking: tuple[Place, ...]
    chosen: tuple[Place, ...] = ()
    evidence_tokens: int = 0
    answer: Answer | None = None
    support_score: float | None = None
    search_s: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    unfound: tuple[str, ...] = ()

    @property
    def cited(self) -> tuple[Place, ...]:
        """The distinct cited sentences, by their number."""
        if self.answer is None:
            return ()
        distinct = {citation.number: citation for citation in self.answer.citations}
        return tuple(
            Place(file_name(citation.path), citation.start, citation.end) for _, citation in sorted(distinct.items())
        )

    @property
    def reply(self) -> str | None:
        """What was answered; "" if the question was refused, None if no answer was asked for."""
        if self.answer is None:
            return None
        return "" if self.answer.abstained else self.answer.text


def file_name(path: str) -> str:
    """The last part of a shown path: how questions name articles."""
    return path.rsplit("/", 1)[-1]


def locate(quote: str, text: str) -> tuple[Span, ...]:
    """Every span of `text` that is `quote`; white space may differ. Empty if there is none."""
    import re

    words = quote.split()
    if not words:
        return ()
    pattern = r"\s+".join(re.escape(word) for word in words)
    return tuple(Span(match.start(), match.end()) for match in re.finditer(pattern, text))
