"""How fast a model runs on this machine: measured once with a fixed prompt, stored, and refined by what is seen later.

Knows nothing about articles, evidence or budgets. Speeds are in tokens per second.
"""

import json
import math
import platform
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from index.paths import write_atomically
from rag.generators import Generator
from rag.types import Message

Clock = Callable[[], float]

_FORMAT = 1
_WRITTEN = 24
_FEWEST_WRITTEN = 12
_LONGEST_WRITING_S = 4.0
"""Measuring stops there, if the fewest are written: a slow machine must not be kept waiting to know that it is slow."""
_FRESH_S = 60.0
_LEAST_READ = 64
"""Shorter passes cost little more than reading the weights once, which says nothing about reading."""
_LEAST_WRITTEN = 8
_WEIGHT_OF_NEW = 0.5
_HOPE = 1.1
"""A refusal for want of time lets so many times the speed be expected, up to the best that was known."""
_WORTH_KEEPING = 0.1
_SHORTEST_S = 1e-6
_TEXT = (
    "The town council met on Thursday evening to decide about the old bridge. Engineers had found cracks in two of "
    "its seven piers last autumn, and since then lorries have had to take the road through the northern villages. A "
    "new bridge would be dearer than repairs, the mayor said, but it would last for three generations. Some members "
    "asked whether the ferry could run again in the meantime. Others recalled that the ferry had been given up because "
    "hardly anybody took it. In the end nine of fifteen members voted for repairs, which are to begin in spring and to "
    "be done before the first snow."
)
_READ = (Message("user", f"{_TEXT}\n\nIs this about a bridge? Reply Yes or No."),)
# Answers copy from what was read, and what is copied is written faster (`rag/prompt_lookup.py`); so this one does.
_WRITE = (Message("user", f"{_TEXT}\n\nWhat did the mayor say about a new bridge? Answer in one complete sentence."),)
_WARM = (Message("user", "Ready? Reply Yes or No."),)


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens of a prompt computed in a second, and tokens written in a second."""

    prefill_tokens_s: float
    decode_tokens_s: float

    def reading_s(self, tokens: int) -> float:
        """The seconds of one pass over so many tokens. However few, it reads the weights once, as writing one does."""
        return max(tokens / self.prefill_tokens_s, 1 / self.decode_tokens_s) if tokens > 0 else 0.0

    def writing_s(self, tokens: int) -> float:
        """The seconds of writing so many tokens."""
        return tokens / self.decode_tokens_s

    def best_of(self, other: "Speed | None") -> "Speed":
        """The higher of each."""
        return self if other is None else self._each(max, other)

    def at_most(self, other: "Speed") -> "Speed":
        """The lower of each."""
        return self._each(min, other)

    def _each(self, choose: Callable[[float, float], float], other: "Speed") -> "Speed":
        prefill = choose(self.prefill_tokens_s, other.prefill_tokens_s)
        return Speed(prefill, choose(self.decode_tokens_s, other.decode_tokens_s))

    def slowed(self, times: float) -> "Speed":
        """That of a machine that takes so many times as long, since it is busy with something else."""
        return Speed(self.prefill_tokens_s / times, self.decode_tokens_s / times)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a speed belongs to."""

    model: str
    precision: str
    processor: str
    threads: int


def this_machine(model: str, precision: str) -> Machine:
    """The processor at hand and the threads that PyTorch uses on it; `model` with its fingerprint if it has one."""
    import torch

    return Machine(model, precision, _processor(), torch.get_num_threads())


def measure_speed(generator: Generator, *, clock: Clock = time.perf_counter) -> Speed:
    """The speed of `generator` now: it reads a text of a hundred words and writes a sentence, in a second or two.

    Its weights are brought to memory first, which is not counted.
    """
    warm_up(generator)
    before, started = generator.usage(), clock()
    generator.log_odds(_READ)
    took, read = clock() - started, generator.usage().since(before).tokens_read
    prefill = read / max(took, _SHORTEST_S)
    with closing(generator.generate(_WRITE, max_tokens=_WRITTEN)) as pieces:
        next(pieces, None)
        before, started = generator.usage(), clock()
        took, written = 0.0, 0
        for _ in pieces:
            took, written = clock() - started, generator.usage().since(before).tokens_written
            if took >= _LONGEST_WRITING_S and written >= _FEWEST_WRITTEN:
                break
    # One that says nothing to this is taken to write as slowly as a twentieth of its reading.
    decode = written / max(took, _SHORTEST_S) if written else prefill / 20
    return Speed(max(prefill, _SHORTEST_S), max(decode, _SHORTEST_S))


