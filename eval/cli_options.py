"""Options that several commands share, and the settings that they make."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from index.paths import Home
    from rag.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
IndexOption = Annotated[
    str | None, typer.Option("--index", help="Folder of the index.", show_default="the default one")
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="default, small, a local folder or a Hugging Face name.", show_default="default"),
]


def settings_for(*, index: str | None = None, model: str | None = None) -> "tuple[Home, Settings]":
    """The home and the settings that the environment, the settings file and the options give together."""
    from index.paths import Home
    from rag.settings import load_settings

    home = Home.from_environment()
    return home, load_settings(home, overrides={"index": index, "model": model})
