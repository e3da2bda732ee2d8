"""Disk space, hashes and durable files: what fetching and converting need from the file system."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from index.errors import ResourceError
from index.paths import sync_folder
from index.progress import Progress

FreeBytes: TypeAlias = Callable[[Path], int]
"""How many bytes can still be written below a folder that exists."""

_BLOCK = 1 << 20
_SLACK = 64 << 20


def free_bytes_on_disk(folder: Path) -> int:
    """What the file system of `folder` says it has left for this user."""
    return shutil.disk_usage(folder).free


def require_space(needed: int, *, folder: Path, purpose: str, free_bytes: FreeBytes) -> None:
    """Raise ResourceError, naming the missing amount, unless `needed` bytes and a little slack are free."""
    free = free_bytes(folder)
    missing = needed + _SLACK - free
    if missing > 0:
        raise ResourceError(
            f"Not enough disk space for {purpose} in {folder}: it needs {_human(needed + _SLACK)}, "
            f"{_human(free)} are free, {_human(missing)} are missing.",
            help="Free some space, or set BYLINE_HOME to a folder on a larger disk.",
        )


@contextmanager
def disk_errors(purpose: str) -> Iterator[None]:
    """Turn a full or forbidden disk into one ResourceError that says what it stopped."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(
                f"The disk filled up while {purpose}.",
                help="Free some space, or set BYLINE_HOME to a folder on a larger disk; then run it again.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ResourceError(
                f"Byline may not write to {error.filename} while {purpose}.",
                help="Set BYLINE_HOME to a folder that you may write to.",
            ) from error
        raise


def hash_file(path: Path, *, what: str, progress: Progress) -> str:
    """The SHA-256 of a file, in hexadecimal; reports bytes."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(what, done, total)
    return digest.hexdigest()


def sync_files(folder: Path) -> None:
    """Bring every file and folder below `folder` to the disk, so that a later rename publishes whole files."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
        else:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def remove_path(path: Path) -> None:
    """Remove a file or a whole folder; nothing happens if it is not there."""
    if path.is_dir() and not path.is_symlink():
        # A process that outlived its parent for a moment may still be writing here: what is left goes next time.
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def folder_bytes(folder: Path) -> int:
    """The sizes of all files below `folder`, in bytes; files that vanish meanwhile count as nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


def _human(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size, 0) / 1e6:.0f} MB"
