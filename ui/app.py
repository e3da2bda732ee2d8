"""The page arranged with Gradio: which component stands where, and what happens on each event.

A turn that is being answered lives in a component of its own, so that a frame carries that turn and never the
conversation before it. Opening a source is an event without a queue: it works while an answer is being made.
"""

import logging
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import gradio as gr

from index.errors import BylineError, InputError, SettingsError
from index.readers import LARGEST_FILE
from index.types import Article
from rag.settings import read_seconds
from ui import render, render_sources
from ui.adding import add_dropped, told
from ui.asking import Desk
from ui.protocol import ChatbotLike
from ui.turns import Conversation, Turn, history_of

_log = logging.getLogger("byline.ui")

_POLL_S = 0.5
_THREADS_FOR_CLICKS = 20
_CLICKS = "byline.clicks(element, (name, detail) => trigger(name === 'ask' ? 'ask' : 'open', detail));"
_FOLLOW = _CLICKS + "byline.followConversation(element, watch);"
_SHOW = _CLICKS + "byline.showSources(element, watch);"
_SERIF = (
    "Iowan Old Style",
    "Charter",
    "Bitstream Charter",
    "Palatino Linotype",
    "Georgia",
    "Liberation Serif",
    "serif",
)
_SANS = (
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Noto Sans",
    "Helvetica Neue",
    "Liberation Sans",
    "Arial",
    "sans-serif",
)


