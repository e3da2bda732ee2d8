"""Models on this machine: found, or brought here whole; listed, verified, removed.

A model of the catalog lives in `<home>/models/<name>` and appears there by one rename, complete with its manifest.
Everything before that happens in `<home>/staging/<name>`, under a lock that a killed process gives back.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from index.errors import HashError, ModelError, SettingsError
from index.paths import Home, sync_folder, write_atomically
from index.progress import Progress, silent
from index.weights.catalog import CATALOG, ModelSpec, Role
from index.weights.convert import convert_gguf
from index.weights.disk import (
    FreeBytes,
    disk_errors,
    folder_bytes,
    free_bytes_on_disk,
    hash_file,
    remove_path,
    require_space,
    sync_files,
)
from index.weights.fetch import fetch_weights, new_attempt
from index.weights.hub import fetch_published, fetch_snapshot
from index.weights.manifest import fingerprint_of, is_weight_file, problem_of, read_manifest, write_manifest

Source: TypeAlias = Literal["carriers", "hub"]
State: TypeAlias = Literal["ready", "missing", "damaged"]

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_SECONDS_BETWEEN_TRIES = 0.5


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that can be loaded now. `fingerprint` is a hash over its weights: same weights, same fingerprint."""

    name: str
    role: Role
    path: Path
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """How a model of the catalog stands on this machine. `size` is in bytes on disk; `problem` says what is damaged."""

    spec: ModelSpec
    state: State
    path: Path
    size: int
    problem: str | None = None


def ensure_model(
    name: str,
    *,
    role: Role,
    home: Home,
    progress: Progress = silent,
    free_bytes: FreeBytes = free_bytes_on_disk,
    catalog: Mapping[str, ModelSpec] = CATALOG,
) -> StoredModel:
    """The model called `name`, ready to load; brought here first if it is missing or damaged.

    `name` is one of the catalog ("default", "small", "minilm"), a local folder, or the name of a model on the Hugging
    Face hub ("organisation/model"). A name of the catalog never reaches for the hub. A model that is here costs
    milliseconds: names and sizes are trusted, `verify_model` looks at every byte.
    Raises SettingsError for a name of the other role, ModelError and its kinds, ResourceError.
    """
    spec = catalog.get(name)
    if spec is not None:
        if spec.role != role:
            raise SettingsError(
                f"{name} is the {spec.role} {spec.title}; a model for the role of {role} was expected.",
                help=f"Choose one of: {', '.join(sorted(s.name for s in catalog.values() if s.role == role))}",
            )
        return fetch_model(
            name, home=home, progress=progress, free_bytes=free_bytes, catalog=catalog, source="carriers"
        )
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _local_model(name, folder.absolute(), role=role, home=home, progress=progress)
    looks_local = name.startswith((".", "~", os.sep))
    if not looks_local and _HUB_NAME.fullmatch(name):
        return _local_model(name, fetch_snapshot(name, progress=progress), role=role, home=home, progress=progress)
    raise ModelError(
        f"There is no {role} called {name!r}: neither a known name, nor a folder, nor organisation/model.",
        help=f"Known names: {', '.join(sorted(s.name for s in catalog.values() if s.role == role))}",
    )


def fetch_model(
    name: str,
    *,
    home: Home,
    progress: Progress = silent,
    source: Source = "carriers",
    free_bytes: FreeBytes = free_bytes_on_disk,
    catalog: Mapping[str, ModelSpec] = CATALOG,
) -> StoredModel:
    """Bring a model of the catalog here from `source`, unless it is here already. Two at once: the second waits.

    Raises ModelError for an unknown name, FetchError, HashError, ConversionError, ResourceError. After an error
    nothing half-made is left but whole parts of the download, which the next run need not fetch again.
    """
    spec = _known(name, catalog)
    present = _present(spec, home)
    if present is not None:
        return present
    with disk_errors(f"fetching {spec.title}"), _locked(spec, home, progress):
        present = _present(spec, home)
        return present or _bring(spec, home=home, progress=progress, source=source, free_bytes=free_bytes)


def list_models(home: Home, *, catalog: Mapping[str, ModelSpec] = CATALOG) -> tuple[ModelStatus, ...]:
    """How every model of the catalog stands, in the order of the catalog. Looks at names and sizes only."""
    statuses = []
    for spec in catalog.values():
        folder = home.models / spec.name
        if not folder.is_dir():
            statuses.append(ModelStatus(spec, "missing", folder, 0))
            continue
        problem = problem_of(folder, read_manifest(folder), spec)
        state: State = "damaged" if problem else "ready"
        statuses.append(ModelStatus(spec, state, folder, folder_bytes(folder), problem))
    return tuple(statuses)


def verify_model(
    name: str, home: Home, *, progress: Progress = silent, catalog: Mapping[str, ModelSpec] = CATALOG
) -> StoredModel:
    """Read every byte of a stored model again and compare it with the hashes taken when it was made.

    Raises ModelError if it is missing or incomplete, HashError if a file has changed.
    """
    spec = _known(name, catalog)
    folder = home.models / spec.name
    mend = f"Bring it here again with: byline models remove {name}, then byline models fetch {name}"
    if not folder.is_dir():
        raise ModelError(f"{spec.title} is not on this machine.", help=f"Fetch it with: byline models fetch {name}")
    manifest = read_manifest(folder)
    problem = problem_of(folder, manifest, spec)
    if manifest is None or problem is not None:
        raise ModelError(f"{spec.title} in {folder} is damaged: {problem}.", help=mend)
    for file in manifest.files:
        actual = hash_file(folder / file.path, what=f"checking {spec.title}", progress=progress)
        if actual != file.sha256:
            raise HashError(
                f"{file.path} of {spec.title} has changed: its SHA-256 is {actual}, expected {file.sha256}.",
                expected=file.sha256,
                actual=actual,
                help=mend,
            )
    return StoredModel(spec.name, spec.role, folder, manifest.fingerprint)


