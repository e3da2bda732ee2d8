"""What the reports for people share: which metrics belong together, how a figure is written, which question is worst,
and what its stage means.

Questions are the plain dicts of `eval.results.question_row`, so that a saved report shows the same.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from eval.intervals import Estimate
from eval.metrics import METRICS
from eval.stages import FAILURES

Row: TypeAlias = Mapping[str, Any]
"""One question of a report."""

_GROUPS: Mapping[str, Sequence[str]] = {
    "Answers": "accuracy em f1 has_answer_f1 no_answer_f1 contained number_match rouge_l reply_length".split(),
    "Citations": "citation_precision citation_recall cited_sentences numbers_covered".split(),
    "Refusals": (
        "refusal_precision refusal_recall refusal_f1 refused_unanswerable false_refusal wrong_answers auroc "
        "balanced_accuracy ece aurc"
    ).split(),
    "Retrieval": "recall hit mrr ndcg article_hit evidence_kept evidence_tokens".split(),
    "Time and memory": "search first_token total tokens_in tokens_out peak_memory_mb".split(),
}
_ELSEWHERE = "Other"
_MAIN_METRICS = ("accuracy", "contained", "f1", "em", "rouge_l", "ndcg@10", "recall@10")
_KIND_METRICS = ("false_refusal", "refused_unanswerable", "wrong_answers")

READ_PASSAGES = 8
"""Passages of an answer, where the report does not hold the setting."""


def grouped(metrics: Mapping[str, Estimate]) -> list[tuple[str, list[str]]]:
    """The names of `metrics` by group, groups in a fixed order, names in their own.

    The parts of a metric ("NAME/part") come right after it, but for one that is the whole set and so says the same;
    metrics that belong to no group come last.
    """
    parts: dict[str, list[str]] = {}
    for name, estimate in metrics.items():
        if not part(name) or estimate != metrics.get(base(name)):
            parts.setdefault(base(name), []).append(name)
    groups: dict[str, list[str]] = {group: [] for group in (*_GROUPS, _ELSEWHERE)}
    for name, names in parts.items():
        groups[_group_of(name)] += sorted(names, key=lambda one: "/" in one)
    return [(group, names) for group, names in groups.items() if names]


def base(name: str) -> str:
    """The metric that "NAME/part" is a part of."""
    return name.partition("/")[0]


def part(name: str) -> str:
    """The part of "NAME/part", "" for the whole."""
    return name.partition("/")[2]


def is_share(name: str) -> bool:
    """Whether the metric lies between 0 and 1."""
    return not unit(name)


def unit(name: str) -> str:
    """ "s", "MB", "tokens", "words", or "" for a share."""
    name = base(name)
    if name.endswith("_s"):
        return "s"
    if name.endswith("_mb"):
        return "MB"
    if "tokens_" in name or name.endswith("_tokens"):
        return "tokens"
    return "words" if name == "reply_length" else ""


def number(name: str, value: float) -> str:
    """A value of that metric without its unit: shares 0.xxx, the others with as many digits as matter; "–" if not
    finite."""
    if not math.isfinite(value):
        return "–"
    if not unit(name):
        return f"{value:.3f}"
    if unit(name) in ("MB", "tokens"):
        return f"{value:,.0f}"
    if unit(name) == "words":
        return f"{value:,.1f}"
    return seconds(value).removesuffix(" s")


def figure(name: str, value: float) -> str:
    """The value with its unit: "0.813", "4.00 s", "412 tokens"."""
    return f"{number(name, value)} {unit(name)}".rstrip()


def interval(name: str, estimate: Estimate) -> str:
    """The 95 % interval, "0.750–0.866"; "" if there is none, as for a figure that was measured once."""
    if estimate.n < 2 or not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return ""
    return f"{number(name, estimate.low)}–{number(name, estimate.high)}"


def seconds(value: float) -> str:
    """ "0.004 s", "4.25 s", "125.0 s"."""
    digits = 3 if value < 0.1 else 2 if value < 100 else 1
    return f"{value:.{digits}f} s"


def lower_is_better(name: str) -> bool:
    """Whether a smaller value of that metric is the better one."""
    metric = METRICS.get(base(name))
    return metric is not None and metric.better == "lower"


def meaning(name: str) -> str:
    """The metric in one line; "" if nobody knows it."""
    metric = METRICS.get(base(name))
    return metric.meaning if metric is not None else ""


def main_metric(metrics: Iterable[str]) -> str | None:
    """The first of `metrics` that tells how good answers are; reports name a set's official one first."""
    return next((name for name in metrics if name in _MAIN_METRICS), None)


