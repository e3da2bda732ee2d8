"""An offline stand-in for the language model, for tests and for trying a pipeline without weights.

Deterministic: it copies the excerpt sentence that shares most words with the question, and says that the excerpts
state the answer if enough of the question's words stand in one sentence of them.
"""

import dataclasses
import re
from collections.abc import Generator as Pieces
from collections.abc import Sequence

from rag.types import Message, Usage

_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]+")
_SMALL = frozenset(
    (
        "a an and are at by did do does for from how in is it many much of on or the to was were what when "
        "where which who why"
    ).split()
)


class CopyingGenerator:
    """Implements `rag.generators.Generator` without a model."""

    name = "copying"

    def __init__(self) -> None:
        self._usage = Usage()

    def generate(self, messages: Sequence[Message], *, max_tokens: int) -> Pieces[str, None, None]:
        """The best sentence of the excerpts, word by word."""
        self._read(messages)
        best = max(self._scored(messages), default=(0.0, 0, ""))[2]
        for piece in re.findall(r"\s*\S+", best)[:max_tokens]:
            self._usage = dataclasses.replace(self._usage, tokens_written=self._usage.tokens_written + 1)
            yield piece

    def log_odds(self, messages: Sequence[Message]) -> float:
        """Ten times the share of the question's words in the best sentence, less six."""
        self._read(messages)
        return 10 * max(self._scored(messages), default=(0.0, 0, ""))[0] - 6

    def count_tokens(self, text: str) -> int:
        """Words and marks."""
        return len(re.findall(r"\w+|[^\w\s]", text))

    def usage(self) -> Usage:
        """What it has done since it was made; words stand for tokens."""
        return self._usage

    def _read(self, messages: Sequence[Message]) -> None:
        words = sum(self.count_tokens(message.content) for message in messages)
        done = self._usage
        self._usage = dataclasses.replace(done, passes=done.passes + 1, tokens_read=done.tokens_read + words)

    def _scored(self, messages: Sequence[Message]) -> list[tuple[float, int, str]]:
        prompt = messages[-1].content
        excerpts = prompt.split("Excerpts:", 1)[-1].split("\n\nQuestion:", 1)[0]
        # What is to be judged is a sentence if the prompt has one, else the question.
        asked = re.split(r"\n\n(?:Question|Sentence):", prompt)[-1].split("\n\n", 1)[0]
        wanted = {word for word in _WORD.findall(asked.lower()) if word not in _SMALL}
        lines = [line for line in excerpts.splitlines() if line and not line.startswith("From ")]
        sentences = [match.strip() for line in lines for match in _SENTENCE.findall(line)]
        return [
            (len(wanted & set(_WORD.findall(sentence.lower()))) / max(1, len(wanted)), -place, sentence)
            for place, sentence in enumerate(sentences)
        ]
