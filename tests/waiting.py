"""Waiting in tests: what another thread or process will do soon is waited for, never supposed to be done already."""

import time
from collections.abc import Callable


def eventually(holds: Callable[[], object], *, seconds: float = 30) -> None:
    """Return as soon as `holds()` is true. After `seconds` return all the same: the assertion that follows in the
    test tells what was there instead.
    """
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
