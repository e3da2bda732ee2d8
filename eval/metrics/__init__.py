"""Scores: what a run is worth, in numbers that need no judge. Each is a pure function of outcomes.

`ROW_METRICS` score one outcome and are averaged over those that can be scored; `SET_METRICS` look at all outcomes of a
run at once. To add one: a function, and a line in a table.

    retrieval.py    is the evidence among what was found, did the model read it
    answers.py      wording of the reply against the accepted answers
    amounts.py      numbers of the reply, however they are written
    right.py        right or wrong, all in all
    citations.py    sentences signed with the right evidence
    refusals.py     the right questions refused
    confidence.py   does it know when it knows: ROC, calibration, risk and coverage
    times.py        seconds and tokens
    whole.py        how a score of many outcomes at once is made up
    measure.py      many metrics at once, with intervals (`eval/intervals.py`), also by part and by kind

Outcomes with nothing to score give None, never 0: `n` beside a figure counts what was scored. Shares are 0 to 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from eval.metrics import amounts, answers, citations, confidence, refusals, retrieval, times
from eval.metrics.whole import SetScore
from eval.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Metric:
    """What is reported under `name`: `row` scores one outcome (the metric is the mean), `whole` all of them.

    Without both, the figure comes from elsewhere: the suite's own score or the runner. `meaning` is one line for
    reports.
    """

    name: str
    meaning: str
    better: Literal["higher", "lower", "neither"] = "higher"
    row: Callable[[Outcome], float | None] | None = None
    whole: SetScore | None = None


_ALL = (
    # Is the evidence found?
    Metric("recall@1", "gold evidence that the first passage shows", row=retrieval.recall_at(1)),
    Metric("recall@4", "gold evidence that the first 4 passages show", row=retrieval.recall_at(4)),
    Metric("recall@5", "gold evidence that the first 5 passages show", row=retrieval.recall_at(5)),
    Metric("recall@10", "gold evidence that the first 10 passages show", row=retrieval.recall_at(10)),
    Metric("hit@1", "questions with gold evidence in the first passage", row=retrieval.hit_at(1)),
    Metric("hit@4", "questions with gold evidence in the first 4 passages", row=retrieval.hit_at(4)),
    Metric("hit@5", "questions with gold evidence in the first 5 passages", row=retrieval.hit_at(5)),
    Metric("hit@10", "questions with gold evidence in the first 10 passages", row=retrieval.hit_at(10)),
    Metric("mrr", "1 / rank of the first passage with gold evidence", row=retrieval.reciprocal_rank),
    Metric("ndcg@10", "discounted gain of the first 10 passages over the ideal", row=retrieval.ndcg_at(10)),
    Metric("article_hit@1", "questions whose first article holds gold evidence", row=retrieval.article_hit_at(1)),
    Metric(
        "article_hit@5",
        "questions with an article of the gold evidence in the first 5",
        row=retrieval.article_hit_at(5),
    ),
    Metric("evidence_kept", "gold evidence in the sentences that the model read", row=retrieval.evidence_kept),
    Metric("evidence_tokens", "tokens of the evidence that the model read", "neither", row=retrieval.evidence_tokens),
    # Is the answer right?
    Metric("em", "replies that are an accepted answer, normalised as SQuAD does", row=answers.exact_match),
    Metric("f1", "shared words of reply and accepted answer (SQuAD 2.0), refusals included", row=answers.token_f1),
    Metric("has_answer_f1", "f1 of the questions that have an answer", row=answers.has_answer_f1),
    Metric("no_answer_f1", "f1 of the questions that have none: the share refused", row=answers.no_answer_f1),
    Metric("contained", "parts of the answer that the reply contains", row=answers.contained),
    Metric("number_match", "replies with the right numbers, up to 1 %", row=amounts.number_match),
    Metric("rouge_l", "longest common word sequence of reply and accepted answer", row=answers.rouge_l),
    Metric("accuracy", "the set's own score of right answers"),
    Metric("reply_length", "words of a reply", "neither", row=answers.reply_length),
    # Is it signed with the right evidence?
    Metric("citation_precision", "cited sentences that are gold evidence", row=citations.citation_precision),
    Metric("citation_recall", "gold evidence that is cited", row=citations.citation_recall),
    Metric("cited_sentences", "sentences of the reply that have a citation", row=citations.cited_sentences),
    Metric("numbers_covered", "numbers of the reply that its citations contain", row=citations.numbers_covered),
    # Are the right questions refused?
    Metric(
        "refusal_precision",
        "refused questions that are unanswerable",
        whole=SetScore(refusals.refusal_facts, refusals.precision),
    ),
    Metric(
        "refusal_recall",
        "unanswerable questions that are refused, as a part of refusal_f1",
        whole=SetScore(refusals.refusal_facts, refusals.recall),
    ),
    Metric(
        "refusal_f1",
        "harmonic mean of refusal_precision and refusal_recall",
        whole=SetScore(refusals.refusal_facts, refusals.f1),
    ),
    Metric("refused_unanswerable", "unanswerable questions that are refused", row=refusals.refused_unanswerable),
    Metric("false_refusal", "answerable questions that are refused", "lower", row=refusals.false_refusal),
    Metric("wrong_answers", "questions answered wrongly, or although unanswerable", "lower", row=refusals.wrong_answer),
    # Does it know when it knows?
    Metric(
        "auroc",
        "pairs of an answerable and an unanswerable question that confidence puts in order",
        whole=SetScore(confidence.score_facts, confidence.area_under_roc),
    ),
    Metric(
        "balanced_accuracy",
        "mean of the answerable that are answered and the unanswerable that are refused",
        whole=SetScore(confidence.decision_facts, confidence.balanced_accuracy),
    ),
    Metric(
        "ece",
        "mean distance of confidence from the share of shown answers that is right, 10 bins",
        "lower",
        whole=SetScore(confidence.confidence_facts, confidence.expected_calibration_error),
    ),
    Metric(
        "aurc",
        "share of wrong answers, averaged over all bars of confidence",
        "lower",
        whole=SetScore(confidence.risk_facts, confidence.area_under_risk_coverage),
    ),
    # What does it cost?
    Metric(
        "search_p50_s", "seconds of search, median", "lower", whole=SetScore(times.search_time, times.percentile(50))
    ),
    Metric(
        "search_p95_s",
        "seconds of search, 95th percentile",
        "lower",
        whole=SetScore(times.search_time, times.percentile(95)),
    ),
    Metric(
        "first_token_p50_s",
        "seconds to the first token, median",
        "lower",
        whole=SetScore(times.first_token_time, times.percentile(50)),
    ),
    Metric(
        "first_token_p95_s",
        "seconds to the first token, 95th percentile",
        "lower",
        whole=SetScore(times.first_token_time, times.percentile(95)),
    ),
    Metric(
        "total_p50_s",
        "seconds to the whole answer, median",
        "lower",
        whole=SetScore(times.total_time, times.percentile(50)),
    ),
    Metric(
        "total_p95_s",
        "seconds to the whole answer, 95th percentile",
        "lower",
        whole=SetScore(times.total_time, times.percentile(95)),
    ),
    Metric(
        "tokens_in_p50",
        "tokens read by the model, cached ones not counted, median",
        "lower",
        whole=SetScore(times.tokens_in, times.percentile(50)),
    ),
    Metric(
        "tokens_out_p50",
        "tokens written by the model, median",
        "neither",
        whole=SetScore(times.tokens_out, times.percentile(50)),
    ),
    Metric("peak_memory_mb", "most memory that the process held, in MB", "lower"),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric that a report may name, in the order of reports."""

ROW_METRICS: Mapping[str, Callable[[Outcome], float | None]] = {
    name: metric.row for name, metric in METRICS.items() if metric.row is not None
}
"""Metrics of one outcome; the metric of a set is the mean over those that are not None."""

SET_METRICS: Mapping[str, SetScore] = {
    name: metric.whole for name, metric in METRICS.items() if metric.whole is not None
}
"""Metrics of all outcomes at once; None if undefined for them."""
