"""The nouns of an answer, and the events of one being made. All frozen; all turn into JSON with `to_dict()`.

`start`/`end` are character offsets into the stored article text, `article.text[start:end] == quote`;
`answer_start`/`answer_end` are offsets into `Answer.text`.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeAlias

from index.filters import Filters
from index.types import Span
from rag.explanation import Explanation
from rag.periods import Period


@dataclass(frozen=True, slots=True)
class Extract:
    """A part of a message that is made of parts of a longer one, which a model may have read ahead.

    `content[at]` is the text of all `spans` of `whole`, in their order; `whole` begins as the message does.
    """

    at: Span
    whole: str
    spans: tuple[Span, ...]


Skill = Literal["judging", "checking", "writing", "supporting"]
"""What a model may be trained for: judge whether excerpts answer, whether a draft is the answer, and find phrases."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, or one part of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str
    adapted: str = ""
    """The end of `content`, where a model is asked what it was trained for: read with its adapter for `skill` if it has
    one (`rag/adapter.py`), as is the reply."""
    skill: Skill | None = None
    extracts: tuple[Extract, ...] = ()
    """Parts of `content` that the model may know from longer messages (`rag/excerpts.py`)."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Another article that says the same nearly word for word, and where: `article.text[start:end]`."""

    article_id: str
    title: str | None
    source: str | None
    date: str | None
    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence of an article that supports a sentence of the answer. Exists only if the check passed.

    `number` is what the reader sees, [1], [2], …; the same sentence cited twice keeps its number.
    `support` is between 0 and 1, higher is better supported. `also_in` names other articles that hold the sentence.
    `page` is that of a PDF on which the sentence begins.
    """

    number: int
    answer_start: int
    answer_end: int
    article_id: str
    title: str | None
    source: str | None
    date: str | None
    url: str | None
    path: str
    start: int
    end: int
    quote: str
    support: float
    also_in: tuple[Copy, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class PassageUse:
    """A passage that search found for the question; `used` says whether any of it went into the evidence.

    `also_in` are copies of it in other articles, such as one agency report printed by two publishers; they are not
    among the passages themselves.
    """

    article_id: str
    title: str | None
    source: str | None
    date: str | None
    path: str
    start: int
    end: int
    text: str
    score: float
    rank: int
    used: bool
    also_in: tuple[Copy, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds since the question was taken up. `first_token_s` is None if nothing was generated."""

    search_s: float
    first_token_s: float | None
    total_s: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model has done: passes over a prompt, tokens computed (those kept from before are not), tokens written,
    and the sum of the log-probabilities of those written, in nats (0 where the engine does not tell them)."""

    passes: int = 0
    tokens_read: int = 0
    tokens_written: int = 0
    log_probability: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.passes + other.passes,
            self.tokens_read + other.tokens_read,
            self.tokens_written + other.tokens_written,
            self.log_probability + other.log_probability,
        )

    def since(self, earlier: "Usage") -> "Usage":
        """What was done after `earlier`."""
        return Usage(
            self.passes - earlier.passes,
            self.tokens_read - earlier.tokens_read,
            self.tokens_written - earlier.tokens_written,
            self.log_probability - earlier.log_probability,
        )


@dataclass(frozen=True, slots=True)
class Searched:
    """What was searched for an answer, and where.

    `questions` are the texts that were searched for, the question itself first; a correction or swap ("and in 2018?")
    is there as the whole question that it stands for. `filters` are the caller's, `inferred` those that the question
    itself asked for where the caller left them open; both limited the search. `periods` and `latest` moved articles of
    that time up; with `latest`, the newest alone were read if they answered. `notes` tell a person what was read from
    the question.
    """

    questions: tuple[str, ...]
    filters: Filters = field(default_factory=Filters)
    inferred: Filters = field(default_factory=Filters)
    periods: tuple[Period, ...] = ()
    latest: bool = False
    notes: tuple[str, ...] = ()

    def with_notes(self, *notes: str) -> "Searched":
        """The same with these notes before the others."""
        return replace(self, notes=(*notes, *self.notes))


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for and against an answer. None: not known, since the question was refused before that, or counted.

    answerable: log P(Yes) - log P(No) that the evidence states the answer to the question.
    answers: the same, that the cited sentences alone state the answer to the question.
    right: the same, that the draft is what all of the evidence answers; None too where `confidence` does not need it.
    agreement: share (0 to 1) of what the model reads in the cited sentences alone that the answer says, too.
    certainty: mean log-probability of the words of the draft, in nats a token (0: certain); None if the engine
    does not tell.
    similarity: highest cosine of the question with a sentence of the evidence.
    search: score of the best passage.
    covered: share (0 to 1) of the question's telling words that the cited sentences hold; before there are any, the
    best sentence of the evidence.
    support: lowest share of a sentence's words that its citations hold.
    """

    answerable: float | None = None
    answers: float | None = None
    right: float | None = None
    agreement: float | None = None
    certainty: float | None = None
    similarity: float | None = None
    search: float | None = None
    covered: float | None = None
    support: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What Byline says to a question, signed, or why it says nothing.

    `confidence` (0 to 1) is the chance that the answer is right (`rag/confidence.py`); of a refused question, that an
    answer would have been; 1 for what was counted in the index (`rag/listing.py`). `abstained` is True if the question
    was refused; `reason` then says why, and `text` is what a person is told. `notes` say what to know about its times,
    `skipped` what there was no time for within the seconds given ("read 180 of 420 tokens of evidence").
    """

    question: str
    text: str
    abstained: bool
    confidence: float
    reason: str | None
    citations: tuple[Citation, ...]
    passages: tuple[PassageUse, ...]
    timings: Timings
    model: str
    index: str
    usage: Usage = Usage()
    searched: Searched | None = None
    signals: Signals | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    explanation: Explanation | None = None

    def to_dict(self, *, explain: bool = False) -> dict[str, Any]:
        """Plain lists and dicts, ready for JSON; the same from Python, the command line and HTTP.

        The explanation, which is longer than all the rest, is among it only where it is asked for.
        """
        values = asdict(self if explain else replace(self, explanation=None))
        if not explain:
            del values["explanation"]
        return values

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """What is being done now, for a person: "Searching 4 articles"."""

    text: str
    type: Literal["status"] = field(default="status", init=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PassagesEvent:
    """The passages that were found; comes before the model has said a word."""

    passages: tuple[PassageUse, ...]
    type: Literal["passages"] = field(default="passages", init=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TextEvent:
    """A piece of the draft. Drafts are not checked yet: the final text stands in the `DoneEvent`."""

    text: str
    type: Literal["text"] = field(default="text", init=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CitationsEvent:
    """The citations of the final text, once its sentences are checked."""

    text: str
    citations: tuple[Citation, ...]
    type: Literal["citations"] = field(default="citations", init=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The end of every stream that was not stopped: the whole answer."""

    answer: Answer
    type: Literal["done"] = field(default="done", init=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"answer": self.answer.to_dict(), "type": self.type}


Event: TypeAlias = StatusEvent | PassagesEvent | TextEvent | CitationsEvent | DoneEvent
