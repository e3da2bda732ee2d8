"""How long work reports on itself: a callback, so that no stage knows about terminals or pages."""

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called as `progress(what, done, total)`; `what` is a short phrase such as "fetching the generator"."""

DETAIL = " · "
"""Behind this, `what` may tell more, which changes while the work goes on: a rate, say."""


def silent(what: str, done: int, total: int) -> None:
    """The progress that nobody watches."""
