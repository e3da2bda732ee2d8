"""The answer to an exact question: how many articles, and which, each with the sentence that shows it. No model."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from index.filters import Filters, count_articles, known_authors, known_sources, matching_articles, same_sources
from index.layout import tidy
from index.library import Library
from index.mentions import find_mentions
from index.search import SavedIndex
from index.types import Article, Hit, Passage, Sentence, Span
from rag.citations import cite
from rag.evidence import Evidence, EvidenceSentence
from rag.exact import ExactQuestion, may_be_exact, parse_exact
from rag.periods import spoken
from rag.saying import counted, described, listed
from rag.types import Citation

MOST_LISTED = 50
"""Articles named in one answer; the count is of all."""


@dataclass(frozen=True, slots=True)
class ExactAnswer:
    """A statement and a line for each article listed. `citations` point at the lines; `hits` are their passages. With a
    `reason` it is a refusal."""

    question: ExactQuestion
    text: str
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    evidence: Evidence
    reason: str | None = None
    notes: tuple[str, ...] = ()


class _Found(NamedTuple):
    """The articles that were found, each with its first mention (None if its title alone has one, or none was asked
    for), and how many more would fit if they had a date."""

    places: dict[str, Span | None]
    undated: int


def find_exact_answer(index: SavedIndex, question: str, *, scope: Filters, today: date) -> ExactAnswer | None:
    """The answer to a question about the collection itself, among the articles that pass `scope`; None if it is another
    question."""
    if not may_be_exact(question):
        return None

    def found(library: Library) -> ExactAnswer | None:
        sources, authors = known_sources(library), known_authors(library)
        asked = parse_exact(question, sources=sources, authors=authors, today=today)
        return None if asked is None else answer_exactly(library, asked, scope)

    return index.read(found)


def answer_exactly(library: Library, question: ExactQuestion, scope: Filters) -> ExactAnswer | None:
    """The answer, among the articles that pass `scope`; None if the question turns out to be an ordinary one.

    That is so if its phrase stands nowhere and need not be meant to the letter.
    """
    found = _find(library, question, scope)
    if question.mentions is not None and not question.literal and not found.places:
        return None
    statement = _statement(question, len(found.places), count_articles(library, scope), limited=scope.limits)
    if found.undated:
        statement += f" For {found.undated:,} more the date is unknown."
    text = statement
    items: list[EvidenceSentence] = []
    citations: list[Citation] = []
    hits: list[Hit] = []
    shown = _newest_first(library, found.places)[:MOST_LISTED]
    for article_id in shown:
        article = library.article(article_id)
        if article is None:  # the ids are of this very state
            continue
        start = len(text) + 1
        text = f"{text}\n{_line(article)}"
        where = sentence_at(library, article, found.places[article_id])
        if where is not None:
            passage, sentence = where
            item = EvidenceSentence(sentence, article, 1.0)
            items.append(item)
            citations.append(cite(item, number=len(items), answer=Span(start, len(text))))
            hits.append(Hit(passage, article, 1.0, len(items)))
    if len(shown) < len(found.places):
        text += f"\n… and {len(found.places) - len(shown):,} more."
    return ExactAnswer(question, text, tuple(citations), tuple(hits), Evidence(tuple(items)))


def _find(library: Library, question: ExactQuestion, scope: Filters) -> _Found:
    authors = None
    if question.author is not None:
        # "Ana Silva and Li Na" is by either of them.
        names = {name: (name, *name.split(" and ")) for name in known_authors(library)}
        authors = [name for name, parts in names.items() if same_sources(parts, [question.author])]
    allowed = set(matching_articles(library, scope))
    asked = question.filters

    def matching(filters: Filters) -> set[str]:
        return allowed.intersection(matching_articles(library, filters, authors=authors))

    fitting = matching(asked)
    candidates = matching(replace(asked, undated=True)) if asked.dated else fitting
    if question.mentions is None:
        places: dict[str, Span | None] = dict.fromkeys(candidates)
    else:
        places = {item.article_id: item.span for item in find_mentions(library, question.mentions, among=candidates)}
    kept = {article_id: span for article_id, span in places.items() if article_id in fitting}
    return _Found(kept, len(places) - len(kept))


def _statement(question: ExactQuestion, found: int, total: int, *, limited: bool) -> str:
    """One sentence: "2 of the 4 articles mention Snapdeal."."""
    one, many = _predicate(question, plural=False), _predicate(question, plural=True)
    article, articles = ("article searched", "articles searched") if limited else ("article", "articles")
    if not one:
        if limited:
            return f"{counted(found, 'article')} {'passes' if found == 1 else 'pass'} the filters."
        return f"There {'is' if found == 1 else 'are'} {counted(found, 'article') if found else 'no articles'}."
    if not found:
        return f"None of the {total:,} {articles} {one}." if total > 1 else f"No {article} {one}."
    if found == total:
        return f"All {total:,} {articles} {many}." if total > 1 else f"The only {article} {one}."
    return f"{found:,} of the {total:,} {articles} {one if found == 1 else many}."


def _predicate(question: ExactQuestion, *, plural: bool) -> str:
    """What the articles do or are; empty if nothing was asked of them."""
    parts = [described(question.filters)] if question.filters.limits else []
    if question.author is not None:
        parts.append(f"by {question.author}")
    said = [f"{'are' if plural else 'is'} {listed(parts, 'and')}"] if parts else []
    if question.mentions is not None:
        phrase = f"“{question.mentions}”" if question.mentions[:1].islower() else question.mentions
        said.append(f"{'mention' if plural else 'mentions'} {phrase}")
    return listed(said, "and")


def _newest_first(library: Library, ids: Iterable[str]) -> list[str]:
    """These ids, articles without a date last."""
    among = "SELECT id FROM articles WHERE id IN (SELECT value FROM json_each(?))"
    rows = library.select(f"{among} ORDER BY date IS NULL, date DESC, path, id", [json.dumps(list(ids))])
    return [article_id for (article_id,) in rows]


def _line(article: Article) -> str:
    name = tidy(article.title or "") or article.path.rsplit("/", 1)[-1]
    source = tidy(article.source or "") or "publisher unknown"
    return f"• {name} ({source}, {spoken(article.date) if article.date else 'date unknown'})"


def sentence_at(library: Library, article: Article, mention: Span | None) -> tuple[Passage, Sentence] | None:
    """The sentence that the mention begins in, or else the first one, with its passage; None if there is none."""
    stored = library.passages(library.passages_of_articles([article.id]))
    places = sorted(
        ((kept.passage, sentence) for kept in stored.values() for sentence in kept.passage.sentences),
        key=lambda place: place[1].start,
    )
    if mention is None:
        return places[0] if places else None
    return next((place for place in places if place[1].end > mention.start), None)
