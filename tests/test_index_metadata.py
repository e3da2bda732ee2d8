"""Title, publisher, author and date: found where they are stated, and nowhere else."""

import pytest

from index.dates import to_iso
from index.metadata import Metadata, find_metadata, names_after_by
from index.readers import read_article

BODY = "The harbour reopened on Monday, July 1, 2019, after repairs. Fishing boats left at dawn, said the mayor."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("000_09326a6efd6d9981.txt", Metadata(source="Daily Times", date="2018-07-19")),
        (
            "001_7532c4fe6b1c635d.txt",
            Metadata(title="Alibaba Group Holding Ltd (BABA) Taps The Economic Potential Of Xinjiang"),
        ),
        (
            "002_f785394802d1e589.txt",
            Metadata(title="Alibaba $100 billion stock rally fueled by AI, Jack Ma return", source="CNBC"),
        ),
        (
            "003_61a9a8bb3076d462.txt",
            Metadata(title="Jack Ma’s New Global Trade Dream: empowering SMEs!", author="Judy Wei"),
        ),
    ],
)
def test_seeds(seeds, name, expected):
    article = read_article(seeds / name, shown_as=name)
    assert Metadata(article.title, article.source, article.author, article.date, article.url) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Published on July 19, 2018", "2018-07-19"),
        ("Published: 19 July 2018, 3:50 PM", "2018-07-19"),
        ("Posted on Thursday, July 19th, 2018 at 10:00", "2018-07-19"),
        ("Updated on Sept. 3, 2018", "2018-09-03"),
        ("July 19, 2018", "2018-07-19"),
        ("Thu, 19 Jul 2018 10:30 GMT", "2018-07-19"),
        ("19th of July 2018", "2018-07-19"),
        ("2018-07-19", "2018-07-19"),
        ("2018-07-19T10:30:00Z", "2018-07-19"),
        ("Date: 2018/7/19", "2018-07-19"),
        ("July 2018", "2018-07"),
        ("31.12.2018", "2018-12-31"),
        ("12/31/2018", "2018-12-31"),
        ("03/04/2018", "2018"),
        ("By Ana Silva | July 19, 2018", "2018-07-19"),
        ("February 30, 2018", None),
        ("Updated on", None),
        ("Updated on Thursday", None),
        ("The bank failed on July 19, 2018.", None),
        ("On July 19, 2018 the bank failed in Porto Claro", None),
        ("July 19, 2018 was the day on which the bank failed", None),
    ],
)
def test_dates(line, expected):
    assert find_metadata(f"Harbour reopens after storm\n\n{line}\n\n{BODY}").date == expected


def test_the_published_date_is_taken_before_the_updated_one():
    text = f"Harbour reopens after storm\n\nUpdated on July 21, 2018\nPublished on July 19, 2018\n\n{BODY}"
    assert find_metadata(text).date == "2018-07-19"


def test_the_date_of_a_photo_is_not_the_date_of_the_article(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(
        f"Harbour reopens after storm\n\nThe harbour on Aug. 28, 2024.\n\nAFP | Getty Images\n\n{BODY}",
        encoding="utf-8",
    )
    assert read_article(file, shown_as="a.txt").date is None


@pytest.mark.parametrize(
    ("foot", "source", "date"),
    [
        ("Published in Daily Times, July 19th 2018.", "Daily Times", "2018-07-19"),
        ("The writer studies energy Published in Daily Times, July 19th 2018.", "Daily Times", "2018-07-19"),
        ("Published in The Town Gazette on 3 March 2020", "The Town Gazette", "2020-03-03"),
        ("Published in the Town Gazette.", "Town Gazette", None),
        ("This article was originally published in Daily Times.", "Daily Times", None),
        ("Originally published by Daily Times, July 2018", "Daily Times", "2018-07"),
        ("The study was published in Nature, July 19th 2018.", None, None),
        ("A list Published in China", None, None),
        ("Published on July 19, 2018", None, "2018-07-19"),
    ],
)
def test_publishers(foot, source, date):
    found = find_metadata(f"Harbour reopens after storm\n\n{BODY}\n\n{foot}")
    assert (found.source, found.date) == (source, date)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Good,” the mayor told CNBC. CNBC spoke to fishermen as well.", "CNBC"),
        (
            "The mayor told the Town Gazette. He did not respond to the Town Gazette’s request for comment.",
            "Town Gazette",
        ),
        ("The mayor told Town Gazette. The bank did not reply to Town Gazette.", "Town Gazette"),
        ("The mayor told CNBC. Reuters spoke to fishermen.", None),
        ("The mayor told Reuters that CNBC spoke to fishermen.", None),
        ("Lee told Jack Ma. Jack Ma spoke to fishermen.", None),
        ("He told the SEC. The SEC spoke to fishermen.", None),
    ],
)
def test_an_own_newsroom_needs_both_signs(text, expected):
    assert find_metadata(f"Harbour reopens after storm\n\n{text}").source == expected


