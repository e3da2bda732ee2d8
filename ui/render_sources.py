"""The right of the page as HTML: an article with its cited sentences, and the passages found. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.types import Article, Span
from rag.types import Citation, PassageUse
from ui.escaping import escape
from ui.render import also_in, byline, chip, counted, day, headline, page_of
from ui.turns import Turn

_BLANK_LINE = re.compile(r"\n\s*\n")
MOST_LISTED = 40
"""How many articles the empty panel lists."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A span of an article to mark. `number` is the citation's, None for a passage; one highlight is the
    active one.
    """

    span: Span
    number: int | None = None
    active: bool = False


def nothing_open(articles: Sequence[Article], *, news: Sequence[str] = ()) -> str:
    """The panel before anything is asked: the articles at hand, and above them what has just become of some."""
    told = "".join(f'<p class="news" role="status"><bdi>{escape(line)}</bdi></p>' for line in news)
    if not articles:
        return _panel(told or '<p class="quiet">The sources of an answer appear here.</p>', "Sources")
    items = "".join(
        f'<li><button type="button" class="listed" data-open="article" data-article="{escape(article.id)}">'
        f'<span class="kicker"><span>{_kicker(article)}</span></span>'
        f'<bdi class="title">{escape(headline(article))}</bdi>'
        "</button></li>"
        for article in articles[:MOST_LISTED]
    )
    more = len(articles) - MOST_LISTED
    rest = f'<p class="quiet">and {counted(more, "more article")}</p>' if more > 0 else ""
    return _panel(
        f'<div class="panel-head"><h2 class="label">{counted(len(articles), "article")} at hand</h2></div>'
        f'{told}<div class="scroll"><ul class="list">{items}</ul>{rest}</div>',
        "Articles at hand",
    )


def passages_found(turn: Turn, number: int) -> str:
    """The panel of turn `number` while no article is open: every passage that search found, best first."""
    if not turn.passages:
        return _panel('<p class="quiet">The sources of the answer appear here.</p>', "Sources")
    title = "Nearest passages" if turn.state == "refused" else "Passages found"
    return _panel(
        f'<div class="panel-head"><h2 class="label">{title}</h2></div>'
        f'<div class="scroll">{_passage_list(turn, number)}</div>',
        title,
    )


def cited_article(turn: Turn, number: int, citation_number: int, article: Article | None, *, opened: int = 0) -> str:
    """The panel with the article of a citation of turn `number`: its sentence active, the others of that
    answer marked.

    `article` None, or one that no longer says the quote at that place, shows the quote and says so. `opened`
    makes the HTML differ from opening to opening, so that the page scrolls to the sentence again.
    """
    chosen = turn.citation(citation_number)
    if chosen is None:
        return passages_found(turn, number)
    unique = {citation.number: citation for citation in turn.citations}
    chips = "".join(chip(citation, number, active=one == citation_number) for one, citation in sorted(unique.items()))
    strength = " · ".join(filter(None, (page_of(chosen), f"support {round(100 * chosen.support)} %")))
    support = f'<span class="support">{strength}</span>'
    nav = (
        f'<nav class="cited" aria-label="Citations of this answer"><span>Cited</span>'
        f'<span class="chips">{chips}</span>{support}</nav>{_copies(chosen)}'
    )
    if article is None or article.text[chosen.start : chosen.end] != chosen.quote:
        gone = "is no longer at hand" if article is None else "has changed since it was cited"
        text = (
            f'<p class="note">This article {gone}. It said:</p>'
            '<blockquote dir="auto"><mark class="active" data-target>'
            f"{escape(chosen.quote)}</mark></blockquote>"
        )
        head = _head(chosen.title, chosen.source, chosen.date, chosen.path, nav)
    else:
        highlights = [
            Highlight(Span(citation.start, citation.end), citation.number, one == citation_number)
            for one, citation in unique.items()
            if citation.article_id == article.id and article.text[citation.start : citation.end] == citation.quote
        ]
        text = article_text(article, highlights)
        head = _head(article.title, article.source, article.date, article.path, nav)
    return _article_panel(head, text, f"{_drawer(turn, number)}{_back(number)}", opened)


def found_article(turn: Turn, number: int, passage: PassageUse, article: Article | None, *, opened: int = 0) -> str:
    """The panel with the article of a passage of turn `number`, the passage marked."""
    if article is None or article.text[passage.start : passage.end] != passage.text:
        gone = "is no longer at hand" if article is None else "has changed since"
        text = (
            f'<p class="note">This article {gone}. It said:</p>'
            f'<blockquote dir="auto">{escape(passage.text)}</blockquote>'
        )
    else:
        text = article_text(article, [Highlight(Span(passage.start, passage.end), active=True)])
    purpose = "" if turn.state == "refused" else _purpose(passage)
    nav = f'<p class="cited"><span>Passage {passage.rank} of those found{purpose}</span></p>{_copies(passage)}'
    head = _head(passage.title, passage.source, passage.date, passage.path, nav)
    return _article_panel(head, text, f"{_drawer(turn, number)}{_back(number)}", opened)


def whole_article(article: Article, *, removable: bool = False, opened: int = 0) -> str:
    """The panel with an article that was chosen from the list of those at hand, and may be taken out if `removable`."""
    remove = f'<button type="button" class="link" data-remove="{escape(article.id)}">Remove</button>'
    nav = (
        '<p class="cited"><button type="button" class="link" data-open="list">All articles</button>'
        f"{remove if removable else ''}</p>"
    )
    head = _head(article.title, article.source, article.date, article.path, nav)
    return _article_panel(head, article_text(article, ()), "", opened)


def article_text(article: Article, highlights: Sequence[Highlight]) -> str:
    """The article in paragraphs, with highlights and with its boilerplate set apart."""
    text = article.text
    return "".join(
        f'<p dir="auto">{"".join(_pieces(text, paragraph, article.boilerplate, highlights))}</p>'
        for paragraph in _paragraphs(text)
    )


def _paragraphs(text: str) -> Iterator[Span]:
    start = 0
    for end, following in [*(found.span() for found in _BLANK_LINE.finditer(text)), (len(text), len(text))]:
        inside = text[start:end]
        if inside.strip():
            yield Span(start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip()))
        start = following


def _pieces(text: str, paragraph: Span, boilerplate: Sequence[Span], highlights: Sequence[Highlight]) -> Iterator[str]:
    start, end = paragraph
    spans = [*boilerplate, *(highlight.span for highlight in highlights)]
    cuts = sorted({start, end, *(place for span in spans for place in span if start < place < end)})
    for left, right in pairwise(cuts):
        html = escape(text[left:right])
        over = [mark for mark in highlights if mark.span.start <= left and right <= mark.span.end]
        if over:
            active = any(mark.active for mark in over)
            first = any(mark.active and left in (mark.span.start, _first_inside(text, mark.span)) for mark in over)
            numbers = sorted(mark.number for mark in over if mark.number is not None and right == mark.span.end)
            html = f"<mark{' class=active' if active else ''}{' data-target' if first else ''}>{html}</mark>" + "".join(
                f'<sup aria-hidden="true">{number}</sup>' for number in numbers
            )
        elif any(span.start <= left and right <= span.end for span in boilerplate):
            html = f'<span class="left-out">{html}</span>'
        yield html


def _first_inside(text: str, span: Span) -> int:
    inside = text[span.start : span.end]
    return span.start + len(inside) - len(inside.lstrip())


def _drawer(turn: Turn, number: int) -> str:
    if not turn.passages:
        return ""
    used = sum(passage.used for passage in turn.passages)
    return (
        '<details class="drawer"><summary><span class="label">'
        f"{counted(len(turn.passages), 'passage')} found</span>"
        f'<span class="quiet">{used} used</span></summary>'
        f"{_passage_list(turn, number)}</details>"
    )


def _back(number: int) -> str:
    """Shown on a phone only, where the answer is out of sight while a source is read."""
    return f'<button type="button" class="back" data-back="{number}">Back to the answer</button>'


def _passage_list(turn: Turn, number: int) -> str:
    items = "".join(
        f'<li class="{"used" if passage.used else "unused"}"><button type="button" class="listed" '
        f'data-open="passage" data-turn="{number}" data-number="{passage.rank}" '
        f'aria-label="Passage {passage.rank}: {escape(byline(passage))}">'
        f'<span class="kicker"><span>{_kicker(passage)}</span><span class="score">'
        f"{_use(passage, turn)}{passage.score:.2f}</span></span>"
        f'<bdi class="title">{escape(headline(passage))}</bdi><span class="excerpt" dir="auto">'
        f"{escape(passage.text)}</span></button></li>"
        for passage in sorted(turn.passages, key=lambda passage: passage.rank)
    )
    return f'<ol class="list passages">{items}</ol>'


def _copies(item: Citation | PassageUse) -> str:
    return f'<p class="note">{also_in(item)}</p>' if item.also_in else ""


def _use(passage: PassageUse, turn: Turn) -> str:
    if not any(other.used for other in turn.passages):
        return ""
    return "used · " if passage.used else "not used · "


def _purpose(passage: PassageUse) -> str:
    return ", used for the answer" if passage.used else ", not used for the answer"


def _kicker(item: Article | PassageUse) -> str:
    return " · ".join(f"<bdi>{escape(part)}</bdi>" for part in (item.source, day(item.date), page_of(item)) if part)


def _head(title: str | None, source: str | None, date: str | None, path: str, nav: str) -> str:
    kicker = " · ".join(f"<bdi>{escape(part)}</bdi>" for part in (source, day(date)) if part)
    name = title or path.rsplit("/", 1)[-1]
    return (
        f'<header class="panel-head"><p class="kicker">{kicker}</p>'
        f'<h2 class="headline" dir="auto">{escape(name)}</h2><p class="path">{escape(path)}</p>{nav}</header>'
    )


def _article_panel(head: str, text: str, below: str, opened: int) -> str:
    body = f'<div class="scroll article" tabindex="0" role="region" aria-label="Text of the article">{text}</div>'
    return _panel(f"{head}{body}{below}", "Source", opened)


def _panel(inner: str, label: str, opened: int = 0) -> str:
    return f'<section class="panel" aria-label="{label}" data-opened="{opened}">{inner}</section>'
