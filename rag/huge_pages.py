"""Large memory in pages of 2 MB, where Linux lets a program ask for them.

Every token reads all weights once. In pages of 4 KB the processor spends more time on finding them than on reading: on
a virtual machine a token takes nearly twice as long (docs/lab-notes.md). The libraries that allocate the weights do not
ask for large pages, so it is asked for afterwards, in a thread of its own. Nothing but time depends on it.

It takes one core some seconds, in which whoever computes waits for memory; so it begins when the start is over and
whoever asked a single question from the command line has gone, and goes on piece by piece while nothing is computed.
"""

import ctypes
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

AFTER_S = 30.0
_PAGE = 1 << 21
_LEAST = 10 << 20
"""Smaller areas are left alone: stacks of threads have 8 MB, most of them never touched."""
_AT_ONCE = 16 << 20
"""So much is asked for at a time, which takes a twentieth of a second: other threads cannot get memory meanwhile."""
_PAUSE_S = 0.002
"""Between two pieces, for whoever waits to compute."""
_ADVISE, _COLLAPSE = 14, 25  # MADV_HUGEPAGE, and MADV_COLLAPSE of Linux 6.1
_MAPS = Path("/proc/self/maps")
_ALLOWED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
# Memory of the program itself: readable, writable, private, of no file.
_OWN = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw-p 0+ 00:00 0\s*(?:\[heap\])?\s*$", re.MULTILINE)


def gather_later(alone: AbstractContextManager[object], after_s: float = AFTER_S) -> threading.Timer:
    """Do `gather` beside the program after so many seconds; it does not hold up the program's end."""
    timer = threading.Timer(after_s, gather, [alone])
    timer.daemon = True
    timer.start()
    return timer


def gather(alone: AbstractContextManager[object] | None = None) -> int:
    """Put the large areas of memory that this program has now into large pages; the bytes for which that was done.

    `alone` is what whoever computes holds (a lock): it is held for one piece after another. 0 where the system has no
    large pages, or forbids them.
    """
    alone = alone or nullcontext()
    if sys.platform != "linux" or not _ALLOWED.exists() or "[never]" in _ALLOWED.read_text():
        return 0
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    gathered = 0
    for start, end in _large_areas(_MAPS.read_text()):
        for place in range(start, end, _AT_ONCE):
            size = min(_AT_ONCE, end - place)
            with alone:
                # What another thread has given back meanwhile is refused; that is no error.
                if advise(place, size, _ADVISE) == 0 and advise(place, size, _COLLAPSE) == 0:
                    gathered += size
            time.sleep(_PAUSE_S)
    return gathered


def _large_areas(maps: str) -> Iterator[tuple[int, int]]:
    """Start and end of each large area, in whole large pages."""
    for low, high in _OWN.findall(maps):
        start, end = -(-int(low, 16) // _PAGE) * _PAGE, int(high, 16) // _PAGE * _PAGE
        if end - start >= _LEAST:
            yield start, end
