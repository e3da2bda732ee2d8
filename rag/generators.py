"""Language models behind one seam: text from messages, and the log-odds of Yes against No.

Knows nothing about articles, evidence or citations.
"""

import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Generator as Pieces
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from index.computing import apart, computed
from index.errors import ModelError
from rag.chat_tokenizer import ChatTokenizer
from rag.kept_prompts import KeptPrompt, KeptPrompts
from rag.prompt_lookup import draft
from rag.read_texts import Piece, ReadText, ReadTexts, bring
from rag.types import Message, Skill, Usage

if TYPE_CHECKING:
    from rag.adapter import Adapter
    from rag.networks import Network

_READ_AT_ONCE = 64
"""Tokens of a text that is read ahead, between two looks at whether to stop: a tenth to a fifth of a second."""
_RECALLED_TOKENS = 1_500
"""Of prompts put together from texts read ahead less is kept: most of them is put together anew in no time."""


class Generator(Protocol):
    """A local language model. Greedy and deterministic: the same messages give the same text, as long as no other texts
    of them were read ahead (`rag/read_texts.py`)."""

    @property
    def name(self) -> str:
        """What people call the model."""
        ...

    def generate(self, messages: Sequence[Message], *, max_tokens: int) -> Pieces[str, None, None]:
        """The reply, in pieces as they come. Closing it stops the model at once."""
        ...

    def log_odds(self, messages: Sequence[Message]) -> float:
        """log P(Yes) - log P(No) for the first word of the reply, in nats."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is for this model, without any chat template."""
        ...

    def usage(self) -> Usage:
        """What it has done since it was made."""
        ...


