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
from rag.settings import Settings

_LIBRARIES = ("byline", "torch", "transformers", "sentence-transformers", "faiss-cpu", "numpy")


@dataclass(frozen=True, slots=True)
class Provenance:
    """All of it as plain values. `models` maps a role to name and fingerprint."""

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
        machine=_machine(settings.precision),
        versions={name: metadata.version(name) for name in _LIBRARIES},
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


def _machine(precision: str) -> dict[str, Any]:
    import torch

    from rag.precisions import best_precision

    return {
        "processor": _processor(),
        "cores": os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(psutil.Process().cpu_affinity()),
        "memory_gb": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "precision": best_precision() if precision == "auto" else precision,
        "threads": torch.get_num_threads(),
    }


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.split(":", 1)[1].split())
    return platform.processor() or platform.machine()
