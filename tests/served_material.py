"""A small server that speaks OpenAI's chat completions, and a package like xllamacpp around it; both copy excerpts.

What they reply comes from `rag.fakes.CopyingGenerator`, so that the contract of a generator can be held to them.
"""

import json
import math
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from types import SimpleNamespace

from rag.fakes import CopyingGenerator
from rag.types import Message

MODEL = "copying"


@dataclass
class Manners:
    """How the server behaves, and what it saw."""

    log_probabilities: bool = True
    counts: bool = True
    key: str | None = None
    refusal: tuple[int, object] | None = None
    """Status and JSON of every answer to a POST."""
    refuses_fields: tuple[str, ...] = ()
    raw: str | None = None
    """What stands in the place of JSON or of the stream's events."""
    pieces: list[str] | None = None
    """What is written in the place of a copied sentence."""
    breaks_after: int | None = None
    """Pieces after which the connection is cut."""
    endless: bool = False
    silent_s: float = 0.0
    requests: list[tuple[str, dict[str, str], dict]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    manners: Manners

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.manners.requests.append((self.path, dict(self.headers), {}))
        self._json(200, {"object": "list", "data": [{"id": MODEL}, {"id": "other"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.manners.requests.append((self.path, dict(self.headers), body))
        manners, generator = self.manners, CopyingGenerator()
        time.sleep(manners.silent_s)
        if manners.key and self.headers.get("Authorization") != f"Bearer {manners.key}":
            given = self.headers.get("Authorization")
            self._json(401, {"error": {"message": f"Invalid API Key {given}", "code": 401}})
        elif manners.refusal:
            self._json(*manners.refusal)
        elif unknown := [name for name in manners.refuses_fields if name in body]:
            self._json(400, {"detail": f"unknown field {unknown[0]}"})
        elif self.path == "/tokenize":
            self._json(200, {"tokens": list(range(generator.count_tokens(body["content"])))})
        elif body["model"] != MODEL:
            self._json(404, {"error": {"message": f"model '{body['model']}' not found", "code": "model_not_found"}})
        elif manners.raw is not None and not body.get("stream"):
            self._send(200, manners.raw.encode())
        else:
            messages = [Message(**message) for message in body["messages"]]
            self._stream(generator, messages, body) if body.get("stream") else self._judge(generator, messages, body)

    def _judge(self, generator, messages, body):
        odds = generator.log_odds(messages)
        choice = {"message": {"role": "assistant", "content": "Yes" if odds > 0 else "No"}, "finish_reason": "length"}
        if self.manners.log_probabilities and body.get("logprobs"):
            yes = -math.log1p(math.exp(-odds))
            shown = [{"token": "Yes", "logprob": yes}, {"token": "No", "logprob": yes - odds}]
            choice["logprobs"] = {"content": [{**shown[odds <= 0], "top_logprobs": shown}]}
        self._json(200, {"choices": [choice]} | self._usage(generator, written=1))

    def _stream(self, generator, messages, body):
        manners = self.manners
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            if manners.raw is not None:
                self._chunk(manners.raw)
                self._chunk("")
                return
            self._chunk(": ping\n\n")
            self._event({"choices": [{"delta": {"role": "assistant", "content": None}}], "usage": None})
            pieces = manners.pieces or list(generator.generate(messages, max_tokens=body["max_tokens"]))
            written = 0
            while True:
                for piece in pieces:
                    if written == manners.breaks_after:
                        self.connection.shutdown(socket.SHUT_RDWR)
                        self.close_connection = True
                        return
                    self._event({"choices": [{"delta": {"content": piece}, "finish_reason": None}]})
                    written += 1
                if not manners.endless:
                    break
                time.sleep(0.002)
            self._event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
            if manners.counts and body.get("stream_options", {}).get("include_usage"):
                self._event({"choices": []} | self._usage(generator, written=written))
            self._chunk("data: [DONE]\n\n")
            self._chunk("")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            manners.left.set()

    def _usage(self, generator, *, written):
        if not self.manners.counts:
            return {}
        read = generator.usage().tokens_read
        kept = {"cached_tokens": 5}
        return {"usage": {"prompt_tokens": read + 5, "completion_tokens": written, "prompt_tokens_details": kept}}

    def _event(self, event):
        self._chunk(f"data: {json.dumps(event, ensure_ascii=False)}\n\n")

    def _chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _json(self, status, found):
        self._send(status, json.dumps(found).encode())

    def _send(self, status, data):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if 300 <= status < 400:
            self.send_header("Location", "http://elsewhere.invalid/v1/chat/completions")
        self.end_headers()
        self.wfile.write(data)


class _Quiet:
    daemon_threads = True

    def handle_error(self, *_):
        """Those who leave in the middle are part of the tests."""


class _TcpServer(_Quiet, ThreadingHTTPServer):
    pass


class _UnixServer(_Quiet, ThreadingMixIn, UnixStreamServer):
    pass


@contextmanager
def served(manners: Manners | None = None, *, path: str | None = None):
    """The server at a free port of this machine, or at a Unix socket, with its `url` and `manners`."""
    manners = manners or Manners()
    handler = type("Handler", (_Handler,), {"manners": manners})
    server = _UnixServer(path, handler) if path else _TcpServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        url = "" if path else f"http://127.0.0.1:{server.server_address[1]}/v1"
        yield SimpleNamespace(url=url, manners=manners)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class FakeXllamacpp(SimpleNamespace):
    """A module as `rag/llama_cpp.py` uses it; `settings` are those of the servers that were made."""

    def __init__(self) -> None:
        made: list[SimpleNamespace] = []
        open_now: list = []

        class CommonParams(SimpleNamespace):
            def __init__(self):
                super().__init__(
                    model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()
                )

        class Server:
            def __init__(self, settings):
                if Path(settings.model.path).read_bytes()[:4] != b"GGUF":
                    raise RuntimeError("Failed to init server, please check the input params.")
                made.append(settings)
                self.context = served(Manners(key=settings.api_keys[0]), path=settings.hostnames[0])
                settings.server = self.context.__enter__()
                open_now.append(self.context)

        super().__init__(CommonParams=CommonParams, Server=Server, settings=made)
        self._open = open_now

    def close(self) -> None:
        """End what was started."""
        while self._open:
            self._open.pop().__exit__(None, None, None)
