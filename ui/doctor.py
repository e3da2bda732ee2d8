"""`byline doctor`: what this machine has, what is wrong, and what to do about it.

Loads no model; a server that is to answer is asked for one word, so that it may load its own.
"""

import platform
import shutil
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import psutil

from index.errors import BylineError, ModelError
from index.paths import Home
from index.status import read_status
from index.weights import CATALOG, list_models
from rag.engines import described, engine_of, gguf_file, read_address
from rag.settings import Settings

_SPEEDING_FLAGS = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_MEMORY_NEEDED_GB = {"default": 5.0, "small": 2.5}
_MEMORY_BESIDE_GGUF_GB = 1.5
"""For the prompts that llama.cpp keeps, the embedder and the page."""
_DISK_NEEDED_GB = 6.0
_GB = 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `help` says what to do and is None if nothing needs doing."""

    name: str
    state: Literal["ok", "warning", "problem"]
    found: str
    help: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def examine(home: Home, settings: Settings) -> tuple[Check, ...]:
    """Every check, in the order in which one would mend things."""
    return (
        _python(),
        _packages(),
        _processor(),
        _memory(settings),
        _disk(home),
        *_models(home, settings),
        _index(home, settings),
    )


def failed(checks: tuple[Check, ...]) -> bool:
    """Whether any check found a problem."""
    return any(check.state == "problem" for check in checks)


def report(checks: tuple[Check, ...]) -> str:
    """For a person: one line a check, with what to do under it."""
    signs = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}
    lines = []
    for check in checks:
        lines.append(f"{signs[check.state]}  {check.name}: {check.found}")
        if check.help:
            lines.append(f"         → {check.help}")
    return "\n".join(lines)


def _python() -> Check:
    return Check("Python", "ok", f"{platform.python_version()} ({sys.executable})")


def _packages() -> Check:
    names = ("torch", "transformers", "sentence-transformers", "faiss-cpu", "gradio")
    try:
        found = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    except metadata.PackageNotFoundError as error:
        return Check(
            "Packages",
            "problem",
            f"{error.name} is not installed",
            "Run `make chat`; it mends the environment.",
        )
    return Check("Packages", "ok", found)


def _processor() -> Check:
    flags = _cpu_flags()
    count = psutil.cpu_count(logical=True) or 1
    found = f"{platform.machine()}, {count} cores"
    if flags is None:
        return Check("Processor", "ok", found)
    has = [flag for flag in _SPEEDING_FLAGS if flag in flags]
    found += ", " + (" ".join(has) or "no AVX2")
    if "avx512_bf16" not in has and "amx_bf16" not in has:
        return Check(
            "Processor",
            "warning",
            found,
            "It runs, only slower: try BYLINE_MODEL=small if answers take too long.",
        )
    if "avx512_vnni" in has and find_spec("numba") is None:
        return Check(
            "Processor", "warning", found, "Prompts take up to three quarters longer without numba: run `make setup`."
        )
    return Check("Processor", "ok", found)


def _cpu_flags() -> frozenset[str] | None:
    """The x86 feature flags where the system lists them (Linux); None elsewhere."""
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        return None
    for line in listing.read_text().splitlines():
        if line.startswith("flags"):
            return frozenset(line.split(":", 1)[1].split())
    return None


def _memory(settings: Settings) -> Check:
    memory = psutil.virtual_memory()
    found = f"{memory.total / _GB:.1f} GB, {memory.available / _GB:.1f} GB free"
    needed = _MEMORY_NEEDED_GB.get(settings.model)
    if engine_of(settings.model) == "llama.cpp" and (file := gguf_file(settings.model)).is_file():
        needed = _MEMORY_BESIDE_GGUF_GB + round(file.stat().st_size / _GB, 1)
    if needed and memory.available < needed * _GB:
        advice = "Close other programs" + ("" if settings.model == "small" else " or set BYLINE_MODEL=small")
        return Check("Memory", "warning", found, f"The model {settings.model} wants about {needed:g} GB. {advice}.")
    return Check("Memory", "ok", found)


def _disk(home: Home) -> Check:
    folder = home.root
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / _GB
    found = f"{free:.0f} GB free for {home.root}"
    if free < _DISK_NEEDED_GB:
        return Check("Disk", "warning", found, f"Set-up wants {_DISK_NEEDED_GB:g} GB; BYLINE_HOME moves the folder.")
    return Check("Disk", "ok", found)


def _models(home: Home, settings: Settings) -> list[Check]:
    here = {model.spec.name for model in list_models(home) if model.state == "ready"}
    checks = []
    for role, name in (("Embedder", settings.embedder), ("Generator", settings.model)):
        if role == "Generator" and engine_of(name) != "transformers":
            checks += _other_engine(settings)
        elif name in CATALOG:
            state: Literal["ok", "problem"] = "ok" if name in here else "problem"
            found = f"{name}, {CATALOG[name].title}" + ("" if name in here else ", is not here")
            checks.append(Check(role, state, found, None if name in here else f"byline models fetch {name}"))
        else:
            checks.append(Check(role, "ok", f"{name} (yours; not verified by Byline)"))
    return checks


def _other_engine(settings: Settings) -> list[Check]:
    """Of llama.cpp whether it can be run, of a server whether it answers, what it learns and what it does not tell."""
    found = f"{described(settings.model)} (yours; not verified by Byline)"
    if engine_of(settings.model) == "llama.cpp":
        from rag.llama_cpp import check_llama_cpp

        try:
            check_llama_cpp(gguf_file(settings.model))
        except ModelError as error:
            return [Check("Generator", "problem", error.message, error.help)]
        return [Check("Generator", "ok", found)]
    checks = [_server(settings, found)]
    address = read_address(settings.model)
    if not address.on_this_machine:
        said = f"questions, and the sentences found for them, are sent to {address.host}"
        checks.append(Check("Privacy", "warning", said, "Name a server on this machine if they must not leave it."))
    return checks


def _server(settings: Settings, found: str) -> Check:
    from rag.opening import open_server

    try:
        with closing(open_server(settings)) as server:
            server.load()
            notes = server.notes
    except BylineError as error:
        return Check("Generator", "problem", error.message, error.help)
    if notes:
        help = "New versions of Ollama, vLLM and llama-server tell it."
        return Check("Generator", "warning", "; ".join((found, *notes)), help)
    return Check("Generator", "ok", found)


def _index(home: Home, settings: Settings) -> Check:
    folder = settings.index_folder(home)
    try:
        found = read_status(folder)
    except BylineError as error:
        return Check("Index", "problem", error.message, error.help or "byline index add ARTICLES…")
    said = f"{len(found.articles):,} articles, {found.passages:,} passages, made with {found.embedder}, in {folder}"
    gone = [article.path for article in found.articles if not article.present]
    if gone:
        return Check("Index", "warning", f"{said}; {len(gone)} files are gone", f"byline index remove {gone[0]}")
    return Check("Index", "ok", said)
