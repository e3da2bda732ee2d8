"""What the command lines of all packages share: progress on stderr, and errors as one message with an exit code."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from index.errors import BylineError
from index.neutral import neutral
from index.progress import DETAIL, Progress


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """A progress callback that draws bars on stderr, with the time left, and only if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    with Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            name = what.partition(DETAIL)[0]
            if name not in tasks:
                tasks[name] = bars.add_task(what, total=None)
            bars.update(tasks[name], description=what, completed=done, total=total or None)

        yield report


def run_command_line(app: Callable[[], Any]) -> None:
    """Run a typer application: our errors become one message on stderr and an exit code, never a traceback."""
    import typer

    try:
        app()
    except BylineError as error:
        typer.secho(f"Error: {neutral(error.message)}", fg="red", err=True)
        if error.help:
            typer.echo(neutral(error.help), err=True)
        sys.exit(error.exit_code)
