"""The page arranged with Gradio: which component stands where, and which event of `ui/events.py` it begins.

A turn that is being answered lives in a component of its own, so that a frame carries that turn and never the
conversation before it. Opening a source is an event without a queue: it works while an answer is being made.
"""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import gradio as gr

from index.readers import LARGEST_FILE
from ui import events, render, render_sources
from ui.asking import Desk
from ui.turns import Conversation

_THREADS_FOR_CLICKS = 20
# Gradio knows the events of an element by their names, in quotes, in its script.
_CLICKS = "byline.clicks(element, (name, detail) => trigger({ask: 'ask', remove: 'remove'}[name] ?? 'open', detail));"
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
        timer = gr.Timer(events.POLL_S)

        screen = [finished, live, panel, question, send, stop]
        frames = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
        aside = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

        def ask(text: str, limit: str, state: Conversation) -> Iterator[tuple[Any, ...]]:
            yield from events.asked(desk, state, text, limit)

        def ask_example(limit: str, state: Conversation, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
            yield from events.asked(desk, state, events.text_of(event, "question"), limit)

        def open_source(state: Conversation, event: gr.EventData) -> Any:
            return events.opened(desk, state, event)

        def clear_all(state: Conversation) -> tuple[Any, ...]:
            state.clear()
            return events.cleared(desk)

        def stop_now(state: Conversation) -> None:
            state.stop_wanted = True

        def take_in(files: list[str], state: Conversation) -> Iterator[tuple[Any, ...]]:
            yield from events.taken_in(desk, state, [Path(file) for file in files])

        def take_out(state: Conversation, event: gr.EventData) -> tuple[Any, ...]:
            return events.taken_out(desk, state, event)

        def look(state: Conversation) -> tuple[Any, ...]:
            return events.polled(desk, state)

        gr.on([question.submit, seconds.submit, send.click], ask, [question, seconds, conversation], screen, **frames)
        live.ask(ask_example, [seconds, conversation], screen, **frames)
        for component in (finished, live, panel):
            component.open(open_source, [conversation], [panel], **aside)
        panel.remove(take_out, [conversation], [header, live, panel], **frames)
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
