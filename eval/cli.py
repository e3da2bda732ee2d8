"""`python -m eval …`, which is also `byline eval …`: ask a question set and score it, compare runs, draft a set."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from eval.cli_options import IndexOption, JsonOption, ModelOption
from index.neutral import to_json
from index.terminal import run_command_line

if TYPE_CHECKING:
    from eval.bars import Bar
    from eval.results import Report

MISSED_BAR = 6
"""Exit code if a bar of --fail-under is missed."""

INTERRUPTED = 130


class _RunByDefault(TyperGroup):
    """`eval QUESTIONS` is `eval run QUESTIONS`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    help="Ask a question set and score answers, citations, refusals, search. `eval QUESTIONS` is `eval run QUESTIONS`.",
)


@app.command()
def run(
    questions: Annotated[
        Path | None, typer.Argument(help="JSON lines, JSON or CSV; see docs/evaluation.md.", show_default=False)
    ] = None,
    suite: Annotated[str | None, typer.Option(help="A public set instead: scifact, squad2, xquad, clapnq, …")] = None,
    data: Annotated[Path | None, typer.Option(help="The folder with the files of the suite.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only so many, drawn evenly over the parts.")] = None,
    seed: Annotated[int, typer.Option(help="Which ones --limit draws.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for rows, report.json and report.html.", show_default="byline-eval/NAME")
    ] = None,
    search_only: Annotated[bool, typer.Option("--search-only", help="Score search alone; no model is loaded.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False,
    setting: Annotated[list[str] | None, typer.Option("--set", help="Override a setting: name=value.")] = None,
    fail_under: Annotated[str, typer.Option(help="Leave with exit code 6 unless reached: f1=0.7,refusal_f1=0.8.")] = "",
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Compare two reports instead: A.json B.json.", show_default=False)
    ] = None,
    rescore: Annotated[
        Path | None, typer.Option(help="Score the rows of this earlier run again instead of asking.")
    ] = None,
    as_json: JsonOption = False,
    index: IndexOption = None,
    model: ModelOption = None,
) -> None:
    """Ask every question and report answers, citations, refusals, search and time, beside three baselines."""
    from eval.bars import parse_bars

    bars = parse_bars(fail_under)
    if compare is not None:
        _compare(*compare, as_json=as_json)
        return
    if rescore is not None:
        from eval.session import rescore_run

        _show(rescore_run(rescore), rescore, bars, as_json=as_json)
        return
    from eval.session import plan_run
    from index.terminal import terminal_progress

    overrides = _overrides(setting or []) | {
        name: value for name, value in (("index", index), ("model", model)) if value is not None
    }
    plan = plan_run(questions, suite=suite, data=data, limit=limit, seed=seed, out=out, search_only=search_only)
    with terminal_progress() as progress:
        report = plan.run(overrides, resume=resume, progress=progress)
    _show(report, plan.folder, bars, as_json=as_json)


@app.command()
def draft(
    articles: Annotated[list[Path], typer.Argument(help="Articles, or folders of them.")],
    out: Annotated[Path, typer.Option(help="The file to write, JSON lines.")] = Path("draft_questions.jsonl"),
    count: Annotated[int, typer.Option(min=1, help="How many questions to propose at most.")] = 50,
    model: ModelOption = None,
) -> None:
    """Propose a question set from your own articles, for you to correct: every row is marked as a draft."""
    from eval.session import draft_set
    from index.terminal import terminal_progress

    with terminal_progress() as progress:
        written = draft_set(articles, out=out, count=count, model=model, progress=progress)
    typer.echo(f"{written} drafts in {out}. Read them, correct them, and give each a kind other than draft.")


def main() -> None:
    """Entry point of `python -m eval`."""
    run_command_line(app)


def _show(report: "Report", folder: Path, bars: "tuple[Bar, ...]", *, as_json: bool) -> None:
    from eval.bars import missed_bars

    if as_json:
        typer.echo(to_json(report.to_dict()))
    else:
        from rich.console import Console

        from eval.report import terminal_report

        # A pipe has no width; there the table gets what it needs.
        console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
        console.print(terminal_report(report))
        typer.echo(f"For each question: {folder / 'report.html'}")
    missed = missed_bars(bars, report.metrics)
    for why in missed:
        typer.secho(f"Missed: {why}", fg="red", err=True)
    if not report.complete:
        typer.echo("Interrupted: the report is of what was asked so far; --resume goes on.", err=True)
        raise typer.Exit(INTERRUPTED)
    if missed:
        raise typer.Exit(MISSED_BAR)


def _compare(first: Path, second: Path, *, as_json: bool) -> None:
    from eval.compare import compare_reports
    from eval.results import read_report

    comparison = compare_reports(read_report(first), read_report(second), names=(str(first), str(second)))
    if as_json:
        typer.echo(to_json(comparison.to_dict()))
        return
    from rich.console import Console

    from eval.comparison_view import comparison_view

    Console(highlight=False).print(comparison_view(comparison))


def _overrides(settings: list[str]) -> dict[str, str]:
    from index.errors import SettingsError

    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise SettingsError(f"--set {setting} is not name=value.", help="For example: --set evidence_tokens=300")
        found[name.strip()] = value.strip()
    return found
