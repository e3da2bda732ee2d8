"""Large pages: which areas are asked for, and that nothing changes but the pages."""

import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from rag.huge_pages import _ADVISE, _COLLAPSE, _large_areas, gather, gather_later

MAPS = """\
55d000000000-55d000200000 r-xp 00000000 fd:00 123   /usr/bin/python
55d001000000-55d003000000 rw-p 00000000 00:00 0     [heap]
7f0000100000-7f0004000000 rw-p 00000000 00:00 0
7f0010000000-7f0010800000 rw-p 00000000 00:00 0
7f0020000000-7f0024000000 rw-p 00000000 fd:00 456   /models/weights
7f0030000000-7f0034000000 rw-s 00000000 00:00 0
7ffd00000000-7ffd04000000 rw-p 00000000 00:00 0     [stack]
"""


def in_large_pages(address: int) -> int:
    """Bytes of the area with this address that are in large pages, as Linux tells."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if area := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            inside = int(area[1], 16) <= address < int(area[2], 16)
        elif inside and line.startswith("AnonHugePages:"):
            return int(line.split()[1]) << 10
    return 0


def test_only_large_memory_of_the_program_itself_is_asked_for():
    assert list(_large_areas(MAPS)) == [
        (0x55D001000000, 0x55D003000000),
        (0x7F0000200000, 0x7F0004000000),  # from the next whole page
    ]


def test_what_is_in_memory_stays_as_it_is():
    numbers = np.arange(8 << 20, dtype=np.int64)  # 64 MB
    gathered = gather()
    assert np.array_equal(numbers, np.arange(8 << 20, dtype=np.int64))
    # None where the system forbids it, or has no free large page at this moment; never less than is told.
    found = in_large_pages(numbers.ctypes.data + (32 << 20))
    assert gathered == 0 or found > 0


def test_where_they_are_forbidden_nothing_is_done(tmp_path, monkeypatch):
    setting = tmp_path / "enabled"
    monkeypatch.setattr("rag.huge_pages._ALLOWED", setting)
    assert gather() == 0
    setting.write_text("always madvise [never]\n")
    assert gather() == 0


def test_it_happens_piece_by_piece_while_nobody_computes(tmp_path, monkeypatch):
    held, pieces = threading.Lock(), []

    def madvise(place, size, advice):
        assert held.locked()
        pieces.append((place >> 20, size >> 20, advice))
        return 0

    allowed = tmp_path / "enabled"
    allowed.write_text("always [madvise] never\n")
    monkeypatch.setattr("rag.huge_pages.sys.platform", "linux")
    monkeypatch.setattr("rag.huge_pages._ALLOWED", allowed)
    monkeypatch.setattr("rag.huge_pages._MAPS", allowed)
    monkeypatch.setattr("rag.huge_pages._large_areas", lambda maps: [(0, 40 << 20), (64 << 20, 80 << 20)])
    monkeypatch.setattr("rag.huge_pages.ctypes.CDLL", lambda name: SimpleNamespace(madvise=madvise))
    with held:
        beside = threading.Thread(target=gather, args=[held])
        beside.start()
        beside.join(0.1)
        assert not pieces
    beside.join(10)
    assert pieces == [
        (place, size, advice)
        for place, size in [(0, 16), (16, 16), (32, 8), (64, 16)]
        for advice in (_ADVISE, _COLLAPSE)
    ]
    assert not held.locked()


def test_it_happens_beside_the_program_and_not_at_once(monkeypatch):
    done, lock, given = threading.Event(), threading.Lock(), []
    monkeypatch.setattr("rag.huge_pages.gather", lambda alone: (given.append(alone), done.set()))
    later = gather_later(lock)
    assert later.daemon
    assert not done.wait(0.1)
    later.cancel()
    assert gather_later(lock, 0.0).daemon
    assert done.wait(10)
    assert given == [lock]
