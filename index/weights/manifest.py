"""`byline.json`: what a stored model consists of. Written last, so that a folder with one is a whole model."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from index.paths import write_atomically
from index.progress import Progress
from index.weights.catalog import ModelSpec, PinnedFile
from index.weights.convert import CONVERTER_VERSION
from index.weights.disk import hash_file

MANIFEST_NAME = "byline.json"
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".gguf", ".pt", ".pth", ".h5")
_VERSIONS_OF = ("gguf", "tokenizers", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The spec a model was made from, the hash of the published weights, and every file with its hash and size."""

    name: str
    source_sha256: str
    converter: int
    files: tuple[PinnedFile, ...]

    @property
    def fingerprint(self) -> str:
        """One hash over the weight files: two folders with the same weights have the same fingerprint."""
        return fingerprint_of({file.path: file.sha256 for file in self.files if is_weight_file(file.path)})


def is_weight_file(path: str) -> bool:
    """Whether a file name looks like weights rather than a tokenizer or a configuration."""
    return path.endswith(_WEIGHT_SUFFIXES)


def fingerprint_of(hashes: Mapping[str, str]) -> str:
    """One SHA-256 over file names and their hashes, in the order of the names."""
    lines = "".join(f"{path} {hashes[path]}\n" for path in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def write_manifest(folder: Path, spec: ModelSpec, *, progress: Progress) -> Manifest:
    """Hash every file in `folder` and write its manifest, last of all."""
    files = tuple(
        PinnedFile(
            path.relative_to(folder).as_posix(),
            hash_file(path, what=f"checking {spec.title}", progress=progress),
            path.stat().st_size,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    manifest = Manifest(spec.name, spec.sha256, CONVERTER_VERSION, files)
    content = {
        "name": manifest.name,
        "role": spec.role,
        "title": spec.title,
        "publisher": spec.publisher,
        "licence": spec.licence,
        "source_sha256": manifest.source_sha256,
        "converter": manifest.converter,
        "versions": _versions(),
        "files": {file.path: {"sha256": file.sha256, "size": file.size} for file in files},
    }
    write_atomically(folder / MANIFEST_NAME, json.dumps(content, indent=2).encode() + b"\n")
    return manifest


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a stored model, or None where there is none that can be read."""
    try:
        content = json.loads((folder / MANIFEST_NAME).read_text("utf-8"))
        files = tuple(
            PinnedFile(path, str(entry["sha256"]), int(entry["size"])) for path, entry in content["files"].items()
        )
        return Manifest(str(content["name"]), str(content["source_sha256"]), int(content["converter"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def problem_of(folder: Path, manifest: Manifest | None, spec: ModelSpec) -> str | None:
    """What is wrong with a stored model, as far as names and sizes tell; None if nothing is. Takes milliseconds."""
    if manifest is None:
        return f"{MANIFEST_NAME} is missing or unreadable"
    if (manifest.name, manifest.source_sha256) != (spec.name, spec.sha256):
        return f"it was made from other weights ({manifest.name}, {manifest.source_sha256})"
    if not spec.files and manifest.converter != CONVERTER_VERSION:
        return f"it was made by converter {manifest.converter}; this is converter {CONVERTER_VERSION}"
    for file in manifest.files:
        path = folder / file.path
        if not path.is_file():
            return f"{file.path} is missing"
        if path.stat().st_size != file.size:
            return f"{file.path} has {path.stat().st_size} bytes; expected {file.size}"
    return None


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in _VERSIONS_OF:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
