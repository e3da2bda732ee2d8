"""Fit the chance that an answer is right (rag/confidence.py) to runs in which nothing was refused for doubt.

    byline eval --suite NAME --data FOLDER --limit N --seed S --set wrong_per_hundred=100 --out RUNS/NAME
    python scripts/calibrate.py RUNS/NAME … --write

Every set counts the same, however many questions it has. Prints, for each set, what a fit to all the others reaches
on it: that is what to expect of articles that nobody fitted anything to.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from eval.metrics.answers import token_f1
from eval.metrics.right import is_right
from eval.results import read_report
from eval.run import ROWS_FILE, read_rows
from rag.confidence import AFTER, BEFORE, FILE, Calibration, Logistic, bounded, values_of
from rag.settings import ANSWER_STYLES, Settings
from rag.types import Signals

STRENGTH = 1.0
"""Inverse of the pull towards weights of 0 (scikit-learn's C), for signals of unit variance."""
RISKS = (2, 5, 10, 15, 20, 25, 30, 40, 50)
CLOSE_F1 = 0.5
"""A short answer is right as well if it shares so much with one of the accepted ones (token F1)."""
LOST_FOR_HASTE = 0.05
"""The share of right answers that may be lost because nothing was written for want of hope: as many wrong ones go with
them, and a refusal that needs no draft takes a third of the time (docs/lab-notes.md)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One question: its signals, whether an answer was there to judge, whether it was right, its set's share, and
    the style of its set's answers."""

    signals: Signals
    answered: bool
    right: bool
    weight: float
    style: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model for what is known before anything is written, and one for the finished answers of each style."""

    before: Logistic
    after: Mapping[str, Logistic]

    def confidence(self, item: Sample) -> float:
        """The chance that the finished answer is right."""
        return self.after[item.style].probability(item.signals)


def main() -> int:
    """Fit, print what was reached, and with --write keep it; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="folders that byline eval wrote")
    parser.add_argument("--model", default="default", help="the model that answered")
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    options = parser.parse_args()
    sets = {run.name: samples(run) for run in options.runs}
    for name, found in sets.items():
        others = [item for other, items in sets.items() if other != name for item in items]
        print(f"{name:16} n {len(found):4}  {held_out(others, found)}")
    everything = [item for items in sets.values() for item in items]
    fitted = fit_all(everything)
    print(f"{'all, fitted':16} n {len(everything):4}  {scores(everything, fitted)}")
    reached = risks(everything, fitted)
    learnt = asdict(fitted) | {
        "risks": reached,
        "hopeless": hopeless(everything, fitted, reached),
        "fitted_to": {name: len(items) for name, items in sets.items()},
    }
    print(json.dumps(learnt, indent=1))
    if options.write:
        models = json.loads(FILE.read_text(encoding="utf-8"))["models"] if FILE.exists() else {}
        models[options.model] = learnt
        FILE.write_text(json.dumps({"models": models}, indent=1) + "\n", encoding="utf-8")
        print(f"{FILE} is written; run the tests before you keep it.", file=sys.stderr)
    return 0


def samples(run: Path) -> list[Sample]:
    """The judged questions of a run, weighing 1 together; none of which nobody judged whether it can be answered."""
    judged = []
    style = read_report(run)["settings"]["answer_style"]
    for row in read_rows(run / ROWS_FILE):
        if row.outcome.question.answerable is None:
            continue
        answer, right = row.outcome.answer, is_right(row.outcome)
        signals = None if answer is None else answer.signals
        if answer is not None and signals is not None and signals.answerable is not None and right is not None:
            close = bool(row.outcome.question.answers) and (token_f1(row.outcome) or 0.0) >= CLOSE_F1
            judged.append((signals, not answer.abstained, (right or close) and not answer.abstained))
    return [Sample(*item, weight=1 / len(judged), style=style) for item in judged]


def fit_all(items: Sequence[Sample]) -> Fitted:
    """The models; a style of which there are no answers takes what fits all answers."""
    answered = [item for item in items if item.answered]
    styles = {style: [item for item in answered if item.style == style] for style in ANSWER_STYLES}
    after = {style: fit(some or answered, AFTER[style]) for style, some in styles.items()}
    return Fitted(fit(items, BEFORE), after)