def kind_columns(
    kinds: Mapping[str, Mapping[str, Estimate]], metrics: Iterable[str]
) -> tuple[str | None, tuple[str, ...]]:
    """What to show of each kind of question: the main metric (None if there is none for any kind), and others."""
    held = {name for scores in kinds.values() for name in scores}
    return main_metric(name for name in metrics if name in held), tuple(name for name in _KIND_METRICS if name in held)


def worst_first(rows: Sequence[Row]) -> list[Row]:
    """Failures in the order of `stages.FAILURES`, the most confident first; then what was not judged, then the rest."""
    order = {stage: place for place, stage in enumerate((*FAILURES, "not judged"))}
    return sorted(rows, key=lambda row: (order.get(row["stage"], len(order)), -confidence(row)))


def failed(row: Row) -> bool:
    """Whether something went wrong."""
    return row["stage"] in FAILURES


def confidence(row: Row) -> float:
    """That of the answer, 0 if there is none."""
    return float(row["answer"]["confidence"]) if row["answer"] else 0.0


def said(row: Row) -> str:
    """What was said or found, in one line."""
    answer = row["answer"]
    if answer is not None:
        return (
            f"Refused: {one_line(answer['reason'] or answer['text'])}"
            if answer["abstained"]
            else one_line(answer["text"])
        )
    if row["support_score"] is not None:
        return f"log-odds that the articles state it: {row['support_score']:+.2f}"
    return _found(row)


def explanation(row: Row, *, passages_read: int = READ_PASSAGES) -> str:
    """One sentence, or two: what went wrong at which stage, and what to look at.

    `passages_read` is how many passages an answer may use.
    """
    rank = min((rank for rank in row["gold_ranks"] or () if rank is not None), default=None)
    where = "not found at all" if rank is None else f"first found at rank {rank}"
    match row["stage"]:
        case "right" if row["answer"] is None:
            return f"The search shows evidence among its first {passages_read} passages."
        case "right":
            return "The reply states an accepted answer."
        case "rightly refused":
            return "The articles do not answer this, and it was refused."
        case "right, badly cited":
            return (
                "The reply states an accepted answer, but most of what it cites is not judged evidence. See whether "
                "the cited sentences state it as well (then the judgements lack them) or only come near it."
            )
        case "not retrieved":
            return (
                f"Search lost it: no evidence among the {passages_read} passages that an answer uses ({where}). "
                "Compare the words of the question with those of the evidence, and the passages that came first."
            )
        case "retrieved, not chosen":
            return (
                f"Search found evidence ({where}), but none of it was among the sentences that the model read. Look at "
                "the sentences around it, and at the setting evidence_tokens."
            )
        case "chosen, but refused":
            return (
                f"The model read the evidence and the question was refused, with confidence {confidence(row):.2f}. The "
                "reason for refusal tells which check stopped it."
            )
        case "answered wrong" if row["gold_ranks"]:
            return (
                "The model read the evidence, yet the reply states no accepted answer. See whether the reply is right "
                "in other words (then the accepted answers lack them) or mixes things up."
            )
        case "answered wrong":
            return (
                "The reply states no accepted answer. No evidence is judged, so nobody knows where it was lost; read "
                "what is cited."
            )
        case "should be refused":
            return (
                f"The articles do not answer this, yet it was answered, with confidence {confidence(row):.2f}. See "
                "what the cited sentences really state, and the setting wrong_per_hundred."
            )
        case _ if row["task"] == "support":
            return (
                "A claim to check: its log-odds count among all others, above 0 for stated, and not as right or wrong."
            )
        case _:
            return "Nothing says what would have been right, so this counts in no score of right and wrong."


def one_line(text: str) -> str:
    """The text without line breaks and without characters that steer a terminal."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _found(row: Row) -> str:
    ranks = row["gold_ranks"]
    if not ranks:
        return "searched only"
    found = [str(rank) for rank in ranks if rank is not None]
    missed = len(ranks) - len(found)
    told = [f"evidence at rank {', '.join(found)}"] if found else []
    return "; ".join([*told, *([f"{missed} of {len(ranks)} not found"] if missed else [])])


def _group_of(name: str) -> str:
    stem = name.partition("@")[0]
    for ending in ("_p50_s", "_p95_s", "_p50", "_p95"):
        stem = stem.removesuffix(ending)
    return next((group for group, names in _GROUPS.items() if stem in names), _ELSEWHERE)
