"""The command `byline`. Heavy imports happen inside the commands, so that --help answers at once.

Exit codes: 0 done (a refusal is an answer), 1 a fault of ours, 2 bad arguments, articles or settings, 3 models,
4 index, 5 the machine (disk, memory, a lock), 130 interrupted. `byline eval` leaves with 6 if a bar is missed.
"""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval import cli as eval_cli
from eval.cli_options import IndexOption, JsonOption, ModelOption, settings_for
from index.neutral import neutral, to_json
from index.terminal import run_command_line
from ui import cli_index, cli_models

if TYPE_CHECKING:
    from index.filters import Filters
    from index.progress import Progress
    from rag.chatbot import Chatbot
    from rag.types import Answer

app = typer.Typer(
    name="byline",
    help="Answers questions about your articles, offline, and signs every sentence. "
    "Exit codes: 0 done, 2 bad input, 3 models, 4 index, 5 machine, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(cli_index.app, name="index")
app.add_typer(cli_models.app, name="models")
app.add_typer(eval_cli.app, name="eval")


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in words.")],
    as_json: JsonOption = False,
    since: Annotated[str | None, typer.Option(help="Only articles from then on: 2018, 2018-07 or 2018-07-19.")] = None,
    until: Annotated[str | None, typer.Option(help="Only articles up to then, that time included.")] = None,
    undated: Annotated[bool, typer.Option("--undated", help="With a time: articles without a date as well.")] = False,
    source: Annotated[list[str] | None, typer.Option(help="Only this publisher; may be repeated.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only articles with this tag; may be repeated.")] = None,
    article: Annotated[list[str] | None, typer.Option(help="Only this one (id or file); may be repeated.")] = None,
    budget: Annotated[
        str | None, typer.Option(help="The time it may take, such as 3s: reads, checks and writes what fits into it.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show why: scores, evidence, checks, the draft, the time.")
    ] = False,
    index: IndexOption = None,
    model: ModelOption = None,
) -> None:
    """Answer one question, with citations."""
    from index.build import named_article
    from index.filters import Filters
    from index.terminal import terminal_progress
    from rag.opening import open_chatbot

    filters = Filters(sources=tuple(source or ()), tags=tuple(tag or ()), since=since, until=until, undated=undated)
    home, settings = settings_for(index=index, model=model, budget=budget)
    with terminal_progress() as progress:
        chatbot = open_chatbot(settings, home=home, progress=progress)
    if article:
        known = chatbot.index.read(lambda library: library.names())
        filters = filters.limited_to([named_article(name, known)[0] for name in article])
    if as_json:
        typer.echo(to_json(chatbot.answer(question, filters=filters).to_dict(explain=explain)))
    else:
        _answer_in_terminal(chatbot, question, filters, explain=explain)


@app.command()
def chat(
    index: IndexOption = None,
    model: ModelOption = None,
    port: Annotated[int, typer.Option(help="The first port to try; a busy one is passed over.")] = 7860,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open the chat in the browser."""
    from index.terminal import terminal_progress
    from rag.opening import make_ready, open_chatbot

    home, settings = settings_for(index=index, model=model)
    with terminal_progress() as progress:
        make_ready(settings, home=home, progress=progress)
    from ui.server import serve
    from ui.warmup import Warmup

    def load(progress: "Progress") -> "Chatbot":
        chatbot = open_chatbot(settings, home=home, progress=progress, load=True)
        chatbot.read_ahead()
        return chatbot

    warmup = Warmup(load)
    serve(warmup, port=port, most_waiting=settings.most_waiting, open_browser=browser, on_ready=typer.echo)


@app.command()
def doctor(
    bench: Annotated[
        bool, typer.Option("--bench", help="Also measure, in a minute, which engine answers fastest here.")
    ] = False,
    as_json: JsonOption = False,
    index: IndexOption = None,
    model: ModelOption = None,
) -> None:
    """Look at Python, processor, memory, models and index, and say what to do about each problem."""
    from ui.doctor import examine, failed, report

    home, settings = settings_for(index=index, model=model)
    checks = examine(home, settings)
    found: Any = [check.to_dict() for check in checks]
    if not as_json:
        typer.echo(neutral(report(checks)))
    if bench:
        from ui.engine_trial import advice, trial_report, try_engines

        trials = try_engines(settings, home, said=lambda text: typer.echo(neutral(text), err=True))
        found = {
            "checks": found,
            "engines": [trial.to_dict() for trial in trials],
            "advice": advice(trials, settings),
        }
        if not as_json:
            typer.echo(neutral(trial_report(trials, settings)))
    if as_json:
        typer.echo(to_json(found))
    if failed(checks):
        raise typer.Exit(1)


def _answer_in_terminal(chatbot: "Chatbot", question: str, filters: "Filters", *, explain: bool) -> None:
    """On a terminal the draft is shown as it grows and then gives way to the checked answer."""
    from rich.console import Console, Group, RenderableType
    from rich.live import Live
    from rich.text import Text

    from rag.types import DoneEvent, StatusEvent, TextEvent
    from ui.explaining import explanation_view
    from ui.terminal import answer_view

    def view(answer: "Answer") -> RenderableType:
        return Group(answer_view(answer), explanation_view(answer)) if explain else answer_view(answer)

    if not sys.stdout.isatty():
        # A file or a pipe has no width to wrap to.
        Console(width=100_000, highlight=False).print(view(chatbot.answer(question, filters=filters)))
        return
    console = Console(highlight=False)
    status, draft = "", ""
    final: Answer | None = None
    with Live(Text(), console=console, transient=True, refresh_per_second=12) as live:
        for event in chatbot.stream(question, filters=filters):
            if isinstance(event, StatusEvent):
                status = event.text
            elif isinstance(event, TextEvent):
                draft += event.text
            elif isinstance(event, DoneEvent):
                final = event.answer
            live.update(Text.assemble((f"{neutral(status)} …\n", "dim"), (neutral(draft), "italic")))
    if final is not None:
        console.print(view(final))


def main() -> None:
    """Entry point: our errors become one message and an exit code, never a traceback."""
    run_command_line(app)
