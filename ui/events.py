"""What each event of the page does: for each, what the components show next. `ui/app.py` says which component stands
where, and gives the values in the order in which it names the components.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from index.build import Changes
from index.errors import BylineError, InputError, SettingsError
from index.types import Article
from rag.settings import read_seconds
from ui import render, render_sources
from ui.adding import add_dropped, remove_dropped, told, was_dropped
from ui.asking import Desk
from ui.protocol import ChatbotLike
from ui.turns import Conversation, Turn, history_of

_log = logging.getLogger("byline.ui")

POLL_S = 0.5
"""Seconds between two looks at how far loading is."""


def asked(desk: Desk, state: Conversation, text: str, limit: str) -> Iterator[tuple[Any, ...]]:
    """A question: its frames, from the first look at passages to the signed answer or what went wrong."""
    if state.live is not None or not text.strip():
        yield _nothing()
        return
    history, number = history_of(state.turns), len(state.turns)
    round = state.begin(text.strip())
    turn = Turn(text.strip())
    keep_question: Any = ""

    def unwanted() -> bool:
        return state.round != round or state.stop_wanted

    yield _frame(state, panel=render_sources.passages_found(turn, number), question="", working=True)
    try:
        seconds = read_seconds(limit, where="The time limit") if limit.strip() else None
        for burst in desk.bursts(text, history=history, stop=unwanted, seconds=seconds):
            if state.round != round:
                break
            found = turn.passages
            for event in burst:
                turn = turn.after(event)
            state.live = turn
            fresh = turn.passages and turn.passages != found and not state.by_hand
            yield _frame(state, panel=render_sources.passages_found(turn, number) if fresh else gr.skip(), working=True)
        turn = turn.stopped()
    except (InputError, SettingsError) as error:
        turn, keep_question = turn.failed(error.message, error.help), text
    except BylineError as error:
        turn = turn.failed(error.message, error.help)
    except Exception as error:
        _log.exception("answering failed")
        turn = turn.failed(*_unexpected(error))
    if state.round != round:
        yield _nothing() if state.live is not None else cleared(desk)
        return
    state.live = turn
    panel = gr.skip() if state.by_hand else _first_source(desk, state, turn, number)
    state.settle()
    yield _frame(state, panel=panel, question=keep_question or gr.skip(), finished=True, working=False)


def _frame(
    state: Conversation, *, panel: Any, question: Any = None, finished: bool = False, working: bool
) -> tuple[Any, ...]:
    live = render.turn(state.live, len(state.turns)) if state.live is not None else ""
    return (
        render.conversation(state.turns) if finished else gr.skip(),
        live,
        panel,
        gr.skip() if question is None else question,
        gr.update(visible=not working),
        gr.update(visible=working),
    )


def _nothing() -> tuple[Any, ...]:
    return tuple(gr.skip() for _ in range(6))


def cleared(desk: Desk) -> tuple[Any, ...]:
    """The empty conversation."""
    return (
        "",
        render.welcome(desk.warmup.state, _examples(desk)),
        render_sources.nothing_open(_articles(desk)),
        gr.skip(),
        gr.update(visible=True),
        gr.update(visible=False),
    )


def polled(desk: Desk, state: Conversation) -> tuple[Any, ...]:
    """How far loading is."""
    warmup = desk.warmup.state
    untouched = state.live is None and not state.turns
    articles = _articles(desk)
    return (
        render.header(warmup, len(articles) if warmup.ready else None),
        render.welcome(warmup, _examples(desk)) if untouched else gr.skip(),
        render_sources.nothing_open(articles) if untouched and not state.by_hand else gr.skip(),
        gr.Timer(POLL_S, active=warmup.name == "loading"),
        state,  # the same object; only a state that was put out is dropped after its tab has closed
    )


def taken_in(desk: Desk, state: Conversation, files: Sequence[Path]) -> Iterator[tuple[Any, ...]]:
    """Articles that are given to the page: what becomes of them, in the panel."""
    names = ", ".join(file.name for file in files)
    yield gr.skip(), gr.skip(), render_sources.nothing_open(_articles(desk), news=[f"Reading {names} …"])

    def add() -> Changes:
        chatbot = desk.warmup.chatbot()
        return add_dropped(chatbot, files, folder=chatbot.kept_articles)

    yield _changed(desk, state, add)


def taken_out(desk: Desk, state: Conversation, event: gr.EventData) -> tuple[Any, ...]:
    """The article of a click on something with `data-remove`: what becomes of it, in the panel."""
    if not desk.warmup.state.ready:
        return gr.skip(), gr.skip(), gr.skip()
    chatbot = desk.warmup.chatbot(wait=0)
    chosen = _article(chatbot, text_of(event, "article"))

    def remove() -> Changes:
        return remove_dropped(chatbot, chosen, folder=chatbot.kept_articles) if chosen else Changes()

    return _changed(desk, state, remove)


def _changed(desk: Desk, state: Conversation, change: Callable[[], Changes]) -> tuple[Any, ...]:
    """Header, welcome and panel once the articles at hand are changed, and what became of that."""
    try:
        news = told(change())
    except BylineError as error:
        news = tuple(line for line in (error.message, error.help) if line)
    except Exception as error:
        _log.exception("changing the articles failed")
        news = _unexpected(error)
    articles = _articles(desk)
    untouched = state.live is None and not state.turns
    return (
        render.header(desk.warmup.state, len(articles) or None),
        render.welcome(desk.warmup.state, _examples(desk)) if untouched else gr.skip(),
        render_sources.nothing_open(articles, news=news),
    )


def _unexpected(error: Exception) -> tuple[str, str]:
    """What happened, and what helps."""
    return (
        f"Byline failed unexpectedly: {type(error).__name__}: {error}",
        "The terminal that runs Byline shows the details; `byline doctor` looks for causes.",
    )


def _first_source(desk: Desk, state: Conversation, turn: Turn, number: int) -> str:
    if turn.state != "answered" or not turn.citations:
        return render_sources.passages_found(turn, number)
    first = min(turn.citations, key=lambda citation: (citation.answer_end, citation.number))
    state.opened += 1
    article = _article(desk.warmup.chatbot(wait=0), first.article_id)
    return render_sources.cited_article(turn, number, first.number, article, opened=state.opened)


def opened(desk: Desk, state: Conversation, event: gr.EventData) -> Any:
    """What a click on something with `data-open` puts into the panel. The event comes from outside: nothing
    is trusted.
    """
    if not desk.warmup.state.ready:
        return gr.skip()
    chatbot = desk.warmup.chatbot(wait=0)
    kind, number = text_of(event, "kind"), _number_of(event, "number")
    state.opened += 1
    state.by_hand = kind != "list"
    if kind == "list":
        return render_sources.nothing_open(chatbot.articles())
    if kind == "article":
        chosen = _article(chatbot, text_of(event, "article"))
        if chosen is None:
            return gr.skip()
        removable = was_dropped(chosen, chatbot.kept_articles)
        return render_sources.whole_article(chosen, removable=removable, opened=state.opened)
    turn_number = _number_of(event, "turn")
    turn = state.turn(turn_number)
    if turn is None:
        return gr.skip()
    if kind == "citation" and (citation := turn.citation(number)) is not None:
        article = _article(chatbot, citation.article_id)
        return render_sources.cited_article(turn, turn_number, number, article, opened=state.opened)
    if kind == "passage" and (passage := turn.passage(number)) is not None:
        article = _article(chatbot, passage.article_id)
        return render_sources.found_article(turn, turn_number, passage, article, opened=state.opened)
    return render_sources.passages_found(turn, turn_number)


def _article(chatbot: ChatbotLike, article_id: str) -> Article | None:
    try:
        return chatbot.article(article_id)
    except InputError:  # removed from the index since: the panel says so
        return None


def _articles(desk: Desk) -> tuple[Article, ...]:
    return desk.warmup.chatbot(wait=0).articles() if desk.warmup.state.ready else ()


def _examples(desk: Desk) -> tuple[str, ...]:
    return desk.warmup.chatbot(wait=0).example_questions() if desk.warmup.state.ready else ()


def text_of(event: gr.EventData, name: str) -> str:
    """A text of the event's details; empty if there is none of that name."""
    value = (event._data or {}).get(name)
    return value if isinstance(value, str) else ""


def _number_of(event: gr.EventData, name: str) -> int:
    value = (event._data or {}).get(name)
    return value if isinstance(value, int) else -1
