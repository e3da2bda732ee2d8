"""Is the evidence among what was found, and did it reach the model?

All are None if the question has no judged evidence. Ranks count from 1. If every gold item is a whole article, the
ranking is first collapsed to distinct articles, so that k counts articles; otherwise k counts passages.
"""

import math
from collections.abc import Callable, Sequence

from eval.outcomes import GoldEvidence, Outcome, Place


def recall_at(k: int) -> Callable[[Outcome], float | None]:
    """The share (0 to 1) of the gold items that the first `k` show."""

    def recall(outcome: Outcome) -> float | None:
        ranks = _ranks(outcome)
        return sum(rank <= k for rank in ranks) / len(ranks) if ranks else None

    return recall


def hit_at(k: int) -> Callable[[Outcome], float | None]:
    """1 if the first `k` show any gold item, else 0."""

    def hit(outcome: Outcome) -> float | None:
        ranks = _ranks(outcome)
        return float(min(ranks) <= k) if ranks else None

    return hit


def article_hit_at(k: int) -> Callable[[Outcome], float | None]:
    """1 if an article with gold evidence is among the first `k` distinct ones, whatever was found of it; else 0."""

    def hit(outcome: Outcome) -> float | None:
        if not _is_judged(outcome):
            return None
        gold = {place.article for item in outcome.gold or () for place in item.places}
        return float(any(place.article in gold for place in _distinct_articles(outcome.ranking)[:k]))

    return hit


def reciprocal_rank(outcome: Outcome) -> float | None:
    """1 / rank of the first place that shows a gold item, 0 if none does; its mean is the MRR."""
    ranks = _ranks(outcome)
    return 1 / min(ranks) if ranks else None


def ndcg_at(k: int) -> Callable[[Outcome], float | None]:
    """Normalised discounted cumulative gain of the first `k`, 0 to 1.

    A gold item gains 1 at the first rank that shows it, discounted by log2(1 + rank); the ideal shows one item at each
    rank. One passage may show several items at once and so beat that ideal: capped at 1. With whole articles this is
    the usual binary nDCG (as in trec_eval and BEIR).
    """

    def ndcg(outcome: Outcome) -> float | None:
        ranks = _ranks(outcome)
        if not ranks:
            return None
        gain = math.fsum(1 / math.log2(1 + rank) for rank in ranks if rank <= k)
        ideal = math.fsum(1 / math.log2(1 + rank) for rank in range(1, min(len(ranks), k) + 1))
        return min(gain / ideal, 1.0)

    return ndcg


def evidence_kept(outcome: Outcome) -> float | None:
    """The share (0 to 1) of the gold items that the sentences read by the model show. None for other tasks than
    "answer"."""
    if outcome.question.task != "answer" or not outcome.gold:
        return None
    return sum(any(map(item.found_in, outcome.chosen)) for item in outcome.gold) / len(outcome.gold)


def evidence_tokens(outcome: Outcome) -> float | None:
    """The size of the evidence that the model read, in tokens. None for other tasks than "answer"."""
    return float(outcome.evidence_tokens) if outcome.question.task == "answer" else None


def _is_judged(outcome: Outcome) -> bool:
    # Nothing is searched for the task "support": its empty ranking is no miss.
    return bool(outcome.gold) and outcome.question.task != "support"


def _ranks(outcome: Outcome) -> list[float]:
    """For each gold item the first rank that shows it, infinity if none does. Empty if nothing is judged."""
    if not outcome.gold or not _is_judged(outcome):
        return []
    ranking: Sequence[Place] = outcome.ranking
    if all(item.whole_article for item in outcome.gold):
        ranking = _distinct_articles(ranking)
    return [_first_rank(item, ranking) for item in outcome.gold]


def _first_rank(item: GoldEvidence, ranking: Sequence[Place]) -> float:
    return next((rank for rank, place in enumerate(ranking, start=1) if item.found_in(place)), math.inf)


def _distinct_articles(ranking: Sequence[Place]) -> list[Place]:
    """The first place of each article, in order."""
    first: dict[str, Place] = {}
    for place in ranking:
        first.setdefault(place.article, place)
    return list(first.values())
