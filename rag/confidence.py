"""How sure Byline is of an answer: the chance that it is right, from what speaks for and against it.

Logistic models over the signals of `rag/signals.py`: one for what is known before anything is written, and for
finished answers one for each style of answers. `scripts/calibrate.py` fits them on public question sets and
writes `confidence.json`, which also holds how many answers were wrong above each confidence.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.types import Signals

FILE = Path(__file__).with_name("confidence.json")
BEFORE = ("answerable",)
"""The signals used before a word is written."""
AFTER = {"sentence": ("weaker", "agreement"), "quote": ("weaker",), "phrase": ("weaker",)}
"""The signals used of a finished answer of each style. `weaker` is the lower one of `answers` and `right`: the cited
sentences must state an answer, and the draft must be that; neither makes up for the other. More signals fit the sets
they are fitted to better, and others worse (docs/lab-notes.md)."""
_WIDEST = 12.0
"""Log-odds beyond this say no more, and must not outweigh everything else."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """P = 1 / (1 + exp(-(intercept + Σ weight · value))). A signal that is not known counts as its mean."""

    intercept: float
    weights: Mapping[str, float]
    means: Mapping[str, float]

    def probability(self, signals: Signals) -> float:
        """Between 0 and 1."""
        known = values_of(signals)
        total = self.intercept
        for name, weight in self.weights.items():
            value = known[name]
            total += weight * (self.means[name] if value is None else bounded(value))
        return 1 / (1 + math.exp(-total))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt for one model.

    `after` has a model for each `Settings.answer_style`: a phrase cites less than a sentence, so that the model sees
    less of what it says in its second look. `risks` are pairs (wrong answers per hundred shown, least confidence
    shown), fewest wrong ones first. `hopeless` is the chance before writing below which few answers ever became right
    ones, and no fewer wrong ones.
    """

    before: Logistic
    after: Mapping[str, Logistic]
    risks: tuple[tuple[float, float], ...]
    hopeless: float

    def judges_drafts(self, style: str) -> bool:
        """Whether the confidence in finished answers of this style rests on `Signals.right`."""
        return "weaker" in self.after[style].weights

    def confidence(self, signals: Signals, *, style: str) -> float:
        """The chance (0 to 1) that a finished answer of this style (`Settings.answer_style`) is right."""
        return self.after[style].probability(signals)

    def least_confidence(self, wrong_per_hundred: float) -> float:
        """The confidence from which answers were shown so that about so many of a hundred were wrong.

        Between the measured points it is interpolated; 100 shows everything; fewer wrong ones than were ever reached
        ask for the highest confidence measured.
        """
        if wrong_per_hundred >= 100:
            return 0.0
        below = [point for point in self.risks if point[0] <= wrong_per_hundred]
        above = [point for point in self.risks if point[0] > wrong_per_hundred]
        if not below:
            return self.risks[0][1]
        if not above:
            return below[-1][1]
        (low, sure), (high, unsure) = below[-1], above[0]
        return sure + (unsure - sure) * (wrong_per_hundred - low) / (high - low)

    def worth_writing(self, wrong_per_hundred: float) -> float:
        """The chance before writing from which an answer is written at all."""
        return 0.0 if wrong_per_hundred >= 100 else min(self.hopeless, self.least_confidence(wrong_per_hundred))


def values_of(signals: Signals) -> dict[str, float | None]:
    """All signals by name, with `weaker` (see AFTER), which is the one that is known if the other is not."""
    judged = [value for value in (signals.answers, signals.right) if value is not None]
    return dataclasses.asdict(signals) | {"weaker": min(judged, default=None)}


def bounded(value: float) -> float:
    """A signal as the models take it."""
    return max(-_WIDEST, min(_WIDEST, value))


@cache
def load_calibration(model: str) -> Calibration:
    """What was learnt for this model; for one that was never measured, what was learnt for the default one without its
    adapter (`rag/adapter.py`), which no other has."""
    models = json.loads(FILE.read_text(encoding="utf-8"))["models"]
    found = models.get(model, models["other"])
    return Calibration(
        before=Logistic(**found["before"]),
        after={style: Logistic(**model) for style, model in found["after"].items()},
        risks=tuple((float(wrong), float(sure)) for wrong, sure in found["risks"]),
        hopeless=float(found["hopeless"]),
    )