def build_app(desk: Desk) -> gr.Blocks:
    """The page over a desk whose models may still be on their way. Mount it with `page_options()`."""
    with gr.Blocks(title="Byline", analytics_enabled=False, fill_width=True, fill_height=True) as page:
        conversation = gr.State(Conversation(), delete_callback=Conversation.clear)
        with gr.Row(elem_id="top"):
            header = gr.HTML(render.header(desk.warmup.state, None), elem_id="header", apply_default_css=False)
            add = gr.UploadButton(
                "Add articles",
                file_count="multiple",
                elem_id="add",
                size="sm",
                min_width=0,
                scale=0,
            )
            clear = gr.Button("Clear", elem_id="clear", size="sm", min_width=0, scale=0)
        with gr.Row(elem_id="columns", equal_height=False):
            with gr.Column(elem_id="left", min_width=0):
                with gr.Column(elem_id="stage", min_width=0):
                    finished = gr.HTML("", elem_id="finished", apply_default_css=False, js_on_load=_CLICKS)
                    live = gr.HTML(
                        render.welcome(desk.warmup.state, ()),
                        elem_id="live",
                        apply_default_css=False,
                        js_on_load=_FOLLOW,
                    )
                with gr.Row(elem_id="composer"):
                    question = gr.Textbox(
                        label="Your question",
                        show_label=False,
                        container=False,
                        placeholder="Ask the articles a question",
                        lines=1,
                        max_lines=6,
                        autofocus=True,
                        elem_id="question",
                        scale=1,
                        min_width=0,
                    )
                    seconds = gr.Textbox(
                        label="Seconds it may take",
                        show_label=False,
                        container=False,
                        placeholder="No limit",
                        max_length=12,
                        lines=1,
                        max_lines=1,
                        elem_id="seconds",
                        scale=0,
                        min_width=0,
                    )
                    send = gr.Button("Send", elem_id="send", variant="primary", min_width=0, scale=0)
                    stop = gr.Button("Stop", elem_id="stop", min_width=0, scale=0, visible=False)
            with gr.Column(elem_id="right", min_width=0):
                panel = gr.HTML(
                    render_sources.nothing_open(()),
                    elem_id="panel",
                    apply_default_css=False,
                    js_on_load=_SHOW,
                )
        timer = gr.Timer(_POLL_S)

        screen = [finished, live, panel, question, send, stop]
        frames = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
        aside = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

        def ask(text: str, limit: str, state: Conversation) -> Iterator[tuple[Any, ...]]:
            yield from _asked(desk, state, text, limit)

        def ask_example(limit: str, state: Conversation, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
            yield from _asked(desk, state, _text_of(event, "question"), limit)

        def open_source(state: Conversation, event: gr.EventData) -> Any:
            return _opened(desk, state, event)

        def clear_all(state: Conversation) -> tuple[Any, ...]:
            state.clear()
            return _cleared(desk)

        def stop_now(state: Conversation) -> None:
            state.stop_wanted = True

        def take_in(files: list[str], state: Conversation) -> Iterator[tuple[Any, ...]]:
            yield from _taken_in(desk, state, [Path(file) for file in files])

        def look(state: Conversation) -> tuple[Any, ...]:
            return _polled(desk, state)

        gr.on([question.submit, seconds.submit, send.click], ask, [question, seconds, conversation], screen, **frames)
        live.ask(ask_example, [seconds, conversation], screen, **frames)
        for component in (finished, live, panel):
            component.open(open_source, [conversation], [panel], **aside)
        add.upload(take_in, [add, conversation], [header, live, panel], **frames)
        clear.click(clear_all, [conversation], screen, **aside)
        stop.click(stop_now, [conversation], None, **aside)
        gr.on([page.load, timer.tick], look, [conversation], [header, live, panel, timer, conversation], **aside)
    # Each question under way holds one of Gradio's threads, waiting or not; sources are opened with those left.
    page.max_threads = desk.most_at_once + _THREADS_FOR_CLICKS
    return page.queue()


def page_options() -> dict[str, Any]:
    """How Byline's page is mounted: looks, script and icon, without Gradio's footer."""
    script = resources.files("ui").joinpath("page.js").read_text("utf-8")
    return {
        "theme": gr.themes.Base(font=_SANS, font_mono=("ui-monospace", "Menlo", "Consolas", "monospace")).set(
            body_background_fill="#fbf8f2",
            body_background_fill_dark="#161513",
            body_text_color="#1d1b18",
            body_text_color_dark="#ece7dc",
        ),
        "css": resources.files("ui").joinpath("style.css").read_text("utf-8"),
        "head": f'<meta name="color-scheme" content="light dark"><script>{script}</script>',
        "footer_links": [],
        "run_history": False,
        "mcp_server": False,
        "max_file_size": LARGEST_FILE,
        "ssr_mode": False,
        "enable_monitoring": False,
        "show_error": False,
    }


def _asked(desk: Desk, state: Conversation, text: str, limit: str) -> Iterator[tuple[Any, ...]]:
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
        turn = turn.failed(
            f"Byline failed unexpectedly: {type(error).__name__}: {error}",
            "The terminal that runs Byline shows the details; `byline doctor` looks for causes.",
        )
    if state.round != round:
        yield _nothing() if state.live is not None else _cleared(desk)
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


def _cleared(desk: Desk) -> tuple[Any, ...]:
    return (
        "",
        render.welcome(desk.warmup.state, _examples(desk)),
        render_sources.nothing_open(_articles(desk)),
        gr.skip(),
        gr.update(visible=True),
        gr.update(visible=False),
    )


def _polled(desk: Desk, state: Conversation) -> tuple[Any, ...]:
    warmup = desk.warmup.state
    untouched = state.live is None and not state.turns
    articles = _articles(desk)
    return (
        render.header(warmup, len(articles) if warmup.ready else None),
        render.welcome(warmup, _examples(desk)) if untouched else gr.skip(),
        render_sources.nothing_open(articles) if untouched and not state.by_hand else gr.skip(),
        gr.Timer(_POLL_S, active=warmup.name == "loading"),
        state,  # the same object; only a state that was put out is dropped after its tab has closed
    )


def _taken_in(desk: Desk, state: Conversation, files: Sequence[Path]) -> Iterator[tuple[Any, ...]]:
    names = ", ".join(file.name for file in files)
    yield gr.skip(), gr.skip(), render_sources.nothing_open(_articles(desk), news=[f"Reading {names} …"])
    try:
        chatbot = desk.warmup.chatbot()
        news = told(add_dropped(chatbot, files, folder=chatbot.kept_articles))
    except BylineError as error:
        news = tuple(line for line in (error.message, error.help) if line)
    articles = _articles(desk)
    untouched = state.live is None and not state.turns
    yield (
        render.header(desk.warmup.state, len(articles) or None),
        render.welcome(desk.warmup.state, _examples(desk)) if untouched else gr.skip(),
        render_sources.nothing_open(articles, news=news),
    )


def _first_source(desk: Desk, state: Conversation, turn: Turn, number: int) -> str:
    if turn.state != "answered" or not turn.citations:
        return render_sources.passages_found(turn, number)
    first = min(turn.citations, key=lambda citation: (citation.answer_end, citation.number))
    state.opened += 1
    article = _article(desk.warmup.chatbot(wait=0), first.article_id)
    return render_sources.cited_article(turn, number, first.number, article, opened=state.opened)


def _opened(desk: Desk, state: Conversation, event: gr.EventData) -> Any:
    """What a click on something with `data-open` puts into the panel. The event comes from outside: nothing
    is trusted.
    """
    if not desk.warmup.state.ready:
        return gr.skip()
    chatbot = desk.warmup.chatbot(wait=0)
    kind, number = _text_of(event, "kind"), _number_of(event, "number")
    state.opened += 1
    state.by_hand = kind != "list"
    if kind == "list":
        return render_sources.nothing_open(chatbot.articles())
    if kind == "article":
        chosen = _article(chatbot, _text_of(event, "article"))
        return render_sources.whole_article(chosen, opened=state.opened) if chosen else gr.skip()
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


def _text_of(event: gr.EventData, name: str) -> str:
    value = (event._data or {}).get(name)
    return value if isinstance(value, str) else ""


def _number_of(event: gr.EventData, name: str) -> int:
    value = (event._data or {}).get(name)
    return value if isinstance(value, int) else -1
