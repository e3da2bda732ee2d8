"""From a file to an `Article`. To add a format: one `read_x` function, here or in a module of its own
(`index/markdown_reader.py`, `html_reader.py`, `pdf_reader.py`, `docx_reader.py`), and a line in `READERS`."""

import hashlib
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from index.cleaning import find_boilerplate, merge_spans
from index.errors import ArticleError, BylineError
from index.metadata import Metadata, find_metadata
from index.on_demand import load_entry
from index.types import Article, Span

READERS: dict[str, str] = {
    ".txt": "index.readers:read_text",
    ".md": "index.markdown_reader:read_markdown",
    ".html": "index.html_reader:read_html",
    ".htm": "index.html_reader:read_html",
    ".mhtml": "index.html_reader:read_web_archive",
    ".mht": "index.html_reader:read_web_archive",
    ".pdf": "index.pdf_reader:read_pdf",
    ".docx": "index.docx_reader:read_docx",
}
"""File extension → "module:function" of a function that takes the bytes and the shown name and gives a
`RawArticle`."""

LARGEST_FILE = 20_000_000
"""Bytes; anything larger is hardly an article."""

_WEB_ADDRESS = re.compile(r"(?i:https?)://[^\s<>\"'`\\]+")


@dataclass(frozen=True, slots=True)
class RawArticle:
    """What a reader found in a file: the text, and what the format itself (not the prose) says about it."""

    text: str
    boilerplate: tuple[Span, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    tags: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not in the index, or not in its newest version, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Files that look like articles, each with the name to show, and those that were passed over."""

    articles: tuple[tuple[Path, str], ...]
    skipped: tuple[Skipped, ...]
    folders: tuple[Path, ...] = ()


def find_articles(paths: Iterable[Path | str]) -> FoundFiles:
    """The article files among `paths`: files as they are, folders searched through, hidden files passed over.

    A file of unknown format is reported in `skipped` if it lies in a folder; named itself it raises
    ArticleError, as does a path that does not exist. Paths come back absolute; shown are "seeds/a.txt" for
    the folder `seeds` and "folder/a.txt" for a file.
    """
    articles: dict[Path, str] = {}
    skipped: list[Skipped] = []
    folders: list[Path] = []
    for given in paths:
        path = Path(given).expanduser().resolve()
        if path.is_dir():
            folders.append(path)
            for file in _files_in(path):
                shown = "/".join(part for part in (path.name, file.relative_to(path).as_posix()) if part)
                problem = problem_with_name(file)
                if problem:
                    skipped.append(Skipped(shown.encode("utf-8", "replace").decode(), problem))
                else:
                    articles.setdefault(file, shown)
        elif path.exists():
            problem = problem_with_name(path)
            if problem:
                raise ArticleError(f"{given} cannot be read as an article: {problem}.")
            articles.setdefault(path, f"{path.parent.name}/{path.name}".lstrip("/"))
        else:
            raise ArticleError(
                f"There is no file or folder {given}.",
                help="If it was deleted, `byline index remove <name>` takes its article out of the index.",
            )
    return FoundFiles(tuple(articles.items()), tuple(skipped), tuple(folders))


def article_id(name: str) -> str:
    """The identity that follows from a name: the same on every machine. See `build` for how clashes are
    settled."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def content_hash(data: bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path, *, shown_as: str) -> bytes:
    """The bytes of an article's file; ArticleError if it is missing, unreadable or too large."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST_FILE:
                raise ArticleError(f"{shown_as} has {size:,} bytes; an article may have {LARGEST_FILE:,} at most.")
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ArticleError(f"{shown_as} cannot be read: {error.strerror or error}.") from error


def read_article(path: Path, *, shown_as: str, data: bytes | None = None) -> Article:
    """Read one file: its text as it is (newlines unified, byte order mark dropped), its boilerplate and
    metadata.

    `data` are the bytes of the file if the caller has them already. Raises ArticleError.
    """
    data = read_bytes(path, shown_as=shown_as) if data is None else data
    read = load_entry(READERS, path.suffix.lower(), kind="article format")
    try:
        raw: RawArticle = read(data, shown_as=shown_as)
    except BylineError:
        raise
    except (
        Exception
    ) as error:  # of a broken file libraries raise whatever it broke: KeyError, zlib.error, RecursionError
        reason = str(error) or type(error).__name__
        raise ArticleError(f"{shown_as} is no {path.suffix.lower()} file that can be read: {reason}.") from error
    return prepare_article(
        raw, shown_as=shown_as, location=path.absolute().as_posix(), hash_of_content=content_hash(data)
    )


def prepare_article(raw: RawArticle, *, shown_as: str, location: str, hash_of_content: str) -> Article:
    """An article of what a reader found: its boilerplate named, its metadata completed from the text."""
    boilerplate = merge_spans((*raw.boilerplate, *find_boilerplate(raw.text)))
    known = raw.metadata.or_else(find_metadata(raw.text, boilerplate))
    return Article(
        id=article_id(shown_as),
        path=shown_as,
        location=location,
        text=raw.text,
        boilerplate=boilerplate,
        title=known.title,
        source=known.source,
        author=known.author,
        date=known.date,
        url=known.url,
        content_hash=hash_of_content,
        tags=raw.tags,
        pages=raw.pages,
    )


def read_text(data: bytes, *, shown_as: str) -> RawArticle:
    """A plain text."""
    return RawArticle(decode(data, shown_as=shown_as))


def decode(data: bytes, *, shown_as: str) -> str:
    """The text of the bytes: UTF-8 if it is that, otherwise the likeliest encoding. ArticleError if it is
    no text."""
    if not data.strip():
        raise ArticleError(f"{shown_as} is empty.")
    is_utf16_or_32 = data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"\x00" in data and not is_utf16_or_32:
            raise ArticleError(f"{shown_as} is not a text file: it holds binary data.") from None
        text = _decode_by_guess(data, shown_as=shown_as)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        raise ArticleError(f"{shown_as} is not a text file: it holds binary data.")
    if not any(character.isalnum() for character in text):
        raise ArticleError(f"{shown_as} holds no words.")
    return text


def _decode_by_guess(data: bytes, *, shown_as: str) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    if best is None:
        raise ArticleError(f"{shown_as} is not a text file, or its encoding is unknown; save it as UTF-8.")
    return str(best)


def find_web_address(text: str) -> str | None:
    """The first web address in a text."""
    found = _WEB_ADDRESS.search(text)
    return found[0] if found else None


def _files_in(folder: Path) -> Iterable[Path]:
    def refuse(error: OSError) -> None:
        # Passing over it in silence would make its articles look deleted.
        raise ArticleError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not _holds_parts(name, files))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent, name)


def _holds_parts(folder: str, files: Collection[str]) -> bool:
    """Whether a browser made the folder for pictures and frames of a page that it saved beside it."""
    page = folder.removesuffix("_files")
    return page != folder and any(f"{page}{ending}" in files for ending in (".html", ".htm"))


def problem_with_name(file: Path) -> str | None:
    """Why a file of this name is no article; None if it may be one."""
    try:
        file.as_posix().encode()
    except UnicodeEncodeError:
        return "its name is not valid Unicode"
    if file.suffix.lower() not in READERS:
        return f"only {', '.join(sorted(READERS))} files are read"
    return None


def tags_of(*values: object) -> tuple[str, ...]:
    """The tags that lists, and texts with commas between them, name; each once."""
    found: dict[str, None] = {}
    for value in values:
        parts = value if isinstance(value, list) else re.split(r"[,;\n]", value) if isinstance(value, str) else ()
        for part in parts:
            if isinstance(part, str | int | float) and not isinstance(part, bool) and str(part).strip():
                found.setdefault(storable(" ".join(str(part).split())))
    return tuple(found)


def storable(text: str) -> str:
    """The text with what no file or database takes replaced: YAML can spell halves of characters."""
    return text.encode("utf-8", "replace").decode()
