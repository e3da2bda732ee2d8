"""A run as figures: metrics with intervals, beside baselines, by kind, and what became of each question."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

from eval.asking import Row
from eval.baselines import baseline_outcomes
from eval.intervals import Estimate
from eval.metrics import ROW_METRICS
from eval.metrics.measure import by_kind, measure
from eval.outcomes import Outcome
from eval.provenance import Provenance
from eval.stages import stage_of
from index.errors import InputError

Accuracy = Callable[[Outcome], float | None]

QUESTION_SET_METRICS = (
    "contained f1 em number_match rouge_l citation_precision citation_recall cited_sentences numbers_covered "
    "refusal_precision refusal_recall refusal_f1 false_refusal refused_unanswerable wrong_answers auroc ece aurc "
    "recall@1 recall@4 recall@10 mrr ndcg@10 hit@1 hit@5 article_hit@1 article_hit@5 evidence_kept evidence_tokens "
    "reply_length search_p50_s search_p95_s first_token_p50_s first_token_p95_s total_p50_s total_p95_s "
    "tokens_in_p50 tokens_out_p50 peak_memory_mb"
).split()
"""What is reported for a user's own set: everything that applies."""


@dataclass(frozen=True, slots=True)
class Report:
    """A run, scored. `metrics` etc. map names to estimates; `questions` is one plain dict each, see `question_row`."""

    suite: str
    title: str
    provenance: Provenance
    complete: bool
    metrics: dict[str, Estimate]
    baselines: dict[str, dict[str, Estimate]]
    kinds: dict[str, dict[str, Estimate]]
    stages: dict[str, int]
    notes: tuple[str, ...]
    questions: tuple[dict[str, Any], ...]

    def to_dict(self, *, kinds_among_metrics: bool = True) -> dict[str, Any]:
        """As JSON: provenance laid open at the top, so that `settings`, `machine` and `commit` stand there.

        Where the questions have no parts, the metrics of their kinds stand among the others as "NAME/kind" too; pages
        that have a table of kinds leave that out.
        """
        values = asdict(self)
        provenance = values.pop("provenance")
        if kinds_among_metrics and not any(row["part"] for row in self.questions):
            of_kinds = {
                f"{name}/{kind}": found for kind, metrics in values["kinds"].items() for name, found in metrics.items()
            }
            values["metrics"] = values["metrics"] | of_kinds
        return {"suite": values.pop("suite"), "title": values.pop("title"), **provenance, **values}


def build_report(
    rows: Sequence[Row],
    *,
    suite: str,
    title: str,
    provenance: Provenance,
    metrics: Sequence[str] = QUESTION_SET_METRICS,
    accuracy: Accuracy | None = None,
    complete: bool = True,
    peak_memory_mb: float | None = None,
    notes: Sequence[str] = (),
) -> Report:
    """Score `rows`. Only metrics that apply to at least one question are in the report."""
    outcomes = [row.outcome for row in rows]
    found = measure(outcomes, metrics, accuracy=accuracy)
    if peak_memory_mb is not None and "peak_memory_mb" in metrics:
        found["peak_memory_mb"] = Estimate(peak_memory_mb, peak_memory_mb, peak_memory_mb, 1)
    stages = [stage_of(outcome) for outcome in outcomes]
    return Report(
        suite=suite,
        title=title,
        provenance=provenance,
        complete=complete,
        metrics=found,
        baselines={
            name: measure(others, _comparable(metrics), accuracy=accuracy)
            for name, others in baseline_outcomes(rows).items()
        },
        kinds=_kinds(by_kind(outcomes, metrics, accuracy=accuracy)),
        stages=dict(Counter(stages).most_common()),
        notes=tuple(dict.fromkeys((*notes, *_not_scored(outcomes)))),
        questions=tuple(question_row(row, stage, accuracy=accuracy) for row, stage in zip(rows, stages, strict=True)),
    )


