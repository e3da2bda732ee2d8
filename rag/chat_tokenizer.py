"""From messages to the tokens of a prompt and back, as the tokenizer of a model's folder has it."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from index.errors import ModelError
from index.importing import TRANSFORMERS
from index.types import Span
from rag.types import Message


class ChatTokenizer:
    """A tokenizer of `transformers` with a chat template, loaded when it is first used. Threads may share it."""

    def __init__(self, folder: Path, *, name: str) -> None:
        self._folder = folder
        self._name = name
        self._lock = threading.Lock()
        self._loaded: Any = None

    @property
    def end(self) -> int:
        """The token that ends a text."""
        with self._lock:
            return int(self._tokenizer().eos_token_id)

    def tokens(self, text: str) -> list[int]:
        """The tokens of `text`, without any template. Raises ModelError if the tokenizer does not load."""
        # The tokenizers of Hugging Face fail if two threads meet in one ("Already borrowed").
        with self._lock:
            ids: list[int] = self._tokenizer()(text, add_special_tokens=False)["input_ids"]
            return ids

    def spans(self, text: str) -> tuple[list[int], list[Span]] | None:
        """The same with the characters of each token; None if this tokenizer does not tell them."""
        with self._lock:
            if not self._tokenizer().is_fast:
                return None
            encoded = self._tokenizer()(text, add_special_tokens=False, return_offsets_mapping=True)
            return encoded["input_ids"], [Span(*span) for span in encoded["offset_mapping"]]

    def rendered(self, messages: Sequence[Message]) -> str:
        """The messages in the template, up to where the reply begins."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        with self._lock:
            text: str = self._tokenizer().apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            return text

    def text(self, tokens: Sequence[int]) -> str:
        """The text of these tokens, without special ones."""
        with self._lock:
            text: str = self._tokenizer().decode(tokens, skip_special_tokens=True)
            return text

    def _tokenizer(self) -> Any:
        if self._loaded is None:
            try:
                with TRANSFORMERS:
                    from transformers import AutoTokenizer

                    self._loaded = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
            except (OSError, ValueError) as error:
                raise ModelError(
                    f"The tokenizer of the model {self._name} in {self._folder} does not load: {error}",
                    help="byline models verify",
                ) from error
        return self._loaded
