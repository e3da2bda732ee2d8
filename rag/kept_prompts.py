"""What a language model keeps of the prompts it read last, so that their common beginnings are not read again."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.adapter import Adapter
    from rag.decoder import Decoder
    from rag.networks import Memory, Network

MOST_TOKENS = 4_000
"""Tokens kept at a time, of all prompts together: 115 MB with the default model, ten prompts or so."""

_WORTH_KEEPING = 64
"""From so many tokens, what a prompt has after the common beginning is kept beside the new one: it takes half a second
to read again. Less (another task after the same question) gives way."""


class KeptPrompt:
    """Tokens that were read, and what the network keeps of them."""

    def __init__(self, memory: "Memory") -> None:
        self.ids: list[int] = []
        self.memory: Any = memory

    def read(
        self, network: "Network", ids: list[int], *, wanted: int, adapter: "Adapter | None" = None, adapted: int = 0
    ) -> Any:
        """The hidden states of the last `wanted` of `ids`, which follow those read before (`Network.read`). What is
        read with an adapter is to be cropped before another prompt is made."""
        try:
            hidden = network.read(ids, self.memory, wanted=wanted, adapter=adapter, adapted=adapted)
        except BaseException:
            self.crop(len(self.memory))
            raise
        self.ids += ids
        return hidden

    def recall(self, network: "Decoder", source: "KeptPrompt", places: Sequence[int]) -> None:
        """Go on with tokens of another prompt, as if they had been read here (`rag/read_texts.py`)."""
        network.recall(self.memory, source.memory, places)
        self.ids += [source.ids[place] for place in places]

    def crop(self, length: int) -> None:
        """Forget all tokens after the first `length`."""
        self.memory.crop(length)
        del self.ids[length:]

    def copy(self, length: int) -> "KeptPrompt":
        """A prompt of its own that begins with the first `length` tokens of this one."""
        copied = KeptPrompt(self.memory.copy(length))
        copied.ids = self.ids[:length]
        return copied


class KeptPrompts:
    """The prompts read last, up to `most_tokens` in all; the one used longest ago gives way."""

    def __init__(self, *, most_tokens: int = MOST_TOKENS) -> None:
        self._most_tokens = most_tokens
        self._prompts: list[KeptPrompt] = []

    def prompt(self, ids: list[int], empty: "Callable[[], Memory]", *, anew: int = 1) -> KeptPrompt:
        """A prompt that holds the longest beginning of `ids` that was read before, and nothing else.

        The last `anew` tokens are never in it; at least one, whose hidden state is what is asked for.
        """
        best = max(self._prompts, key=lambda prompt: _common(prompt.ids, ids), default=None)
        length = 0 if best is None else min(_common(best.ids, ids), len(ids) - anew)
        if best is None or length == 0:
            found = KeptPrompt(empty())
        elif len(best.ids) - length < _WORTH_KEEPING:
            found = best
            self._prompts.remove(best)
            best.crop(length)
        else:
            found = best.copy(length)
        # The one used last is the last. `found` will be as long as `ids`.
        while self._prompts and len(ids) + sum(len(prompt.ids) for prompt in self._prompts) > self._most_tokens:
            del self._prompts[0]
        self._prompts.append(found)
        return found


def _common(first: list[int], second: list[int]) -> int:
    """How many tokens both begin with."""
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length
