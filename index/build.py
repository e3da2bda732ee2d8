"""Changing a saved index: add, replace and remove articles, so that at every moment one whole state can be
read.

The next state is made as a new generation of files beside the current one. It becomes the state when the
manifest that names it replaces the old manifest. One run at a time changes an index; others wait.

An article's id is made from its shown path ("seeds/a.txt"), so it is the same on every machine; where another
article of the index has that id already, from its location instead. An article keeps its id for as long as it
stays in the index.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import filelock

from index.embedders import Embedder
from index.errors import ArticleError, EmbedderMismatch, IndexDamaged, IndexMissing, InputError, ResourceError
from index.generation import Preparation, discard_generations, write_generation
from index.library import Library
from index.manifest import Manifest, read_manifest
from index.passages import SplitterSettings
from index.progress import Progress, silent
from index.readers import (
    READERS,
    FoundFiles,
    Skipped,
    article_id,
    content_hash,
    find_articles,
    read_article,
    read_bytes,
)
from index.types import Article

LOCK_NAME = ".lock"
_DEFAULT_SPLITTER = SplitterSettings()


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update did, as shown paths in order. `unchanged` are those whose files have the same bytes as
    before.

    `generation` is that of the index now; it is the old one if there was nothing to do.
    """

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    generation: int = 0


@dataclass(slots=True)
class _Plan:
    """What to do, as it is found out."""

    write: list[Article] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def changes(self, generation: int) -> Changes:
        return Changes(
            tuple(self.added),
            tuple(self.replaced),
            tuple(self.unchanged),
            tuple(self.removed),
            tuple(self.skipped),
            generation,
        )


def update_index(
    folder: Path,
    paths: Iterable[Path | str],
    *,
    embedder: Embedder,
    splitter: SplitterSettings = _DEFAULT_SPLITTER,
    progress: Progress = silent,
    rebuild: bool = False,
    wait_s: float = 600.0,
) -> Changes:
    """Bring the index in `folder` up to date with the articles at `paths`, files or folders; make it if there
    is none.

    New articles are added, changed ones replaced, unchanged ones left alone; what vanished from a folder in
    `paths` is removed. If nothing is to be done, nothing is written. A file that cannot be read is reported
    in `skipped`, and an earlier version of it stays. Other settings or rules of preparation than the index
    was made with renew all of it, as does `rebuild`, which also reads every known location again (where that
    is gone, the stored text stays) and takes another embedder.

    Raises ArticleError if a path does not exist or no article can be read, EmbedderMismatch, IndexDamaged
    (not with `rebuild` and `paths`), ResourceError if another run holds the index for `wait_s` seconds or the
    disk is full.
    """
    folder = Path(folder).absolute()
    found = find_articles(paths)
    with _locked(folder, progress, wait_s):
        current = _current_manifest(folder, rebuild=rebuild, may_start_anew=bool(found.articles))
        if current is None and not found.articles:
            passed = f" ({len(found.skipped)} other files were passed over)" if found.skipped else ""
            raise ArticleError(f"No articles were found: expected {', '.join(sorted(READERS))} files{passed}.")
        if current and not rebuild:
            check_embedder(current, embedder)
        preparation = Preparation(embedder, splitter)
        anew = current is not None and (rebuild or not preparation.made(current))
        plan = _make_plan(folder, current, found, anew=anew, progress=progress)
        if not (plan.added or plan.replaced or plan.unchanged or plan.removed) and plan.skipped and not anew:
            reasons = "\n".join(skipped.reason for skipped in plan.skipped[:5])
            raise ArticleError(f"None of the files could be read as an article:\n{reasons}")
        if current and not (plan.write or plan.delete or anew):
            return plan.changes(current.generation)
        manifest = write_generation(
            folder,
            current=current,
            keep_current=not anew,
            delete=plan.delete,
            add=plan.write,
            preparation=preparation,
            progress=progress,
        )
        return plan.changes(manifest.generation)


def remove_articles(
    folder: Path, names: Sequence[str], *, progress: Progress = silent, wait_s: float = 600.0
) -> Changes:
    """Take articles out of the index, each named by id, shown path, location or file name.

    Raises InputError if a name is unknown or means several articles; then nothing is removed. The articles'
    files are not touched, so updating from their folder adds them again.
    """
    folder = Path(folder).absolute()
    read_manifest(folder)
    with _locked(folder, progress, wait_s):
        current = read_manifest(folder)
        discard_generations(folder, keep=_known_generations(current))
        with closing(Library.open(folder / current.library.name)) as library:
            known = library.names()
        plan = _Plan()
        for name in dict.fromkeys(names):
            identity, path = named_article(name, known)
            if identity not in plan.delete:
                plan.delete.append(identity)
                plan.removed.append(path)
        if not plan.delete:
            return plan.changes(current.generation)
        manifest = write_generation(folder, current=current, delete=plan.delete, progress=progress)
        return plan.changes(manifest.generation)


def check_embedder(manifest: Manifest, embedder: Embedder) -> None:
    """EmbedderMismatch unless the index was made with this very embedder."""
    if (manifest.embedder, manifest.embedder_fingerprint) == (embedder.name, embedder.fingerprint):
        return
    made_with = f"{manifest.embedder} ({manifest.embedder_fingerprint[:12]})"
    asked_with = f"{embedder.name} ({embedder.fingerprint[:12]})"
    raise EmbedderMismatch(
        f"The index was made with the embedder {made_with}, but {asked_with} is in use;"
        " their vectors cannot be compared.",
        indexed_with=manifest.embedder,
        asked_with=embedder.name,
        help="`byline index add --rebuild` makes the index anew with the embedder in use.",
    )


