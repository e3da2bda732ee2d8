"""Why an answer is what it is, as plain data: scores of search, sentences chosen, checks, the draft, and the time.

Nothing here decides anything: it is what the pipeline had in hand anyway. How it is shown is `ui/explaining.py`.
"""

from dataclasses import dataclass
from typing import Literal

Reason = Literal["score", "article", "neighbour", "leaning"]
"""Why a sentence is read: its own score; it is the best of its article, and the question compares; it stands beside one
of the best; the sentence after it leans on it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each similarity counted in the score of a passage (`index.search.Mix`)."""

    passage: float
    sentence: float
    passage_words: float
    article_words: float
    words_late: float = 0.0


@dataclass(frozen=True, slots=True)
class PassageScores:
    """How the passage of this `rank` came by its score.

    `passage` and `sentence` are cosines of the question with the passage and with its best sentence, `passage_words`
    and `article_words` keyword scores, `words_late` the late interaction, all before their weights; None: the index
    does not say. `preference` is what was added for the time that the question speaks of. In a conversation all are
    mixed from two searches.
    """

    rank: int
    passage: float | None
    sentence: float | None
    passage_words: float | None
    article_words: float | None
    preference: float
    score: float
    words_late: float | None = None


@dataclass(frozen=True, slots=True)
class ChosenSentence:
    """A sentence that the model read, in the order of reading: `article.text[start:end] == text`.

    `similarity`, `passage`, `words` and `kind` add up to `score`; None where the sentence was found by a count
    (`rag/listing.py`). `tokens` is what it took of the budget.
    """

    article_id: str
    path: str
    start: int
    end: int
    text: str
    score: float
    similarity: float | None = None
    passage: float | None = None
    words: float | None = None
    kind: float | None = None
    tokens: int | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A judgement on the whole answer, as a number; it passed if `value` reached `threshold`.

    Chances are between 0 and 1 (`rag/confidence.py`). What has no threshold is one of the signals behind the next
    chance: "answerable", "answers", "right" or "agreement" of `rag.types.Signals`.
    """

    name: str
    value: float
    threshold: float | None = None

    @property
    def passed(self) -> bool:
        """Whether it did."""
        return self.threshold is None or self.value >= self.threshold


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence as the model wrote it, and what its check found.

    `cited` are places in `Explanation.evidence`, counted from 1. `support` is the share (0 to 1) of its words that
    these hold, `missing` are its numbers, names and quoted phrases that they do not, `contradicted` says where they
    state the opposite. `kept`: it stands in the answer, unless that was refused as a whole or gave way to quotes or to
    figures side by side. A sentence that the limit of tokens cut off is not among them.
    """

    text: str
    cited: tuple[int, ...]
    support: float
    missing: tuple[str, ...]
    kept: bool
    contradicted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done, `start_s` seconds after the question was taken up and for `took_s` seconds.

    `passes` of the model over a prompt, tokens computed (kept ones are not counted again) and tokens written.
    """

    name: str
    start_s: float
    took_s: float
    passes: int = 0
    tokens_read: int = 0
    tokens_written: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it. What was not reached, since the question was refused before that, is empty."""

    weights: Weights | None = None
    passages: tuple[PassageScores, ...] = ()
    evidence: tuple[ChosenSentence, ...] = ()
    evidence_tokens: int | None = None
    """The budget of tokens that the sentences were chosen within."""
    checks: tuple[Check, ...] = ()
    draft: tuple[DraftSentence, ...] = ()
    steps: tuple[Step, ...] = ()
