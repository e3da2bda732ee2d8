"""Sentences: where they begin and end, and that their spans are exact."""

import pytest

from index.layout import count_words
from index.readers import RawArticle, prepare_article, read_article
from index.sentences import is_repeat, split_paragraphs, split_sentences


def article_of(text):
    return prepare_article(RawArticle(text), shown_as="a.txt", location="/a.txt", hash_of_content="")


def sentences_of(text):
    return [sentence.text for sentence in split_sentences(article_of(text))]


def test_the_seed_that_is_one_line(seeds):
    article = read_article(seeds / "000_09326a6efd6d9981.txt", shown_as="a")
    texts = [sentence.text for sentence in split_sentences(article)]
    assert len(texts) == 32
    assert texts[1] == "Alibaba boasts a gross market value of almost $476 billion."
    # No space after the full stop.
    assert texts[4].endswith("floated in the New York Stock Exchange.")
    assert texts[5].startswith("They also attempted")
    # The full stop before this one is missing; it is the author's, so the two stay one sentence …
    assert texts[21].startswith("This netted them almost $10 billion The open trade")
    # … but the line that names the publisher is always its own.
    assert texts[-2:] == [
        "The writer is involved in research in the areas of finance and energy",
        "Published in Daily Times, July 19th 2018.",
    ]


def test_the_seed_with_photos(seeds):
    article = read_article(seeds / "002_f785394802d1e589.txt", shown_as="a")
    paragraphs = [[sentence.text for sentence in paragraph] for paragraph in split_paragraphs(article)]
    assert paragraphs[0] == ["Alibaba $100 billion stock rally fueled by AI, Jack Ma return"]
    assert paragraphs[1] == ["The Alibaba office building in Nanjing, Jiangsu province, China, on Aug. 28, 2024."]
    assert paragraphs[2][0].startswith("In November 2023, Jack Ma posted")
    assert paragraphs[2][0].endswith("correct its course.”")
    assert paragraphs[-2] == ["Ant Group founder Jack Ma."]
    assert paragraphs[-3] == [
        "Just two days before Ant Group was scheduled to list in Shanghai and Hong Kong, the IPO was canceled.",
        "At the time, Ant cited changes in China’s “regulatory environment.”",
    ]
    assert paragraphs[-1][-1].endswith("brought in a plethora of rules touching…")


def test_a_byline_keeps_its_role(seeds):
    article = read_article(seeds / "003_61a9a8bb3076d462.txt", shown_as="a")
    assert split_sentences(article)[-1].text == "By Judy Wei\nManaging Director Asia"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Ma of the U.S. firm left. He sold 1.5 bn.", ["Mr. Ma of the U.S. firm left.", "He sold 1.5 bn."]),
        (
            "The line was\nwrapped by an editor. And\nso was this.",
            ["The line was\nwrapped by an editor.", "And\nso was this."],
        ),
        ("A heading\n\nA sentence.", ["A heading", "A sentence."]),
        ("A heading\n \u200b\nA sentence.", ["A heading", "A sentence."]),
        ("A heading\n" + "Words " * 30 + "end.", ["A heading", "Words " * 30 + "end."]),
        ("- one thing\n- another thing", ["one thing", "another thing"]),
        ("# The heading\nText.", ["The heading", "Text."]),
        ("It fell by\n-5% in May.", ["It fell by\n-5% in May."]),
        ("* * *\n\nText.\n\n———", ["Text."]),
        ("Text.\n\nLeave a Comment\n\nMore.", ["Text.", "More."]),
        ("Text.\nLeave a Comment\nMore.", ["Text.", "More."]),
        ("مرحبا بكم. كيف الحال؟", ["مرحبا بكم.", "كيف الحال؟"]),
    ],
)
def test_boundaries(text, expected):
    assert sentences_of(text) == expected


def test_a_list_without_full_stops_is_cut_at_its_semicolons():
    clause = "the harbour of the old town was closed to all boats"
    text = "; ".join([clause] * 12) + "."
    sentences = sentences_of(text)
    assert [count_words(sentence) for sentence in sentences] == [66, 66]
    assert " ".join(sentences) == text


def test_no_sentence_is_longer_than_an_embedder_reads():
    words = " ".join(f"word{number}" for number in range(1000))
    sentences = sentences_of(words)
    assert " ".join(sentences) == words
    assert max(count_words(sentence) for sentence in sentences) <= 150
    one_word = "x" * 30_000
    assert "".join(sentences_of(one_word)) == one_word
    assert max(count_words(sentence) for sentence in sentences_of(one_word)) <= 150


@pytest.mark.parametrize(
    ("sentence", "earlier", "expected"),
    [
        (
            "In the year 2005, Jack Ma managed to convince Yahoo! to invest $1 billion in exchange for a 40 percent "
            "stake in Alibaba.",
            "In the year 2005, Jack Ma managed to convince Yahoo, an American internet company, to gamble and invest "
            "$1 billion in exchange for a 40 percent stake in Alibaba, which netted them almost $10 billion.",
            True,
        ),
        ("Sales rose to $212 million on Tmall last year.", "Sales rose to $312 million on Tmall last year.", False),
        ("The bank will buy the harbour this year.", "The bank will not buy the harbour this year.", False),
        ("The harbour reopened.", "The harbour reopened on Monday after the storm.", False),
        ("The harbour reopened.", " The harbour reopened.", True),
        ("Boats left the harbour at dawn on Monday.", "The mayor of the town spoke to reporters.", False),
    ],
)
def test_repeats(sentence, earlier, expected):
    assert is_repeat(sentence, earlier) is expected
