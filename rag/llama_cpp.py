"""llama.cpp in this process, through the package xllamacpp. Chosen by a file of the kind .gguf as `model`.

The package holds the server of llama.cpp, which also listens for requests. Here it listens at a Unix socket in a
folder that only this user can enter, with a key that is made anew each time, and is asked there: so a reply that nobody
wants any more ends at once, tokens can be counted, and no port is open.
"""

import importlib
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Generator as Pieces
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from index.errors import ModelError
from rag.completions import Completions
from rag.engines import PRECISIONS_ELSEWHERE
from rag.remote import RemoteGenerator
from rag.types import Message, Usage

CONTEXT_TOKENS = 8192
"""What a prompt and its answer may have together; a model's own context may be larger than this memory."""
KEPT_PROMPTS_MB = 512
"""Memory for prompts that were read earlier, besides the last one, which is always kept."""

_PACKAGE = "xllamacpp"
_SILENT = -1


class LlamaCppGenerator:
    """Implements `rag.generators.Generator` with weights in the format GGUF; they are loaded when first needed.

    The last prompt stays in llama.cpp's memory: passes over the same evidence compute what differs.
    """

    precision = PRECISIONS_ELSEWHERE["llama.cpp"]

    def __init__(self, file: Path, *, name: str, threads: int) -> None:
        self._file, self._name, self._threads = file, name, threads
        self._lock = threading.Lock()
        self._asked: RemoteGenerator | None = None
        self._completions: Completions | None = None
        self._server: Any = None

    @property
    def name(self) -> str:
        """What people call the model."""
        return self._name

    def load(self) -> None:
        """Bring the weights into memory now instead of at the first question. Raises ModelError if they do not load."""
        self._loaded()

    def close(self) -> None:
        """Let go of the weights; asking again loads them anew."""
        with self._lock:
            if self._asked is not None:
                self._asked.close()
            self._asked = self._completions = self._server = None

    def generate(self, messages: Sequence[Message], *, max_tokens: int) -> Pieces[str, None, None]:
        """The reply, in pieces as they come. Closing it stops the model at once."""
        yield from self._loaded()[0].generate(messages, max_tokens=max_tokens)

    def log_odds(self, messages: Sequence[Message]) -> float:
        """log P(Yes) - log P(No) for the first word of the reply, in nats, from the 20 likeliest tokens."""
        return self._loaded()[0].log_odds(messages)

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is for this model, without any chat template. Loads the weights if they are not."""
        return self._loaded()[1].count_tokens(text) if text else 0

    def usage(self) -> Usage:
        """What it has done since it was loaded, as llama.cpp counts."""
        asked = self._asked
        return asked.usage() if asked is not None else Usage()

    def _loaded(self) -> tuple[RemoteGenerator, Completions]:
        with self._lock:
            if self._asked is None or self._completions is None:
                check_llama_cpp(self._file)
                self._completions = self._start()
                self._asked = RemoteGenerator(self._completions, name=self._name)
            return self._asked, self._completions

    def _start(self) -> Completions:
        xllamacpp: Any = importlib.import_module(_PACKAGE)
        folder, key = tempfile.mkdtemp(prefix="byline-"), secrets.token_urlsafe()
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        socket = str(Path(folder, "llama.sock"))
        settings = xllamacpp.CommonParams()
        settings.model.path = str(self._file)
        settings.n_ctx, settings.n_parallel = CONTEXT_TOKENS, 1
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = self._threads
        settings.cache_prompt, settings.cache_ram_mib = True, KEPT_PROMPTS_MB
        settings.hostnames, settings.api_keys = [socket], [key]
        settings.ui, settings.endpoint_slots, settings.verbosity = False, False, _SILENT
        try:
            self._server = xllamacpp.Server(settings)
        except RuntimeError as error:
            raise ModelError(
                f"llama.cpp does not load {self._file}: {error}",
                help="It may be damaged, no language model, or newer than the package: pip install -U xllamacpp",
            ) from error
        return Completions("http://llama.cpp/v1", self._name, key=key, socket=socket, who="llama.cpp")


def check_llama_cpp(file: Path) -> None:
    """Raise ModelError if `file` is not there, or the package that would read it."""
    if not file.is_file():
        raise ModelError(f"There is no file {file}.", help="Name a model in the format GGUF that is on this machine.")
    if find_spec(_PACKAGE) is None:
        raise ModelError(
            f"Reading {file.name} needs the package xllamacpp, which is not here.",
            help="pip install xllamacpp (the extra byline[llamacpp])",
        )