def test_a_news_agency_in_the_dateline():
    found = find_metadata("Harbour reopens after storm\n\nPORTO CLARO, July 1 (Reuters) - The harbour reopened.")
    assert (found.source, found.date) == ("Reuters", None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("By Judy Wei", "Judy Wei"),
        ("BY JUDY WEI", "Judy Wei"),
        ("Written by Ana de Silva", "Ana de Silva"),
        ("By Judy Wei and Ana Silva", "Judy Wei and Ana Silva"),
        ("By Judy Wei, Managing Director Asia", "Judy Wei"),
        ("By J. K. Wei | July 19, 2018", "J. K. Wei"),
        ("By Jean-Luc O'Neill", "Jean-Luc O'Neill"),
        ("By Zoë Müller", "Zoë Müller"),
        ("By 2035", None),
        ("By Wednesday Morning", None),
        ("By then", None),
        ("By Judy", None),
        ("By Judy Wei walked the dog", None),
        ("By the harbour", None),
        ("By contrast, Porto Claro has grown.", None),
    ],
)
def test_names_after_by(line, expected):
    assert names_after_by(line) == expected


def test_an_author_is_found_at_head_or_foot_and_the_role_below_is_no_name():
    assert find_metadata(f"Harbour reopens after storm\n\nBy Ana Silva\n\n{BODY}").author == "Ana Silva"
    assert find_metadata(f"Harbour reopens\n\n{BODY}\n\nBy Ana Silva\nManaging Director Asia").author == "Ana Silva"
    middle = "\n\n".join([BODY] * 12 + ["By Ana Silva"] + [BODY] * 8)
    assert find_metadata(f"Harbour reopens after storm\n\n{middle}").author is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Harbour reopens after storm\n\n{BODY}", "Harbour reopens after storm"),
        (f"{BODY}\n\nHarbour reopens\n\n{BODY}", "Harbour reopens"),
        (f"{BODY}\n\n{BODY}\n\nHarbour reopens\n\n{BODY}", None),
        (BODY, None),
        (f"By Ana Silva\n\nHarbour reopens\n\n{BODY}", "Harbour reopens"),
        (f"July 19, 2018\n\nHarbour reopens\n\n{BODY}", "Harbour reopens"),
        (f"Is the harbour open?\n\n{BODY}", "Is the harbour open?"),
        (f"  Harbour\u200b reopens\u00a0after   storm \n\n{BODY}", "Harbour reopens after storm"),
    ],
)
def test_titles(text, expected):
    assert find_metadata(text).title == expected


def test_labelled_lines():
    text = f"Title: Harbour reopens\nSource: Town Gazette\nAuthor: Ana Silva\nURL: https://example.org/a?b=1\n\n{BODY}"
    assert find_metadata(text) == Metadata(
        "Harbour reopens", "Town Gazette", "Ana Silva", None, "https://example.org/a?b=1"
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [("Sept 3, 2018", "2018-09-03"), ("May 2018", "2018-05"), ("2018-13-01", None), ("05/05/2018", "2018-05-05")],
)
def test_to_iso(found, expected):
    assert to_iso(found) == expected
