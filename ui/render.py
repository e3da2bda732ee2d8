"""The left of the page as HTML: header, conversation, empty state. Pure: values in, a string out, everything
escaped.

Buttons carry `data-…` attributes; ui/page.js turns clicks on them into events. Text that keeps its line
breaks stands in elements of its own, so the HTML has no white space beside it.
"""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import PurePath

from index.types import Article
from rag.refusing import NO_TIME
from rag.saying import for_want_of_time
from rag.types import Citation, Copy, PassageUse
from ui.escaping import escape
from ui.turns import Turn
from ui.warmup import WarmupState

_COMMAND = re.compile("`([^`]+)`")
_HEADLINE = 240
"""Characters. A longer question is no headline any more and is shown as text."""


def header(state: WarmupState, articles: int | None) -> str:
    """Wordmark, what this is, and a pill that says how far Byline is and over how many articles."""
    return (
        '<div class="masthead"><p class="wordmark">Byline</p>'
        '<p class="tagline">Answers from the articles at hand, every sentence signed.</p>'
        f"{pill(state, articles)}</div>"
    )


def pill(state: WarmupState, articles: int | None) -> str:
    """The status pill: loading with its phase, ready with the number of articles, or error."""
    if state.name == "error":
        text = "Error"
    elif state.name == "loading":
        text = f"{escape(state.text)}…"
    else:
        text = "Ready" if articles is None else f"Ready · {counted(articles, 'article')}"
    return f'<p class="pill {state.name}" role="status"><span class="dot" aria-hidden="true"></span>{text}</p>'


def welcome(state: WarmupState, examples: Sequence[str]) -> str:
    """The empty conversation: what can be asked, with examples; or how far loading is; or why it failed."""
    lead = (
        '<div class="welcome"><h1>What do the articles say?</h1>'
        "<p>Ask in your own words. Byline answers in a few sentences and signs each of them with the "
        "sentences of the articles that state it. Where the articles do not tell, it says so.</p>"
    )
    if state.name == "error":
        return f"{lead}{failure(state.text, state.help)}</div>"
    if not state.ready:
        known = state.total > 1
        width = f' style="width:{min(100, 100 * state.done // state.total)}%"' if known else ""
        return (
            f'{lead}<div class="warming"><p>{escape(state.text)}…</p>'
            f'<div class="{"bar" if known else "bar unknown"}" aria-hidden="true"><span{width}></span></div>'
            '<p class="quiet">You can ask already; the answer comes when the models are ready.</p>'
            "</div></div>"
        )
    if not examples:
        return f"{lead}</div>"
    buttons = "".join(
        f'<li><button type="button" class="example" data-ask="{escape(question)}">'
        f'<bdi>{escape(question)}</bdi><span aria-hidden="true">→</span></button></li>'
        for question in examples
    )
    return f'{lead}<h2 class="label">For example</h2><ul class="examples">{buttons}</ul></div>'


def conversation(turns: Sequence[Turn], *, first: int = 0) -> str:
    """Turns one below the other; `first` is the number of the first of them."""
    return "".join(turn(one, number) for number, one in enumerate(turns, start=first))


def turn(turn: Turn, number: int) -> str:
    """One question with its answer, draft, refusal or failure."""
    match turn.state:
        case "working":
            body = _draft(turn)
        case "answered":
            body = _answered(turn, number)
        case "refused":
            body = _refused(turn, number)
        case "stopped":
            kept = _text("draft", turn.text, "Draft") if turn.text and not turn.checked else ""
            kept = signed(turn.text, turn.citations, number) if turn.checked else kept
            body = f'{kept}<p class="note">Stopped. {"" if turn.checked else "Nothing of this was checked."}</p>'
        case "failed":
            body = failure(turn.message, turn.help)
    heading = "question long" if len(turn.question) > _HEADLINE else "question"
    return (
        f'<article class="turn {turn.state}" data-turn="{number}">'
        f'<h2 class="{heading}" dir="auto">{escape(turn.question)}</h2>{body}</article>'
    )


def signed(text: str, citations: Sequence[Citation], number: int) -> str:
    """Checked text of turn `number`; the chips of its citations follow the sentences that they support."""
    ends: dict[int, list[Citation]] = {}
    for citation in citations:
        ends.setdefault(min(max(citation.answer_end, 0), len(text)), []).append(citation)
    pieces, start = [], 0
    for end in sorted(ends):
        chips = {citation.number: citation for citation in ends[end]}
        pieces.append(escape(text[start:end]))
        pieces.append('<span class="chips">')
        pieces += [chip(citation, number) for _, citation in sorted(chips.items())]
        pieces.append("</span>")
        start = end
    pieces.append(escape(text[start:]))
    return f'<div class="answer" dir="auto">{"".join(pieces)}</div>'


def chip(citation: Citation, number: int, *, active: bool = False) -> str:
    """The button that opens a citation of turn `number`."""
    name = f"Source {citation.number}: {byline(citation)}"
    return (
        f'<button type="button" class="chip{" active" if active else ""}" data-open="citation" '
        f'data-turn="{number}" data-number="{citation.number}" title="{escape(citation.quote)}" '
        f'aria-label="{escape(name)}"{" aria-current=true" if active else ""}>{citation.number}</button>'
    )


def failure(message: str, help: str | None) -> str:
    """What went wrong, and what mends it."""
    hint = f'<p class="help">{_commands(escape(help))}</p>' if help else ""
    label = '<p class="label">That did not work</p>'
    return f'<div class="failure" role="alert">{label}<p>{escape(message)}</p>{hint}</div>'


def _commands(html: str) -> str:
    return _COMMAND.sub(r"<code>\1</code>", html)