def warm_up(generator: Generator) -> None:
    """Have the weights in memory and a first pass done, if it has not done any."""
    if not generator.usage().passes:
        generator.log_odds(_WARM)


class Speedometer:
    """The speed of one generator: from the file if it holds one for this machine, else measured, then refined.

    Without a file or a machine nothing is stored. Used by whoever has the generator's turn.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        file: Path | None = None,
        machine: Callable[[], Machine] | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.clock = clock
        self._generator = generator
        self._file = file
        self._machine = machine
        self._known: Speed | None = None
        self._kept: Speed | None = None
        self._best: Speed | None = None
        self._measured: float | None = None
        self._lock = threading.Lock()

    @property
    def known(self) -> Speed | None:
        """What `speed()` would answer at once: it was asked before, and the weights are in memory."""
        return self._known

    def speed(self) -> Speed:
        """The speed; the first call brings the weights to memory, and measures if nothing fitting is stored."""
        with self._lock:
            if self._known is None:
                warm_up(self._generator)
                self._known = self._kept = self._stored()
            if self._known is None:
                self._known = measure_speed(self._generator, clock=self.clock)
                self._measured = self.clock()
                self._store(self._known)
            self._best = self._known.best_of(self._best)
            return self._known

    def saw(self, *, read: int = 0, written: int = 0, took_s: float) -> None:
        """Learn from a pass over `read` tokens, or from `written` ones: half of what is known from now on."""
        with self._lock:
            if self._known is None:
                return
            known, took_s = self._known, max(took_s, _SHORTEST_S)
            if read >= _LEAST_READ:
                known = replace(known, prefill_tokens_s=_mixed(known.prefill_tokens_s, read / took_s))
            if written >= _LEAST_WRITTEN:
                known = replace(known, decode_tokens_s=_mixed(known.decode_tokens_s, written / took_s))
            self._known = known
            self._best = known.best_of(self._best)

    def keep(self) -> None:
        """Store what was learnt, if it differs by a tenth from what is stored: writing to the disk takes time, too."""
        with self._lock:
            known, kept = self._known, self._kept
            if known is not None and (kept is None or _differ(known, kept)):
                self._store(known)

    def doubt(self) -> None:
        """Forget the speed, so that it is measured anew next time; within a minute of that, expect a little more.

        An answer refused for want of time teaches nothing, and what was measured on a busy machine must not stand for
        ever, nor for a minute if it was faster before. One that is tried in vain is stopped in time.
        """
        with self._lock:
            if self._measured is None or self.clock() - self._measured >= _FRESH_S:
                self._known = None
                self._store(None)
            elif self._known is not None and self._best is not None:
                self._known = self._known.slowed(1 / _HOPE).at_most(self._best)

    def _stored(self) -> Speed | None:
        if self._file is None or self._machine is None:
            return None
        found = _entries(self._file).get(_key(self._machine()))
        if not isinstance(found, dict) or set(found) != {"prefill_tokens_s", "decode_tokens_s"}:
            return None
        values = found.values()
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            return None
        return Speed(**found) if all(math.isfinite(value) and value > 0 for value in values) else None

    def _store(self, speed: Speed | None) -> None:
        """Store it, or that it is not known."""
        self._kept = speed
        if self._file is None or self._machine is None:
            return
        entries = _entries(self._file)
        entries[_key(self._machine())] = asdict(speed) if speed else None
        text = json.dumps({"format": _FORMAT, "speeds": entries}, indent=1, ensure_ascii=False)
        try:
            write_atomically(self._file, (text + "\n").encode("utf-8", "replace"))
        except OSError:
            # A full or write-protected disk costs a measurement at the next start, and must not cost this answer.
            self._file = None


def _entries(file: Path) -> dict[str, Any]:
    """The speeds in the file; none if it is missing, damaged or of another format."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict) or found.get("format") != _FORMAT or not isinstance(found.get("speeds"), dict):
        return {}
    return dict(found["speeds"])


def _key(machine: Machine) -> str:
    return f"{machine.model} | {machine.precision} | {machine.processor} | {machine.threads} threads"


def _mixed(known: float, seen: float) -> float:
    """The mean of the times a token takes, the new one weighing half: one slow moment must not outweigh the rest,
    and a mean of speeds would promise more than was reached."""
    return 1 / ((1 - _WEIGHT_OF_NEW) / known + _WEIGHT_OF_NEW / seen)


def _differ(one: Speed, other: Speed) -> bool:
    pairs = ((one.prefill_tokens_s, other.prefill_tokens_s), (one.decode_tokens_s, other.decode_tokens_s))
    return any(abs(new / old - 1) >= _WORTH_KEEPING for new, old in pairs)


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
