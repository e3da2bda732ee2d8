"""What the benchmark found, as plain data, and the bars it is held to. Pure: measures nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.intervals import RESAMPLES, SEED, Estimate, mean_estimate
from eval.metrics.answers import normalise


@dataclass(frozen=True, slots=True)
class Limits:
    """What the machine does at most, run by run: products in operations a second, reading in bytes a second.

    `products` maps a precision to its runs; one that the processor cannot compute is missing.
    """

    flags: tuple[str, ...]
    threads: int
    products: dict[str, tuple[float, ...]]
    reading: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to Byline. Times in seconds since it was asked; None: did not happen, or was not asked for.

    `repeated_s` is the first token when it was asked once more at once. `steps` are names and seconds. `counted`:
    answered by the index, without the model.
    """

    id: str
    evidence_s: float | None
    first_token_s: float | None
    done_s: float
    abstained: bool
    counted: bool
    text: str
    steps: tuple[tuple[str, float], ...] = ()
    repeated_s: float | None = None

    @property
    def answered(self) -> bool:
        """Whether the model's answer stood."""
        return not self.abstained and not self.counted and self.first_token_s is not None


@dataclass(frozen=True, slots=True)
class Alone:
    """The generator without anything around it. Rates in tokens a second; `replies_s` are whole replies to the prompts
    of answers, read from nothing and drafts allowed, by question.

    `operations` and `bytes_read` are what one token takes: when it is read among many, and when it is written.
    """

    prompt_tokens: int
    prefill: tuple[float, ...]
    decode: tuple[float, ...]
    operations: float
    bytes_read: float
    replies_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class Ours:
    """Byline in one precision: questions `asked` when nothing was kept, and the same `ahead`, with the articles read
    before. `resident_bytes` is the most that was seen after loading and after any question."""

    precision: str
    load_s: float
    asked: tuple[Asked, ...]
    ahead: tuple[Asked, ...]
    alone: Alone
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A reply without checks, of the naive baseline or of llama.cpp. Seconds since the question was asked."""

    id: str
    first_token_s: float | None
    whole_s: float
    prompt_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """Something to reach: at least `goal`, or at most where `at_least` is False. Judged by the value, not its interval.

    `found` is None if it was not measured; `why` then says why not.
    """

    name: str
    goal: float
    found: Estimate | None
    at_least: bool = True
    unit: str = ""
    why: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether it is reached; None if it was not measured."""
        if self.found is None:
            return None
        return self.found.value >= self.goal if self.at_least else self.found.value <= self.goal


def median_estimate(values: Sequence[float | None]) -> Estimate | None:
    """The median of the values that are not None, with its 95 % bootstrap interval; None if all are."""
    scored = np.array([value for value in values if value is not None], dtype=np.float64)
    if not len(scored):
        return None
    return _estimate(float(np.median(scored)), _medians(scored, _drawn(len(scored))), len(scored))


def ratio_estimate(
    above: Sequence[float | None], below: Sequence[float | None], *, paired: bool = False
) -> Estimate | None:
    """Median ÷ median, with its 95 % bootstrap interval; n is the smaller number of values.

    `paired`: the two are of the same questions in the same order, are resampled together, and a question without
    either counts in neither.
    """
    if paired:
        pairs = [(one, other) for one, other in zip(above, below, strict=True) if None not in (one, other)]
        above, below = [one for one, _ in pairs], [other for _, other in pairs]
    upper, lower = (np.array([v for v in side if v is not None], dtype=np.float64) for side in (above, below))
    if not len(upper) or not len(lower):
        return None
    of_upper = _drawn(len(upper))
    of_lower = of_upper if paired else _drawn(len(lower), seed=SEED + 1)
    ratios = _medians(upper, of_upper) / _medians(lower, of_lower)
    return _estimate(float(np.median(upper) / np.median(lower)), ratios, min(len(upper), len(lower)))


def same_answers(first: Sequence[Asked], second: Sequence[Asked]) -> Estimate | None:
    """The share (0 to 1) of the questions asked of both to which both say the same, normalised as SQuAD does."""
    others = {item.id: normalise(item.text) for item in second}
    return mean_estimate([float(normalise(item.text) == others[item.id]) for item in first if item.id in others])


