"""The questions of an evaluation, and what is known about their right answers.

Judgements point at quoted spans of articles, never at passages, so they outlive every change of the splitter. What a
question leaves out is not scored. Reading them from a file: `eval/reading.py`.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rag.types import Message

Task: TypeAlias = Literal["answer", "search", "support"]
"""answer: the whole way of a question. search: ranking only, no model. support: is this claim stated?"""

Parts: TypeAlias = tuple[tuple[str, ...], ...]
"""The parts that an answer must have, each with its accepted spellings."""


@dataclass(frozen=True, slots=True)
class EvidenceQuote:
    """A verbatim quote of an article (named by file name) that answers the question, or a part of it.

    Without a `quote` the whole article is meant. Quotes of one `group` are alternatives: any of them will do.
    """

    article: str
    quote: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question; what is None is not scored.

    `answers` are the parts that an accepted answer has, each as its accepted spellings: `(("$476 billion", "476
    billion dollars"),)` is one part, `(("Taobao",), ("Tmall",))` are two. It is `()` if there is no right answer.
    `kind` and `part` group the questions in a report; a suite's `part` also names its own metrics (`accuracy/part`).
    `articles` limits the question to these articles (file names). `task` says what is done with it; for the task
    "support" the question is the claim and `answerable` whether it is supported.
    """

    id: str
    question: str
    answers: Parts | None = None
    answerable: bool | None = None
    evidence: tuple[EvidenceQuote, ...] | None = None
    history: tuple[Message, ...] = ()
    kind: str = ""
    part: str = ""
    articles: tuple[str, ...] | None = None
    task: Task = "answer"