def question_row(row: Row, stage: str, *, accuracy: Accuracy | None = None) -> dict[str, Any]:
    """One question with all that a person needs to see what went wrong, as plain values."""
    outcome = row.outcome
    question = outcome.question
    return {
        "id": question.id,
        "question": question.question,
        "history": [{"role": turn.role, "content": turn.content} for turn in question.history],
        "kind": question.kind,
        "part": question.part,
        "task": question.task,
        "answerable": question.answerable,
        "answers": None if question.answers is None else [list(part) for part in question.answers],
        "evidence": None if question.evidence is None else [asdict(item) for item in question.evidence],
        "stage": stage,
        "scores": _scores(outcome, accuracy),
        "answer": None if outcome.answer is None else _without_place(outcome.answer.to_dict()),
        "support_score": outcome.support_score,
        "gold_ranks": _gold_ranks(outcome),
        "gold_chosen": None
        if outcome.gold is None
        else [any(gold.found_in(place) for place in outcome.chosen) for gold in outcome.gold],
        "keyword_reply": row.keyword.reply,
    }


def write_report(report: Report, folder: Path) -> Path:
    """`folder/report.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.json"
    path.write_text(json.dumps(report.to_dict(), ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def read_report(path: Path) -> dict[str, Any]:
    """A report as plain values. `path` may be its folder. InputError if it is none."""
    path = path / "report.json" if path.is_dir() else path
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a report: {error}.") from error
    if not isinstance(values, dict) or not {"suite", "metrics", "questions"} <= set(values):
        raise InputError(f"{path} is not a report of byline eval.", help="byline eval QUESTIONS writes report.json.")
    return values


def _comparable(metrics: Sequence[str]) -> list[str]:
    """Baselines are not timed: two of them are derived from Byline's own answers."""
    return [name for name in metrics if not name.endswith(("_s", "_mb", "_p50"))]


def _scores(outcome: Outcome, accuracy: Accuracy | None) -> dict[str, float]:
    """The metrics of this question alone, as far as they apply."""
    scores = {name: score(outcome) for name, score in ROW_METRICS.items()}
    if accuracy is not None:
        scores["accuracy"] = accuracy(outcome)
    return {name: value for name, value in scores.items() if value is not None}


def _kinds(found: Mapping[str, Estimate]) -> dict[str, dict[str, Estimate]]:
    """From "f1/who" to who → f1."""
    kinds: dict[str, dict[str, Estimate]] = {}
    for name, estimate in found.items():
        metric, _, kind = name.partition("/")
        kinds.setdefault(kind, {})[metric] = estimate
    return kinds


def _without_place(answer: dict[str, Any]) -> dict[str, Any]:
    """The index by its name alone: a whole path tells about somebody's machine."""
    return answer | {"index": PurePath(answer["index"]).name}


def _gold_ranks(outcome: Outcome) -> list[int | None] | None:
    """For each thing that had to be found, the rank (from 1) of the first passage that shows it."""
    if outcome.gold is None:
        return None
    return [
        next((rank for rank, place in enumerate(outcome.ranking, start=1) if gold.found_in(place)), None)
        for gold in outcome.gold
    ]


def _not_scored(outcomes: Sequence[Outcome]) -> list[str]:
    """What the questions leave open, so that a reader knows why a figure is missing or has a smaller n."""
    missing: Mapping[str, int] = {
        "no accepted answers": sum(outcome.question.answers is None for outcome in outcomes),
        "no word on whether they can be answered": sum(outcome.question.answerable is None for outcome in outcomes),
        "no judged evidence": sum(outcome.question.evidence is None for outcome in outcomes),
        "evidence that is not in the articles": sum(bool(outcome.unfound) for outcome in outcomes),
    }
    return [
        f"{count} of {len(outcomes)} questions have {what}; those scores leave them out."
        for what, count in missing.items()
        if count
    ]
