"""Models from the Hugging Face hub: only when the user names one, or asks for the second source of a known one.

HF_HOME, HF_HUB_OFFLINE and the user's token are respected, since the download is huggingface_hub's own.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import FetchError
from index.progress import Progress
from index.weights.catalog import ModelSpec
from index.weights.disk import FreeBytes, hash_file, require_space
from index.weights.wheels import require_hash

_LOADED_BY_TRANSFORMERS = ["*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken"]
_OTHER_ENGINES = ["onnx/*", "openvino/*", "original/*", "coreml/*"]


def fetch_published(spec: ModelSpec, *, attempt: Path, progress: Progress, free_bytes: FreeBytes) -> Path:
    """The publisher's own weights, of the same hash: the path of the GGUF file, or of a folder below `attempt`.

    A GGUF stays in the hub's own cache and is only read there. Raises FetchError, HashError and ResourceError.
    """
    if not spec.files:
        # The cache of the hub may lie on another disk, where the hub itself looks for space.
        require_space(spec.stored_size, folder=attempt, purpose=spec.title, free_bytes=free_bytes)
        path = _file(spec, spec.hub_file, progress=progress)
        _check(path, spec, expected=spec.sha256, progress=progress)
        return path
    require_space(spec.size, folder=attempt, purpose=spec.title, free_bytes=free_bytes)
    folder = attempt / "files"
    for pinned in spec.files:
        source = _file(spec, pinned.path, progress=progress)
        _check(source, spec, expected=pinned.sha256, progress=progress)
        target = folder / pinned.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return folder


def fetch_snapshot(repository: str, *, progress: Progress) -> Path:
    """The folder in the hub's cache with the files of `repository` that transformers loads.

    Safetensors are preferred; pickled weights are fetched only where there is nothing else. Raises FetchError.
    """
    from huggingface_hub import snapshot_download

    progress(f"fetching {repository} from the Hugging Face hub", 0, 0)
    with _hub_errors(repository):
        wanted = [*_LOADED_BY_TRANSFORMERS, "*.safetensors"]
        folder = Path(snapshot_download(repository, allow_patterns=wanted, ignore_patterns=_OTHER_ENGINES))
        if not any(folder.glob("*.safetensors")):
            wanted = [*_LOADED_BY_TRANSFORMERS, "*.bin"]
            folder = Path(snapshot_download(repository, allow_patterns=wanted, ignore_patterns=_OTHER_ENGINES))
    return folder


def _file(spec: ModelSpec, name: str, *, progress: Progress) -> Path:
    from huggingface_hub import hf_hub_download

    progress(f"fetching {name} from the Hugging Face hub", 0, 0)
    with _hub_errors(spec.hub_repository):
        return Path(hf_hub_download(spec.hub_repository, name))


def _check(path: Path, spec: ModelSpec, *, expected: str, progress: Progress) -> None:
    actual = hash_file(path, what=f"checking {spec.title}", progress=progress)
    help = f"Remove it from the cache of the Hugging Face hub ({path}) and run the same command again."
    require_hash(path, expected=expected, actual=actual, publisher=spec.publisher, help=help)


@contextmanager
def _hub_errors(repository: str) -> Iterator[None]:
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        yield
    except (OfflineModeIsEnabled, LocalEntryNotFoundError) as error:
        raise FetchError(
            f"{repository} is not on this machine and the Hugging Face hub cannot be reached.",
            help="Connect to a network and see that HF_HUB_OFFLINE is not set, or name a local folder instead.",
        ) from error
    except GatedRepoError as error:
        raise FetchError(
            f"{repository} is only given to people who accepted its terms on Hugging Face.",
            help="Accept them on its page, then log in with: hf auth login",
        ) from error
    except (RepositoryNotFoundError, HFValidationError, EntryNotFoundError) as error:
        raise FetchError(
            f"The Hugging Face hub has no {repository} with the files that were expected.",
            help="Check the spelling; names look like organisation/model. Known short names: byline models list",
        ) from error
    except OSError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FetchError(
            f"{repository} could not be fetched from the Hugging Face hub: {reason}",
            help="Run the same command again, or name a local folder instead.",
        ) from error
