"""The web application: the page at `/`, and a small HTTP interface for programs on this machine."""

import json
import logging
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import BylineError, InputError
from index.filters import Filters
from index.neutral import to_json
from rag.types import DoneEvent, Event, Message
from ui.asking import Desk

_log = logging.getLogger("byline.ui")

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")
_MOST_BYTES = 1_000_000
_THREADS_FOR_REFUSALS = 8
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
    stream: bool
    seconds: float | None


class _Failure(NamedTuple):
    """What went wrong, and what to do."""

    status: int
    error: str
    help: str | None

    def told(self) -> dict[str, str | None]:
        """As JSON."""
        return {"error": self.error, "help": self.help}


_ENDING = _Failure(503, "Byline is ending.", "Start it again with `byline chat`.")


def build_http(desk: Desk, *, hosts: Sequence[str] = ()) -> FastAPI:
    """The web application: `GET /api/health`, `POST /api/ask`, and the page at `/`.

    With `"stream": true` the reply to a question is its events while it is answered, each one line of JSON, the place
    in line among them; if it fails on the way, the last line is `{"type": "error", "error": …, "help": …}`.

    Requests must name this machine (or one of `hosts`) in Host, and in Origin if they carry one: so no other
    web site can ask through the reader's browser.
    """
    import gradio as gr

    from ui.app import build_app, page_options

    app = FastAPI(title="Byline", docs_url=None, redoc_url=None, openapi_url=None)
    names = [*_LOCAL_NAMES, *(host.lower() for host in hosts)]
    app.add_middleware(_SameOrigin, names=names)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)

    # Threads of their own: each question under way holds one, waiting or not, and health is asked meanwhile.
    threads = CapacityLimiter(desk.most_at_once + _THREADS_FOR_REFUSALS)

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
        return await _ask(desk, request, threads)

    gr.mount_gradio_app(app, build_app(desk), path="/", **page_options())
    return app


async def _ask(desk: Desk, request: Request, threads: CapacityLimiter) -> Response:
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

    if asked.stream:
        return _EventStream(desk, asked, threads)
    gone = threading.Event()

    async def watch() -> None:
        while not await request.is_disconnected():
            await anyio.sleep(0.2)
        gone.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        response = await anyio.to_thread.run_sync(lambda: _answered(desk, asked, gone.is_set), limiter=threads)
        tasks.cancel_scope.cancel()
    return response


def _answered(desk: Desk, asked: _Asked, stop: Callable[[], bool]) -> Response:
    try:
        answer = desk.answer(
            asked.question, history=asked.history, filters=asked.filters, stop=stop, seconds=asked.seconds
        )
    except Exception as error:
        return _error(*_told(error))
    return _error(*_ENDING) if answer is None else _json(answer.to_dict(explain=asked.explain))


class _EventStream(Response):
    """The events of answering, one line each. What fails before the first of them is an error like any other."""

    media_type = "application/x-ndjson"

    def __init__(self, desk: Desk, asked: _Asked, threads: CapacityLimiter) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._gone = threading.Event()
        self._threads = threads
        self._explain = asked.explain
        self._bursts = desk.bursts(
            asked.question,
            history=asked.history,
            filters=asked.filters,
            stop=self._gone.is_set,
            seconds=asked.seconds,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self._gone.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            try:
                await self._send(scope, receive, send)
            finally:
                self._gone.set()
            tasks.cancel_scope.cancel()

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        lines = self._lines()
        first = await anyio.to_thread.run_sync(lambda: next(lines), limiter=self._threads)
        if isinstance(first, _Failure):
            await _error(*first)(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        piece: str | _Failure | None = first
        while piece is not None:
            text = piece if isinstance(piece, str) else to_json({"type": "error", **piece.told()}) + "\n"
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            piece = await anyio.to_thread.run_sync(lambda: next(lines, None), limiter=self._threads)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _lines(self) -> Iterator["str | _Failure"]:
        """At least one; a failure is the last."""
        done = False
        try:
            for burst in self._bursts:
                done = isinstance(burst[-1], DoneEvent)
                yield "".join(f"{to_json(self._told(event))}\n" for event in burst)
        except Exception as error:
            yield _told(error)
            return
        if not done:
            yield _ENDING

    def _told(self, event: Event) -> dict[str, Any]:
        if self._explain and isinstance(event, DoneEvent):
            return {"answer": event.answer.to_dict(explain=True), "type": event.type}
        return event.to_dict()


def _told(error: Exception) -> _Failure:
    if isinstance(error, BylineError):
        return _Failure(422 if isinstance(error, InputError) else 503, error.message, error.help)
    _log.error("answering failed", exc_info=error)
    return _Failure(
        500, f"Byline failed unexpectedly: {type(error).__name__}: {error}", "The terminal shows the details."
    )


def _read_question(body: bytes) -> _Asked:
    """Raises `ValueError` if it is not JSON, `InputError` if it is not a question."""
    asked = json.loads(body)
    if not isinstance(asked, dict) or not isinstance(asked.get("question"), str):
        raise InputError("The field `question` is missing or no text.", help='Send {"question": "…"}.')
    if unknown := sorted(set(asked) - {"question", "history", "filters", "explain", "stream", "seconds"}):
        raise InputError(
            f"Unknown fields: {', '.join(unknown)}.",
            help="Known are `question`, `history`, `filters`, `explain`, `stream` and `seconds`.",
        )
    history, filters = asked.get("history", []), asked.get("filters", {})
    if not isinstance(history, list):
        raise InputError("The field `history` is no list.", help=_HISTORY_HELP)
    if not isinstance(filters, dict):
        raise InputError("The field `filters` is no object.", help=_FILTERS_HELP)
    for name in ("explain", "stream"):
        if not isinstance(asked.get(name, False), bool):
            raise InputError(f"The field `{name}` is neither true nor false.", help=f'Send {{"{name}": true}}.')
    return _Asked(
        asked["question"],
        tuple(_read_message(message) for message in history),
        _read_filters(filters),
        asked.get("explain", False),
        asked.get("stream", False),
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
    return _json(_Failure(status, error, help).told(), status=status)


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
