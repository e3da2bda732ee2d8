"""Passages: whole sentences of a good length, along the paragraphs."""

import pytest

from index.errors import SettingsError
from index.layout import count_words
from index.passages import SplitterSettings, split_passages, text_to_embed
from index.readers import RawArticle, prepare_article, read_article
from index.sentences import split_sentences

SETTINGS = SplitterSettings()


def article_of(text):
    return prepare_article(RawArticle(text), shown_as="a.txt", location="/a.txt", hash_of_content="")


def test_seeds(seeds):
    starts = {}
    for file in sorted(seeds.glob("*.txt")):
        article = read_article(file, shown_as=file.name)
        passages = split_passages(article, SETTINGS)
        starts[file.name[:3]] = [passage.start for passage in passages]
        assert [sentence for passage in passages for sentence in passage.sentences] == list(split_sentences(article))
        for passage in passages:
            assert passage.text == article.text[passage.start : passage.end]
            assert count_words(passage.text) <= 150
    assert starts == {
        "000": [0, 698, 1280, 1985, 2625, 3236, 3934, 4694],
        "001": [0, 857, 1276, 1730],
        "002": [14, 734, 1468, 1983, 2746],
        "003": [0, 605, 1226, 1770, 2571, 3159],
    }


def test_a_heading_goes_with_what_follows():
    paragraph = "The harbour of the old town was closed to all boats for six long weeks. " * 7
    article = article_of(f"{paragraph}\n\nThe mayor’s plan\n\n{paragraph}")
    assert [passage.sentences[0].text for passage in split_passages(article, SETTINGS)] == [
        "The harbour of the old town was closed to all boats for six long weeks.",
        "The mayor’s plan",
    ]


def test_a_byline_at_the_foot_goes_with_the_passage_before_it():
    paragraph = "The harbour of the old town was closed to all boats for six long weeks. " * 7
    passages = split_passages(article_of(f"{paragraph}\n\n{paragraph}\n\nBy Ana Silva"), SETTINGS)
    assert [passage.sentences[-1].text for passage in passages][1:] == ["By Ana Silva"]


def test_nothing_is_longer_than_the_limit():
    long_sentence = "word " * 140 + "end."
    passages = split_passages(article_of(" ".join([long_sentence] * 5)), SETTINGS)
    assert [count_words(passage.text) for passage in passages] == [141] * 5


def test_boilerplate_inside_a_passage_is_not_embedded(seeds):
    article = read_article(seeds / "002_f785394802d1e589.txt", shown_as="a")
    first, *_ = split_passages(article, SETTINGS)
    assert "CFOTO | Future Publishing" in first.text
    assert text_to_embed(article, first).startswith(
        "CNBC\nAlibaba $100 billion stock rally fueled by AI, Jack Ma return The Alibaba office building in Nanjing, "
        "Jiangsu province, China, on Aug. 28, 2024. In November 2023, Jack Ma posted"
    )


def test_what_is_embedded_begins_with_what_is_known_of_the_article(seeds):
    article = read_article(seeds / "003_61a9a8bb3076d462.txt", shown_as="a")
    second = split_passages(article, SETTINGS)[1]
    expected = "Jack Ma’s New Global Trade Dream: empowering SMEs!\nBut one side from the business magnate"
    assert text_to_embed(article, second).startswith(expected)
    article = read_article(seeds / "000_09326a6efd6d9981.txt", shown_as="a")
    last = split_passages(article, SETTINGS)[-1]
    embedded = text_to_embed(article, last)
    assert embedded.startswith("Daily Times. 2018-07-19\nAt the same time")
    assert embedded.endswith("July 19th 2018. This article was published in Daily Times.")


def test_a_byline_is_embedded_with_what_it_means(seeds):
    article = read_article(seeds / "003_61a9a8bb3076d462.txt", shown_as="a")
    last = split_passages(article, SETTINGS)[-1]
    assert text_to_embed(article, last).endswith(
        "By Judy Wei\nManaging Director Asia The author who wrote this article is Judy Wei."
    )


def test_an_article_of_boilerplate_has_no_passages():
    assert split_passages(article_of("Leave a Comment"), SETTINGS) == ()


@pytest.mark.parametrize("settings", [{"words_per_passage": 5}, {"words_per_passage": 200}, {"longest_passage": 120}])
def test_unusable_settings(settings):
    with pytest.raises(SettingsError):
        SplitterSettings(**settings)
