"""A report as one HTML file that needs nothing else: figures, plots, and every question with what became of it.

Everything from questions, articles and replies is untrusted: the template escapes it, and a content security policy
lets the page run its own script and load nothing. The same report gives the same file.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from eval.html_questions import question_view, stage_class
from eval.intervals import Estimate
from eval.metrics.confidence import reliability, risk_coverage
from eval.outcomes import Outcome
from eval.plots import reliability_plot, risk_coverage_plot, time_plot
from eval.questions import Question
from eval.showing import (
    READ_PASSAGES,
    Row,
    base,
    failed,
    figure,
    grouped,
    interval,
    is_share,
    kind_columns,
    lower_is_better,
    main_metric,
    meaning,
    part,
    unit,
    worst_first,
)
from eval.stages import FAILURES
from rag.types import Answer, Timings

_TEMPLATE = "report.html.j2"
_SURROGATE = re.compile("[\ud800-\udfff]")
_WELL = ("right", "rightly refused")
_KEY_FIGURES = ("citation_precision", "refusal_f1", "wrong_answers")
_KEY_TIMES = ("total_p50_s", "search_p50_s")

Estimates = Mapping[str, Estimate]


def html_report(report: Mapping[str, Any]) -> str:
    """The page for a report as `Report.to_dict()` or `read_report` gives it."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["sha256"] = _sha256
    template = environment.from_string(resources.files("eval").joinpath(_TEMPLATE).read_text(encoding="utf-8"))
    # JSON may carry halves of characters, which no file can.
    return _SURROGATE.sub("\ufffd", template.render(_view(report)))


def _view(report: Mapping[str, Any]) -> dict[str, Any]:
    metrics = _estimates(report["metrics"])
    baselines = {name: _estimates(values) for name, values in report["baselines"].items()}
    rows: Sequence[Row] = report["questions"]
    asked = {id(row): number for number, row in enumerate(rows, start=1)}
    passages_read = report["settings"].get("passages_per_question", READ_PASSAGES)
    return {
        "title": report["title"],
        "suite": report["suite"],
        "complete": report["complete"],
        "asked": len(rows),
        "wrong": sum(map(failed, rows)),
        "date": _moment(report["date"]),
        "articles": report["index"].get("articles"),
        "model": report["models"].get("generator", {}).get("name", "unknown"),
        "provenance": _provenance(report),
        "notes": report["notes"],
        "key_figures": _key_figures(metrics),
        "baselines": list(baselines),
        "groups": _groups(metrics, baselines),
        "kinds": _kinds(report, metrics),
        "stages": _stages(report["stages"]),
        "plots": _plots(rows, baselines),
        "questions": [question_view(row, asked[id(row)], passages_read=passages_read) for row in worst_first(rows)],
        "choices": {name: sorted({row[name] for row in rows if row[name]}) for name in ("kind", "part")},
    }


