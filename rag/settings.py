"""The few values that shape an answer. Plain and frozen; only entry points read the environment or a file."""

import dataclasses
import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import SettingsError
from index.paths import Home
from index.search import DEFAULT_MIX, Mix
from rag.engines import engine_of, read_address
from rag.queueing import MOST_WAITING
from rag.remembered import MOST_REMEMBERED

PRECISIONS = ("auto", "bfloat16", "float32", "int8")
ANSWER_STYLES = ("sentence", "quote", "phrase")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(?:s|sec|seconds?)?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, with its default.

    `model` and `embedder` are names from `byline models list`, a local folder, or a Hugging Face name `owner/name`.
    `model` may also be a file in the format GGUF, which llama.cpp reads, or the address of a server with its name of
    the model, `http://127.0.0.1:11434/v1#qwen2.5:1.5b`.
    Token counts are counted by the generator's own tokenizer.
    """

    model: str = "default"
    embedder: str = "minilm"
    precision: str = "auto"
    """auto, bfloat16, float32 or int8: how the generator computes; auto is the fastest on this processor."""
    index: str = ""
    """Folder of the index to ask; empty: the default one inside the home folder."""
    passages_per_question: int = 8
    passage_weight: float = DEFAULT_MIX.passage
    sentence_weight: float = DEFAULT_MIX.sentence
    passage_words_weight: float = DEFAULT_MIX.passage_words
    article_words_weight: float = DEFAULT_MIX.article_words
    words_late_weight: float = DEFAULT_MIX.words_late
    """What counts how much in search: see `index.search.Mix`."""
    evidence_tokens: int = 420
    """Tokens of evidence the model reads; each costs about 8 ms on two cores."""
    answer_tokens: int = 160
    """An answer is cut at the last whole sentence before this many tokens."""
    answer_style: str = "sentence"
    """sentence: whole sentences in the model's words; quote: those of the articles, word for word; phrase: the shortest
    exact phrase, as question sets with short answers want it."""
    wrong_per_hundred: float = 25.0
    """How many wrong answers among a hundred shown are accepted; fewer means more refusals, 100 no refusal for doubt.
    Measured on public question sets (`rag/confidence.py`); your articles and questions may differ."""
    other_figure_log_odds: float = 1.0
    """From this log P(Yes) - log P(No) that a sentence alone states the answer, its other figure is quoted too."""
    citation_support: float = 0.5
    """A sentence of the answer stands only if its citations support it at least this well (0 to 1)."""
    seconds: float = 0.0
    """The time an answer may take; evidence, checks and length are fitted to it (`rag/budget.py`). 0: no limit."""
    read_ahead_tokens: int = 8_000
    """Tokens of articles that a chat keeps read between questions, so that answers from them come sooner
    (`rag/read_ahead.py`): 28 kB each with the default model. 0: none."""
    most_waiting: int = MOST_WAITING
    """How many questions may wait while one is answered; one more is an error."""
    most_remembered: int = MOST_REMEMBERED
    """How many answers are kept to be given again at once when the same is asked of the same articles; 0: none."""

    def __post_init__(self) -> None:
        for name in ("passages_per_question", "evidence_tokens", "answer_tokens", "most_waiting"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        for name in ("most_remembered", "read_ahead_tokens"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} is {getattr(self, name)}; it must be 0 or more.")
        if self.precision not in PRECISIONS:
            raise SettingsError(f"precision is {self.precision!r}; it must be one of {', '.join(PRECISIONS)}.")
        if self.answer_style not in ANSWER_STYLES:
            raise SettingsError(f"answer_style is {self.answer_style!r}; it must be one of {', '.join(ANSWER_STYLES)}.")
        if not 0 < self.wrong_per_hundred <= 100:
            raise SettingsError(f"wrong_per_hundred is {self.wrong_per_hundred}; it must be above 0 and at most 100.")
        if not 0 <= self.citation_support <= 1:
            raise SettingsError(f"citation_support is {self.citation_support}; it must be between 0 and 1.")
        check_seconds(self.seconds)
        engine = engine_of(self.model)
        if engine == "server":
            read_address(self.model)
        if engine != "transformers" and self.precision != "auto":
            raise SettingsError(
                f"precision is {self.precision!r}, but it is only ours to choose for models that we run ourselves.",
                help="Leave precision (BYLINE_PRECISION) away.",
            )

    @property
    def mix(self) -> Mix:
        """The weights of search."""
        return Mix(
            self.passage_weight,
            self.sentence_weight,
            self.passage_words_weight,
            self.article_words_weight,
            self.words_late_weight,
        )

    def index_folder(self, home: Home) -> Path:
        """The index that these settings ask."""
        return Path(self.index).expanduser().absolute() if self.index else home.default_index


def check_seconds(seconds: float) -> float:
    """The same number. Raises SettingsError if it is not a time: negative, infinite or no number."""
    if not math.isfinite(seconds) or seconds < 0:
        raise SettingsError(f"seconds is {seconds}; it must be 0 (no limit) or more.")
    return seconds


def read_seconds(text: str, *, where: str) -> float:
    """A time as people write it, in seconds: "3", "3s", "2.5 s". Raises SettingsError that names `where` it stands."""
    found = _SECONDS.fullmatch(text.strip())
    if found is None:
        raise SettingsError(
            f"{where} is {text!r}; it must be a number of seconds.", help="Write 3, 3s or 2.5s; 0 is no limit."
        )
    return check_seconds(float(found[1]))


def load_settings(
    home: Home, *, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Settings from the defaults, then `settings.toml` in the home folder, then BYLINE_* variables, then `overrides`.

    Raises SettingsError for an unknown key or a value of the wrong kind, naming where it stands.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    file = home.root / "settings.toml"
    if file.exists():
        try:
            written = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file} is not valid TOML: {error}.") from error
        values |= {name: _parsed(name, value, where=str(file)) for name, value in written.items()}
    for field in dataclasses.fields(Settings):
        variable = f"BYLINE_{field.name.upper()}"
        if environment.get(variable):
            values[field.name] = _parsed(field.name, environment[variable], where=variable)
    for name, value in (overrides or {}).items():
        if value is not None:
            values[name] = _parsed(name, value, where=name)
    return Settings(**values)


def _parsed(name: str, value: Any, *, where: str) -> Any:
    kinds = {name: type(value) for name, value in dataclasses.asdict(Settings()).items()}
    if name not in kinds:
        known = ", ".join(sorted(kinds))
        raise SettingsError(f"Unknown setting {name!r} in {where}.", help=f"Known settings: {known}.")
    try:
        return kinds[name](value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{where} is {value!r}; {name} must be a {kinds[name].__name__}.") from error
