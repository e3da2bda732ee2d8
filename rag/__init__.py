"""Ask, and get a signed answer.

    >>> from rag import answer
    >>> print(answer("How big was Alibaba at its peak?"))

`answer` and `stream` use the default index and model, made ready at the first call. `Chatbot` is for a chosen index,
model and settings; `open_chatbot` makes one from names.
"""

import threading
from collections.abc import Callable, Iterator, Sequence

from index.filters import Filters
from rag.chatbot import Chatbot
from rag.explanation import Explanation
from rag.opening import open_chatbot
from rag.settings import Settings, load_settings
from rag.types import (
    Answer,
    Citation,
    CitationsEvent,
    Copy,
    DoneEvent,
    Event,
    Message,
    PassagesEvent,
    PassageUse,
    Searched,
    Signals,
    StatusEvent,
    TextEvent,
    Timings,
    Usage,
)

__all__ = [
    "Answer",
    "Chatbot",
    "Citation",
    "CitationsEvent",
    "Copy",
    "DoneEvent",
    "Event",
    "Explanation",
    "Filters",
    "Message",
    "PassageUse",
    "PassagesEvent",
    "Searched",
    "Settings",
    "Signals",
    "StatusEvent",
    "TextEvent",
    "Timings",
    "Usage",
    "answer",
    "load_settings",
    "open_chatbot",
    "stream",
]

_default: dict[tuple[str, Settings], Chatbot] = {}
_opening = threading.Lock()


def answer(
    question: str,
    *,
    history: Sequence[Message] = (),
    filters: Filters | None = None,
    seconds: float | None = None,
) -> Answer:
    """The signed answer from the default index and model (moved by BYLINE_HOME, BYLINE_INDEX, BYLINE_MODEL).

    `seconds` is the time that it may take in the place of the settings' (BYLINE_SECONDS); 0 is no limit.

    The first call loads the model, and fetches it and builds the index if they are not there yet. Raises BylineError
    (see `index.errors`) with the command that helps.
    """
    return _chatbot().answer(question, history=history, filters=filters, seconds=seconds)


def stream(
    question: str,
    *,
    history: Sequence[Message] = (),
    filters: Filters | None = None,
    stop: Callable[[], bool] | None = None,
    seconds: float | None = None,
) -> Iterator[Event]:
    """The same as typed events while it is made: status, passages, text, citations, done."""
    yield from _chatbot().stream(question, history=history, filters=filters, stop=stop, seconds=seconds)


def _chatbot() -> Chatbot:
    from index.paths import Home

    home = Home.from_environment()
    settings = load_settings(home)
    with _opening:
        if (str(home.root), settings) not in _default:
            _default.clear()  # one model in memory is enough
            _default[str(home.root), settings] = open_chatbot(settings, home=home)
        return _default[str(home.root), settings]