class TransformersGenerator:
    """A causal language model in the format of `transformers`, in the precision that fits the processor.

    What it read lately is kept (`rag/kept_prompts.py`): passes over the same evidence (answerable? then the answer)
    compute only what differs after their longest common prefix. One reply or judgement is made at a time; others wait
    for it. Counting tokens does not: evidence for one question is chosen while another is answered.

    `adapters` are the files of the model's adapters (`rag/adapter.py`), if it has any: with them is read what messages
    say is adapted, and what is written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        precision: str = "auto",
        int8_file: Path | None = None,
        adapters: Mapping[Skill, Path] | None = None,
    ) -> None:
        self._folder = folder
        self._int8_file = int8_file or folder / "int8.safetensors"
        self._name = name
        self._precision = precision
        self._files = adapters or {}
        self._adapters: dict[Skill, Adapter] = {}
        self._lock = threading.Lock()
        self._network: Network | None = None
        self._tokenizer = ChatTokenizer(folder, name=name)
        self._kept, self._recalled = KeptPrompts(), KeptPrompts(most_tokens=_RECALLED_TOKENS)
        self._texts = ReadTexts()
        self._prompt: KeptPrompt
        self._ends: frozenset[int] = frozenset()
        self._usage = Usage()

    @property
    def name(self) -> str:
        """What people call the model."""
        return self._name

    @property
    def precision(self) -> str:
        """What it computes in, as far as is known before it is loaded: bfloat16, float32 or int8."""
        from index.precisions import best_precision

        return best_precision() if self._precision == "auto" else self._precision

    def load(self) -> None:
        """Bring the weights into memory now instead of at the first question. Raises ModelError if they do not load."""
        with self._lock:
            self._load()

    def generate(self, messages: Sequence[Message], *, max_tokens: int) -> Pieces[str, None, None]:
        """The reply, in pieces as they come. Closing it stops the model at once."""
        with self._lock:
            self._load()
            with self._begun(messages) as (hidden, adapter):
                prompt = list(self._prompt.ids)
                reply: list[int] = []
                said = ""
                following, certainties = self._likeliest(hidden)
                while True:
                    # `following` are the next tokens of the greedy reply, as many as the last pass settled.
                    ends = (place for place, token in enumerate(following) if token in self._ends)
                    ended = next(ends, len(following))
                    new = following[: min(ended, max_tokens - len(reply))]
                    reply += new
                    done = self._usage
                    self._usage = dataclasses.replace(
                        done,
                        tokens_written=done.tokens_written + len(new),
                        log_probability=done.log_probability + sum(certainties[: len(new)]),
                    )
                    text = self._tokenizer.text(reply)
                    # A character of several tokens decodes to U+FFFD until its last byte is there.
                    if not text.endswith("�") and len(text) > len(said):
                        yield text[len(said) :]
                        said = text
                    if ended < len(following) or len(reply) >= max_tokens:
                        return
                    guessed = draft(prompt + reply, len(prompt))
                    following, certainties = self._continue(reply[-1], guessed, adapter)

    def log_odds(self, messages: Sequence[Message]) -> float:
        """log P(Yes) - log P(No) for the first word of the reply, in nats."""
        with self._lock:
            self._load()
            with self._begun(messages) as (last, _):
                # In float32 whatever the model's precision: bfloat16 logits come in steps of an eighth.
                logits = computed(self._loaded().logits_of)
                yes, no = (logits(self._spellings(word), last).logsumexp(0) for word in ("Yes", "No"))
                return float(yes - no)

    def read_ahead(
        self, messages: Sequence[Message], *, most_tokens: int, stop: Callable[[], bool] = lambda: False
    ) -> bool:
        """Read a prompt up to the end of its last message before anything is asked, so that others may take over parts
        of it (`Message.extracts`). Of all such prompts `most_tokens` are kept.

        False if `stop()` said True before its end; the next call goes on there. Questions come first. Does nothing for
        kinds of models that our own decoder does not compute, and for what is longer than half of `most_tokens`.
        """
        while True:
            with self._lock:
                self._load()
                read = self._begun_ahead(messages, most_tokens)
                if read is None or read.whole:
                    return True
                done = len(read.prompt.ids)
                computed(read.prompt.read)(self._loaded(), list(read.ids[done : done + _READ_AT_ONCE]), wanted=1)
            if stop():
                return False

    def has_read(self, messages: Sequence[Message]) -> bool:
        """Whether this prompt was read ahead and is still kept. Waits for nobody."""
        text, _ = self._beginning(messages)
        return self._texts.holds(text)

    def _begun_ahead(self, messages: Sequence[Message], most_tokens: int) -> ReadText | None:
        """What is read of this prompt so far; None if none of it ever will be."""
        from rag.decoder import Decoder

        network = self._loaded()
        text, start = self._beginning(messages)
        if not isinstance(network, Decoder) or start < 0:
            return None
        return self._texts.get(text) or self._texts.begin(
            text, start, self._tokenizer.spans(text), network.empty, most_tokens=most_tokens
        )

    def _beginning(self, messages: Sequence[Message]) -> tuple[str, int]:
        """The prompt up to the end of its last message, and where in it that begins; -1 if the template changes it."""
        rendered, content = self._tokenizer.rendered(messages), messages[-1].content
        start = rendered.rfind(content)
        return rendered[: start + len(content)], start

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is for this model, without any chat template."""
        return len(self._tokenizer.tokens(text))

    def usage(self) -> Usage:
        """What it has done since it was made."""
        return self._usage

    def _load(self) -> None:
        if self._network is not None:
            return
        from rag.huge_pages import gather_later

        # The tokenizer last: it may have to wait until others have imported from transformers (`index/importing.py`).
        network, self._adapters = apart(self._weights)()
        self._ends = network.ends | {self._tokenizer.end}
        self._network = network
        gather_later(self._lock)

    def _weights(self) -> "tuple[Network, dict[Skill, Adapter]]":
        from rag.adapter import load_adapter
        from rag.networks import load_network

        try:
            network = load_network(self._folder, precision=self._precision, int8_file=self._int8_file)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(
                f"The model {self._name} in {self._folder} does not load: {error}",
                help="byline models verify",
            ) from error
        try:
            return network, {skill: load_adapter(file) for skill, file in self._files.items()}
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The adapter of {self._name} does not load: {error}", help="Install Byline anew."
            ) from error

    def _loaded(self) -> "Network":
        self._load()
        assert self._network is not None
        return self._network

    @contextmanager
    def _begun(self, messages: Sequence[Message]) -> "Iterator[tuple[Any, Adapter | None]]":
        """The last hidden state after the prompt, shape (1, hidden size), and the adapter that it was read with: none
        if nothing is to be adapted. What is read with one is forgotten at the end."""
        skill = messages[-1].skill
        adapter = self._adapters.get(skill) if skill else None
        pieces = self._pieces(messages, adapted=adapter is not None)
        common = sum(len(piece.ids) for piece in pieces[:-1])
        try:
            yield self._read(pieces, adapter), adapter
        finally:
            if adapter:
                self._prompt.crop(common)

    def _pieces(self, messages: Sequence[Message], *, adapted: bool) -> list[Piece]:
        """The tokens of the prompt, up to what is adapted, and that by itself; where they are known from texts that
        were read ahead, with their places there."""
        text, last = self._tokenizer.rendered(messages), messages[-1]
        end = text.rindex(last.adapted) if adapted else len(text)
        start = text.rfind(last.content)
        extracts = last.extracts if len(self._texts) and start >= 0 else ()
        pieces = self._texts.pieces(text[:end], start, extracts, self._tokenizer.tokens)
        return [*pieces, Piece(self._tokenizer.tokens(text[end:]))] if adapted else pieces

    @computed
    def _read(self, pieces: Sequence[Piece], adapter: "Adapter | None") -> Any:
        """The last hidden state after the prompt, shape (1, hidden size), computing only what is not kept. The last
        piece is read with the adapter."""
        network = self._loaded()
        ids = [token for piece in pieces for token in piece.ids]
        anew = len(pieces[-1].ids) if adapter else 1
        kept = self._recalled if any(piece.source for piece in pieces) else self._kept
        self._prompt = kept.prompt(ids, network.empty, anew=anew)
        last, read_before = bring(self._prompt, pieces, network)
        done, read = self._usage, read_before + len(last)
        self._usage = dataclasses.replace(done, passes=done.passes + 1, tokens_read=done.tokens_read + read)
        return self._prompt.read(network, last, wanted=1, adapter=adapter, adapted=anew if adapter else 0)

    def _continue(self, token: int, drafted: list[int], adapter: "Adapter | None") -> tuple[list[int], list[float]]:
        """The greedy tokens after `token`, each with its log-probability: those of `drafted` that the model agrees
        with, and its next one.

        One pass reads the weights once, whether for one token or ten, so what is guessed rightly comes for nothing.
        """
        predicted, certainties = self._likeliest(self._forward([token, *drafted], adapter))
        agreed = 0
        while agreed < len(drafted) and drafted[agreed] == predicted[agreed]:
            agreed += 1
        self._prompt.crop(len(self._prompt.ids) - len(drafted) + agreed)
        return predicted[: agreed + 1], certainties[: agreed + 1]

    @computed
    def _likeliest(self, hidden: Any) -> tuple[list[int], list[float]]:
        """The likeliest next token after each of these hidden states, shape (n, hidden size), with log-probability."""
        logits = self._loaded().logits(hidden)
        highest, tokens = logits.max(dim=-1)
        return tokens.tolist(), (highest - logits.logsumexp(dim=-1)).tolist()

    @computed
    def _forward(self, ids: list[int], adapter: "Adapter | None") -> Any:
        """The last hidden states of all these tokens, shape (tokens, hidden size); all are kept."""
        count = len(ids)
        return self._prompt.read(self._loaded(), ids, wanted=count, adapter=adapter, adapted=count if adapter else 0)

    def forget(self, *, texts: bool = True) -> None:
        """Let go of what was kept of earlier prompts and, unless `texts` is False, of texts that were read ahead."""
        with self._lock:
            self._kept, self._recalled = KeptPrompts(), KeptPrompts(most_tokens=_RECALLED_TOKENS)
            self._texts = ReadTexts() if texts else self._texts

    def _spellings(self, word: str) -> list[int]:
        """The single tokens that begin a reply with `word`, in its usual spellings."""
        ids = {
            encoded[0]
            for spelling in (word, word.lower(), word.upper(), f" {word}")
            if len(encoded := self._tokenizer.tokens(spelling)) == 1
        }
        return sorted(ids)
