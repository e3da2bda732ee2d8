"""Long texts that a language model has read before it was asked anything, and prompts put together from parts of them.

Of a text that was read, every token has a key and a value in each layer, which hold what it means where it stands. A
prompt that shows some sentences of the text takes over theirs, turned to their new places, in the place of reading
them: ten milliseconds instead of most of a second. So the sentences stand in the prompt as they were understood in
the whole text, and not in exactly the same numbers as if they were read alone (docs/lab-notes.md: no worse answers).
Works of the kind are block attention (Ma et al. 2024) and CacheBlend (Yao et al. 2025), which read chunks by themselves
and then need training or some reading anew; here what belongs together is read together.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from index.types import Span
from rag.kept_prompts import KeptPrompt
from rag.types import Extract

if TYPE_CHECKING:
    from rag.decoder import Decoder
    from rag.key_values import KeyValues
    from rag.networks import Network


@dataclass(frozen=True, slots=True)
class ReadText:
    """A prompt that ends with a text, and what the model keeps of as many of its tokens as it has read so far.

    `tokens` are the characters of that text which each token holds; those of what stands before it are below 0.
    """

    ids: tuple[int, ...]
    tokens: tuple[Span, ...]
    prompt: KeptPrompt

    @property
    def whole(self) -> bool:
        """Whether all of it is read."""
        return len(self.prompt.ids) == len(self.ids)

    def places(self, spans: Sequence[Span]) -> list[int]:
        """The tokens that hold any of these characters, span by span."""
        found: list[int] = []
        for span in spans:
            # The tokens lie side by side: each ends where the next begins.
            first = bisect_left(self.tokens, span.start + 1, key=lambda token: token.end)
            last = bisect_left(self.tokens, span.end, key=lambda token: token.start)
            found += range(first, last)
        return found


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens of a prompt, and where they stand in a text that was read, if they need not be read again."""

    ids: list[int]
    source: ReadText | None = None
    places: list[int] = field(default_factory=list)


class ReadTexts:
    """The texts that were read; the one used longest ago gives way to a new one."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, ReadText] = OrderedDict()

    def __len__(self) -> int:
        return len(self._texts)

    def holds(self, text: str) -> bool:
        """Whether the whole of this text is read. Changes nothing, so that any thread may ask."""
        read = self._texts.get(text)
        return read is not None and read.whole

    def get(self, text: str) -> ReadText | None:
        """What is known of this text, be it whole or not."""
        if text in self._texts:
            self._texts.move_to_end(text)
        return self._texts.get(text)

    def begin(
        self,
        text: str,
        start: int,
        tokens: tuple[list[int], list[Span]] | None,
        empty: "Callable[[], KeyValues]",
        *,
        most_tokens: int,
    ) -> ReadText | None:
        """Keep this text, of which nothing is read yet, and of all texts together no more than `most_tokens`.

        `tokens` are its tokens with their characters; those before `start` belong to no article. None if nothing is
        known of the characters, or if it is longer than half of that.
        """
        if tokens is None or len(tokens[0]) > most_tokens // 2:
            return None
        ids, spans = tokens
        memory = empty()
        memory.make_room(len(ids))
        read = ReadText(tuple(ids), tuple(Span(a - start, b - start) for a, b in spans), KeptPrompt(memory))
        self._texts[text] = read
        while sum(len(one.ids) for one in self._texts.values()) > most_tokens:
            self._texts.popitem(last=False)
        return read

    def pieces(
        self, text: str, start: int, extracts: Sequence[Extract], tokens: Callable[[str], list[int]]
    ) -> list[Piece]:
        """The tokens of a prompt `text` in which a message begins at `start`; its extracts are taken over where their
        wholes were read, white space between two of them is left out, and all else is to be read.
        """
        pieces: list[Piece] = []
        done = 0
        for extract in extracts:
            read = self.get(text[:start] + extract.whole)
            if read is None or not read.whole:
                continue
            places = read.places(extract.spans)
            between = text[done : start + extract.at.start]
            if not pieces and between == text[:start] + extract.whole[: extract.spans[0].start]:
                places = [*range(places[0]), *places]  # the prompt begins as the text does
            elif between.strip() or not pieces:
                pieces.append(Piece(tokens(between)))
            pieces.append(Piece([read.ids[place] for place in places], read, places))
            done = start + extract.at.end
        return [*pieces, Piece(tokens(text[done:]))]


def bring(prompt: KeptPrompt, pieces: Sequence[Piece], network: "Network") -> tuple[list[int], int]:
    """Let `prompt`, which holds the first tokens of these pieces, go on with what is known of the others, and read what
    stands before such. The tokens that are left to be read at the end, and how many were read before them.
    """
    unread: list[int] = []
    known, read = len(prompt.ids), 0
    for piece in pieces:
        new = piece.ids[max(0, known) :]
        known -= len(piece.ids)
        if piece.source is None:
            unread += new
        elif new:
            if unread:
                prompt.read(network, unread, wanted=1)
                read += len(unread)
                unread = []
            # Only our decoder reads ahead (`rag/generators.py`).
            prompt.recall(cast("Decoder", network), piece.source.prompt, piece.places[-len(new) :])
    return unread, read
