"""Where things live on this machine, and how files are replaced without a moment of being half there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds everything Byline stores: models and indexes.

    Moved with the environment variable BYLINE_HOME; by default the platform's cache folder.
    """

    root: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Home":
        """The home that the environment names. Only entry points call this."""
        environment = os.environ if environment is None else environment
        chosen = environment.get("BYLINE_HOME")
        return cls(Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_cache_dir("byline")))

    @property
    def models(self) -> Path:
        """Converted and verified models, one folder each."""
        return self.root / "models"

    @property
    def staging(self) -> Path:
        """Work in progress: parts of downloads, half-made conversions. Safe to delete when nothing runs."""
        return self.root / "staging"

    @property
    def default_index(self) -> Path:
        """The index that is asked when none is named."""
        return self.root / "indexes" / "default"

    @property
    def speeds(self) -> Path:
        """How fast the models run on this machine, as it was measured. Safe to delete."""
        return self.root / "speed.json"


def project_seeds() -> Path:
    """The folder of the articles that come with the project."""
    return Path(__file__).resolve().parent.parent / "seeds"


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step: a reader or a crash sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
