"""What writes the answers, read from the setting `model`: our own engine, llama.cpp, or a server that somebody runs.

Cheap to import, and touches nothing: neither files nor the network.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from index.errors import SettingsError

Engine = Literal["transformers", "llama.cpp", "server"]

EXAMPLE = "http://127.0.0.1:11434/v1#qwen2.5:1.5b"
PRECISIONS_ELSEWHERE: dict[Engine, str] = {"llama.cpp": "that of the file", "server": "the server's"}
"""What other engines than ours compute in, as far as anybody here knows."""

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1")


@dataclass(frozen=True, slots=True)
class Address:
    """A server that speaks OpenAI's protocol below `url`, and the name that it has for the model."""

    url: str
    model: str

    @property
    def host(self) -> str:
        """The machine that is spoken to."""
        return urlsplit(self.url).hostname or ""

    @property
    def on_this_machine(self) -> bool:
        """Whether nothing leaves this machine."""
        return _LOOPBACK.fullmatch(self.host) is not None

    def __str__(self) -> str:
        return f"{self.url}#{self.model}"


def engine_of(model: str) -> Engine:
    """The engine for this setting: an address means a server, a file of the kind .gguf llama.cpp, all else ours."""
    if _ADDRESS.match(model.strip()):
        return "server"
    return "llama.cpp" if model.strip().lower().endswith(".gguf") else "transformers"


def read_address(model: str) -> Address:
    """The address in the setting `model`. Raises SettingsError, which never shows a password, if it is none."""
    try:
        parts = urlsplit(model.strip())
        host, secret = parts.hostname, parts.username is not None or parts.password is not None
        _ = parts.port  # raises ValueError if it is none
    except ValueError as error:
        raise SettingsError(f"model is not an address: {error}.", help=f"Write it like {EXAMPLE}") from error
    if secret:
        raise SettingsError(
            "model is an address with a user or password in it, which would stand in reports.",
            help="Put the server's key into the variable BYLINE_API_KEY.",
        )
    if not host or parts.query:
        raise SettingsError(
            f"model is {model!r}, which is not the address of a server.", help=f"Write it like {EXAMPLE}"
        )
    if not parts.fragment:
        raise SettingsError(
            f"model is {model!r}, which does not say which of the server's models answers.",
            help=f"Put its name behind a #, as in {EXAMPLE}",
        )
    return Address(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", parts.fragment)


def described(model: str) -> str:
    """The setting `model` for a person, where the engine is not ours."""
    if engine_of(model) == "server":
        address = read_address(model)
        return f"{address.model} on the server at {address.url}"
    return f"{gguf_file(model)}, read by llama.cpp"


def gguf_file(model: str) -> Path:
    """The file that the setting `model` names."""
    return Path(model.strip()).expanduser().absolute()