def waterfall(asked: Sequence[Asked]) -> list[tuple[str, Estimate, Estimate]]:
    """Each step in the order in which it is first met: its share (0 to 1) of a question's time, and its seconds.

    Medians over the questions; a step that a question did not come to counts 0 there.
    """
    traced = [dict(item.steps) for item in asked if item.steps]
    names = dict.fromkeys(name for steps in traced for name in steps)
    rows = []
    for name in names:
        seconds = [steps.get(name, 0.0) for steps in traced]
        shares = [steps.get(name, 0.0) / sum(steps.values()) for steps in traced]
        of_shares, of_seconds = median_estimate(shares), median_estimate(seconds)
        if of_shares and of_seconds:
            rows.append((name, of_shares, of_seconds))
    return rows


def judge(
    ours: Ours,
    limits: Limits,
    naive: Sequence[Plain],
    llama: Sequence[Plain],
    *,
    no_llama: str = "",
    same: Estimate | None = None,
) -> tuple[Bar, ...]:
    """All bars for one precision. `no_llama` says why llama.cpp was not measured."""
    answered = [item for item in ours.asked if item.answered]
    first = [item.first_token_s for item in answered]
    refused = [item.done_s for item in ours.asked if item.abstained]
    ahead = {item.id: item.first_token_s for item in ours.ahead}
    hot = [ratio_estimate([ahead.get(i.id) for i in answered], first, paired=True)]
    hot += [ratio_estimate([i.repeated_s for i in answered], first, paired=True)]
    alone, rates = ours.alone, limits.products.get(ours.precision, ())
    replied = [item for item in llama if item.id in alone.replies_s]
    none_in_both = "no question was answered by both"
    return (
        *_against_naive(naive, ours.ahead, "articles read ahead"),
        *_against_naive(naive, ours.asked, "nothing read ahead"),
        Bar(
            "the same prompt answered: llama.cpp ÷ our generator",
            1.3,
            ratio_estimate([i.whole_s for i in replied], [alone.replies_s[i.id] for i in replied], paired=True),
            why=no_llama or none_in_both,
        ),
        Bar(
            "first token: hot ÷ cold",
            0.4,
            max((ratio for ratio in hot if ratio), key=lambda ratio: ratio.value, default=None),
            at_least=False,
            why="no question was answered both ways",
        ),
        Bar(
            "verdict of a refusal ÷ first token of an answer",
            1,
            ratio_estimate(refused, first),
            at_least=False,
            why="no question was refused" if not refused else "no question was answered",
        ),
        Bar(
            f"prefill: share of the {ours.precision} product rate",
            0.75,
            ratio_estimate([rate * alone.operations for rate in alone.prefill], rates),
            why=f"the {ours.precision} product rate was not measured",
        ),
        Bar(
            "decode: share of the memory's read bandwidth",
            0.65,
            ratio_estimate([rate * alone.bytes_read for rate in alone.decode], limits.reading),
            why="no token was written",
        ),
        Bar(
            "evidence on screen",
            100,
            median_estimate([1e3 * i.evidence_s for i in ours.asked if i.evidence_s is not None and not i.counted]),
            at_least=False,
            unit="ms",
            why="no question was searched for",
        ),
        Bar(
            "resident memory",
            3.2,
            median_estimate([ours.resident_bytes / 1e9]),
            at_least=False,
            unit="GB",
        ),
        Bar("same answers in int8 and bfloat16", 0.95, same, why="needs both: --precisions int8,bfloat16"),
    )


def _against_naive(naive: Sequence[Plain], asked: Sequence[Asked], how: str) -> tuple[Bar, Bar]:
    plain = {item.id: item for item in naive}
    both = [item for item in asked if item.answered and item.id in plain]
    why = "no question was answered by both"
    return (
        Bar(
            f"first token, {how}: naive ÷ ours",
            10,
            ratio_estimate([plain[i.id].first_token_s for i in both], [i.first_token_s for i in both], paired=True),
            why=why,
        ),
        Bar(
            f"complete answer, {how}: naive, unchecked ÷ ours, checked",
            5,
            ratio_estimate([plain[i.id].whole_s for i in both], [i.done_s for i in both], paired=True),
            why=why,
        ),
    )


def verdict(bars: Sequence[Bar]) -> str:
    """The last line: how many of the measured bars hold."""
    measured = [bar for bar in bars if bar.holds is not None]
    return f"bars: {sum(bar.holds is True for bar in measured)} of {len(measured)} hold"


def _drawn(n: int, *, seed: int = SEED) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, n, size=(RESAMPLES, n))


def _medians(values: NDArray[np.float64], drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.median(values[drawn], axis=1)
    return found


def _estimate(value: float, resampled: NDArray[np.float64], n: int) -> Estimate:
    low, high = np.percentile(resampled, (2.5, 97.5)).tolist()
    return Estimate(value, low, high, n)
