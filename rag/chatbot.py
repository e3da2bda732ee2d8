"""Questions in, signed answers out: the one class that everything above uses. The way of a question is `rag/way.py`."""

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Generator as Generating
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import BylineError, InputError
from index.filters import Filters
from index.neutral import typed
from index.search import SavedIndex
from index.types import Article, Hit
from rag.checking import support_of
from rag.deadline import TimeLimit
from rag.evidence import Evidence
from rag.examples import example_questions
from rag.follow_ups import in_conversation
from rag.generators import Generator
from rag.loading import Loading, loaded
from rag.parts import article_meant, as_turns, asked_alone, joined, parts_of
from rag.queueing import Place, Turns, before_this_one
from rag.read_ahead import ReadAhead, ReadsAhead
from rag.remembered import RememberedAnswers
from rag.searching import plan_search, questions_of, search_passages
from rag.settings import Settings, check_seconds
from rag.speed import Speed, Speedometer
from rag.types import (
    Answer,
    CitationsEvent,
    DoneEvent,
    Event,
    Message,
    PassagesEvent,
    StatusEvent,
    TextEvent,
)
from rag.way import Way

if TYPE_CHECKING:
    from index.build import Changes

LONGEST_QUESTION = 2_000
"""Characters. Longer input is an error, not a question."""

_MOST_ALL = 200
"""Articles up to which it is looked whether all of them can be read ahead."""


