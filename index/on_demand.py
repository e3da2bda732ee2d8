"""Tables that name their entries as "module:attribute", so that nothing is imported before it is asked
for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from index.errors import SettingsError


def load_entry(table: Mapping[str, str], name: str, *, kind: str) -> Any:
    """The object that `table` names `name`; SettingsError if it names none. `kind` is for the message: "a
    store"."""
    target = table.get(name)
    if target is None:
        raise SettingsError(f"There is no {kind} called {name!r}; there are: {', '.join(sorted(table))}.")
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
