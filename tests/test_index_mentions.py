"""Mentions are exact: no article that holds the phrase is missed, and no other is found."""

from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.library import Library
from index.mentions import find_mentions, phrase_pattern
from index.passages import SplitterSettings, split_passages, text_to_embed
from index.readers import RawArticle, prepare_article
from index.types import Span

TEXTS = {
    "ma": "Jack Ma’s firm met\nSnapdeal on Monday. Snapdeal and Jack Ma agreed.",
    "chinese": "He said 使用Alibaba的服务。阿里巴巴集团很大。",
    "accents": "São Paulo grew. Others write Sa\u0303o Jose\u0301.",
    "numbers": "It cost 1,476 and 476.5 but $47; in all 88%.",
    "joined": "e‑commerce is big. AlibabaCloud and Alibaba-owned shops. Snapdeals?",
    "apart": "A heading of Jack\n\nMa left. 한국은행은 금리를 올렸다.",
    "hindi": "नमस्ते दुनिया आज",
    "thai": "ธนาคารกลางขึ้นดอกเบี้ย",
}


def make(folder, texts, **changes):
    library = Library.create(folder / "l.sqlite")
    for name, text in texts.items():
        article = prepare_article(RawArticle(text), shown_as=name, location=f"/{name}", hash_of_content="")
        article = replace(article, **({"id": name} | changes.get(name, {})))
        passages = split_passages(article, SplitterSettings())
        library.add(article, passages, [text_to_embed(article, passage) for passage in passages])
    library.commit()
    return library


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with closing(make(tmp_path_factory.mktemp("mentions"), TEXTS)) as made:
        yield made


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("Jack Ma", {"ma": "Jack Ma"}),
        ("JACK  MA", {"ma": "Jack Ma"}),
        ("jack ma's", {"ma": "Jack Ma’s"}),
        ("met Snapdeal", {"ma": "met\nSnapdeal"}),
        ("Snapdeal", {"ma": "Snapdeal"}),
        ("Snapdeal on Monday. Snapdeal", {"ma": "Snapdeal on Monday. Snapdeal"}),
        ("snap", {}),
        ("Alibaba", {"chinese": "Alibaba", "joined": "Alibaba"}),
        ("alibaba-OWNED", {"joined": "Alibaba-owned"}),
        ("阿里巴巴", {"chinese": "阿里巴巴"}),
        ("里巴", {"chinese": "里巴"}),
        ("Alibaba的服务", {"chinese": "Alibaba的服务"}),
        ("São Paulo", {"accents": "São Paulo"}),
        ("Sao Paulo", {}),
        ("são josé", {"accents": "Sa\u0303o Jose\u0301"}),
        ("Jose", {}),
        ("476", {}),
        ("1,476", {"numbers": "1,476"}),
        ("$47", {"numbers": "$47"}),
        ("47", {"numbers": "47"}),
        ("88%", {"numbers": "88%"}),
        ("88", {"numbers": "88"}),
        ("%", {"numbers": "%"}),
        ("e-commerce", {"joined": "e‑commerce"}),
        ("e commerce", {}),
        ("한국은행", {"apart": "한국은행"}),
        ("दुनिया", {"hindi": "दुनिया"}),
        ("ธนาคาร", {"thai": "ธนาคาร"}),
        ("", {}),
        (" \n", {}),
        ("\x00", {}),
        ("Snapdeal\x00", {}),
        ("\ud800", {}),
        ('"', {}),
        ("Snapdeal OR Alibaba", {}),
        ("Snapdeal*", {}),
        ("words: Snapdeal", {}),
        ("NEAR(Snapdeal Monday)", {}),
        ("'; DROP TABLE articles; --", {}),
        (".*", {}),
        ("x" * 5_000, {}),
    ],
)
def test_a_phrase_is_found_where_it_stands(library, phrase, found):
    spans = {mention.article_id: mention.span for mention in find_mentions(library, phrase)}
    assert {name: TEXTS[name][span.start : span.end] for name, span in spans.items()} == found


def test_the_first_place_outside_boilerplate_counts(tmp_path):
    text = "Snapdeal here. And Snapdeal there."
    spans = {
        "one": {"boilerplate": (Span(0, 14),)},
        "two": {"boilerplate": (Span(0, 14), Span(19, 34))},
        "three": {"boilerplate": (Span(4, 6),)},
    }
    with closing(make(tmp_path, dict.fromkeys(("one", "two", "three"), text), **spans)) as library:
        assert find_mentions(library, "Snapdeal") == [("one", Span(19, 27)), ("three", Span(19, 27))]


def test_a_title_counts_too_and_has_no_span(tmp_path):
    titles = {"one": {"title": "Snapdeal’s new chief"}, "two": {"title": "Snapdealers"}, "three": {"title": None}}
    texts = dict.fromkeys(("one", "two", "three"), "Nothing about it.")
    with closing(make(tmp_path, texts, **titles)) as library:
        assert find_mentions(library, "snapdeal's") == [("one", None)]
        assert find_mentions(library, "Snapdeal", among=["two", "three", "unknown"]) == []


def test_only_the_articles_asked_about_are_looked_at(library):
    assert [mention.article_id for mention in find_mentions(library, "Alibaba", among=["joined", "ma"])] == ["joined"]
    assert find_mentions(library, "Alibaba", among=[]) == []


def test_a_removed_article_mentions_nothing(tmp_path):
    with closing(make(tmp_path, TEXTS)) as library:
        library.remove("chinese")
        library.commit()
        assert find_mentions(library, "阿里巴巴") == []
        assert [mention.article_id for mention in find_mentions(library, "Alibaba")] == ["joined"]


def test_a_phrase_may_begin_in_one_passage_and_end_in_the_next(tmp_path):
    sentences = " ".join(
        f"Boats number {number} carried salt, wool and timber to the far north." for number in range(40)
    )
    with closing(make(tmp_path, {"long": sentences})) as library:
        assert library.counts()[1] > 1
        first = library.passages([1])[1].passage
        start = first.end - len("north.")
        end = sentences.index(" carried", first.end)
        phrase = sentences[start:end]
        assert phrase.startswith("north. Boats number ")
        assert find_mentions(library, phrase) == [("long", Span(start, end))]


WORDS = st.sampled_from(
    ["Ma", "ma", "Jack", "阿里", "é", "e\u0301", "的", "x1", "1", "1,2", "’s", "-", "%", "ß", "ไทย", "_"]
)


@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=6), min_size=1, max_size=4),
    st.lists(WORDS, min_size=1, max_size=2),
    st.sampled_from(["", " "]),
)
@settings(max_examples=60, deadline=None)
def test_no_article_that_holds_the_phrase_is_missed(tmp_path_factory, texts, phrase, joint):
    """The word index only proposes: what it proposes must hold everything that a look at every text would find."""
    named = {f"t{number}": "Text " + joint.join(words) + " end." for number, words in enumerate(texts)}
    wanted = joint.join(phrase)
    pattern = phrase_pattern(wanted)
    with closing(make(tmp_path_factory.mktemp("m"), named)) as library:
        found = {mention.article_id for mention in find_mentions(library, wanted)}
    assert pattern is not None
    assert found == {name for name, text in named.items() if pattern.search(text)}
