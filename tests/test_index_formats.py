"""Web pages, PDF and Word documents into articles."""

import io

import pytest

from index.errors import ArticleError
from index.readers import find_articles, read_article
from index.types import Span

PARAGRAPHS = (
    "The harbour of Porto Claro reopened on Monday after six weeks of repairs, and the first boats left before dawn.",
    "Repairs cost 12 million euros, said the mayor, Rita Sol, who cut a ribbon of blue silk at its gate.",
    "Fishers complained about the noise of the machines, which had worked through the nights of two weeks.",
)
HEAD = """<head><title>Harbour reopens | Town Gazette</title>
<meta property="og:title" content="Harbour reopens"><meta property="og:site_name" content="Town Gazette">
<meta name="author" content="Ana Silva"><meta property="article:published_time" content="2020-05-17T08:00:00Z">
<meta name="keywords" content="harbour, Porto Claro"><link rel="canonical" href="https://example.org/harbour"></head>"""
PAGE = f"""<!DOCTYPE html><html lang="en">{HEAD}<body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li></ul></nav>
<article><h1>Harbour reopens</h1>{"".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)}
<script>alert("no")</script></article>
<section class="comments" id="comments"><p>What a lovely harbour this is, writes a reader.</p></section>
<footer><p>Copyright Town Gazette. All rights reserved. Cookies.</p></footer></body></html>"""
A4 = (8.27, 11.69)  # inches


def write(folder, name, data):
    file = folder / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def read(folder, name, data):
    return read_article(write(folder, name, data), shown_as=name)


