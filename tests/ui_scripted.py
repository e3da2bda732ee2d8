"""A chatbot that answers by a script, slowly enough that every state of the page can be seen. No models."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from index.build import Changes
from index.errors import InputError
from index.filters import Filters
from index.paths import project_seeds
from index.readers import read_article
from index.types import Article, Span
from rag.explanation import Explanation, Step
from rag.queueing import Place, Turns, before_this_one
from rag.types import (
    Answer,
    Citation,
    CitationsEvent,
    DoneEvent,
    Event,
    Message,
    PassagesEvent,
    PassageUse,
    StatusEvent,
    TextEvent,
    Timings,
)

_SEEDS = {
    "000_09326a6efd6d9981.txt": (
        None,
        "Daily Times",
        "2018-07-19",
        ["Published in Daily Times, July 19th 2018."],
    ),
    "001_7532c4fe6b1c635d.txt": (
        "Alibaba Group Holding Ltd (BABA) Taps The Economic Potential Of Xinjiang",
        None,
        None,
        ["Updated on", "Leave a Comment"],
    ),
    "002_f785394802d1e589.txt": (
        "Alibaba $100 billion stock rally fueled by AI, Jack Ma return",
        "CNBC",
        "2024-08-28",
        [
            "Finance News",
            "CFOTO | Future Publishing | Getty Images",
            "Costfoto | Future Publishing | Getty Images",
        ],
    ),
    "003_61a9a8bb3076d462.txt": (None, None, None, []),
}

TMALL = "Products from Xinjiang generated $212 million in sales on Tmall, up 68.7% from last year."
PEAK = "Days later, Alibaba’s share price hit a record high with its market capitalization exceeding $858 billion."
WORTH = "Alibaba boasts a gross market value of almost $476 billion."
NEARLY = (
    "Alibaba has grown to a nearly $300 billion enterprise by linking small businesses in remote areas to "
    "Chinese and International markets."
)

HOSTILE = Article(
    id="hostile",
    path="evil/<img src=x onerror=window.__xss=1>.txt",
    location="/evil.txt",
    text=(
        "A headline with <script>window.__xss=1</script> in it.\n\n"
        "Body {{constructor}} ${window.__xss=1} `x` [3] **bold** <b onmouseover=window.__xss=1>b</b> "
        "&amp; \u202egnp\u202c 𝔘𝔫𝔦 end.\n\n"
        "</p></div><img src=x onerror=window.__xss=1> javascript:window.__xss=1"
    ),
    title="<script>window.__xss=1</script><img src=x onerror=window.__xss=1>",
    source='"><svg onload=window.__xss=1>',
    date="<i>2020</i>",
)


def seed_articles() -> tuple[Article, ...]:
    """The four seeds with what a reader of them would write down about each."""
    articles = []
    for name, (title, source, date, left_out) in _SEEDS.items():
        text = (project_seeds() / name).read_text("utf-8")
        spans = [Span(text.index(part), text.index(part) + len(part)) for part in left_out]
        articles.append(
            Article(
                id=name.split("_")[0],
                path=f"seeds/{name}",
                location=f"/articles/{name}",
                text=text,
                boilerplate=tuple(sorted(spans)),
                title=title,
                source=source,
                date=date,
            )
        )
    return tuple(articles)


@dataclass(frozen=True)
class Script:
    """What is said to one question: sentences, each with the sentences of articles that it cites, or a
    refusal.
    """

    sentences: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    reason: str | None = None


SCRIPTS = {
    "How big was Alibaba at its peak?": Script(
        (
            (
                "Alibaba’s market capitalization exceeded $858 billion at its record high in 2020.",
                (("002", PEAK),),
            ),
        )
    ),
    "How much is Alibaba worth?": Script(
        (
            ("The articles give three figures, at different times.", ()),
            ("Daily Times put it at almost $476 billion in July 2018.", (("000", WORTH),)),
            (
                "Another article, of unknown date, calls it a nearly $300 billion enterprise, and CNBC says "
                "that it exceeded $858 billion at its record high.",
                (("001", NEARLY), ("002", PEAK)),
            ),
        )
    ),
    "How much did products from Xinjiang generate in sales on Tmall?": Script(
        (("Products from Xinjiang generated $212 million in sales on Tmall.", (("001", TMALL),)),)
    ),
    "Who is the CEO of Snapdeal?": Script(
        (("The articles mention talks with the CEO of Snapdeal, but do not name that person.", ()),),
        reason="No sentence of the nearest passages states the name.",
    ),
    "Attack": Script(
        (("An answer with <script>window.__xss=1</script>, [3] and **stars**.", (("hostile", "{whole}"),)),)
    ),
}
EXAMPLES = tuple(SCRIPTS)[:4]


@dataclass
class ScriptedChatbot:
    """Implements `ui.protocol.ChatbotLike`. `pause` is the time between two words in seconds."""

    pause: float = 0.0
    extra: tuple[Article, ...] = (HOSTILE,)
    removed: set[str] = field(default_factory=set)
    histories: list[tuple[Message, ...]] = field(default_factory=list)
    filters: list[Filters | None] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    turns: Turns = field(default_factory=Turns)
    kept_articles: Path = Path("/nowhere")
    given: list[Article] = field(default_factory=list)

    def add_articles(self, files: Sequence[Path]) -> Changes:
        read = [read_article(file, shown_as=f"kept/{file.name}") for file in files]
        self.given += read
        return Changes(added=tuple(article.path for article in read))

    def remove_articles(self, names: Sequence[str]) -> Changes:
        gone = [article for article in self.given if article.id in names]
        self.given = [article for article in self.given if article not in gone]
        return Changes(removed=tuple(article.path for article in gone))

    def article_count(self) -> int:
        return len(self.articles())

    def articles(self) -> tuple[Article, ...]:
        return (*(article for article in seed_articles() if article.id not in self.removed), *self.given)

    def article(self, article_id: str) -> Article:
        for article in (*self.articles(), *self.extra):
            if article.id == article_id:
                return article
        raise InputError(f"There is no article {article_id}.")

    def example_questions(self) -> tuple[str, ...]:
        return EXAMPLES

    def answer(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        filters: Filters | None = None,
        seconds: float | None = None,
    ) -> Answer:
        events = self.stream(question, history=history, filters=filters, seconds=seconds)
        return next(event.answer for event in events if isinstance(event, DoneEvent))

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Message] = (),
        filters: Filters | None = None,
        stop: Callable[[], bool] | None = None,
        seconds: float | None = None,
    ) -> Iterator[Event]:
        self.seconds.append(seconds)
        self.histories.append(tuple(history))
        self.filters.append(filters)
        with self.turns.arrive() as place:
            yield from self._stream(question, place, stop or (lambda: False))

    def _stream(self, question: str, place: Place, stopped: Callable[[], bool]) -> Iterator[Event]:
        script = SCRIPTS.get(question, Script((("The articles do not say anything about this.", ()),), "Off topic."))
        yield StatusEvent("Searching 4 articles…")
        time.sleep(self.pause * 2)
        passages = self._passages(script)
        yield PassagesEvent(passages)
        with place.turn():
            for ahead in place.wait(stopped):
                yield StatusEvent(before_this_one(ahead))
            if not place.served:
                self.stopped.append(question)
                return
            yield from self._answering(question, script, passages, stopped)

    def _answering(
        self, question: str, script: Script, passages: tuple[PassageUse, ...], stopped: Callable[[], bool]
    ) -> Iterator[Event]:
        yield StatusEvent(f"Reading {len(passages)} passages…")
        time.sleep(self.pause * 2)
        text = " ".join(sentence for sentence, _ in script.sentences)
        if script.reason is None:
            for word in text.split(" "):
                if stopped():
                    self.stopped.append(question)
                    return
                yield TextEvent(word + " ")
                time.sleep(self.pause)
        citations = self._citations(script)
        yield StatusEvent("Checking each sentence…")
        time.sleep(self.pause)
        yield CitationsEvent(text, citations)
        self.finished.append(question)
        yield DoneEvent(
            Answer(
                question=question,
                text=text,
                abstained=script.reason is not None,
                confidence=0.91 if script.reason is None else 0.08,
                reason=script.reason,
                citations=citations,
                passages=passages,
                timings=Timings(0.02, 1.2, 3.14),
                model="scripted",
                index="scripted",
                explanation=Explanation(steps=(Step("search", 0.0, 0.02),)),
            )
        )

    def _citations(self, script: Script) -> tuple[Citation, ...]:
        citations: list[Citation] = []
        numbers: dict[tuple[str, str], int] = {}
        start = 0
        for sentence, quotes in script.sentences:
            for article_id, quote in quotes:
                article = self.article(article_id)
                quote = article.text if quote == "{whole}" else quote
                place = article.text.index(quote)
                citations.append(
                    Citation(
                        number=numbers.setdefault((article_id, quote), len(numbers) + 1),
                        answer_start=start,
                        answer_end=start + len(sentence),
                        article_id=article_id,
                        title=article.title,
                        source=article.source,
                        date=article.date,
                        url=None,
                        path=article.path,
                        start=place,
                        end=place + len(quote),
                        quote=quote,
                        support=0.97,
                    )
                )
            start += len(sentence) + 1
        return tuple(citations)

    def _passages(self, script: Script) -> tuple[PassageUse, ...]:
        cited = [(self.article(name), quote) for _, quotes in script.sentences for name, quote in quotes]
        cited = [(article, article.text if quote == "{whole}" else quote) for article, quote in cited]
        known = {(article.id, quote) for article, quote in cited}
        others = [
            (self.article(name), quote)
            for name, quote in (("001", NEARLY), ("000", WORTH), ("002", PEAK), ("001", TMALL))
            if (name, quote) not in known and name not in self.removed
        ]
        return tuple(
            PassageUse(
                article_id=article.id,
                title=article.title,
                source=article.source,
                date=article.date,
                path=article.path,
                start=article.text.index(quote),
                end=article.text.index(quote) + len(quote),
                text=quote,
                score=0.82 - 0.11 * rank,
                rank=rank,
                used=rank <= max(1, len(cited)) and script.reason is None,
            )
            for rank, (article, quote) in enumerate([*cited, *others][:5], start=1)
        )
