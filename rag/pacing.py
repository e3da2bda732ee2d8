"""The model as one question with a time limit uses it: stops writing in time, and tells how fast it was."""

from collections.abc import Callable, Sequence
from collections.abc import Generator as Pieces
from contextlib import closing

from rag.generators import Generator
from rag.speed import Speedometer
from rag.types import Message, Usage


class Paced:
    """Writes until `stops(draft)`, and tells `has_read` what was read, how many new tokens of it in a pass worth
    timing, and how long they took."""

    def __init__(
        self,
        generator: Generator,
        speedometer: Speedometer,
        *,
        stops: Callable[[str], bool],
        has_read: Callable[[Sequence[Message], int, float], None],
    ) -> None:
        self._generator = generator
        self._speedometer = speedometer
        self._stops = stops
        self._has_read = has_read

    @property
    def name(self) -> str:
        """That of the model."""
        return self._generator.name

    def generate(self, messages: Sequence[Message], *, max_tokens: int) -> Pieces[str, None, None]:
        """The pieces of the text, as far as there is time for them."""
        clock, draft, took = self._speedometer.clock, "", 0.0
        first: Usage | None = None
        with closing(self._generator.generate(messages, max_tokens=max_tokens)) as pieces:
            while True:
                started = clock()
                piece = next(pieces, None)
                took += clock() - started
                if first is None:
                    # Until here it was mostly reading.
                    first, took = self._generator.usage(), 0.0
                    self._has_read(messages, 0, 0.0)
                if piece is None:
                    break
                draft += piece
                yield piece
                if self._stops(draft):
                    break
        self._speedometer.saw(written=self._generator.usage().since(first).tokens_written, took_s=took)
        self._speedometer.keep()

    def log_odds(self, messages: Sequence[Message]) -> float:
        """Those of the model, timed."""
        before, started = self._generator.usage(), self._speedometer.clock()
        odds = self._generator.log_odds(messages)
        took, read = self._speedometer.clock() - started, self._generator.usage().since(before).tokens_read
        self._has_read(messages, read, took)
        self._speedometer.saw(read=read, took_s=took)
        return odds

    def count_tokens(self, text: str) -> int:
        """As the model counts them."""
        return self._generator.count_tokens(text)

    def usage(self) -> Usage:
        """What the model has done so far, for this question and others."""
        return self._generator.usage()
