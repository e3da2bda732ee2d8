"""Scores of search: small rankings, with the sums written out."""

from math import log2

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from eval.metrics import ROW_METRICS
from eval.outcomes import GoldEvidence, Outcome, Place
from eval.questions import Question


def at(article: str, start: int, end: int) -> Place:
    return Place(article, start, end)


def quote(*places: Place) -> GoldEvidence:
    return GoldEvidence(places)


def article(*names: str) -> GoldEvidence:
    return GoldEvidence(tuple(Place(name, 0, 0) for name in names), whole_article=True)


def searched(gold, *ranking: Place, task="search", chosen=(), tokens=0) -> Outcome:
    return Outcome(Question("1", "?", task=task), gold, ranking, chosen, tokens)


def scores(outcome: Outcome, *names: str) -> list[float | None]:
    return [ROW_METRICS[name](outcome) for name in names]


# Gold: two quotes. The first is shown by passages 2 and 3, the other by passage 5.
TWO_QUOTES = searched(
    (quote(at("a.md", 100, 150)), quote(at("b.md", 0, 40))),
    at("a.md", 0, 90),
    at("a.md", 90, 200),
    at("a.md", 95, 205),
    at("c.md", 0, 100),
    at("b.md", 0, 100),
)


def test_recall_is_the_share_of_gold_items_shown_by_the_first_k():
    assert scores(TWO_QUOTES, "recall@1", "recall@4", "recall@5", "recall@10") == [0.0, 0.5, 1.0, 1.0]


def test_hit_asks_for_any_gold_item():
    assert scores(TWO_QUOTES, "hit@1", "hit@4", "hit@5", "hit@10") == [0.0, 1.0, 1.0, 1.0]


def test_mrr_takes_the_first_place_that_shows_any_gold_item():
    assert scores(TWO_QUOTES, "mrr") == [1 / 2]
    assert scores(searched((quote(at("z.md", 0, 9)),), at("a.md", 0, 90)), "mrr", "hit@10", "recall@10") == [0, 0, 0]


def test_ndcg_discounts_each_gold_item_at_its_first_rank():
    # Items are first shown at ranks 2 and 5; the ideal shows them at 1 and 2.
    expected = (1 / log2(3) + 1 / log2(6)) / (1 / log2(2) + 1 / log2(3))
    assert scores(TWO_QUOTES, "ndcg@10") == [pytest.approx(expected, abs=1e-15)]


def test_a_passage_that_shows_both_items_at_once_does_not_score_above_one():
    gold = (quote(at("a.md", 0, 10)), quote(at("a.md", 20, 30)))
    assert scores(searched(gold, at("a.md", 0, 100)), "ndcg@10", "recall@1", "mrr") == [1.0, 1.0, 1.0]


def test_a_gold_item_beyond_rank_ten_gains_nothing():
    ranking = [at("a.md", start, start + 100) for start in range(0, 1000, 100)]
    outcome = searched((quote(at("b.md", 0, 9)),), *ranking, at("b.md", 0, 9))
    assert scores(outcome, "ndcg@10", "recall@10", "mrr") == [0.0, 0.0, 1 / 11]


def test_any_place_of_an_alternative_will_do_and_half_of_the_shorter_span_is_enough():
    gold = (quote(at("z.md", 0, 50), at("a.md", 100, 150)),)
    assert scores(searched(gold, at("a.md", 0, 125)), "hit@1") == [1.0]  # shares 25 of 50
    assert scores(searched(gold, at("a.md", 0, 124)), "hit@1") == [0.0]  # shares 24 of 50


def test_with_whole_articles_k_counts_articles_and_not_passages():
    ranking = [at("a.md", 0, 9), at("a.md", 10, 19), at("a.md", 20, 29), at("a.md", 30, 39), at("b.md", 50, 60)]
    names = ("recall@1", "recall@4", "hit@4", "mrr", "ndcg@10")
    assert scores(searched((article("b.md"),), *ranking), *names) == [0.0, 1.0, 1.0, 0.5, 1 / log2(3)]
    # One quote among them and passages count: the article is at rank 5.
    mixed = searched((article("b.md"), quote(at("z.md", 0, 9))), *ranking)
    assert scores(mixed, "recall@4", "recall@5", "mrr") == [0.0, 0.5, 1 / 5]


def test_with_whole_articles_ndcg_is_the_usual_binary_one():
    chance = np.random.default_rng(5)
    names = [f"{number}.md" for number in range(12)]
    for _ in range(50):
        order = chance.permutation(names).tolist()
        gold = chance.choice(names, size=chance.integers(1, 12), replace=False).tolist()
        ranking = [at(name, start, start + 9) for name in order for start in (0, 50)]
        outcome = searched(tuple(article(name) for name in gold), *ranking)
        relevance = [[float(name in gold) for name in order]]
        expected = ndcg_score(relevance, [[-rank for rank in range(len(order))]], k=10)
        assert scores(outcome, "ndcg@10") == [pytest.approx(expected, abs=1e-12)]


def test_article_hit_forgives_the_wrong_passage_of_the_right_article():
    gold = (quote(at("b.md", 500, 600)),)
    ranking = [at("a.md", 0, 9), at("a.md", 10, 19), at("b.md", 0, 50)]
    assert scores(searched(gold, *ranking), "article_hit@1", "article_hit@5", "hit@5") == [0.0, 1.0, 0.0]
    others = [at(f"{number}.md", 0, 9) for number in range(5)]
    assert scores(searched(gold, *others, at("b.md", 0, 9)), "article_hit@5") == [0.0]


def test_without_judged_evidence_search_is_not_scored():
    names = [name for name in ROW_METRICS if name.startswith(("recall@", "hit@", "mrr", "ndcg", "article_hit"))]
    assert len(names) == 12
    for gold in (None, ()):
        assert scores(searched(gold, at("a.md", 0, 9)), *names) == [None] * 12
    claim = searched((article("a.md"),), task="support")
    assert scores(claim, *names) == [None] * 12  # nothing was searched
    assert scores(searched((article("a.md"),)), *names) == [0.0] * 12  # nothing was found


def test_evidence_kept_is_what_the_model_read_of_the_gold():
    gold = (quote(at("a.md", 0, 10)), quote(at("a.md", 20, 30)), quote(at("b.md", 0, 10)))
    read = (at("a.md", 0, 15), at("b.md", 40, 50))
    outcome = searched(gold, task="answer", chosen=read, tokens=212)
    assert scores(outcome, "evidence_kept", "evidence_tokens") == [1 / 3, 212.0]
    assert scores(searched(gold, task="answer"), "evidence_kept", "evidence_tokens") == [0.0, 0.0]
    assert scores(searched(gold, task="search"), "evidence_kept", "evidence_tokens") == [None, None]
    assert scores(searched(None, task="answer", chosen=read, tokens=7), "evidence_kept", "evidence_tokens") == [None, 7]
