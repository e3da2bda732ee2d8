"""The web application: the page at `/`, and a small HTTP interface for programs on this machine."""

import json
import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import BylineError, InputError
from index.filters import Filters
from index.neutral import to_json
from rag.types import Message
from ui.asking import Desk

_log = logging.getLogger("byline.ui")

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")
_MOST_BYTES = 1_000_000
_HISTORY_HELP = 'Send a list of {"role": "user" or "assistant", "content": "…"}.'
_FILTERS_HELP = 'For example {"sources": ["CNBC"], "since": "2018", "until": "2019-06"}.'
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="6" fill="#8a1c2b"/>'
    '<path d="M8 9h16M8 15h16M8 21h9" stroke="#fbf8f2" stroke-width="2.6" stroke-linecap="round"/>'
    '<circle cx="22.5" cy="21.5" r="2.6" fill="#fbf8f2"/></svg>'
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request asks."""

    question: str
    history: tuple[Message, ...]
    filters: Filters
    explain: bool
    seconds: float | None


def build_http(desk: Desk, *, hosts: Sequence[str] = ()) -> FastAPI:
    """The web application: `GET /api/health`, `POST /api/ask`, and the page at `/`.

    Requests must name this machine (or one of `hosts`) in Host, and in Origin if they carry one: so no other
    web site can ask through the reader's browser.
    """
    import gradio as gr

    from ui.app import build_app, page_options

    app = FastAPI(title="Byline", docs_url=None, redoc_url=None, openapi_url=None)
    names = [*_LOCAL_NAMES, *(host.lower() for host in hosts)]
    app.add_middleware(_SameOrigin, names=names)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(_ICON, media_type="image/svg+xml")

    @app.get("/api/health")
    def health() -> dict[str, Any]:
        state = desk.warmup.state
        articles = desk.warmup.chatbot(wait=0).article_count() if state.ready else None
        return {"state": state.name, "text": state.text, "help": state.help, "articles": articles}

    @app.post("/api/ask")
    async def ask(request: Request) -> Response:
        return await _ask(desk, request)

    gr.mount_gradio_app(app, build_app(desk), path="/", **page_options())
    return app


async def _ask(desk: Desk, request: Request) -> Response:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return _error(415, "The request is not JSON.", "Send it with the header Content-Type: application/json.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            return _error(413, f"The request has more than {_MOST_BYTES:,} bytes.", "Send less history.")
    try:
        asked = _read_question(body)
    except ValueError as error:
        return _error(400, f"The request is not valid JSON: {error}", 'Send {"question": "…"}.')
    except InputError as error:
        return _error(422, error.message, error.help)

    gone = threading.Event()

    async def watch() -> None:
        while not await request.is_disconnected():
            await anyio.sleep(0.2)
        gone.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        response = await anyio.to_thread.run_sync(lambda: _answered(desk, asked, gone.is_set))
        tasks.cancel_scope.cancel()
    return response


def _answered(desk: Desk, asked: _Asked, stop: Callable[[], bool]) -> Response:
    try:
        answer = desk.answer(
            asked.question, history=asked.history, filters=asked.filters, stop=stop, seconds=asked.seconds
        )
    except InputError as error:
        return _error(422, error.message, error.help)
    except BylineError as error:
        return _error(503, error.message, error.help)
    except Exception as error:
        _log.exception("answering failed")
        return _error(
            500,
            f"Byline failed unexpectedly: {type(error).__name__}: {error}",
            "The terminal shows the details.",
        )
    if answer is None:
        return _error(503, "Byline is ending.", "Start it again with `byline chat`.")
    return _json(answer.to_dict(explain=asked.explain))


def _read_question(body: bytes) -> _Asked:
    """Raises `ValueError` if it is not JSON, `InputError` if it is not a question."""
    asked = json.loads(body)
    if not isinstance(asked, dict) or not isinstance(asked.get("question"), str):
        raise InputError("The field `question` is missing or no text.", help='Send {"question": "…"}.')
    if unknown := sorted(set(asked) - {"question", "history", "filters", "explain", "seconds"}):
        raise InputError(
            f"Unknown fields: {', '.join(unknown)}.",
            help="Known are `question`, `history`, `filters`, `explain` and `seconds`.",
        )
    history, filters, explain = asked.get("history", []), asked.get("filters", {}), asked.get("explain", False)
    if not isinstance(history, list):
        raise InputError("The field `history` is no list.", help=_HISTORY_HELP)
    if not isinstance(filters, dict):
        raise InputError("The field `filters` is no object.", help=_FILTERS_HELP)
    if not isinstance(explain, bool):
        raise InputError("The field `explain` is neither true nor false.", help='Send {"explain": true}.')
    return _Asked(
        asked["question"],
        tuple(_read_message(message) for message in history),
        _read_filters(filters),
        explain,
        _read_limit(asked.get("seconds")),
    )


def _read_limit(seconds: object) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise InputError(
            "The field `seconds` is no time.", help='Send a number, for example {"seconds": 3}; 0 is no limit.'
        )
    return float(seconds)


def _read_filters(values: dict[str, Any]) -> Filters:
    try:
        return Filters.from_dict(values)
    except InputError as error:
        raise InputError(error.message, help=error.help or _FILTERS_HELP) from error


def _read_message(message: object) -> Message:
    match message:
        case {"role": ("user" | "assistant") as role, "content": str(content)}:
            return Message(role, content)
    raise InputError("A message of `history` cannot be read.", help=_HISTORY_HELP)


def _error(status: int, error: str, help: str | None) -> Response:
    return _json({"error": error, "help": help}, status=status)


def _json(value: Any, *, status: int = 200) -> Response:
    """Not FastAPI's own: that fails on the half of a character that a request may send and an error repeats."""
    return Response(to_json(value), status_code=status, media_type="application/json")


class _SameOrigin:
    """Refuses requests that another web site sends through the reader's browser."""

    def __init__(self, app: ASGIApp, *, names: Sequence[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is not None and _host_of(origin) not in self._names:
            await PlainTextResponse("This request comes from another site.", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None