def remove_model(
    name: str, home: Home, *, progress: Progress = silent, catalog: Mapping[str, ModelSpec] = CATALOG
) -> int:
    """Remove a model of the catalog and what a broken fetch of it left; the bytes that this freed."""
    spec = _known(name, catalog)
    with disk_errors(f"removing {spec.title}"), _locked(spec, home, progress):
        folder, staging = home.models / spec.name, home.staging / spec.name
        freed = folder_bytes(folder) + folder_bytes(staging)
        if folder.exists():
            # Out of sight in one step: a kill in the middle leaves no half a model under its name.
            os.replace(folder, new_attempt(staging) / "removed")
        remove_path(staging)
    return freed


def _known(name: str, catalog: Mapping[str, ModelSpec]) -> ModelSpec:
    if name not in catalog:
        raise ModelError(f"There is no model called {name!r}.", help=f"Known names: {', '.join(sorted(catalog))}")
    return catalog[name]


def _present(spec: ModelSpec, home: Home) -> StoredModel | None:
    folder = home.models / spec.name
    manifest = read_manifest(folder)
    if manifest is None or problem_of(folder, manifest, spec) is not None:
        return None
    return StoredModel(spec.name, spec.role, folder.absolute(), manifest.fingerprint)


def _bring(spec: ModelSpec, *, home: Home, progress: Progress, source: Source, free_bytes: FreeBytes) -> StoredModel:
    staging = home.staging.absolute() / spec.name
    attempt = new_attempt(staging)
    try:
        if source == "hub":
            weights = fetch_published(spec, attempt=attempt, progress=progress, free_bytes=free_bytes)
        else:
            weights = fetch_weights(spec, staging=staging, attempt=attempt, progress=progress, free_bytes=free_bytes)
        folder = weights
        if not weights.is_dir():
            folder = attempt / "model"
            require_space(spec.stored_size, folder=attempt, purpose=spec.title, free_bytes=free_bytes)
            convert_gguf(weights, folder, what=f"converting {spec.title}", progress=progress)
        manifest = write_manifest(folder, spec, progress=progress)
        sync_files(folder)
        target = home.models.absolute() / spec.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            os.replace(target, attempt / "damaged")
        os.replace(folder, target)
        sync_folder(target.parent)
    except BaseException:
        remove_path(attempt)
        raise
    remove_path(staging)
    return StoredModel(spec.name, spec.role, target, manifest.fingerprint)


@contextmanager
def _locked(spec: ModelSpec, home: Home, progress: Progress) -> Iterator[None]:
    """Hold the lock of one model; while another process has it, say so and wait."""
    from filelock import FileLock, Timeout

    folder = home.root / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{spec.name}.lock")
    while True:
        try:
            lock.acquire(timeout=_SECONDS_BETWEEN_TRIES)
            break
        except Timeout:
            progress(f"waiting for another Byline that is busy with {spec.title}", 0, 0)
    try:
        yield
    finally:
        lock.release()


def _local_model(name: str, folder: Path, *, role: Role, home: Home, progress: Progress) -> StoredModel:
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ModelError(
            f"{folder} is not a model folder: it has neither config.json nor modules.json.",
            help="Name a folder that transformers or sentence-transformers can load.",
        )
    fingerprint = _fingerprint(folder, _weights_in(folder), home=home, progress=progress)
    return StoredModel(name, role, folder, fingerprint)


def fingerprint_file(file: Path, *, home: Home, progress: Progress = silent) -> str:
    """The fingerprint of a model in one file; its hash is remembered by path, size and time of change."""
    return _fingerprint(file.parent, [file], home=home, progress=progress)


def _weights_in(folder: Path) -> list[Path]:
    weights = sorted(path for path in folder.rglob("*") if path.is_file() and is_weight_file(path.name))
    if not weights:
        raise ModelError(f"{folder} holds no weights.", help="Expected a file such as model.safetensors in it.")
    return weights


def _fingerprint(folder: Path, weights: list[Path], *, home: Home, progress: Progress) -> str:
    """The fingerprint of these files; hashes are remembered by path, size and time of change."""
    remembered_in = home.root / "fingerprints.json"
    remembered = _remembered(remembered_in)
    hashes, changed = {}, False
    for path in weights:
        state = path.stat()
        key = f"{path} {state.st_size} {state.st_mtime_ns}"
        if key not in remembered:
            remembered[key] = hash_file(path, what=f"checking {folder.name}", progress=progress)
            changed = True
        hashes[path.relative_to(folder).as_posix()] = remembered[key]
    if changed:
        with disk_errors("remembering the hashes of a model"):
            write_atomically(remembered_in, json.dumps(remembered, indent=2).encode())
    return fingerprint_of(hashes)


def _remembered(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}
