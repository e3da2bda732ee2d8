"""Files into articles."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.errors import ArticleError
from index.readers import LARGEST_FILE, Skipped, article_id, content_hash, find_articles, read_article
from index.types import Span


def write(folder: Path, name: str, data: bytes | str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def test_the_text_of_a_seed_is_the_file_as_python_reads_it(seeds):
    for file in sorted(seeds.glob("*.txt")):
        article = read_article(file, shown_as=f"seeds/{file.name}")
        assert article.text == file.read_text(encoding="utf-8")
        assert article.path == f"seeds/{file.name}"
        assert article.location == file.as_posix()
        assert article.content_hash == content_hash(file.read_bytes())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfHarbour reopens.\r\nBoats left.\rMore.", "Harbour reopens.\nBoats left.\nMore."),
        ("\ufeffHarbour".encode("utf-16-le"), "Harbour"),
        ("Hafen geöffnet, sagt die Bürgermeisterin. Für die Fischer ist es höchste Zeit.".encode("cp1252"), None),
        ("a\u200bb\u0007c  \n\n  d", "a\u200bb\u0007c  \n\n  d"),
    ],
)
def test_decoding(tmp_path, data, text):
    file = write(tmp_path, "a.txt", data)
    expected = text if text is not None else data.decode("cp1252")
    assert read_article(file, shown_as="a.txt").text == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "a.txt is empty."),
        (b" \n\t ", "a.txt is empty."),
        (b"ab\x00cd", "a.txt is not a text file: it holds binary data."),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe", "a.txt is not a text file: it holds binary data."),
        (b"--- *** ---", "a.txt holds no words."),
        (b"x" * (LARGEST_FILE + 1), "a.txt has 20,000,001 bytes; an article may have 20,000,000 at most."),
    ],
)
def test_files_that_are_no_articles(tmp_path, data, reason):
    with pytest.raises(ArticleError) as caught:
        read_article(write(tmp_path, "a.txt", data), shown_as="a.txt")
    assert caught.value.message == reason


def test_a_missing_file(tmp_path):
    with pytest.raises(ArticleError, match=r"a\.txt cannot be read: No such file or directory"):
        read_article(tmp_path / "a.txt", shown_as="a.txt")


def test_markdown_front_matter_is_metadata_and_no_text_to_search(tmp_path):
    front = "---\ntitle: 'Harbour: open'\npublisher: Town Gazette\nauthor: [Ana Silva, Bo Li]\ndate: 2020-05-17\n"
    front += "url: https://example.org/a\n---\n"
    article = read_article(write(tmp_path, "a.md", front + "\n# Another *heading*\n\nBoats left."), shown_as="a.md")
    assert article.boilerplate == (Span(0, len(front)),)
    assert (article.title, article.source, article.author) == ("Harbour: open", "Town Gazette", "Ana Silva and Bo Li")
    assert (article.date, article.url) == ("2020-05-17", "https://example.org/a")


def test_markdown_without_front_matter(tmp_path):
    article = read_article(
        write(tmp_path, "a.md", "Intro line.\n\n# The *open* harbour #\n\nBoats left."), shown_as="a.md"
    )
    assert (article.title, article.boilerplate, article.date) == ("The open harbour", (), None)


def test_rules_in_markdown_are_not_front_matter(tmp_path):
    text = "---\nBoats left: early: and late\n---\n\nThe harbour is open."
    article = read_article(write(tmp_path, "a.md", text), shown_as="a.md")
    assert article.boilerplate == ()


def test_finding_articles_in_folders_and_files(tmp_path):
    corpus = tmp_path / "corpus"
    for name in ("b.txt", "a.MD", "deep/er/c.txt", ".hidden.txt", ".git/d.txt", "photo.jpg"):
        write(corpus, name, "Harbour.")
    found = find_articles([corpus, corpus / "b.txt"])
    assert found.articles == (
        (corpus / "a.MD", "corpus/a.MD"),
        (corpus / "b.txt", "corpus/b.txt"),
        (corpus / "deep" / "er" / "c.txt", "corpus/deep/er/c.txt"),
    )
    assert found.skipped == (
        Skipped("corpus/photo.jpg", "only .docx, .htm, .html, .md, .mht, .mhtml, .pdf, .txt files are read"),
    )
    assert find_articles([corpus / "deep" / "er" / "c.txt"]).articles == ((corpus / "deep/er/c.txt", "er/c.txt"),)


def test_what_is_named_must_be_there_and_readable(tmp_path):
    with pytest.raises(ArticleError, match=r"only \.docx, .*\.txt files are read"):
        find_articles([write(tmp_path, "photo.jpg", "x")])
    with pytest.raises(ArticleError, match="There is no file or folder") as caught:
        find_articles([tmp_path / "nowhere"])
    assert "byline index remove" in str(caught.value)


@contextmanager
def without_root() -> Iterator[None]:
    """Root may read everything, so root becomes nobody for a while."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


def test_a_folder_that_cannot_be_read_is_not_an_empty_one():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nobody must get as far as the closed folder
        closed = Path(folder) / "corpus" / "closed"
        write(closed, "a.txt", "Harbour.")
        closed.chmod(0)
        try:
            with without_root(), pytest.raises(ArticleError, match="cannot be read: Permission denied"):
                find_articles([Path(folder) / "corpus"])
        finally:
            closed.chmod(0o700)


def test_ids_follow_from_the_shown_path_alone():
    assert article_id("seeds/003_61a9a8bb3076d462.txt") == "675b7e61d385"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("HTTP://example.org", "HTTP://example.org"),
        ("javascript:alert(1)", None),
        ("data:text/html,<b>", None),
        ("file:///etc/passwd", None),
        ("//example.org", None),
        ("https://example.org/<script>", None),
        ("https://example.org/ two", None),
    ],
)
def test_only_a_web_address_is_the_address_of_an_article(tmp_path, written, kept):
    file = tmp_path / "a.md"
    file.write_text(f"---\nurl: {json.dumps(written)}\n---\n\nThe harbour reopened on Monday.", encoding="utf-8")
    assert read_article(file, shown_as="a.md").url == kept


def test_titles_of_any_length_and_with_anything_hidden_become_one_short_line(tmp_path):
    file = tmp_path / "a.md"
    title = "Har\u200bbour\n\treopens\u202e " + "x" * 5_000
    file.write_text(f"---\ntitle: {json.dumps(title)}\n---\n\nThe harbour reopened.", encoding="utf-8")
    assert read_article(file, shown_as="a.md").title == "Harbour reopens " + "x" * (1_000 - len("Harbour reopens "))
