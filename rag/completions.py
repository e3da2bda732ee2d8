"""The client's side of OpenAI's chat completions, as Ollama, vLLM and llama-server speak it.

Speaks to one address alone: no proxy of the environment, no redirect, nobody's password file. What goes wrong is a
ModelError that says what was tried and what helps; the key stands in none. Knows nothing about judgements or answers.
"""

import json
import math
from collections.abc import Generator as Pieces
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from index.errors import ModelError, ServerError
from rag.types import Message

if TYPE_CHECKING:
    import httpx

CONNECT_S = 5.0
ANSWER_S = 180.0
"""Silence longer than this ends a request. Long, since a server may first load the model, and a slow one reads long."""

_SHOWN_TOKENS = 20
"""The likeliest first tokens asked for: no server that we know gives more."""
_LONGEST_SAID = 300


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens as the server counted them: computed of the prompt (kept ones are not), and written."""

    read: int
    written: int


@dataclass(frozen=True, slots=True)
class FirstToken:
    """How a reply begins. `likeliest` maps tokens to log-probabilities; empty if the server does not tell."""

    text: str
    likeliest: Mapping[str, float]
    counted: Counted | None


class Completions:
    """One model behind one address. `socket` is the path of a Unix socket to reach it by, `who` what people call the
    other side. Threads may share it."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str | None = None,
        socket: str | None = None,
        who: str | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        try:
            import httpx
        except ImportError as error:
            raise ModelError(
                "Talking to a server needs the package httpx, which is not here.",
                help="pip install httpx (the extra byline[remote])",
            ) from error
        self._url, self._model, self._key, self._answer_s = url, model, key, answer_s
        self._who = who or f"the server at {url}"
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=socket, trust_env=False),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(answer_s, connect=CONNECT_S),
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Give up the connections. Nothing can be asked afterwards."""
        self._client.close()

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Pieces[str | Counted, None, None]:
        """The pieces of the greedy reply as they come, and what was counted, mostly last and only if the server says.

        Closing it closes the connection, at which servers stop. Raises ModelError, also for a reply that ends early.
        """
        body = self._body(messages, max_tokens) | {"stream": True, "stream_options": {"include_usage": True}}
        complete = False
        with self._answer("POST", "/chat/completions", body) as response:
            for event in _events(response.iter_bytes()):
                if event == "[DONE]":
                    complete = True
                    break
                chunk = self._parsed(event)
                choice = _first(chunk.get("choices"))
                text = _table(choice.get("delta")).get("content")
                if isinstance(text, str) and text:
                    yield text
                if (counted := _counted(chunk)) is not None:
                    yield counted
                complete = complete or choice.get("finish_reason") is not None
        if not complete:
            raise self._broken("it stopped in the middle")

    def first_token(self, messages: Sequence[Message], *, likeliest: bool) -> FirstToken:
        """How the greedy reply begins, with the likeliest tokens if asked for and given. Raises ModelError."""
        body = self._body(messages, 1)
        if likeliest:
            body |= {"logprobs": True, "top_logprobs": _SHOWN_TOKENS}
        with self._answer("POST", "/chat/completions", body) as response:
            found = self._parsed(response.read().decode("utf-8", "replace"))
        choice = _first(found.get("choices"))
        if "message" not in choice:
            raise self._broken("it holds no message")
        text = _table(choice["message"]).get("content")
        token = _first(_table(choice.get("logprobs")).get("content"))
        return FirstToken(text if isinstance(text, str) else "", _likeliest(token), _counted(found))

    def models(self) -> tuple[str, ...]:
        """The names of the models that the server has. Raises ModelError."""
        with self._answer("GET", "/models") as response:
            found = self._parsed(response.read().decode("utf-8", "replace"))
        rows = found.get("data")
        names = [_table(row).get("id") for row in rows] if isinstance(rows, list) else []
        return tuple(name for name in names if isinstance(name, str))

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is. llama.cpp's servers alone know this request. Raises ModelError."""
        with self._answer("POST", "/tokenize", {"content": _whole(text)}, below=False) as response:
            tokens = self._parsed(response.read().decode("utf-8", "replace")).get("tokens")
        if not isinstance(tokens, list):
            raise self._broken("it holds no tokens")
        return len(tokens)

    def _body(self, messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": [{"role": message.role, "content": _whole(message.content)} for message in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
        }

    @contextmanager
    def _answer(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, below: bool = True
    ) -> "Iterator[httpx.Response]":
        """The response, good and not yet read; closed afterwards. `below` says that the path is below the address."""
        import httpx

        url = self._url + path if below else urljoin(self._url, path)
        try:
            with self._client.stream(method, url, json=body) as response:
                if response.status_code != httpx.codes.OK:
                    raise self._refused(response.status_code, response.read().decode("utf-8", "replace"), path)
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ModelError(
                f"Nobody listens at {self._url}: {self._without_key(str(error))}.",
                help="Start the server, or correct the address in BYLINE_MODEL (or --model).",
            ) from error
        except httpx.TimeoutException as error:
            raise ModelError(
                f"Silence for {self._answer_s:g} s from {self._who}.",
                help="Ask again when it has loaded its model, or name a smaller one.",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._broken(self._without_key(str(error)) or type(error).__name__) from error

    def _refused(self, status: int, body: str, path: str) -> ServerError:
        said = self._without_key(_said(body))
        told = f": {said}" if said else ""
        if status in (401, 403):
            help = "Put the server's key into the variable BYLINE_API_KEY; it may be missing or wrong."
        elif status == 404:
            help = self._names(path) or f"Most addresses end in /v1; this one is {self._url}"
        elif 300 <= status < 400:
            help = "It points elsewhere, where nothing is sent. Name the address itself."
        elif status == 400 and "context" in said.lower():
            help = "Let it read less: evidence_tokens in settings.toml; or give it a longer context where it runs."
        else:
            help = "Look at the server's own log."
        return ServerError(
            f"A request for {self._model!r} was refused with {status} by {self._who}{told}.", status=status, help=help
        )

    def _names(self, path: str) -> str:
        """What the models are called; empty if the server does not say."""
        if path == "/models":
            return ""
        try:
            names = self.models()
        except ModelError:
            # Whatever is wrong with this, too: the first refusal is the one to tell.
            return ""
        return f"Its models: {', '.join(names)}" if names else ""

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except ValueError as error:
            raise self._broken("it is not JSON") from error
        if not isinstance(found, dict):
            raise self._broken("it is no JSON object")
        if found.get("error"):
            raise self._broken(self._without_key(_said(text)))
        return found

    def _broken(self, why: str) -> ModelError:
        return ModelError(
            f"The reply of {self._who} cannot be used: {why}.",
            help="See that it speaks OpenAI's chat completions there, and look at its own log.",
        )

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "…") if self._key else text


