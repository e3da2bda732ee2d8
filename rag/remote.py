"""A model on a server that speaks OpenAI's protocol: Ollama, vLLM, llama-server. Chosen by an address as `model`."""

import math
import re
import threading
from collections.abc import Generator as Pieces
from collections.abc import Sequence
from contextlib import closing

from index.errors import ServerError
from rag.completions import Completions, Counted, FirstToken
from rag.engines import PRECISIONS_ELSEWHERE
from rag.speed import warm_up
from rag.types import Message, Usage
from rag.yes_or_no import COARSE_LOG_ODDS, coarse_log_odds, log_odds_of

NO_LOG_PROBABILITIES = (
    "the server does not say how sure the model is: a plain Yes or No counts "
    f"{COARSE_LOG_ODDS:+g} or {-COARSE_LOG_ODDS:+g}, so that doubtful answers are told from sure ones only coarsely"
)

_WORDS = re.compile(r"\d|[^\W\d_]+|[^\w\s]|_|\n+")
_LETTERS_A_TOKEN = 7
_BYTES_A_TOKEN = 2
# Statuses at which servers refuse a field that they do not know.
_UNKNOWN_FIELD = (400, 422, 501)


class RemoteGenerator:
    """Implements `rag.generators.Generator` by asking a server, greedily.

    Its replies are as much the same for the same messages as the server's are. Nothing is sent before it is asked.
    """

    precision = PRECISIONS_ELSEWHERE["server"]

    def __init__(self, completions: Completions, *, name: str) -> None:
        self._completions = completions
        self._name = name
        self._lock = threading.Lock()
        self._usage = Usage()
        self._tells: bool | None = None

    @property
    def name(self) -> str:
        """What the server calls the model."""
        return self._name

    @property
    def notes(self) -> tuple[str, ...]:
        """What is lost with this server, as far as was seen: it is known after the first judgement."""
        return (NO_LOG_PROBABILITIES,) if self._tells is False else ()

    def load(self) -> None:
        """Have the server load the model and read a first prompt. Raises ModelError."""
        warm_up(self)

    def close(self) -> None:
        """Give up the connections."""
        self._completions.close()

    def generate(self, messages: Sequence[Message], *, max_tokens: int) -> Pieces[str, None, None]:
        """The reply, in pieces as they come. Closing it closes the connection, at which servers stop."""
        estimate = self._read(messages)
        pieces = 0
        with closing(self._completions.stream(messages, max_tokens=max_tokens)) as said:
            for item in said:
                if isinstance(item, Counted):
                    self._add(Usage(0, item.read - estimate, item.written - pieces))
                    estimate, pieces = item.read, item.written
                else:
                    pieces += 1
                    self._add(Usage(tokens_written=1))
                    yield item

    def log_odds(self, messages: Sequence[Message]) -> float:
        """log P(Yes) - log P(No) for the first word of the reply, in nats: see `rag/yes_or_no.py` for what is missing.

        Of a server that tells no log-probabilities, one of three values; `notes` says so then.
        """
        estimate = self._read(messages)
        first = self._first_token(messages)
        if first.counted is not None:
            self._add(Usage(tokens_read=first.counted.read - estimate))
        self._tells = bool(first.likeliest)
        return log_odds_of(first.likeliest) if first.likeliest else coarse_log_odds(first.text)

    def count_tokens(self, text: str) -> int:
        """An estimate, since servers have no common way to ask: see `estimated_tokens`."""
        return estimated_tokens(text)

    def usage(self) -> Usage:
        """What it has done since it was made: estimated while a reply comes, then as the server counted, if it does."""
        return self._usage

    def _first_token(self, messages: Sequence[Message]) -> FirstToken:
        try:
            return self._completions.first_token(messages, likeliest=self._tells is not False)
        except ServerError as error:
            if self._tells is not None or error.status not in _UNKNOWN_FIELD:
                raise
        return self._completions.first_token(messages, likeliest=False)

    def _read(self, messages: Sequence[Message]) -> int:
        """Count a pass over these messages; how many tokens they are taken for."""
        estimate = sum(estimated_tokens(message.content) for message in messages)
        self._add(Usage(passes=1, tokens_read=estimate))
        return estimate

    def _add(self, done: Usage) -> None:
        with self._lock:
            self._usage = self._usage + done


def estimated_tokens(text: str) -> int:
    """About how many tokens `text` is for today's models: rather too many than too few.

    A digit, a mark and every seven letters of a word are one, as are two bytes of words with other than English
    letters. On the project's articles, sentence by sentence, 1.06 times what the tokenizer of the default model counts,
    never less than 0.78 times; other scripts count up to twice.
    """
    return sum(_tokens_of(word) for word in _WORDS.findall(text))


def _tokens_of(word: str) -> int:
    if word.isascii():
        return math.ceil(len(word) / _LETTERS_A_TOKEN)
    return math.ceil(len(word.encode("utf-8", "replace")) / _BYTES_A_TOKEN)
