"""What holds for any text whatever: controls, right-to-left, zero-width, and lines that look like
boilerplate."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.cleaning import find_boilerplate
from index.layout import count_words, find_lines
from index.metadata import find_metadata
from index.passages import SplitterSettings, split_passages
from index.readers import RawArticle, prepare_article
from index.sentences import segment, split_paragraphs, split_sentences

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
PIECES = st.sampled_from(
    [
        "The harbour reopened on Monday.",
        "Prices fell 1.5% to $3.",
        "Leave a Comment",
        "Read More: more",
        "Finance News",
        "Ant Group founder Jack Ma.",
        "A | Getty Images",
        "Updated on",
        "By Judy Wei",
        "Published in Daily Times, July 19th 2018.",
        "This website uses cookies to improve your experience.",
        *("\n", "\n\n", " ", "\u200b", "\u2028", "\x85", "\x0b", "\u202e", "\x07", "\xa0", "é\u0301"),
        *("مرحبا. كيف؟", "日本語。これは。", "…", "# ", "- ", "; ", "“No.” ", "x" * 200, "word " * 90),
    ]
)
ASSEMBLED = st.lists(PIECES | ANY_TEXT, max_size=25).map("".join)
TEXTS = ANY_TEXT | ASSEMBLED
SETTINGS = SplitterSettings()


def article_of(text):
    return prepare_article(RawArticle(text), shown_as="a.txt", location="/a.txt", hash_of_content="")


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_segments_joined_are_the_text(text):
    assert "".join(segment(text)) == text


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_boilerplate_is_ordered_spans_inside_the_text(text):
    previous = -1
    for start, end in find_boilerplate(text):
        assert previous < start < end <= len(text)
        previous = end


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_metadata_never_fails_and_never_is_empty_text(text):
    found = find_metadata(text, find_boilerplate(text))
    for value in (found.title, found.source, found.author, found.date, found.url):
        assert value is None or value.strip() == value != ""
    assert found.date is None or re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", found.date)


@given(TEXTS)
@example("a\n\nb")
@settings(max_examples=400, deadline=None)
def test_sentences_are_exact_ordered_and_outside_boilerplate(text):
    article = article_of(text)
    masked = {position for start, end in article.boilerplate for position in range(start, end)}
    position = 0
    for sentence in split_sentences(article):
        assert article.text[sentence.start : sentence.end] == sentence.text
        assert sentence.text.strip() == sentence.text
        assert position <= sentence.start < sentence.end
        assert masked.isdisjoint(range(sentence.start, sentence.end))
        assert "\n\n" not in sentence.text
        assert count_words(sentence.text) <= 150
        position = sentence.end


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_every_letter_outside_boilerplate_is_in_a_sentence(text):
    article = article_of(text)
    covered = {position for sentence in split_sentences(article) for position in range(sentence.start, sentence.end)}
    covered |= {position for start, end in article.boilerplate for position in range(start, end)}
    lines = {position for line in find_lines(text) for position in range(line.start, line.end)}
    for position in lines - covered:
        assert not article.text[position].isalnum(), (position, article.text[position])


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_passages_hold_every_sentence_once_and_are_short(text):
    article = article_of(text)
    passages = split_passages(article, SETTINGS)
    assert [sentence for passage in passages for sentence in passage.sentences] == list(split_sentences(article))
    assert sum(len(paragraph) for paragraph in split_paragraphs(article)) == sum(len(p.sentences) for p in passages)
    for passage in passages:
        assert passage.text == article.text[passage.start : passage.end]
        assert (passage.start, passage.end) == (passage.sentences[0].start, passage.sentences[-1].end)
        assert sum(count_words(sentence.text) for sentence in passage.sentences) <= SETTINGS.longest_passage