def _estimates(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    return {name: Estimate(**value) for name, value in values.items()}


def _key_figures(metrics: Estimates) -> list[dict[str, Any]]:
    names = [main_metric(metrics), *_KEY_FIGURES, next((name for name in _KEY_TIMES if name in metrics), None)]
    return [_metric(name, metrics[name], 1.0) for name in names if name is not None and name in metrics]


def _groups(metrics: Estimates, baselines: Mapping[str, Estimates]) -> list[dict[str, Any]]:
    slowest = max((estimate.high for name, estimate in metrics.items() if unit(name) == "s"), default=0.0)
    return [
        {
            "name": group,
            "metrics": [
                _metric(name, metrics[name], slowest)
                | {"baselines": [_value(name, values.get(name)) for values in baselines.values()]}
                for name in names
            ],
        }
        for group, names in grouped(metrics)
    ]


def _metric(name: str, estimate: Estimate, slowest: float) -> dict[str, Any]:
    """What a row of the table shows. Bars run from 0 to 1, those of seconds to the slowest; tokens have none."""
    whole = 1.0 if is_share(name) else slowest if unit(name) == "s" else 0.0
    return {
        "name": base(name),
        "part": part(name),
        "lower": lower_is_better(name),
        "meaning": meaning(name),
        "value": figure(name, estimate.value),
        "interval": interval(name, estimate),
        "n": estimate.n,
        "bar": _bar(estimate, whole) if whole else None,
    }


def _bar(estimate: Estimate, whole: float) -> dict[str, float]:
    """Percent of the width."""
    ends = (estimate.low, estimate.high, estimate.value)
    low, high, value = (round(100 * min(max(end / whole, 0.0), 1.0), 2) for end in ends)
    return {"low": low, "width": round(high - low, 2), "value": value}


def _value(name: str, estimate: Estimate | None) -> str:
    return "–" if estimate is None else figure(name, estimate.value)


def _kinds(report: Mapping[str, Any], metrics: Estimates) -> dict[str, Any]:
    kinds = {kind: _estimates(values) for kind, values in report["kinds"].items()}
    first, columns = kind_columns(kinds, metrics)
    asked = {kind: sum(row["kind"] == kind for row in report["questions"]) for kind in kinds}
    return {
        "first": first,
        "columns": [{"name": name, "lower": lower_is_better(name)} for name in columns],
        "rows": [
            {
                "kind": kind,
                "asked": asked[kind],
                "first": _metric(first, values[first], 1.0) if first in values else None,
                "others": [_value(name, values.get(name)) for name in columns],
            }
            for kind, values in kinds.items()
        ],
    }


def _stages(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """From what went well to what went worst, with the place of each in a bar of 100 %."""
    total = sum(counts.values())
    order = [*_WELL, *reversed(FAILURES), "not judged"]
    found, before = [], 0
    for stage in sorted(counts, key=lambda stage: order.index(stage) if stage in order else len(order)):
        count = counts[stage]
        found.append(
            {
                "stage": stage,
                "class": stage_class(stage),
                "count": count,
                "share": f"{100 * count / total:.0f} %",
                "start": round(100 * before / total, 3),
                "width": round(100 * count / total, 3),
            }
        )
        before += count
    return found


def _plots(rows: Sequence[Row], baselines: Mapping[str, Estimates]) -> list[dict[str, str]]:
    """Those that there is something to draw for."""
    answers = [row["answer"] for row in rows if row["answer"] is not None]
    outcomes = [_outcome(row) for row in rows if row["answer"] is not None]
    bins, points = reliability(outcomes), risk_coverage(outcomes)
    always = baselines.get("always-answer", {}).get("wrong_answers")
    totals = [answer["timings"]["total_s"] for answer in answers]
    firsts = [first for answer in answers if (first := answer["timings"]["first_token_s"]) is not None]
    plots = []
    if bins:
        plots.append(
            {
                "title": "Does confidence tell the truth?",
                "text": "Questions by confidence, their number above. On the line, as many can be answered as it says.",
                "svg": reliability_plot(bins),
            }
        )
    if points:
        plots.append(
            {
                "title": "What does caution cost?",
                "text": "The more questions are answered, the least confident last, the more of the replies are wrong.",
                "svg": risk_coverage_plot(points, always_answer=always.value if always else None),
            }
        )
    if totals:
        plots.append(
            {
                "title": "How long does it take?",
                "text": "The share of questions done within so many seconds; refusals count as answers.",
                "svg": time_plot(totals, firsts),
            }
        )
    return plots


def _outcome(row: Row) -> Outcome:
    """As much of it as confidence is judged by, so that the plots show what the figures beside them say."""
    answer = row["answer"]
    parts = None if row["answers"] is None else tuple(map(tuple, row["answers"]))
    return Outcome(
        question=Question(row["id"], row["question"], parts, row["answerable"], task=row["task"]),
        gold=None,
        ranking=(),
        answer=Answer(
            question=row["question"],
            text=answer["text"],
            abstained=answer["abstained"],
            confidence=answer["confidence"],
            reason=answer["reason"],
            citations=(),
            passages=(),
            timings=Timings(**answer["timings"]),
            model=answer["model"],
            index=answer["index"],
        ),
    )


def _provenance(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Blocks of (name, value) pairs."""
    models = {role: f"{model['name']}  {model['fingerprint']}" for role, model in report["models"].items()}
    made = {"commit": report["commit"], "date": report["date"], **models}
    blocks = {"Made with": made} | {
        name.capitalize(): report[name] for name in ("settings", "index", "machine", "versions")
    }
    return [
        {"name": name, "pairs": [(key, _plain(value)) for key, value in values.items()]}
        for name, values in blocks.items()
    ]


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    return "–" if value in ("", None) else str(value)


def _moment(iso: str) -> str:
    """ "25 November 2026, 10:00 UTC"; what is no moment stays as it is."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = f" {moment.tzname()}" if moment.tzinfo else ""
    return f"{moment.day} {moment:%B %Y, %H:%M}{zone}"


def _sha256(text: str) -> str:
    """As a content security policy names a script or a style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
