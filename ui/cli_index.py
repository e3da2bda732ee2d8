"""`byline index …`: add, look at and remove articles."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.cli_options import IndexOption, JsonOption, settings_for
from index.neutral import neutral, to_json

if TYPE_CHECKING:
    from index.build import Changes

app = typer.Typer(help="Add, look at and remove articles.", no_args_is_help=True)


@app.command()
def add(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Articles (text, Markdown, web pages, PDF, Word) or folders of them.")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option(help="Read and embed every article anew, for example for another embedder.")
    ] = False,
    as_json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Add articles, replace changed ones, drop those that vanished from a folder given again."""
    from index.build import update_index
    from index.errors import InputError
    from index.terminal import terminal_progress
    from rag.opening import open_embedder

    if not paths and not rebuild:
        raise InputError("No article is named.", help="byline index add FILE_OR_FOLDER…")
    home, settings = settings_for(index=index)
    with terminal_progress() as progress:
        embedder = open_embedder(settings, home=home, progress=progress)
        folder = settings.index_folder(home)
        changes = update_index(folder, paths or [], embedder=embedder, progress=progress, rebuild=rebuild)
    _print_changes(changes, as_json=as_json)


@app.command()
def remove(
    names: Annotated[list[str], typer.Argument(help="Ids, shown paths, file names or locations of articles.")],
    as_json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Remove articles; they are gone from the next answer on."""
    from index.build import remove_articles
    from index.terminal import terminal_progress

    home, settings = settings_for(index=index)
    with terminal_progress() as progress:
        changes = remove_articles(settings.index_folder(home), names, progress=progress)
    _print_changes(changes, as_json=as_json)


@app.command()
def status(as_json: JsonOption = False, index: IndexOption = None) -> None:
    """What is in the index: articles with publisher and date, sizes, embedder."""
    from index.status import read_status

    home, settings = settings_for(index=index)
    found = read_status(settings.index_folder(home))
    if as_json:
        typer.echo(to_json(found.to_dict()))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        "id", "article", "publisher", "date", "title", title=Text(neutral(f"{found.folder}")), title_justify="left"
    )
    for article in found.articles:
        name = article.path if article.present else f"{article.path} (file gone)"
        # As `Text`: rich would take "[red]" in a title for a colour, and "[/]" for a mistake.
        cells = (article.id, name, article.source or "unknown", article.date or "unknown", article.title or "none")
        table.add_row(*(Text(neutral(cell)) for cell in cells))
    console = Console()
    console.print(table)
    console.print(
        f"{len(found.articles):,} articles, {found.passages:,} passages, {found.sentences:,} sentences; "
        f"embedder {found.embedder}; updated {found.updated}"
    )


@app.command()
def show(
    article: Annotated[str, typer.Argument(help="Id of the article, as in `byline index status`.")],
    as_json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Print the stored text of an article; citations are offsets into it."""
    from index.status import read_stored_article

    home, settings = settings_for(index=index)
    found = read_stored_article(settings.index_folder(home), article)
    if as_json:
        typer.echo(to_json(asdict(found)))
    else:
        typer.echo(neutral(found.text) if sys.stdout.isatty() else found.text)


def _print_changes(changes: "Changes", *, as_json: bool) -> None:
    if as_json:
        typer.echo(to_json(asdict(changes)))
        return
    counts = [
        (changes.added, "added"),
        (changes.replaced, "replaced"),
        (changes.unchanged, "unchanged"),
        (changes.removed, "removed"),
    ]
    typer.echo(", ".join(f"{len(paths):,} {word}" for paths, word in counts))
    for skipped in changes.skipped:
        typer.secho(neutral(f"skipped {skipped.path}: {skipped.reason}"), fg="yellow", err=True)
