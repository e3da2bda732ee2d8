"""What a run was made with, so that its figures can be made again: code, settings, models, index, machine, date."""

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from index.search import SavedIndex
from index.weights import StoredModel
from rag.engines import PRECISIONS_ELSEWHERE, engine_of
from rag.settings import Settings

_LIBRARIES = ("byline", "torch", "transformers", "sentence-transformers", "faiss-cpu", "numpy")


@dataclass(frozen=True, slots=True)
class Provenance:
    """All of it as plain values. `models` maps a role to name and fingerprint, which is empty for a server's model."""

    commit: str
    date: str
    settings: dict[str, Any]
    models: dict[str, dict[str, str]]
    index: dict[str, Any]
    machine: dict[str, Any]
    versions: dict[str, str]


def provenance(settings: Settings, *, generator: StoredModel, embedder: StoredModel, index: SavedIndex) -> Provenance:
    """What is in use now."""
    manifest = index.manifest
    return Provenance(
        commit=_commit(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=asdict(settings) | {"index": _short(index.folder)},
        models={
            "generator": {"name": generator.name, "fingerprint": generator.fingerprint},
            "embedder": {"name": embedder.name, "fingerprint": embedder.fingerprint},
        },
        index={
            "folder": _short(index.folder),
            "articles": manifest.article_count,
            "passages": manifest.passage_count,
            "sentences": manifest.sentence_count,
            "store": manifest.store,
            "splitter": manifest.splitter,
        },
        machine=_machine(settings),
        versions={name: metadata.version(name) for name in _libraries(settings)},
    )


def _short(folder: Path) -> str:
    """The end of a path: enough to tell indexes apart, without the name of somebody's machine."""
    return "/".join(folder.parts[-2:])


def _commit() -> str:
    """The commit of the project's folder, with "+changes" if files differ from it; "unknown" outside a repository."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _libraries(settings: Settings) -> tuple[str, ...]:
    return (*_LIBRARIES, *(("xllamacpp",) if engine_of(settings.model) == "llama.cpp" else ()))


def _machine(settings: Settings) -> dict[str, Any]:
    import torch

    return {
        "processor": _processor(),
        "cores": os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(psutil.Process().cpu_affinity()),
        "memory_gb": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "precision": _precision(settings),
        "threads": torch.get_num_threads(),
    }


def _precision(settings: Settings) -> str:
    """What the model computed in; of other engines than ours only who knows."""
    from index.precisions import best_precision

    ours = best_precision() if settings.precision == "auto" else settings.precision
    return PRECISIONS_ELSEWHERE.get(engine_of(settings.model), ours)


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.split(":", 1)[1].split())
    return platform.processor() or platform.machine()