def _current_manifest(folder: Path, *, rebuild: bool, may_start_anew: bool) -> Manifest | None:
    try:
        manifest = read_manifest(folder)
        Library.open(folder / manifest.library.name).close()
    except IndexMissing:
        return None
    except IndexDamaged as error:
        if rebuild and may_start_anew:
            return None
        if rebuild:
            raise IndexDamaged(
                f"{error.message} It no longer tells where its articles are.",
                help="`byline index add --rebuild <folders>` makes it anew from the folders of its articles.",
            ) from error
        raise
    discard_generations(folder, keep=_known_generations(manifest))
    return manifest


def _known_generations(manifest: Manifest) -> range:
    """The current one and the one before, which may still be read; all others were left by a run that did not end."""
    return range(manifest.generation - 1, manifest.generation + 1)


def _make_plan(folder: Path, current: Manifest | None, found: FoundFiles, *, anew: bool, progress: Progress) -> _Plan:
    plan = _Plan(skipped=list(found.skipped))
    stored = _stored_articles(folder, current, texts=anew)
    ids_in_use = {article.id for article in stored.values()}
    for done, (file, shown) in enumerate(found.articles):
        progress("reading articles", done, len(found.articles))
        known = stored.get(file.as_posix())
        try:
            data = read_bytes(file, shown_as=shown)
            same = known is not None and content_hash(data) == known.content_hash
            if same and not anew:
                plan.unchanged.append(shown)
                continue
            article = read_article(file, shown_as=shown, data=data)
        except ArticleError as error:
            plan.skipped.append(Skipped(shown, error.message + (" Its earlier version is kept." if known else "")))
            if known and anew:
                plan.write.append(known)
            continue
        if known is None:
            article = replace(article, id=_free_id(article, ids_in_use))
            ids_in_use.add(article.id)
            plan.added.append(shown)
        else:
            article = replace(article, id=known.id, path=known.path)
            (plan.unchanged if same else plan.replaced).append(shown)
            plan.delete.append(known.id)
        plan.write.append(article)
    progress("reading articles", len(found.articles), len(found.articles))
    _plan_the_rest(plan, stored, found, anew=anew)
    return plan


def _plan_the_rest(plan: _Plan, stored: dict[str, Article], found: FoundFiles, *, anew: bool) -> None:
    """Articles that are in the index but were not among the files found now."""
    seen = {file.as_posix() for file, _ in found.articles}
    for location, known in stored.items():
        if location in seen:
            continue
        if any(Path(location).is_relative_to(folder) for folder in found.folders):
            plan.delete.append(known.id)
            plan.removed.append(known.path)
        elif anew:
            try:
                article = replace(read_article(Path(location), shown_as=known.path), id=known.id)
            except ArticleError:
                article = known  # its source is gone; the text is not
            plan.write.append(article)
            (plan.unchanged if article.content_hash == known.content_hash else plan.replaced).append(known.path)


def _stored_articles(folder: Path, current: Manifest | None, *, texts: bool) -> dict[str, Article]:
    """Location → article of the current generation; without `texts`, only id, path, location and hash are
    filled."""
    if current is None:
        return {}
    with closing(Library.open(folder / current.library.name)) as library:
        if texts:
            return {article.location: article for article in library.articles()}
        return {
            location: Article(identity, path, location, "", content_hash=current.articles.get(location, ""))
            for identity, path, location in library.names()
        }


def _free_id(article: Article, ids_in_use: set[str]) -> str:
    name = article.path
    while article_id(name) in ids_in_use:
        name = article.location if name == article.path else f"{name} "
    return article_id(name)


def named_article(name: str, known: Sequence[tuple[str, str, str]]) -> tuple[str, str]:
    """Id and shown path of the article that people mean by an id, path, file name or location; `known` as from
    `Library.names`. Raises InputError if it is none or several."""
    location = Path(name).expanduser().absolute().as_posix()
    for matches in (
        [row for row in known if name == row[0]],
        [row for row in known if name == row[1]],
        [row for row in known if name == row[2] or location == row[2]],
        [row for row in known if name == row[1].rsplit("/", 1)[-1]],
    ):
        if len(matches) == 1:
            return matches[0][0], matches[0][1]
        if matches:
            paths = ", ".join(row[1] for row in matches)
            raise InputError(f"{name} means several articles: {paths}.", help="Name one of them by its full path.")
    raise InputError(f"No article of the index is called {name}.", help="`byline index status` lists them.")


@contextmanager
def _locked(folder: Path, progress: Progress, wait_s: float) -> Iterator[None]:
    """Alone with the index: other runs that would change it wait."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK_NAME)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            progress("waiting for another run that changes this index", 0, 0)
            lock.acquire(timeout=wait_s)
    except filelock.Timeout:
        raise ResourceError(
            f"Another run has been changing the index at {folder} for more than {wait_s:.0f} s.",
            help="Wait until it is done, or stop it, and try again.",
        ) from None
    except OSError as error:
        raise ResourceError(f"The index folder {folder} cannot be written: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()
