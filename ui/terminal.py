"""What the command line shows of an answer."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from index.neutral import neutral
from rag.saying import for_want_of_time
from rag.types import Answer, Citation, PassageUse

_NEAREST_SHOWN = 3
_QUOTE_SHOWN = 240


def answer_view(answer: Answer) -> RenderableType:
    """The answer with its markers, then what it cites; for a refusal, the reason and the nearest passages."""
    if answer.abstained:
        lines: list[RenderableType] = [shown(answer.text, style="bold"), shown(answer.reason or ""), *_notes(answer)]
        if answer.passages:
            lines += [Text(), Text("Nearest passages", style="bold")]
        for passage in answer.passages[:_NEAREST_SHOWN]:
            where = source_line(passage.title, passage.source, passage.date, passage.path, page=passage.page)
            lines += [shown(f"{where}{_also_in(passage)}", style="dim"), _indented(shortened(passage.text))]
        return Group(*lines)
    lines = [shown(with_markers(answer)), *_notes(answer), Text()]
    for citation in _each_once(answer.citations):
        where = source_line(citation.title, citation.source, citation.date, citation.path, page=citation.page)
        lines += [
            shown(f"[{citation.number}] {where}{_also_in(citation)}", style="dim"),
            _indented(f"“{citation.quote}”"),
        ]
    return Group(*lines)


def with_markers(answer: Answer) -> str:
    """The answer's text with [1], [2], … after each sentence."""
    numbers: dict[int, list[int]] = {}
    for citation in answer.citations:
        numbers.setdefault(citation.answer_end, []).append(citation.number)
    text, last = "", 0
    for end in sorted(numbers):
        text += answer.text[last:end] + " " + "".join(f"[{number}]" for number in numbers[end])
        last = end
    return text + answer.text[last:]


def source_line(title: str | None, source: str | None, date: str | None, path: str, *, page: int | None = None) -> str:
    """Where something stands, as one line: publisher, date, title, file, and the page of a PDF."""
    paged = f"page {page}" if page else None
    return " · ".join(part for part in (source, date or "date unknown", title, path, paged) if part)


def _also_in(item: Citation | PassageUse) -> str:
    """The other articles that say the same, nearly word for word: "; also in Reuters · 2024-08-28 · b.txt"."""
    return "".join(f"; also in {source_line(one.title, one.source, one.date, one.path)}" for one in item.also_in)


def shown(text: str, style: str = "") -> Text:
    """Untrusted text for rich, which takes `Text` as it is, escape sequences of an article included; so they go."""
    return Text(neutral(text), style=style)


def _notes(answer: Answer) -> list[RenderableType]:
    """What was read from the question about the articles that it wants, what to know about times, and what
    there was no time for."""
    searched = answer.searched.notes if answer.searched else ()
    every = (*searched, *answer.notes, *for_want_of_time(answer.skipped))
    return [shown(f"{note}.", style="dim") for note in every]


def _each_once(citations: tuple[Citation, ...]) -> list[Citation]:
    return list({citation.number: citation for citation in citations}.values())


def _indented(text: str) -> RenderableType:
    return Padding(shown(text), (0, 0, 0, 4), expand=False)


def shortened(text: str) -> str:
    """The beginning of a text, on one line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTE_SHOWN else flat[:_QUOTE_SHOWN].rsplit(" ", 1)[0] + " …"
