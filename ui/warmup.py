"""Loading behind the page: the page is up at once, the models follow in a thread, and everyone can see how
far it is.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from index.errors import BylineError, ResourceError
from index.progress import Progress
from ui.protocol import ChatbotLike

_log = logging.getLogger("byline.ui")


@dataclass(frozen=True, slots=True)
class WarmupState:
    """How far loading is. `done` of `total` counts within `phase`; `total` 0 means that nobody knows."""

    phase: str = "starting"
    done: int = 0
    total: int = 0
    ready: bool = False
    error: str | None = None
    help: str | None = None

    @property
    def name(self) -> Literal["loading", "ready", "error"]:
        """The state in one word."""
        if self.error is not None:
            return "error"
        return "ready" if self.ready else "loading"

    @property
    def text(self) -> str:
        """The state for a person: "Loading the language model, 40 %"."""
        if self.error is not None:
            return self.error
        phase = self.phase[:1].upper() + self.phase[1:]
        return f"{phase}, {100 * self.done // self.total} %" if self.total > 1 else phase


class Warmup:
    """Runs `load` once, in a thread of its own, and hands out what it made. Safe to ask from any thread."""

    def __init__(self, load: Callable[[Progress], ChatbotLike]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = WarmupState()
        self._chatbot: ChatbotLike | None = None
        self._failure: BylineError | None = None

    @property
    def state(self) -> WarmupState:
        """How far it is now."""
        return self._state

    def start(self) -> None:
        """Begin to load; a second call does nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="byline-warmup", daemon=True)
                self._thread.start()

    def chatbot(self, *, wait: float | None = None) -> ChatbotLike:
        """The loaded chatbot, waiting for it up to `wait` seconds (None: as long as it takes).

        Raises what the loading raised (anything unexpected as a `BylineError`), or `ResourceError` if time is
        up.
        """
        if not self._finished.wait(wait):
            raise ResourceError(
                f"The models are still being loaded ({self.state.text}).",
                help="Ask again in a moment; the pill at the top of the page says how far it is.",
            )
        if self._failure is not None:
            raise self._failure
        assert self._chatbot is not None  # _run sets one of the two before it sets _finished
        return self._chatbot

    def _progress(self, what: str, done: int, total: int) -> None:
        self._state = WarmupState(phase=what, done=done, total=total)

    def _run(self) -> None:
        try:
            self._chatbot = self._load(self._progress)
            self._state = WarmupState(phase="ready", ready=True)
        except Exception as error:
            if isinstance(error, BylineError):
                self._failure = error
            else:
                _log.exception("loading failed")
                self._failure = BylineError(
                    f"Loading failed unexpectedly: {type(error).__name__}: {error}",
                    help="Run `byline doctor`; the terminal shows the details.",
                )
            self._state = replace(self._state, error=self._failure.message, help=self._failure.help)
        finally:
            self._finished.set()
