"""Serves the page on this machine. The page is up before the models are loaded."""

import asyncio
import contextlib
import errno
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import uvicorn
from fastapi import FastAPI

from index.errors import InputError, ResourceError
from rag.queueing import MOST_WAITING
from ui.asking import Desk
from ui.http import build_http
from ui.warmup import Warmup

PORTS_TRIED = 20


def build_server(
    warmup: Warmup, *, host: str = "127.0.0.1", port: int = 7860, most_waiting: int = MOST_WAITING
) -> "PageServer":
    """A server bound to the first free port from `port` on, with page and HTTP interface, not yet running.

    While it answers one question, `most_waiting` more may wait, over both together.

    Raises `ResourceError` if none of the ports is free, `InputError` if the host is not one of this machine.
    """
    listener = _bound(host, port)
    desk = Desk(warmup, most_waiting=most_waiting)
    try:
        return PageServer(_built(desk, host), desk, listener, host)
    except BaseException:
        listener.close()
        raise


def _built(desk: Desk, host: str) -> FastAPI:
    async def inside_a_loop() -> FastAPI:
        return build_http(desk, hosts=(host,))

    # Outside a running loop, Gradio makes one for each lock that it needs and never closes it. In a thread of its
    # own, since the caller may have a loop of theirs.
    with ThreadPoolExecutor(1) as builder:
        return builder.submit(lambda: asyncio.run(inside_a_loop())).result()


def serve(
    warmup: Warmup,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    most_waiting: int = MOST_WAITING,
    open_browser: bool = True,
    on_ready: Callable[[str], None] = print,
) -> None:
    """Serve until SIGINT or SIGTERM. `on_ready` is told, line by line, where the page is once it can be
    opened.

    The warm-up begins when the server listens. Raises as `build_server` does.
    """
    server = build_server(warmup, host=host, port=port, most_waiting=most_waiting)

    def listening() -> None:
        if server.port != port:
            on_ready(f"Port {port} is in use; Byline took the next free one.")
        on_ready(f"Byline is at {server.url}  (Ctrl-C ends it)")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()

    server.serve_until_stopped(on_listening=listening)


class PageServer(uvicorn.Server):
    """A uvicorn server that begins the warm-up when it listens and leaves quickly, also while an answer is
    made.
    """

    def __init__(self, app: FastAPI, desk: Desk, listener: socket.socket, host: str) -> None:
        super().__init__(
            uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, ws="none")
        )
        self.desk = desk
        self.listener = listener
        self.port: int = listener.getsockname()[1]
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"
        self._on_listening: Callable[[], None] | None = None

    def serve_until_stopped(self, *, on_listening: Callable[[], None] | None = None) -> None:
        """Serve until a signal comes (in the main thread) or `stop()` is called; then let everything go."""
        self._on_listening = on_listening
        try:
            self.run(sockets=[self.listener])
        finally:
            self.desk.close(wait=2.0)
            self.listener.close()

    def stop(self) -> None:
        """End `serve_until_stopped`. May be called from another thread, but not from a signal handler."""
        self.should_exit = True
        self.desk.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then to load."""
        await super().startup(sockets)
        self.desk.warmup.start()
        if self._on_listening is not None:
            self._on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers end first: they hold connections open."""
        self.desk.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came: the second one does not wait for anything.

        Sets flags only. make passes a signal on that the whole process group got already, so a second one often
        comes while the first is being handled, and whatever takes a lock here would wait for itself.
        """
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while serving. Unlike uvicorn, do not raise them again after a clean end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [port] if port == 0 else range(port, min(port + PORTS_TRIED, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(128)
            return listener
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                continue
            raise InputError(
                f"Cannot listen on {host}, port {candidate}: {error.strerror or error}.",
                help="Use --host 127.0.0.1 and a port of 1024 or more.",
            ) from error
    raise ResourceError(
        f"Ports {port} to {port + PORTS_TRIED - 1} are all in use.",
        help="Choose another one: byline chat --port 8000",
    )
