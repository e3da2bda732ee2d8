"""Articles that are dropped on the page: kept beside the index, brought into it, and taken out again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from index.build import Changes
from index.errors import InputError
from index.readers import Skipped, problem_with_name, read_bytes
from index.types import Article
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


def was_dropped(article: Article, folder: Path) -> bool:
    """Whether an article was given to the page, which alone may be taken out in the page."""
    return Path(article.location).parent == folder.resolve()


def remove_dropped(chatbot: ChatbotLike, article: Article, *, folder: Path) -> Changes:
    """Take such an article out of the index, and delete its copy. Raises InputError for any other, and what
    `index.build.remove_articles` raises; then nothing is lost."""
    if not was_dropped(article, folder):
        raise InputError(
            f"{article.path} was not added in the page, and is not removed in it.",
            help=f'byline index remove "{article.path}"',
        )
    changes = chatbot.remove_articles([article.id])
    with disk_errors("removing the article"):
        Path(article.location).unlink(missing_ok=True)
    return changes


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
        *(f"Removed: {name.rpartition('/')[2]}" for name in changes.removed),
        *(f"There already: {name.rpartition('/')[2]}" for name in changes.unchanged),
        *(f"Not added: {skipped.reason}" for skipped in changes.skipped),
    )
