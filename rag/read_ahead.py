"""Reading articles between questions, so that questions about them are answered sooner.

While nobody asks anything, the model reads articles whole: all of them if they are few, else those that the last
answers came from. What a question chooses of them need not be read then (`rag/read_texts.py`): its first word comes
in two fifths of the time. A question never waits for more than one short step of this.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from index.computing import Ended
from index.types import Article
from rag.excerpts import WholeArticle, whole_article
from rag.prompt import whole_messages
from rag.types import Message

QUIET_S = 0.5
"""So long nobody must have asked before it begins or goes on: one who asks question after question is not held up."""

_LOOK_AROUND_S = 0.1
_MOST_KNOWN = 500
"""Articles of which it is remembered how they were read. The model forgets them sooner."""
_LONGEST_TOKEN = 16
"""Characters. Longer texts for the room that there is are not counted."""

_log = logging.getLogger("byline.rag")


@runtime_checkable
class ReadsAhead(Protocol):
    """What a generator must be able to do for this (`rag.generators.TransformersGenerator`)."""

    def read_ahead(
        self, messages: Sequence[Message], *, most_tokens: int, stop: Callable[[], bool] = lambda: False
    ) -> bool:
        """Read that prompt now; False if stopped before its end."""
        ...

    def has_read(self, messages: Sequence[Message]) -> bool:
        """Whether it is read, and still kept."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens it has."""
        ...


class ReadAhead:
    """A thread that reads articles with `generator` while `busy()` is False, and keeps `most_tokens` of them read."""

    def __init__(
        self, generator: ReadsAhead, *, most_tokens: int, busy: Callable[[], bool], quiet_s: float = QUIET_S
    ) -> None:
        self._generator = generator
        self._most_tokens = most_tokens
        self._busy = busy
        self._quiet_s = quiet_s
        self._changed = threading.Condition()
        self._wanted: dict[str, Article] = {}
        self._read: OrderedDict[str, tuple[Article, WholeArticle]] = OrderedDict()
        self._quiet_since: float | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def want_all(self, articles: Sequence[Article]) -> None:
        """Read these articles if there is room for all of them; otherwise nothing."""
        left = self._most_tokens
        for article in articles:
            if len(article.text) > left * _LONGEST_TOKEN:
                return
            left -= self._generator.count_tokens(article.text)
        if left >= 0:
            self.want(articles)

    def want(self, articles: Iterable[Article]) -> None:
        """Read these before all that was wanted earlier, the first of them first."""
        with self._changed:
            new = {article.id: article for article in articles if not self._knows(article)}
            self._wanted = new | {key: article for key, article in self._wanted.items() if key not in new}
            if new and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="byline-read-ahead", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def wholes(self, articles: Iterable[Article]) -> tuple[WholeArticle, ...]:
        """Those of these articles that were read and are kept, each once."""
        with self._changed:
            return tuple({one.id: self._read[one.id][1] for one in articles if self._knows(one)}.values())

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all that is wanted is read; False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or not self._wanted, timeout_s)

    def close(self) -> None:
        """Read no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while (article := self._next()) is not None:
                whole = whole_article(article)
                done = self._generator.read_ahead(
                    whole_messages(whole), most_tokens=self._most_tokens, stop=self._stops
                )
                if done:
                    self._note(article, whole)
        except Ended:
            return
        except Exception:
            # Whatever it is, the next question meets it as well and says so; without this all goes on as ever.
            _log.exception("articles are not read ahead any more")
            with self._changed:
                self._closed = True
                self._changed.notify_all()

    def _next(self) -> Article | None:
        """The article to read now, once nobody has asked for a while; None when closed."""
        with self._changed:
            while not self._closed:
                if self._wanted and self._is_quiet():
                    return next(iter(self._wanted.values()))
                self._changed.wait(_LOOK_AROUND_S if self._wanted else None)
            return None

    def _note(self, article: Article, whole: WholeArticle) -> None:
        with self._changed:
            if self._wanted.get(article.id) == article:
                del self._wanted[article.id]
            self._read[article.id] = (article, whole)
            if len(self._read) > _MOST_KNOWN:
                self._read.popitem(last=False)
            self._changed.notify_all()

    def _knows(self, article: Article) -> bool:
        read, whole = self._read.get(article.id, (None, None))
        return read == article and whole is not None and self._generator.has_read(whole_messages(whole))

    def _is_quiet(self) -> bool:
        now = time.monotonic()
        if self._busy():
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        return self._quiet_since is not None and now - self._quiet_since >= self._quiet_s

    def _stops(self) -> bool:
        return self._closed or not self._is_quiet()