def pdf(*pages, title=None):
    """A PDF of pages of (across, up, points, text), measured from the lower left corner in parts of the page."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    made = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(made, metadata={"Title": title}) as file:
        for page in pages:
            figure = Figure(figsize=A4)
            for across, up, points, text in page:
                figure.text(across, up, text, fontsize=points)
            file.savefig(figure)
    return made.getvalue()


def lines(*texts, across=0.1, top=0.8):
    """Lines below each other, as close as those of a paragraph."""
    return [(across, top - 0.016 * place, 10, text) for place, text in enumerate(texts)]


@pytest.mark.parametrize("name", ["a.html", "a.HTM"])
def test_of_a_web_page_the_article_is_read_and_what_it_says_of_itself(tmp_path, name):
    article = read(tmp_path, name, PAGE)
    assert article.text == "\n\n".join(("Harbour reopens", *PARAGRAPHS))
    assert (article.title, article.source, article.author) == ("Harbour reopens", "Town Gazette", "Ana Silva")
    assert (article.date, article.url) == ("2020-05-17", "https://example.org/harbour")
    assert article.tags == ("harbour", "Porto Claro")


def test_lines_of_the_source_are_no_lines_of_the_article_and_breaks_are(tmp_path):
    page = PAGE.replace(" and the first boats", "\n   and the\tfirst boats").replace(
        "said the mayor", "said<br>the mayor"
    )
    text = read(tmp_path, "a.html", page).text
    assert text.split("\n\n")[1] == PARAGRAPHS[0]
    assert text.split("\n\n")[2:4] == PARAGRAPHS[1].replace("said ", "said|").split("|")


def test_a_date_that_a_page_does_not_state_is_not_guessed(tmp_path):
    page = PAGE.replace('<meta property="article:published_time" content="2020-05-17T08:00:00Z">', "")
    assert read(tmp_path, "a.html", page.replace("Copyright", "Copyright 2019")).date is None


@pytest.mark.parametrize("page", ["<html><body><nav><a href='/'>Home</a></nav></body></html>", "<html></html>"])
def test_a_page_without_an_article(tmp_path, page):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.html", page)
    assert caught.value.message == "a.html holds nothing that looks like an article."
    assert caught.value.help == "Copy what you want to ask about into a .txt file."


def test_a_page_saved_in_one_file(tmp_path):
    page = PAGE.replace('<link rel="canonical" href="https://example.org/harbour">', "").replace("=", "=3D")
    archive = (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/saved\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related; type="text/html"; boundary="----b"\r\n\r\n------b\r\n'
        "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"{page}\r\n------b\r\nContent-Type: image/png\r\n\r\nxx\r\n------b--\r\n"
    )
    article = read(tmp_path, "a.mhtml", archive)
    assert article.text == "\n\n".join(("Harbour reopens", *PARAGRAPHS))
    assert (article.url, article.date) == ("https://example.org/saved", "2020-05-17")
    with pytest.raises(ArticleError, match=r"b\.mht holds no web page\."):
        read(tmp_path, "b.mht", "Subject: hello\r\n\r\nNo page here.")


def test_what_a_browser_saves_beside_a_page_is_no_article(tmp_path):
    write(tmp_path, "harbour.html", PAGE)
    for folder in ("harbour_files", "other_files"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "frame.html", PAGE)
    found = find_articles([tmp_path])
    assert [shown for _, shown in found.articles] == [
        f"{tmp_path.name}/harbour.html",
        f"{tmp_path.name}/other_files/frame.html",
    ]


def test_lines_of_a_pdf_become_paragraphs_and_what_every_page_repeats_stands_at_the_end(tmp_path):
    head, foot = (0.1, 0.96, 8, "Town Gazette"), "https://example.org/harbour"
    first = [
        head,
        (0.1, 0.86, 20, "Harbour reopens"),
        *lines("The harbour of Porto Claro re-", "opened on Monday. It was a well-", "known place.", top=0.8),
        *lines("Well-known boats left, and the", "mayor spoke of a great develop-", top=0.7),
        (0.1, 0.03, 8, foot),
        (0.8, 0.03, 8, "1/2"),
    ]
    second = [
        head,
        *lines("ment for all.", "Repairs cost 12 million euros."),
        (0.1, 0.03, 8, foot),
        (0.8, 0.03, 8, "2/2"),
    ]
    article = read(tmp_path, "a.pdf", pdf(first, second, title="harbour final v2.doc"))
    body = (
        "Harbour reopens\n\nThe harbour of Porto Claro reopened on Monday. It was a well-known place.\n\n"
        "Well-known boats left, and the mayor spoke of a great development for all. Repairs cost 12 million euros."
    )
    assert article.text[: len(body)] == body
    assert article.boilerplate[-1] == Span(len(body), len(article.text))
    assert sorted(article.text[len(body) :].split("\n")[2:]) == ["1/2", "2/2", "Town Gazette", foot]
    assert (article.title, article.url) == ("Harbour reopens", foot)
    # The second page begins within a word.
    assert article.pages == (0, body.index("ment for all"))
    assert [article.page_at(body.index(words)) for words in ("Harbour", "Well-known", "ment for", "Repairs")] == [
        1, 1, 2, 2,
    ]  # fmt: skip


def test_pages_without_text_are_counted(tmp_path):
    picture: list = []
    text = [lines("The harbour reopened."), picture, lines("Repairs cost 12 million euros."), picture]
    article = read(tmp_path, "a.pdf", pdf(picture, *text))
    assert article.text == "The harbour reopened.\n\nRepairs cost 12 million euros."
    cost = article.text.index("Repairs")
    assert article.pages == (0, 0, cost, cost, len(article.text))
    assert (article.page_at(0), article.page_at(cost - 1), article.page_at(cost)) == (2, 2, 4)


def test_a_text_has_no_pages(tmp_path):
    assert read(tmp_path, "a.txt", "The harbour reopened.").page_at(3) is None


def test_columns_are_read_one_after_the_other(tmp_path):
    left = lines("The harbour of Porto Claro", "reopened on Monday after", "six weeks of repairs.")
    right = lines("Repairs cost 12 million", "euros, said the mayor,", "Rita Sol, at the gate.", across=0.55)
    article = read(tmp_path, "a.pdf", pdf([*left, *right]))
    assert article.text == (
        "The harbour of Porto Claro reopened on Monday after six weeks of repairs.\n\n"
        "Repairs cost 12 million euros, said the mayor, Rita Sol, at the gate."
    )
    assert article.title is None


def test_the_name_of_a_pdf_counts_where_its_pages_say_it_too(tmp_path):
    page = lines("Harbour reopens", "The boats of Porto Claro left on Monday.")
    assert read(tmp_path, "a.pdf", pdf(page, title="Harbour Reopens")).title == "Harbour Reopens"
    assert read(tmp_path, "a.pdf", pdf(page, title="Layout 1")).title is None


LOCKED = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj
3 0 obj<</Filter/Standard/V 1/R 2/P -4/O(01234567890123456789012345678901)/U(01234567890123456789012345678901)>>endobj
trailer<</Root 1 0 R/Encrypt 3 0 R/ID[(0123456789012345)(0123456789012345)]>>
%%EOF"""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf([]), "a.pdf holds no text, only pictures of it."),
        (LOCKED, "a.pdf opens with a password only; save it without one."),
        (b"%PDF-1.4\nnothing", "a.pdf is no .pdf file that can be read: "),
        (b"no PDF at all", "a.pdf is no .pdf file that can be read: "),
        (pdf(lines("The harbour reopened."))[:-900], "a.pdf is no .pdf file that can be read: "),
    ],
)
def test_pdfs_that_are_no_articles(tmp_path, data, reason):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.pdf", data)
    assert caught.value.message.startswith(reason)