def fit(items: Sequence[Sample], names: Sequence[str]) -> Logistic:
    """The logistic model of being right, its weights in the signals' own units."""
    values = np.array([[np.nan if v is None else bounded(v) for v in known(item, names)] for item in items])
    weights = np.array([item.weight for item in items])
    means = np.nanmean(values, axis=0)
    filled = np.where(np.isnan(values), means, values)
    spread = filled.std(axis=0)
    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    # Weights that sum to the number of questions leave the meaning of STRENGTH alone.
    model.fit((filled - means) / spread, [item.right for item in items], sample_weight=weights / weights.mean())
    slopes = model.coef_[0] / spread
    intercept = float(model.intercept_[0] - slopes @ means)
    rounded = {name: round(float(slope), 4) for name, slope in zip(names, slopes, strict=True)}
    return Logistic(round(intercept, 4), rounded, {n: round(float(m), 4) for n, m in zip(names, means, strict=True)})


def known(item: Sample, names: Sequence[str]) -> list[float | None]:
    """The values of these signals."""
    values = values_of(item.signals)
    return [values[name] for name in names]


def held_out(others: Sequence[Sample], found: Sequence[Sample]) -> str:
    """What a fit to `others` reaches on `found`."""
    return scores(found, fit_all(others))


def scores(items: Sequence[Sample], fitted: Fitted) -> str:
    """Area under the curve and calibration error before and after writing, as text."""
    answered = [item for item in items if item.answered]
    parts = []
    for name, some, chances in (
        ("before", items, [fitted.before.probability(item.signals) for item in items]),
        ("after", answered, [fitted.confidence(item) for item in answered]),
    ):
        chance = np.array(chances)
        right = np.array([item.right for item in some])
        weight = np.array([item.weight for item in some])
        area = roc_auc_score(right, chance, sample_weight=weight) if 0 < right.mean() < 1 else float("nan")
        said, so = np.average(chance, weights=weight), np.average(right, weights=weight)
        error = calibration_error(chance, right, weight)
        parts.append(f"{name}: right {so:.2f}, said {said:.2f}, auroc {area:.3f}, ece {error:.3f}")
    return "   ".join(parts)


def calibration_error(
    chance: NDArray[np.float64], right: NDArray[np.bool_], weight: NDArray[np.float64], bins: int = 10
) -> float:
    """Expected calibration error over bins of equal width (Guo et al. 2017)."""
    places = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = np.bincount(places, weight * chance, bins) - np.bincount(places, weight * right, bins)
    return float(np.abs(gaps).sum() / weight.sum())


def risks(items: Sequence[Sample], fitted: Fitted) -> list[tuple[float, float]]:
    """(wrong per hundred shown, least confidence) for each of RISKS that is reached."""
    answered = sorted(((fitted.confidence(i), i.right, i.weight) for i in items if i.answered), reverse=True)
    shown = np.cumsum([weight for _, _, weight in answered])
    wrong = 100 * np.cumsum([weight * (not right) for _, right, weight in answered]) / shown
    found: list[tuple[float, float]] = []
    for risk in RISKS:
        places = np.flatnonzero(wrong <= risk)
        if len(places):
            sure = round(answered[places[-1]][0], 4)
            if not found or sure < found[-1][1]:
                found.append((risk, sure))
    return found


def hopeless(items: Sequence[Sample], fitted: Fitted, reached: Sequence[tuple[float, float]]) -> float:
    """The chance before writing below which LOST_FOR_HASTE of the right answers lie that are shown by default."""
    usual = Calibration(fitted.before, fitted.after, tuple(reached), hopeless=0.0)
    least = usual.least_confidence(Settings().wrong_per_hundred)
    shown = [item for item in items if item.right and fitted.confidence(item) >= least]
    right = sorted((fitted.before.probability(item.signals), item.weight) for item in shown)
    below = np.cumsum([weight for _, weight in right]) / sum(weight for _, weight in right)
    return round(right[int(np.searchsorted(below, LOST_FOR_HASTE))][0], 4)


if __name__ == "__main__":
    sys.exit(main())
