"""What the index knows of one article: "Who wrote the article about the eWTP?", "When was it published?". No model.

Whole questions of a few forms, about an article that its publisher, its time or its subject tells from all others.
What an article does not say of itself is refused. Everything else is an ordinary question.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

from index.dates import DATE, to_iso
from index.filters import Filters, known_sources, matching_articles
from index.layout import tidy
from index.library import Library
from index.metadata import PUBLISHED_IN
from index.search import SavedIndex
from index.types import Article, Hit, Span
from rag.citations import cite
from rag.evidence import Evidence, EvidenceSentence
from rag.exact import ExactQuestion, Prepared, prepared
from rag.exact_forms import PERIOD
from rag.listing import ExactAnswer, sentence_at
from rag.periods import spoken
from rag.publishers import MARK
from rag.refusing import REFUSAL
from rag.words import search_stems

Detail: TypeAlias = Literal["author", "date", "source", "title"]

CLEARLY = 0.05
"""How far an article must fit its description better than any other, on the scale of `Hit.score`."""
_PASSAGES = 12

_PIECE = r"(?:(?:news|newspaper|press)\s+)?(?:article|story|piece|report)"
_PAPER = r"(?:newspaper|paper|magazine|publication|outlet|journal|news\s+site|website|source|publisher)"
_SOURCE = rf"(?:the\s+)?{MARK}+(?:['’]s?)?"
_OUT = r"(?:published|written|posted|printed|released|issued)"
_ONE = (
    rf"(?:(?:the|that|this|its|their|an|a)\s+(?:{_SOURCE}\s+)?|{_SOURCE}\s+){_PIECE}"
    rf"(?:\s+(?:(?:from|in|by|of)\s+{_SOURCE}|(?:(?:from|of|published|dated|written)\s+)?{PERIOD}+))*"
    rf"(?:\s*,?\s*(?:(?:which|that)\s+is\s+)?(?:about|on|of|titled|entitled|called|headlined)\s+(?P<about>.+?))?"
)
_FORMS: dict[Detail, tuple[str, ...]] = {
    "author": (
        rf"who\s+(?:wrote|authored|penned)\s+{_ONE}",
        rf"who(?:['’]s|\s+is|\s+was)\s+the\s+(?:author|writer|journalist|reporter)\s+(?:of|behind)\s+{_ONE}",
        rf"(?:what(?:['’]s|\s+is|\s+was)\s+)?the\s+name\s+of\s+the\s+(?:author|writer|journalist)\s+of\s+{_ONE}",
        rf"by\s+whom\s+(?:was|is)\s+{_ONE}\s+written",
        rf"who\s+(?:was|is)\s+{_ONE}\s+(?:written\s+)?by",
    ),
    "date": (
        rf"(?:when|(?:on|in)\s+(?:what|which)\s+(?:day|date|month|year))\s+(?:was|is)\s+{_ONE}\s+{_OUT}",
        rf"(?:when|(?:on|in)\s+(?:what|which)\s+(?:day|date|month|year))\s+did\s+{_ONE}\s+(?:appear|come\s+out)",
        rf"(?:when|(?:on|in)\s+(?:what|which)\s+(?:day|date|month|year))\s+did\s+{_SOURCE}\s+"
        rf"(?:publish|write|post|print|release|run)\s+{_ONE}",
        rf"what(?:['’]s|\s+is|\s+was)\s+the\s+(?:publication\s+|publishing\s+)?date\s+of\s+{_ONE}",
        rf"(?:how\s+old\s+is|what(?:['’]s|\s+is)\s+the\s+age\s+of)\s+{_ONE}",
    ),
    "source": (
        rf"(?:in|by)\s+(?:what|which)\s+{_PAPER}\s+(?:was|is)\s+{_ONE}\s+{_OUT}",
        rf"(?:in|by)\s+(?:what|which)\s+{_PAPER}\s+did\s+{_ONE}\s+appear",
        rf"where\s+(?:was|is)\s+{_ONE}\s+{_OUT}",
        rf"where\s+did\s+{_ONE}\s+appear",
        rf"(?:who|(?:what|which)\s+{_PAPER})\s+(?:published|printed|posted|released|ran)\s+{_ONE}",
        rf"(?:who|what)(?:['’]s|\s+is|\s+was)\s+the\s+{_PAPER}\s+of\s+{_ONE}",
    ),
    "title": (
        rf"(?:what(?:['’]s|\s+is|\s+was)\s+)?the\s+(?:headline|title|heading)\s+of\s+{_ONE}",
        rf"what\s+is\s+{_ONE}\s+(?:called|titled)",
    ),
}
_PATTERNS = {
    detail: [re.compile(form, re.IGNORECASE | re.DOTALL) for form in forms] for detail, forms in _FORMS.items()
}
_SPEAKS_OF_ONE = re.compile(rf"\b{_PIECE}\b", re.IGNORECASE)
_ASKS_MORE = re.compile(r",|\b(?:and|or|but)\s+(?:who|what|when|where|which|why|how|is|does|did)\b", re.IGNORECASE)
_LONGEST_DESCRIPTION = 12  # words
_SILENT: dict[Detail, str] = {
    "author": "does not say who wrote it",
    "date": "does not say when it was published",
    "source": "does not say who published it",
    "title": "has no headline",
}


@dataclass(frozen=True, slots=True)
class ArticleQuestion:
    """Which detail of which article: one that passes `filters` and is about `about`, if that is asked."""

    detail: Detail
    about: str | None = None
    filters: Filters = field(default_factory=Filters)


def parse_article_question(question: str, *, sources: Sequence[str] = (), today: date) -> ArticleQuestion | None:
    """The question about one article that `question` is; None if it is another. `sources` are those of the index."""
    asked = prepared(question, sources, (), today)
    for detail, patterns in _PATTERNS.items():
        for pattern in patterns:
            if match := pattern.fullmatch(asked.masked):
                return _read(detail, asked, match)
    return None


def find_article_answer(index: SavedIndex, question: str, *, scope: Filters, today: date) -> ExactAnswer | None:
    """The answer to a question about one article, among those that pass `scope`; None if it is another question, or if
    it is not clear which article is meant."""
    if not _SPEAKS_OF_ONE.search(question):
        return None
    asked = index.read(lambda library: parse_article_question(question, sources=known_sources(library), today=today))
    if asked is None:
        return None
    allowed = index.read(
        lambda library: set(matching_articles(library, scope)) & set(matching_articles(library, asked.filters))
    )
    if asked.about:
        chosen = _described(index, asked.about, allowed) if allowed else None
    else:
        chosen = next(iter(allowed)) if len(allowed) == 1 and asked.filters.limits else None
    if chosen is None:
        return None
    return index.read(lambda library: _answer(library, chosen, asked))


def _read(detail: Detail, asked: Prepared, match: re.Match[str]) -> ArticleQuestion | None:
    about = asked.text[slice(*match.span("about"))].strip("\"'‘’“” ") if match["about"] else None
    described = match["about"] or ""
    if about is not None and (
        _ASKS_MORE.search(described) or len(about.split()) > _LONGEST_DESCRIPTION or PERIOD in described
    ):
        return None
    sources = tuple(dict.fromkeys(item.name for item in asked.sources))
    outside = asked.masked[: match.start("about")] if about else asked.masked
    periods = [item.period for item in asked.periods if PERIOD in outside[item.start : item.end]]
    if len(periods) > 1 or len(sources) > 1:
        return None
    since, until = (periods[0].since, periods[0].until) if periods else (None, None)
    return ArticleQuestion(detail, about, Filters(sources=sources, since=since, until=until))


def _described(index: SavedIndex, about: str, allowed: set[str]) -> str | None:
    """The article that this describes, if it does so clearly better than any other, and in its own words."""
    best: dict[str, Hit] = {}
    for hit in index.search(about, passages=_PASSAGES, articles=allowed):
        best.setdefault(hit.article.id, hit)
    ranked = sorted(best.values(), key=lambda hit: -hit.score)
    if not ranked or (len(ranked) > 1 and ranked[0].score - ranked[1].score < CLEARLY):
        return None
    words = [search_stems(f"{hit.article.title or ''} {hit.article.text}") for hit in ranked]
    # What all of them have tells nothing: of several articles on Jack Ma none need be about his arrest.
    telling = search_stems(about) - (frozenset.intersection(*words) if len(words) > 1 else frozenset())
    return ranked[0].article.id if 2 * len(telling & words[0]) >= max(1, len(telling)) else None


def _answer(library: Library, article_id: str, asked: ArticleQuestion) -> ExactAnswer | None:
    article = library.article(article_id)
    if article is None:  # removed since
        return None
    question = ExactQuestion("detail", filters=asked.filters)
    name = f"“{tidy(article.title)}”" if article.title else article.path.rsplit("/", 1)[-1]
    value = tidy(getattr(article, asked.detail) or "")
    if not value:
        reason = f"The article {name} {_SILENT[asked.detail]}."
        first = sentence_at(library, article, None)
        hits = (Hit(first[0], article, 1.0, 1),) if first else ()
        return ExactAnswer(question, REFUSAL, (), hits, Evidence(()), reason=reason)
    # The citation names an article without a headline better than the name of its file does.
    text = _said(asked.detail, f" {name}" if article.title else "", value)
    for span in _places(article, asked.detail, value):
        where = sentence_at(library, article, span)
        if where is not None and where[1].start <= span.start < where[1].end:
            item = EvidenceSentence(where[1], article, 1.0)
            hit = Hit(where[0], article, 1.0, 1)
            return ExactAnswer(question, text, (cite(item, answer=Span(0, len(text))),), (hit,), Evidence((item,)))
    note = "No sentence of the article says so: its file states it beside the text."
    return ExactAnswer(question, _said(asked.detail, f" {name}", value), (), (), Evidence(()), notes=(note,))


def _said(detail: Detail, name: str, value: str) -> str:
    if detail == "author":
        return f"The article{name} was written by {value}."
    if detail == "date":
        return f"The article{name} was published {'on' if len(value) == 10 else 'in'} {spoken(value)}."
    if detail == "source":
        return f"The article{name} was published by {value}."
    return f"The headline of the article is{name}."


def _places(article: Article, detail: Detail, value: str) -> Iterator[Span]:
    """Where the text of the article states this, likeliest first."""
    text = article.text
    if detail == "date":
        matches = [match for match in re.finditer(DATE, text) if to_iso(match.group()) == value]
        # Where it was published stands at an end; the same day may be spoken of in between.
        yield from (Span(*match.span()) for match in sorted(matches, key=lambda m: min(m.start(), len(text) - m.end())))
        return
    if detail == "source":
        yield from (Span(*m.span("source")) for m in PUBLISHED_IN.finditer(text) if value in m["source"])
    words = r"\s+".join(map(re.escape, value.split()))
    before = r"(?i:by|author\s*:)\s+" if detail == "author" else ""
    yield from (Span(*match.span()) for match in re.finditer(rf"{before}{words}(?!\w)", text, re.IGNORECASE))
