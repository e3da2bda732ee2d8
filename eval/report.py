"""A report for a person at a terminal: figures beside baselines, kinds, stages, and the worst questions.

Reads at 100 columns and says nothing by colour alone. What comes from questions and replies cannot steer the terminal.
"""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eval.intervals import Estimate
from eval.results import Report
from eval.showing import (
    failed,
    figure,
    grouped,
    interval,
    kind_columns,
    lower_is_better,
    one_line,
    part,
    said,
    worst_first,
)

WORST_SHOWN = 10
_COMMIT_SHOWN = 10
_ID_SHOWN = 18
_NONE = "–"


def terminal_report(report: Report) -> RenderableType:
    """The whole report, ready to print with rich."""
    parts = [_head(report), Text(), _metrics(report)]
    if report.kinds:
        parts += [Text(), _kinds(report)]
    parts += [Text(), _stages(report)]
    worst = [row for row in worst_first(report.questions) if failed(row)]
    if worst:
        shown = f"The worst {WORST_SHOWN} of {len(worst)}" if len(worst) > WORST_SHOWN else "What went wrong"
        parts += [Text(), Text(shown, style="bold"), _questions(worst[:WORST_SHOWN])]
    if report.notes:
        parts += [Text(), Text("Notes", style="bold"), _notes(report.notes)]
    return Group(*parts)


def _head(report: Report) -> RenderableType:
    commit, changed = report.provenance.commit.partition("+")[::2]
    model = report.provenance.models.get("generator", {}).get("name", "unknown")
    facts = [
        f"{len(report.questions)} question{'' if len(report.questions) == 1 else 's'}",
        f"model {model}",
        f"commit {commit[:_COMMIT_SHOWN]}{f' with {changed}' if changed else ''}",
        "complete" if report.complete else "INTERRUPTED, not all asked",
    ]
    title = one_line(report.title)
    name = title if report.suite in (title, "") else f"{title} ({one_line(report.suite)})"
    return Group(Text(name, style="bold"), Text(" · ".join(facts)))


def _metrics(report: Report) -> RenderableType:
    table = _table("metric", "value", "95 % interval", "n", *report.baselines, left=(0, 2))
    for place, (group, names) in enumerate(grouped(report.metrics)):
        if place:
            table.add_row()
        table.add_row(Text(group, style="bold"))
        for name in names:
            estimate = report.metrics[name]
            table.add_row(
                Text(_label(name, report.metrics)),
                figure(name, estimate.value),
                interval(name, estimate),
                str(estimate.n),
                *(_value(name, baseline.get(name)) for baseline in report.baselines.values()),
            )
    down = any(map(lower_is_better, report.metrics))
    return Group(table, Text("↓ lower is better", style="dim")) if down else table


def _label(name: str, metrics: Mapping[str, Estimate]) -> str:
    """A part stands under its metric, further in."""
    arrow = " ↓" if lower_is_better(name) else ""
    whole = name.partition("/")[0]
    return f"    {one_line(part(name))}" if part(name) and whole in metrics else f"  {one_line(name)}{arrow}"


def _kinds(report: Report) -> RenderableType:
    first, others = kind_columns(report.kinds, report.metrics)
    columns = (first, *others) if first else others
    asked: dict[str, int] = {}
    for row in report.questions:
        asked[row["kind"]] = asked.get(row["kind"], 0) + 1
    table = _table("kind", "asked", *(f"{name} ↓" if lower_is_better(name) else name for name in columns), left=(0,))
    for kind, scores in report.kinds.items():
        table.add_row(
            Text(f"  {one_line(kind)}"),
            str(asked.get(kind, 0)),
            *(_value(name, scores.get(name)) for name in columns),
        )
    return table


def _stages(report: Report) -> RenderableType:
    table = _table("what became of them", "questions", "share", left=(0,))
    total = sum(report.stages.values())
    for stage, count in report.stages.items():
        table.add_row(Text(f"  {stage}"), str(count), f"{100 * count / total:.0f} %")
    return table


def _questions(rows: Sequence[Mapping[str, object]]) -> RenderableType:
    table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=False, expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=_ID_SHOWN)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        table.add_row(
            Text(f"  {one_line(str(row['id']))}"),
            Text(one_line(str(row["question"]))),
            Text(str(row["stage"]), style="bold"),
            Text(said(row)),
        )
    return table


def _notes(notes: Sequence[str]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for note in notes:
        table.add_row("  -", Text(one_line(note)))
    return table


def _value(name: str, estimate: Estimate | None) -> str:
    return _NONE if estimate is None else figure(name, estimate.value)


def _table(*columns: str, left: Sequence[int]) -> Table:
    """A table without lines; columns are right-aligned but those in `left`."""
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold underline")
    for place, name in enumerate(columns):
        table.add_column(Text(name), justify="left" if place in left else "right", no_wrap=True)
    return table
