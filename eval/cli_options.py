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
    typer.Option(
        "--model",
        help="default, small, a local folder, a Hugging Face name, a file .gguf, or a server: http://…/v1#NAME.",
        show_default="default",
    ),
]


def settings_for(
    *, index: str | None = None, model: str | None = None, budget: str | None = None
) -> "tuple[Home, Settings]":
    """The home and the settings that the environment, the settings file and the options give together.

    `budget` is a time as people write it: "3s".
    """
    from index.paths import Home
    from rag.settings import load_settings, read_seconds

    home = Home.from_environment()
    seconds = None if budget is None else read_seconds(budget, where="--budget")
    return home, load_settings(home, overrides={"index": index, "model": model, "seconds": seconds})
