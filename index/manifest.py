"""The manifest of a saved index: what its files are and how they were made. Written last, in one step.

An index is a folder with `manifest.json` and the files of one generation that it names. Files are never
changed once a manifest names them: the next state is a new generation beside it, so a reader sees one state
or the other.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from index.errors import IndexDamaged, IndexMissing
from index.paths import write_atomically

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = 3
REBUILD_HELP = "`byline index add --rebuild` makes it anew from its articles; name their folders if asked to."


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the generation, in the folder of the manifest, and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """How one generation of an index was made. `articles` maps each location to the SHA-256 of the bytes read
    there.

    `store` is the kind of the passages' store, chosen by their number; `store_made_for` is how many they were when it
    was made. An approximate one is made anew when they have doubled since.

    `precision` tells the numbers that the embedder computed with in the last update; vectors are kept in 16 bits.

    `preparation` is the version of the rules for cleaning, splitting and what text is embedded, `splitter`
    their settings; if either differs from those of the program, the next update prepares all articles anew.
    """

    format: int
    generation: int
    library: StoredFile
    passage_vectors: StoredFile
    sentence_vectors: StoredFile
    passage_store: StoredFile
    keywords: StoredFile
    store: str
    store_made_for: int
    embedder: str
    embedder_fingerprint: str
    precision: str
    dimension: int
    preparation: int
    splitter: dict[str, int]
    versions: dict[str, str]
    articles: dict[str, str]
    article_count: int
    passage_count: int
    sentence_count: int
    created: str
    updated: str

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The files of this generation."""
        return tuple(getattr(self, name) for name in FILES)


FILES = ("library", "passage_vectors", "sentence_vectors", "passage_store", "keywords")
"""The fields of a manifest that name its files."""

_EXPECTED_TYPES: dict[str, type] = {
    "format": int,
    "generation": int,
    "store": str,
    "store_made_for": int,
    "embedder": str,
    "embedder_fingerprint": str,
    "precision": str,
    "dimension": int,
    "preparation": int,
    "splitter": dict,
    "versions": dict,
    "articles": dict,
    "article_count": int,
    "passage_count": int,
    "sentence_count": int,
    "created": str,
    "updated": str,
}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make `manifest` the state of the index, in one step."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    write_atomically(folder / MANIFEST_NAME, text.encode())


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the index in `folder`, after checking its fields and that its files are there in full
    size.

    Raises IndexMissing if there is no manifest, IndexDamaged if it does not agree with itself or with the
    files.
    """
    path = folder / MANIFEST_NAME
    try:
        source = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissing(f"There is no index at {folder}.", help="`byline index add <folder>` makes one.") from None
    except OSError as error:
        raise IndexDamaged(f"{path} cannot be read: {error.strerror or error}.", help=REBUILD_HELP) from error
    manifest = _parsed(source, path)
    for file in manifest.files:
        _check_file(folder, file)
    return manifest


def _parsed(source: bytes, path: Path) -> Manifest:
    try:
        values = json.loads(source)
    except ValueError as error:
        raise IndexDamaged(f"{path} is not JSON: {error}.", help=REBUILD_HELP) from error
    if not isinstance(values, dict):
        raise IndexDamaged(f"{path} does not hold a manifest.", help=REBUILD_HELP)
    if values.get("format") != FORMAT_VERSION:
        raise IndexDamaged(
            f"The index at {path.parent} has format {values.get('format')!r};"
            f" this version of Byline reads {FORMAT_VERSION}.",
            help=REBUILD_HELP,
        )
    expected = {field.name for field in fields(Manifest)}
    if set(values) != expected:
        unknown, missing = sorted(set(values) - expected), sorted(expected - set(values))
        raise IndexDamaged(f"{path}: unknown fields {unknown}, missing fields {missing}.", help=REBUILD_HELP)
    for name, kind in _EXPECTED_TYPES.items():
        if not isinstance(values[name], kind) or isinstance(values[name], bool):
            raise IndexDamaged(f"{path}: the field {name} must be {kind.__name__}.", help=REBUILD_HELP)
    for name in FILES:
        values[name] = _stored_file(values[name], name, path)
    if values["article_count"] != len(values["articles"]):
        raise IndexDamaged(
            f"{path} counts {values['article_count']} articles but names {len(values['articles'])}.",
            help=REBUILD_HELP,
        )
    return Manifest(**values)


def _stored_file(value: Any, field_name: str, path: Path) -> StoredFile:
    is_one = isinstance(value, dict) and set(value) == {"name", "size"}
    # A name with a folder in it would let a manifest point anywhere.
    if not is_one or not isinstance(value["size"], int) or Path(str(value["name"])).name != value["name"]:
        raise IndexDamaged(f"{path}: the field {field_name} does not name a file and its size.", help=REBUILD_HELP)
    return StoredFile(value["name"], value["size"])


def _check_file(folder: Path, file: StoredFile) -> None:
    try:
        size = (folder / file.name).stat().st_size
    except OSError as error:
        raise IndexDamaged(f"The index at {folder} lacks its file {file.name}.", help=REBUILD_HELP) from error
    if size != file.size:
        raise IndexDamaged(
            f"{file.name} of the index at {folder} has {size:,} bytes instead of {file.size:,}.",
            help=REBUILD_HELP,
        )
