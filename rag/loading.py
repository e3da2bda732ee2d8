"""Models come to memory when a question first needs them: what the index tells by itself needs none."""

import threading
from collections.abc import Callable

from index.progress import Progress, silent


class Loading:
    """Brings the models to memory once, by `load`. Threads may share it: those that come meanwhile wait."""

    def __init__(self, load: Callable[[Progress], None]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._done = False

    @property
    def done(self) -> bool:
        """Whether they are there."""
        return self._done

    def now(self, progress: Progress = silent) -> None:
        """Have them there when it returns. Raises what `load` raises; then the next call tries again."""
        with self._lock:
            if not self._done:
                self._load(progress)
                self._done = True


def loaded() -> Loading:
    """For models that are there already, or that load by themselves."""
    loading = Loading(lambda progress: None)
    loading.now()
    return loading
