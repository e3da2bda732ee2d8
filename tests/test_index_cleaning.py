"""What is left out of an article, and, more important, what is not."""

import pytest

from index.cleaning import find_boilerplate, merge_spans
from index.readers import read_article
from index.types import Span


def masked(text):
    return [text[start:end] for start, end in find_boilerplate(text)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("000_09326a6efd6d9981.txt", []),
        ("001_7532c4fe6b1c635d.txt", ["Updated on", "Leave a Comment"]),
        (
            "002_f785394802d1e589.txt",
            [
                "Finance News",
                "CFOTO | Future Publishing | Getty Images",
                "Costfoto | Future Publishing | Getty Images",
                "Read More: Alibaba $100 billion stock rally fueled by AI, Jack Ma return",
                "This website uses cookies to improve your experience. We'll assume you're ok with this, but you can "
                "opt-out if you wish. Accept Read More",
            ],
        ),
        ("003_61a9a8bb3076d462.txt", []),
    ],
)
def test_seeds(seeds, name, expected):
    article = read_article(seeds / name, shown_as=name)
    assert [article.text[start:end] for start, end in article.boilerplate] == expected


@pytest.mark.parametrize(
    "line",
    [
        "Leave a reply",
        "LEAVE A COMMENT",
        "12 Comments",
        "Read more",
        "Read more: Why the harbour closed",
        "Also read | Storm hits the coast",
        "ALSO READ: Storm hits the coast",
        "Read More »",
        "Related Articles",
        "Related: Storm hits the coast",
        "Continue reading…",
        "Advertisement",
        "- Advertisement -",
        "Story continues below advertisement",
        "Sponsored content",
        "Share this article",
        "Share",
        "Facebook Twitter LinkedIn Email",
        "Facebook | Twitter | WhatsApp",
        "Sign up for our daily newsletter.",
        "Subscribe",
        "Subscribe to our newsletter to get the latest news in your inbox",
        "Follow us on Twitter and Facebook",
        "Follow @townpaper",
        "© 2018 Town Gazette. All rights reserved.",
        "All Rights Reserved",
        "Copyright 2020 Town Gazette",
        "Updated on",
        "Published:",
        "3 min read",
        "Tags: harbour, storm",
        "Home > News > Business",
        "We use cookies to give you the best experience. By continuing you accept our cookie policy.",
        "Accept all cookies",
        "Accept Read More",
        "Photo: Reuters",
        "Image credit: Town Archive",
        "Photo by Ana Silva on Unsplash",
        "Getty Images",
        "Ana Silva | AFP | Getty Images",
        "REUTERS/Ana Silva",
        "AFP via Getty Images",
        "(Photo: Ana Silva/Xinhua)",
        "![harbour](harbour.jpg)",
        "Ad\u200bvertise\u200bment",
        "Read\u00a0more",
    ],
)
def test_lines_that_are_not_article(line):
    text = f"Harbour reopens after storm\n\nThe harbour reopened on Monday, the mayor said.\n\n{line}\n\nBoats left."
    assert masked(text) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "Read more than one book a month, he advised.",
        "Readers said they would share the cost.",
        "Share prices fell.",
        "Share buybacks rise to record",
        "Shares of the company fell 5%.",
        "Watch-makers rallied on Monday.",
        "Related-party deals were disclosed.",
        "“We use cookies to see what people buy,” the company said.",
        "The regulator said that this website uses cookies without consent.",
        "Subscribers grew to 12 million.",
        "Sign language is taught there.",
        "Comments by Ma had angered the regulator.",
        "Follow-up talks are planned.",
        "Advertisement sales rose by a third in 2018.",
        "Published in Daily Times, July 19th 2018.",
        "Updated on July 19, 2018",
        "By Judy Wei",
        "Photographs were taken of the site.",
        "Getty Images said its revenue rose.",
        "Reuters reported the talks first.",
        "Accept the offer or lose it, he said.",
        "Credit Suisse cut its rating.",
        "Copyright law is changing in Europe.",
        "Home sales fell in March.",
        "Trending products include lamps.",
        "News Corp rose.",
        "Print media lost readers.",
    ],
)
def test_lines_that_are_article(line):
    text = f"Harbour reopens after storm\n\nThe harbour reopened on Monday, the mayor said.\n\n{line}\n\nBoats left."
    assert masked(text) == []


@pytest.mark.parametrize(
    "above",
    ["Mayor Ana Silva.", "The harbour of Porto Claro, on March 3, 2021.", "A file photo of the harbour", "He left."],
)
def test_a_caption_is_article_and_the_credit_below_it_is_not(above):
    text = f"Harbour reopens after storm\n\nFirst paragraph.\n\n{above}\n\nAna Silva | AFP | Getty Images\n\nMore."
    assert masked(text) == ["Ana Silva | AFP | Getty Images"]


def test_the_title_above_a_credit_is_kept():
    assert masked("Mayor Ana Silva.\n\nGetty Images\n\nBoats left the harbour.") == ["Getty Images"]


def test_a_credit_at_the_end_of_a_caption():
    caption = "The harbour of Porto Claro, March 3, 2021. REUTERS/Ana Silva"
    assert masked(f"Title of it\n\nText here.\n\n{caption}\n\nMore.") == ["REUTERS/Ana Silva"]
    caption = "The harbour of Porto Claro, on March 3, 2021. (Photo by Ana Silva/Getty Images)"
    assert masked(f"Title of it\n\nText here.\n\n{caption}\n\nMore.") == ["(Photo by Ana Silva/Getty Images)"]


def test_a_cookie_notice_run_into_an_article_without_line_breaks():
    article = "The harbour reopened on Monday, the mayor said, after six weeks. " * 12
    notice = "This website uses cookies to improve your experience. We'll assume you're ok with this. Accept Read More"
    assert masked(article + notice) == [notice]


def test_a_section_name_is_only_left_out_above_a_title():
    assert masked("Business\n\nHarbour reopens after storm\n\nText.") == ["Business"]
    assert masked("World News | Asia\n\nHarbour reopens after storm\n\nText.") == ["World News | Asia"]
    assert masked("Business\n\nThe harbour reopened on Monday.") == []
    assert masked("Harbour news\n\nHarbour reopens after storm\n\nText.") == []


def test_merge_spans():
    assert merge_spans([Span(5, 9), Span(0, 2), Span(8, 12), Span(2, 3), Span(20, 20)]) == (Span(0, 3), Span(5, 12))
