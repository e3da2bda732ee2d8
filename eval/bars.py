"""Bars that a run must reach: `f1=0.7,refusal_f1=0.8`. For continuous integration: a missed one sets the exit code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.intervals import Estimate
from eval.metrics import METRICS
from index.errors import InputError


@dataclass(frozen=True, slots=True)
class Bar:
    """A metric and the value that it must reach: at least, or at most where lower is better."""

    name: str
    value: float

    @property
    def lower_is_better(self) -> bool:
        """Whether the bar is an upper limit."""
        return METRICS[self.name.partition("/")[0]].better == "lower"

    def missed_by(self, metrics: Mapping[str, Estimate]) -> str | None:
        """Why the bar is missed, in a sentence; None if it is reached."""
        found = metrics.get(self.name)
        if found is None:
            return f"{self.name} was not scored; the bar is {self.value:g}."
        reached = found.value <= self.value if self.lower_is_better else found.value >= self.value
        side = "at most" if self.lower_is_better else "at least"
        return None if reached else f"{self.name} is {found.value:.4g}; the bar is {side} {self.value:g}."


def parse_bars(text: str) -> tuple[Bar, ...]:
    """The bars in "f1=0.7,refusal_f1=0.8". Raises InputError that names what cannot be read."""
    bars = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or name.partition("/")[0] not in METRICS:
            known = ", ".join(METRICS)
            raise InputError(
                f"{part!r} is not a bar.", help=f"Write metric=value, for example f1=0.7. Metrics: {known}."
            )
        try:
            bars.append(Bar(name, float(value)))
        except ValueError:
            raise InputError(f"{part!r} is not a bar: {value!r} is not a number.") from None
    return tuple(bars)


def missed_bars(bars: Sequence[Bar], metrics: Mapping[str, Estimate]) -> tuple[str, ...]:
    """What is missed, a sentence each."""
    return tuple(why for bar in bars if (why := bar.missed_by(metrics)) is not None)