def counted(number: int, noun: str) -> str:
    """ "1 article", "1,200 articles"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def headline(item: Article | Citation | PassageUse | Copy) -> str:
    """The title, or the file's name where the article states none. Not escaped."""
    return item.title or PurePath(item.path).name


def byline(item: Article | Citation | PassageUse | Copy) -> str:
    """Publisher if known, headline, date, page of a PDF: one line for labels. Not escaped."""
    return ", ".join(filter(None, (item.source, headline(item), day(item.date), page_of(item))))


def day(iso: str | None) -> str:
    """ "2018-07-19" as "19 July 2018"; "date unknown" for None; what is not such a date as it stands. Not
    escaped.
    """
    if not iso:
        return "date unknown"
    parts = iso.split("T")[0].split("-")
    try:
        if len(parts) == 2:
            return date(int(parts[0]), int(parts[1]), 1).strftime("%B %Y")
        known = date.fromisoformat(iso.split("T")[0])
    except ValueError:
        return iso
    return f"{known.day} {known.strftime('%B %Y')}"


def _draft(turn: Turn) -> str:
    status = (
        f'<p class="status" role="status"><span class="pulse" aria-hidden="true"></span>'
        f"<bdi>{escape(turn.status)}</bdi></p>"
    )
    if not turn.text:
        return status
    if turn.checked:
        return f"{_text('answer', turn.text)}{status}"
    return f"{_text('draft', turn.text, 'Draft, being checked')}{status}"


def _text(name: str, text: str, label: str = "") -> str:
    above = f'<p class="label">{label}</p>' if label else ""
    return f'{above}<div class="{name}" dir="auto">{escape(text)}</div>'


def _answered(turn: Turn, number: int) -> str:
    notes = {citation.number: citation for citation in turn.citations}
    items = "".join(
        f'<li><button type="button" class="footnote" data-open="citation" data-turn="{number}" '
        f'data-number="{citation.number}"><span class="number">{citation.number}</span>'
        f'<span class="work"><bdi class="title">{escape(headline(citation))}</bdi> <span class="where">'
        f"{' · '.join(filter(None, (_where(citation), also_in(citation))))}</span></span></button></li>"
        for _, citation in sorted(notes.items())
    )
    footnotes = f'<ol class="footnotes" aria-label="Sources of this answer">{items}</ol>' if items else ""
    return f"{signed(turn.text, turn.citations, number)}{footnotes}{_notes(turn)}{_meta(turn)}"


def _refused(turn: Turn, number: int) -> str:
    reason = turn.answer.reason if turn.answer else None
    why = f'<p class="reason" dir="auto">{escape(reason)}</p>' if reason and reason not in turn.text else ""
    found = len(turn.passages)
    nearest = (
        f'<p><button type="button" class="link" data-open="passages" data-turn="{number}">'
        f"{'Nearest passage' if found == 1 else f'{found} nearest passages'}</button></p>"
        if found
        else ""
    )
    label = "Not enough time" if turn.text == NO_TIME else "Not in the articles"
    return (
        f'<div class="refusal"><p class="label">{label}</p>'
        f'<div class="answer" dir="auto">{escape(turn.text)}</div>{why}{_notes(turn)}{nearest}</div>'
    )


def _notes(turn: Turn) -> str:
    """What was read from the question about the articles that it wants, what to know about times, and what
    there was no time for."""
    if turn.answer is None:
        return ""
    searched = turn.answer.searched.notes if turn.answer.searched else ()
    every = (*searched, *turn.answer.notes, *for_want_of_time(turn.answer.skipped))
    return "".join(f'<p class="note"><bdi>{escape(note)}.</bdi></p>' for note in every)


def _meta(turn: Turn) -> str:
    if turn.answer is None:
        return ""
    sentences = len({(citation.article_id, citation.start, citation.end) for citation in turn.citations})
    articles = len({citation.article_id for citation in turn.citations})
    facts = [f"{turn.answer.confidence:.0%} sure", f"{turn.answer.timings.total_s:.1f} s"]
    if sentences:
        facts.insert(0, f"{counted(sentences, 'sentence')} from {counted(articles, 'article')}")
    return (
        f'<p class="meta"><span>{" · ".join(facts)}</span>'
        f'<button type="button" class="link" data-copy="{escape(plain(turn))}">Copy</button></p>'
    )


def plain(turn: Turn) -> str:
    """The answer as plain text with numbers and a list of its sources, for the clipboard. Not escaped."""
    text, notes = turn.text, {citation.number: citation for citation in turn.citations}
    marks = {(citation.answer_end, citation.number) for citation in turn.citations}
    for end, number in sorted(marks, reverse=True):
        text = f"{text[:end]} [{number}]{text[end:]}"
    lines = [f"[{number}] {_bylines(citation)}: “{citation.quote}”" for number, citation in sorted(notes.items())]
    return "\n".join([text, "", *lines]) if lines else text


def _bylines(citation: Citation) -> str:
    return "; also in ".join([byline(citation), *(byline(one) for one in citation.also_in)])


def also_in(item: Citation | PassageUse) -> str:
    """The other articles that say the same nearly word for word, as HTML; nothing if there is none."""
    names = "; ".join(f"<bdi>{escape(byline(one))}</bdi>" for one in item.also_in)
    return f"also in {names}" if names else ""


def _where(item: Article | Citation | PassageUse) -> str:
    return " · ".join(escape(part) for part in (item.source, day(item.date), page_of(item)) if part)


def page_of(item: Article | Citation | PassageUse | Copy) -> str | None:
    """ "page 3" of a sentence or passage of a PDF; None for all else."""
    return f"page {item.page}" if isinstance(item, Citation | PassageUse) and item.page else None