def document(fill):
    import docx

    made, written = io.BytesIO(), docx.Document()
    fill(written)
    written.save(made)
    return made.getvalue()


def test_a_word_document_is_read_with_its_tables_in_their_places(tmp_path):
    def fill(written):
        written.core_properties.title, written.core_properties.author = "draft 3", "Somebody Else"
        written.add_heading("Harbour reopens", level=0)
        written.add_paragraph(PARAGRAPHS[0])
        table = written.add_table(rows=2, cols=2)
        for row, cells in zip(table.rows, (("Repairs", "12 million"), ("Silk", "")), strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
        written.add_paragraph(PARAGRAPHS[2])

    article = read(tmp_path, "a.docx", document(fill))
    assert article.text == "\n\n".join(
        ("Harbour reopens", PARAGRAPHS[0], "Repairs | 12 million", "Silk", PARAGRAPHS[2])
    )
    assert (article.title, article.author) == ("Harbour reopens", None)


def test_a_word_document_without_a_styled_title_has_the_one_of_its_properties(tmp_path):
    def fill(written):
        written.core_properties.title = "Harbour reopens"
        written.add_paragraph(PARAGRAPHS[0])

    assert read(tmp_path, "a.docx", document(fill)).title == "Harbour reopens"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xd0\xcf\x11\xe0 an old document", "a.docx is no Word document that can be read: "),
        (document(lambda written: None)[:-50], "a.docx is no Word document that can be read: "),
        (document(lambda written: None), "a.docx holds no words."),
    ],
)
def test_word_documents_that_are_no_articles(tmp_path, data, reason):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.docx", data)
    assert caught.value.message.startswith(reason)


@pytest.mark.parametrize("name", ["a.html", "a.mhtml", "a.pdf", "a.docx"])
def test_whatever_a_broken_file_breaks_is_an_error_that_names_it(tmp_path, name):
    import random

    whole = {"a.html": PAGE.encode(), "a.mhtml": b"Content-Type: text/html\r\n\r\n" + PAGE.encode()}
    whole["a.pdf"] = pdf(lines(*PARAGRAPHS))
    whole["a.docx"] = document(lambda written: written.add_paragraph(PARAGRAPHS[0]))
    chance, refusals = random.Random(7), []
    for _ in range(60):
        data = bytearray(whole[name])
        for _ in range(chance.choice((1, 5, 40))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        start = chance.randrange(len(data))
        del data[start : start + chance.choice((0, 0, 3, 300))]
        try:
            assert read(tmp_path, name, bytes(data)).text.strip()
        except ArticleError as error:
            refusals.append(error.message)
    assert all(message.startswith(name) for message in refusals)


def test_a_page_nested_without_end_is_read_or_named(tmp_path):
    with pytest.raises(ArticleError, match=r"^a\.html "):
        read(tmp_path, "a.html", "<div>" * 20_000 + "Boats." + "</div>" * 20_000)


def test_a_document_that_unpacks_to_far_more_than_it_is(tmp_path):
    import zipfile

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("word/document.xml", b"\0" * 200_000_001)
    with pytest.raises(ArticleError, match=r"a\.docx unpacks to 200,000,001 bytes; a document may have 200,000,000"):
        read(tmp_path, "a.docx", bomb.getvalue())
