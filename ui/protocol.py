"""What the page needs from a chatbot: the real one, and the scripted one that the tests put in its place."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from index.build import Changes
from index.filters import Filters
from index.types import Article
from rag.types import Answer, Event, Message


class ChatbotLike(Protocol):
    """Answers questions about a collection of articles. Used by several threads at once."""

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        filters: Filters | None = None,
        stop: Callable[[], bool] | None = None,
        seconds: float | None = None,
    ) -> Iterator[Event]:
        """The events of answering; ends with a `DoneEvent`, or without one once `stop()` says True.

        Questions wait for each other inside, and `StatusEvent`s say how long the line is.

        `seconds` is the time that it may take; 0: no limit, None: as the settings say.
        """

    def answer(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        filters: Filters | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """The same, waited for."""

    def add_articles(self, files: Sequence[Path]) -> Changes:
        """Bring files into the collection. Raises `BylineError` if none of them can be read."""

    def remove_articles(self, names: Sequence[str]) -> Changes:
        """Take articles out of the collection. Raises `BylineError` if one is unknown; then none is taken out."""

    @property
    def kept_articles(self) -> Path:
        """The folder for articles that come from nowhere where they stay."""

    def article_count(self) -> int:
        """How many articles are at hand; cheap."""

    def articles(self) -> tuple[Article, ...]:
        """Every article at hand."""

    def article(self, article_id: str) -> Article:
        """One article. Raises `InputError` if it is not (or no longer) at hand."""

    def example_questions(self) -> tuple[str, ...]:
        """A few questions that these articles can answer."""
