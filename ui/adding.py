"""Articles that are dropped on the page: kept beside the index, and brought into it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from index.build import Changes
from index.readers import Skipped, problem_with_name, read_bytes
from index.weights.disk import disk_errors
from ui.protocol import ChatbotLike


def add_dropped(chatbot: ChatbotLike, files: Sequence[Path], *, folder: Path) -> Changes:
    """Copy the files to `folder`, since a browser's are gone soon, and bring the copies into the index. Files of other
    kinds are skipped.

    Raises what `index.build.update_index` raises; copies that are in no index then are removed again.
    """
    before = set(folder.iterdir()) if folder.is_dir() else set()
    problems = {file: problem_with_name(file) for file in files}
    others = tuple(Skipped(file.name, f"{file.name}: {problem}") for file, problem in problems.items() if problem)
    with disk_errors("keeping the articles"):
        kept = [_kept(file, folder) for file, problem in problems.items() if problem is None]
    if not kept:
        return Changes(skipped=others)
    try:
        changes = chatbot.add_articles(kept)
    except BaseException:
        _remove(set(kept) - before)
        raise
    refused = {skipped.path for skipped in changes.skipped}
    _remove({file for file in kept if f"{folder.name}/{file.name}" in refused} - before)
    return replace(changes, skipped=(*changes.skipped, *others))


def _kept(file: Path, folder: Path) -> Path:
    """A copy under the file's own name, with a number if something else has that name; the one there is if it is the
    same."""
    data = read_bytes(file, shown_as=file.name)
    folder.mkdir(parents=True, exist_ok=True)
    number, copy = 1, folder / file.name
    while copy.exists():
        if copy.read_bytes() == data:
            return copy
        number += 1
        copy = folder / f"{file.stem} ({number}){file.suffix}"
    copy.write_bytes(data)
    return copy


def _remove(files: set[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def told(changes: Changes) -> tuple[str, ...]:
    """What was done, a line each."""
    return (
        *(f"Added: {name.rpartition('/')[2]}" for name in (*changes.added, *changes.replaced)),
        *(f"There already: {name.rpartition('/')[2]}" for name in changes.unchanged),
        *(f"Not added: {skipped.reason}" for skipped in changes.skipped),
    )