def _whole(text: str) -> str:
    """The same without halves of characters, which no request can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _events(pieces: Iterable[bytes]) -> Iterator[str]:
    """What stands behind `data:` in a stream of events; comments and other fields are passed over.

    Lines end at line feeds alone: httpx would also break them at U+2028, which may stand in JSON.
    """
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from _data(lines)
    yield from _data([rest])


def _data(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        field, _, value = line.partition(b":")
        if field == b"data" and value.strip():
            yield value.strip().decode("utf-8", "replace")


def _said(body: str) -> str:
    """What a server says is wrong, from whichever form of error it has; short."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        found = body
    while isinstance(found, dict):
        found = next((found[name] for name in ("error", "message", "detail") if found.get(name)), "")
    return " ".join(str(found).split())[:_LONGEST_SAID].rstrip(".")


def _likeliest(token: Mapping[str, Any]) -> dict[str, float]:
    shown = token.get("top_logprobs")
    rows = [_table(row) for row in (*(shown if isinstance(shown, list) else ()), token)]
    return {
        row["token"]: float(row["logprob"])
        for row in rows
        if isinstance(row.get("token"), str)
        and isinstance(row.get("logprob"), int | float)
        and math.isfinite(row["logprob"])
    }


def _counted(found: Mapping[str, Any]) -> Counted | None:
    usage = _table(found.get("usage"))
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(read, int) or not isinstance(written, int):
        return None
    kept = _table(usage.get("prompt_tokens_details")).get("cached_tokens")
    return Counted(max(0, read - (kept if isinstance(kept, int) else 0)), written)


def _table(value: object) -> dict[str, Any]:
    """The same if it is a JSON object; servers leave out what they do not know, or write null."""
    return value if isinstance(value, dict) else {}


def _first(value: object) -> dict[str, Any]:
    return _table(value[0]) if isinstance(value, list) and value else {}
