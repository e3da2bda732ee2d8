"""What the command line shows: progress on stderr, answers on stdout."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from index.progress import Progress
from rag.types import Answer, Citation

_NEAREST_SHOWN = 3
_QUOTE_SHOWN = 240


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """A progress callback that draws bars on stderr, and only if that is a terminal."""
    with Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield report


def answer_view(answer: Answer) -> RenderableType:
    """The answer with its markers, then what it cites; for a refusal, the reason and the nearest passages."""
    if answer.abstained:
        lines: list[RenderableType] = [Text(answer.text, style="bold"), Text(answer.reason or "")]
        if answer.passages:
            lines += [Text(), Text("Nearest passages", style="bold")]
        for passage in answer.passages[:_NEAREST_SHOWN]:
            where = source_line(passage.title, passage.source, passage.date, passage.path)
            lines += [Text(where, style="dim"), _indented(_shortened(passage.text))]
        return Group(*lines)
    lines = [Text(with_markers(answer)), Text()]
    for citation in _each_once(answer.citations):
        where = source_line(citation.title, citation.source, citation.date, citation.path)
        lines += [
            Text(f"[{citation.number}] {where}", style="dim"),
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


def source_line(title: str | None, source: str | None, date: str | None, path: str) -> str:
    """Where something stands, as one line: publisher, date, title, file."""
    return " · ".join(part for part in (source, date or "date unknown", title, path) if part)


def _each_once(citations: tuple[Citation, ...]) -> list[Citation]:
    return list({citation.number: citation for citation in citations}.values())


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 4), expand=False)


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTE_SHOWN else flat[:_QUOTE_SHOWN].rsplit(" ", 1)[0] + " …"
