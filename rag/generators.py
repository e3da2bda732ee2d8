"""Language models behind one seam: text from messages, and the log-odds of Yes against No.

Knows nothing about articles, evidence or citations.
"""

import dataclasses
import threading
from collections import Counter
from collections.abc import Generator as Pieces
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from index.errors import ModelError
from rag.kept_prompts import KeptPrompt, KeptPrompts
from rag.types import Message, Usage

if TYPE_CHECKING:
    from rag.adapter import Adapter
    from rag.networks import Network

MOST_DRAFTED = 10
"""Tokens guessed ahead in one pass. Up to about 16 rows cost a product no more than one (docs/lab-notes.md)."""

_LONGEST_MATCH = 4


class Generator(Protocol):
    """A local language model. Greedy and deterministic: the same messages give the same text."""

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
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        precision: str = "auto",
        int8_file: Path | None = None,
        adapter_file: Path | None = None,
    ) -> None:
        self._folder = folder
        self._int8_file = int8_file or folder / "int8.safetensors"
        self._name = name
        self._precision = precision
        self._adapter_file = adapter_file
        self._adapter: Adapter | None = None
        self._lock = threading.Lock()
        self._tokenizing = threading.Lock()
        self._network: Network | None = None
        self._tokenizer: Any = None
        self._kept = KeptPrompts()
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
            prompt = self._tokens(self._templated(messages))
            reply: list[int] = []
            said = ""
            following, certainties = self._likeliest(self._read(prompt))
            while True:
                # `following` are the next tokens of the greedy reply, as many as the last pass settled.
                ended = next((place for place, token in enumerate(following) if token in self._ends), len(following))
                new = following[: min(ended, max_tokens - len(reply))]
                reply += new
                done = self._usage
                self._usage = dataclasses.replace(
                    done,
                    tokens_written=done.tokens_written + len(new),
                    log_probability=done.log_probability + sum(certainties[: len(new)]),
                )
                text = self._tokenizer.decode(reply, skip_special_tokens=True)
                # A character of several tokens decodes to U+FFFD until its last byte is there.
                if not text.endswith("�") and len(text) > len(said):
                    yield text[len(said) :]
                    said = text
                if ended < len(following) or len(reply) >= max_tokens:
                    return
                following, certainties = self._continue(reply[-1], draft(prompt + reply, len(prompt)))

    def log_odds(self, messages: Sequence[Message]) -> float:
        """log P(Yes) - log P(No) for the first word of the reply, in nats."""
        with self._lock:
            self._load()
            text = self._templated(messages)
            adapted = messages[-1].adapted if self._adapter else ""
            place = text.rindex(adapted) if adapted else len(text)
            asked = self._tokens(text[place:]) if adapted else []
            last = self._read(self._tokens(text[:place]) + asked, adapted=len(asked))
            # In float32 whatever the model's precision: bfloat16 logits come in steps of an eighth.
            yes, no = (self._loaded().logits_of(self._spellings(word), last).logsumexp(0) for word in ("Yes", "No"))
            return float(yes - no)

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is for this model, without any chat template."""
        return len(self._tokens(text))

    def usage(self) -> Usage:
        """What it has done since it was made."""
        return self._usage

    def _tokens(self, text: str) -> list[int]:
        # The tokenizers of Hugging Face fail if two threads meet in one ("Already borrowed").
        with self._tokenizing:
            self._load_tokenizer()
            ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
            return ids

    def _load_tokenizer(self) -> None:
        if self._tokenizer is not None:
            return
        from transformers import AutoTokenizer

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The tokenizer of the model {self._name} in {self._folder} does not load: {error}",
                help="byline models verify",
            ) from error

    def _load(self) -> None:
        if self._network is not None:
            return
        with self._tokenizing:
            self._load_tokenizer()
        from rag.adapter import load_adapter
        from rag.huge_pages import gather_later
        from rag.networks import load_network

        try:
            network = load_network(self._folder, precision=self._precision, int8_file=self._int8_file)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(
                f"The model {self._name} in {self._folder} does not load: {error}",
                help="byline models verify",
            ) from error
        try:
            self._adapter = load_adapter(self._adapter_file) if self._adapter_file else None
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The adapter of {self._name} does not load: {error}", help="Install Byline anew."
            ) from error
        self._ends = network.ends | {self._tokenizer.eos_token_id}
        self._network = network
        gather_later()

    def _loaded(self) -> "Network":
        self._load()
        assert self._network is not None
        return self._network

    def _templated(self, messages: Sequence[Message]) -> str:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text: str = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return text

    def _read(self, ids: list[int], *, adapted: int = 0) -> Any:
        """The last hidden state after `ids`, shape (1, hidden size), computing only what is not kept.

        The last `adapted` tokens are read with the adapter, and not kept.
        """
        network = self._loaded()
        self._prompt = self._kept.prompt(ids, network.empty, anew=max(adapted, 1))
        new = ids[len(self._prompt.ids) :]
        done = self._usage
        self._usage = dataclasses.replace(done, passes=done.passes + 1, tokens_read=done.tokens_read + len(new))
        adapter = self._adapter if adapted else None
        return self._prompt.read(network, new, wanted=1, adapter=adapter, adapted=adapted)

    def _continue(self, token: int, drafted: list[int]) -> tuple[list[int], list[float]]:
        """The greedy tokens after `token`, each with its log-probability: those of `drafted` that the model agrees
        with, and its next one.

        One pass reads the weights once, whether for one token or ten, so what is guessed rightly comes for nothing.
        """
        predicted, certainties = self._likeliest(self._forward([token, *drafted], wanted=1 + len(drafted)))
        agreed = 0
        while agreed < len(drafted) and drafted[agreed] == predicted[agreed]:
            agreed += 1
        self._prompt.crop(len(self._prompt.ids) - len(drafted) + agreed)
        return predicted[: agreed + 1], certainties[: agreed + 1]

    def _likeliest(self, hidden: Any) -> tuple[list[int], list[float]]:
        """The likeliest next token after each of these hidden states, shape (n, hidden size), with log-probability."""
        logits = self._loaded().logits(hidden)
        highest, tokens = logits.max(dim=-1)
        return tokens.tolist(), (highest - logits.logsumexp(dim=-1)).tolist()

    def _forward(self, ids: list[int], *, wanted: int) -> Any:
        """The last hidden states of the last `wanted` of these tokens, shape (wanted, hidden size); all are kept."""
        return self._prompt.read(self._loaded(), ids, wanted=wanted)

    def forget(self) -> None:
        """Let go of everything that was kept of earlier prompts."""
        with self._lock:
            self._kept = KeptPrompts()

    def _spellings(self, word: str) -> list[int]:
        """The single tokens that begin a reply with `word`, in its usual spellings."""
        ids = {
            encoded[0]
            for spelling in (word, word.lower(), word.upper(), f" {word}")
            if len(encoded := self._tokens(spelling)) == 1
        }
        return sorted(ids)


def draft(tokens: list[int], prompt_length: int) -> list[int]:
    """A guess at the tokens that follow, copied from the prompt: what follows there after the same last few tokens.

    Answers copy from the evidence, so the guess is often right (prompt lookup decoding, A. Saxena 2023). The longest
    match counts, up to four tokens; of several, what most of them go on with. Empty if there is none.
    """
    for length in range(min(_LONGEST_MATCH, len(tokens)), 0, -1):
        wanted = tokens[-length:]
        ends = [
            start + length
            for start in range(prompt_length - length)
            if tokens[start] == wanted[0] and tokens[start : start + length] == wanted
        ]
        if ends:
            return _continued(tokens[:prompt_length], ends)
    return []


def _continued(prompt: list[int], places: list[int]) -> list[int]:
    """What stands at most of these places, token by token; of equals the first."""
    guess: list[int] = []
    while len(guess) < MOST_DRAFTED and (places := [place for place in places if place < len(prompt)]):
        token = Counter(prompt[place] for place in places).most_common(1)[0][0]
        guess.append(token)
        places = [place + 1 for place in places if prompt[place] == token]
    return guess