class Chatbot:
    """Answers questions from one index with one model. Threads may share it; the model serves one at a time."""

    def __init__(
        self,
        index: SavedIndex,
        generator: Generator,
        *,
        settings: Settings | None = None,
        today: Callable[[], date] = date.today,
        speedometer: Speedometer | None = None,
        loading: Loading | None = None,
    ) -> None:
        self.index = index
        self.generator = generator
        self.settings = settings or Settings()
        self._today = today
        self._speedometer = speedometer or Speedometer(generator)
        self._loading = loading or loaded()
        self._turns = Turns(most_waiting=self.settings.most_waiting)
        self._remembered = RememberedAnswers(most=self.settings.most_remembered)
        self._ahead: ReadAhead | None = None
        self._ahead_of = -1

    def answer(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """The signed answer, or a refusal. `articles` limits it to the articles with these ids, `filters` further.

        `seconds` is the time that it may take in the place of the settings'; 0 is no limit.
        Raises InputError for an empty or overlong question.
        """
        for event in self.stream(question, history=history, articles=articles, filters=filters, seconds=seconds):
            if isinstance(event, DoneEvent):
                return event.answer
        raise BylineError("The answer ended before it was complete.")  # cannot happen without `stop`

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
        stop: Callable[[], bool] | None = None,
        seconds: float | None = None,
    ) -> Iterator[Event]:
        """The same as events while it is made; the last is a `DoneEvent` unless `stop` returned True before.

        What was asked before of the same articles is answered as then, at once. Raises InputError for an empty or
        overlong question, ResourceError if too many wait, at the first event. Those who asked later wait for it: read
        it to its end, or close it.
        """
        question, limits = _checked(question), (filters or Filters()).limited_to(articles)
        seconds = check_seconds(self.settings.seconds if seconds is None else seconds)
        stopped = stop or (lambda: False)
        self.index.refresh()
        if self._ahead is not None:
            self._read_all_ahead(self._ahead)
        asked = (question, tuple(history), limits, self._today(), self.index.manifest.generation)
        if (known := self._remembered.again(asked)) is not None:
            yield from known
            return
        yield from self._remembered.noting(asked, self._in_turn(question, history, limits, stopped, seconds))

    def forget(self) -> None:
        """Answer what was asked before anew."""
        self._remembered.forget()

    def _in_turn(
        self,
        question: str,
        history: Sequence[Message],
        limits: Filters,
        stopped: Callable[[], bool],
        seconds: float,
    ) -> Iterator[Event]:
        """The same of a checked question that was not asked before."""
        with self._turns.arrive() as place:
            speed = (yield from self._speed(place, stopped)) if seconds else None
            if seconds and speed is None:
                return  # stopped
            time_limit = TimeLimit(self.generator, self._speedometer, seconds=seconds, speed=speed)
            yield from self._part_by_part(question, history, limits, place, stopped, time_limit)

    def _speed(self, place: Place, stopped: Callable[[], bool]) -> Generating[Event, None, Speed | None]:
        """How fast the model is; measured alone with it if that is not known. None if stopped before."""
        if (known := self._speedometer.known) is not None:
            return known
        with place.turn():
            for ahead in place.wait(stopped):
                yield StatusEvent(before_this_one(ahead))
            if not place.served:
                return None
            if self._speedometer.known is None:  # nor has it been measured for one before this
                yield StatusEvent("Finding out how fast this machine is")
            return self._speedometer.speed()

    def _part_by_part(
        self,
        question: str,
        history: Sequence[Message],
        limits: Filters,
        place: Place,
        stopped: Callable[[], bool],
        time_limit: TimeLimit,
    ) -> Iterator[Event]:
        """The same of a checked question; one that asks several things keeps its place from part to part."""
        parts = parts_of(question) if self.settings.answer_style != "phrase" else ()
        if not parts:
            yield from self._way().events(question, history, limits, place, stopped, time_limit.share_of(1))
            return
        answers: list[Answer] = []
        for number, part in enumerate(parts):
            lead = " " if answers else ""
            alone = asked_alone(part, parts[:number]) if answers else part
            turns = history if alone else (*history, *as_turns(answers))
            deadline = time_limit.share_of(len(parts) - number)
            article = article_meant(part, answers)
            within = limits.limited_to([article]) if article else limits
            for event in self._way().events(alone or part, turns, within, place, stopped, deadline):
                match event:
                    case DoneEvent():
                        answers.append(event.answer)
                    case TextEvent():
                        yield TextEvent(lead + event.text)
                        lead = ""
                    case CitationsEvent():
                        pass  # they come for the whole
                    case PassagesEvent() if answers:
                        pass
                    case _:
                        yield event
            if len(answers) == number:
                return  # stopped
        whole = joined(question, answers)
        if whole.citations:
            yield CitationsEvent(whole.text, whole.citations)
        yield DoneEvent(whole)

    def search(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        articles: Collection[str] | None = None,
        filters: Filters | None = None,
        passages: int | None = None,
    ) -> tuple[Hit, ...]:
        """The passages nearest to the question, best first, as an answer to it would use them (`rag/searching.py`).

        `passages` other than the settings' are for looking deeper.
        """
        limits = (filters or Filters()).limited_to(articles)
        meant = in_conversation(question, history, today=self._today())
        plan = plan_search(self.index, meant.question, history=meant.history, filters=limits, today=self._today())
        count = passages or self.settings.passages_per_question
        return search_passages(self.index, plan, passages=count, mix=self.settings.mix)

    def searched_as(self, question: str, *, history: Sequence[Message] = ()) -> str:
        """What evidence for the question is chosen by: the question that is meant, joined to the one before it."""
        meant = in_conversation(question, history, today=self._today())
        return questions_of(meant.question, meant.history)[-1]

    def choose(self, question: str, hits: Sequence[Hit], *, tokens: int | None = None) -> Evidence:
        """The sentences of `hits` that the model would read; `question` as it is searched (`searched_as`).

        `tokens` other than the settings' are for reading less or more.
        """
        return self._way().choose(question, hits, tokens=tokens)

    def support(self, claim: str, evidence: Evidence) -> float:
        """Log-odds that `evidence` states everything in `claim` (`rag/checking.py`)."""
        with self._turns.alone():
            return support_of(claim, evidence, generator=self.generator)

    def read_ahead(self, *, wait: bool = False) -> None:
        """From now on read articles between questions (`rag/read_ahead.py`): at once all of them if they are few, then
        those that answers come from. With `wait`, go on when all that is wanted so far is read.

        Does nothing with an engine that cannot do it (servers, llama.cpp), or if `read_ahead_tokens` is 0.
        """
        if self._ahead is None and self.settings.read_ahead_tokens and isinstance(self.generator, ReadsAhead):
            self._ahead = ReadAhead(
                self.generator,
                most_tokens=self.settings.read_ahead_tokens,
                busy=lambda: len(self._turns) > 0,
            )
        if self._ahead is not None:
            self._read_all_ahead(self._ahead)
            if wait:
                self._ahead.wait()

    def close(self) -> None:
        """Read no more, and let go of the index's files. Nothing can be asked afterwards."""
        if self._ahead is not None:
            self._ahead.close()
        self.index.close()

    def _read_all_ahead(self, ahead: ReadAhead) -> None:
        """Once for each state of the index."""
        if self.index.manifest.generation == self._ahead_of:
            return
        self._ahead_of = self.index.manifest.generation
        if self.index.manifest.article_count <= _MOST_ALL:
            ahead.want_all(self.index.articles())

    def _way(self) -> Way:
        return Way(self.index, self.generator, self.settings, self._today, self._loading, self._ahead)

    def add_articles(self, files: Sequence[Path]) -> "Changes":
        """Bring files into the index, to be asked from the next question on. A file that cannot be read is `skipped`.
        Raises as `index.build.update_index` does."""
        from index.build import update_index  # a question needs nothing of it

        changes = update_index(self.index.folder, files, embedder=self.index.embedder)
        self.index.refresh()
        return changes

    def remove_articles(self, names: Sequence[str]) -> "Changes":
        """Take articles out of the index, each named by id, path or file name; from the next question on nothing is
        told from them. Raises as `index.build.remove_articles` does."""
        from index.build import remove_articles

        changes = remove_articles(self.index.folder, names)
        self.index.refresh()
        return changes

    @property
    def kept_articles(self) -> Path:
        """The folder, beside the index, for articles that come from nowhere where they stay."""
        return self.index.folder.with_name(f"{self.index.folder.name}-articles")

    def article_count(self) -> int:
        """How many articles are at hand."""
        self.index.refresh()
        return self.index.manifest.article_count

    def articles(self) -> tuple[Article, ...]:
        """The articles at hand."""
        return self.index.articles()

    def article(self, article_id: str) -> Article:
        """One article. Raises InputError if it is not (or no longer) in the index."""
        article = self.index.article(article_id)
        if article is None:
            raise InputError(f"The article {article_id} is not in the index any more.", help="byline index status")
        return article

    def example_questions(self) -> tuple[str, ...]:
        """A few questions that fit the articles at hand."""
        return example_questions(self.articles())


def _checked(question: str) -> str:
    question = typed(question).strip()
    if not question:
        raise InputError("The question is empty.", help='Ask in words, for example: byline ask "Who founded Alibaba?"')
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read.",
            help="Shorten it, or add the text as an article: byline index add FILE",
        )
    return question
