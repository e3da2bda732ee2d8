"""Words on any script, and the inverted index against BM25 computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import word_scores
from index.errors import IndexDamaged
from index.keywords import K1, B, KeywordIndex
from index.word_scores import WordScores
from index.words import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The harbours reopened, exceeding hopes", ["harbour", "reopen", "exceed", "hope"]),
        ("Alibaba’s and Ma's $476 billion", ["alibaba", "ma", "476", "billion"]),
        ("up 68.7% on 1,234 shops in 2018.", ["68.7", "1,234", "shop", "2018"]),
        ("Café Zürich", ["cafe", "zurich"]),
        ("阿里巴巴集团 2018", ["阿里", "里巴", "巴巴", "巴集", "集团", "2018"]),
        ("値", ["値"]),
        ("ราคาหุ้น", ["รา", "าค", "คา", "าห", "หุ", "ุ้", "้น"]),
        ("Москва и Берлин", ["москва", "и", "берлин"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("ﬁne Ｔｅｓｔ", ["fine", "test"]),
        ("the of and", []),
        ("", []),
        ("\ud800 🙂 — ‘’", []),
    ],
)
def test_every_script_has_its_words(text, words):
    assert words_of(text) == words


PASSAGES = (
    (1, 10, "harbour harbour storm"),
    (2, 10, "storm repairs"),
    (5, 20, "harbour railway railway railway"),
    (9, 30, "bread"),
)


def rarity(occurrences: int, total: int) -> float:
    return math.log(1 + (total - occurrences + 0.5) / (occurrences + 0.5))


def saturated(count: float, length: float, average: float) -> float:
    return count * (K1 + 1) / (count + K1 * (1 - B + B * length / average))


def scores_of(index: KeywordIndex, question: str, *, passage: float = 1.0, article: float = 0.0) -> list[float]:
    ids = index.ids.tolist()
    scores = WordScores(index, question, passage=passage, article=article).of(ids)
    assert list(scores) == ids
    return list(scores.values())


def test_scores_are_bm25_over_passages_and_articles_divided_by_the_weight_of_the_question():
    index = KeywordIndex.build(PASSAGES)
    question = "Which harbours had repairs?"
    harbour, repairs = rarity(2, 4), rarity(1, 4)
    total = harbour + repairs
    average = (3 + 2 + 4 + 1) / 4
    assert scores_of(index, question) == pytest.approx(
        [
            harbour * saturated(2, 3, average) / total,
            repairs * saturated(1, 2, average) / total,
            harbour * saturated(1, 4, average) / total,
            0,
        ]
    )
    of_article = (3 + 2 + 4 + 1) / 3
    first = rarity(2, 3) * saturated(2, 5, of_article) + rarity(1, 3) * saturated(1, 5, of_article)
    second = rarity(2, 3) * saturated(1, 4, of_article)
    of_articles = scores_of(index, question, passage=0.0, article=1.0)
    assert of_articles == pytest.approx([first / total, first / total, second / total, 0])
    mixed = scores_of(index, question, passage=0.2, article=0.3)
    one = 0.2 * harbour * saturated(2, 3, average) / total + 0.3 * first / total
    assert mixed[0] == pytest.approx(one)
    best = WordScores(index, question, passage=0.2, article=0.3).best(2, None)
    expected = sorted(zip(mixed, [1, 2, 5, 9], strict=True), reverse=True)[:2]
    assert best == [(number, score) for score, number in expected]


def test_a_word_that_occurs_nowhere_weighs_against_all():
    index = KeywordIndex.build(PASSAGES)
    with_it, without = scores_of(index, "harbour volcano"), scores_of(index, "harbour")
    share = rarity(2, 4) / (rarity(2, 4) + rarity(0, 4))
    assert with_it == pytest.approx([score * share for score in without])
    for question in ("volcano", "the"):
        assert scores_of(index, question) == [0, 0, 0, 0]
        assert WordScores(index, question, passage=1.0, article=1.0).best(3, None) == []
    assert WordScores(KeywordIndex.build([]), "harbour", passage=1.0, article=1.0).best(3, None) == []


def test_a_word_asked_twice_counts_once():
    index = KeywordIndex.build(PASSAGES)
    assert scores_of(index, "harbour harbours harbour") == pytest.approx(scores_of(index, "harbour"))


@pytest.mark.parametrize("among", [None, range(0, 3000, 7), range(100), [1, 2999]])
@pytest.mark.parametrize("look", [0, 100, 100_000])
def test_the_best_are_those_of_all_scores_whatever_is_left_out(monkeypatch, among, look):
    monkeypatch.setattr(word_scores, "_WORTH_A_LOOK", look)
    monkeypatch.setattr(word_scores, "_BLOCK", 16)
    random = np.random.default_rng(0)
    # Words by Zipf's law: "w0" is nearly everywhere, "w300" hardly anywhere.
    drawn = random.zipf(1.3, size=(3000, 30)).clip(1, 400)
    texts = [(number, number // 3, " ".join(f"w{word}" for word in words)) for number, words in enumerate(drawn)]
    index = KeywordIndex.build(texts)
    allowed = range(3000) if among is None else among
    for words in (["w1"], ["w1", "w2", "w3"], ["w1", "w2", "w250", "w301"], ["w40", "w41", "w3", "w9", "w2"]):
        scores = WordScores(index, " ".join(words), passage=0.2, article=0.3)
        every = scores.of(list(allowed))
        expected = sorted(((-score, number) for number, score in every.items() if score > 0))[:20]
        assert scores.best(20, among) == [(number, -score) for score, number in expected]


TEXTS = st.lists(
    st.tuples(st.integers(1, 3), st.text(alphabet="ab 阿巴é", max_size=12)).map(lambda pair: pair), max_size=8
)


@given(
    old=TEXTS.map(sorted),
    new=TEXTS.map(sorted),
    gone=st.sets(st.integers(0, 7)),
    question=st.text(alphabet="ab 阿巴é", max_size=6),
)
def test_merging_gives_what_building_anew_would(old, new, gone, question):
    first = [(number, article, text) for number, (article, text) in enumerate(old)]
    second = [(number + len(old), article + 10, text) for number, (article, text) in enumerate(new)]
    merged = KeywordIndex.build(first).merged(KeywordIndex.build(second), without=gone)
    anew = KeywordIndex.build([*(row for row in first if row[0] not in gone), *second])
    assert merged.ids.tolist() == anew.ids.tolist()
    assert merged.articles.tolist() == anew.articles.tolist()
    for passage, article in ((1.0, 0.0), (0.0, 1.0)):
        one, other = (scores_of(made, question, passage=passage, article=article) for made in (merged, anew))
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("passages", [PASSAGES, ()])
def test_it_comes_back_from_disk_as_it_was(tmp_path, passages):
    index = KeywordIndex.build(passages)
    index.save(tmp_path / "words")
    opened = KeywordIndex.open(tmp_path / "words")
    assert opened.ids.tolist() == [number for number, _, _ in passages]
    if passages:
        assert scores_of(opened, "harbour storm", article=1.0) == scores_of(index, "harbour storm", article=1.0)
    again = opened.merged(KeywordIndex.build([(20, 40, "harbour")]), without=[1])
    assert again.ids.tolist() == [*(number for number, _, _ in passages if number != 1), 20]


def test_other_files_are_clear_errors(tmp_path):
    KeywordIndex.build(PASSAGES).save(tmp_path / "words")
    whole = (tmp_path / "words").read_bytes()
    for content in (b"", b"SQLite format 3", whole[:20], whole[: len(whole) // 2]):
        (tmp_path / "cut").write_bytes(content)
        with pytest.raises(IndexDamaged, match="cannot be read"):
            KeywordIndex.open(tmp_path / "cut")
    with pytest.raises(IndexDamaged, match="cannot be read"):
        KeywordIndex.open(tmp_path / "missing")
