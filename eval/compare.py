"""Two runs of the same questions side by side: paired differences with intervals, and which questions flipped."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from eval.intervals import Difference, paired_difference
from index.errors import InputError

_WELL = ("right", "rightly refused")


@dataclass(frozen=True, slots=True)
class Flip:
    """A question whose outcome changed between the two runs."""

    id: str
    question: str
    before: str
    after: str
    better: bool


@dataclass(frozen=True, slots=True)
class Change:
    """The mean of a score in the first and in the second run, and their difference, second minus first."""

    first: float
    second: float
    difference: Difference


@dataclass(frozen=True, slots=True)
class Comparison:
    """`scores` are those that both runs have; only questions in both are compared.

    `changes` are the settings and other circumstances that differ, as (name, first, second).
    """

    first: str
    second: str
    compared: int
    only_first: int
    only_second: int
    scores: dict[str, Change]
    flips: tuple[Flip, ...]
    changes: tuple[tuple[str, str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def compare_reports(first: Mapping[str, Any], second: Mapping[str, Any], *, names: tuple[str, str]) -> Comparison:
    """Compare two reports (as `read_report` gives them). InputError if they have no question in common."""
    one = {row["id"]: row for row in first["questions"]}
    two = {row["id"]: row for row in second["questions"]}
    shared = [key for key, row in one.items() if key in two and two[key]["question"] == row["question"]]
    if not shared:
        raise InputError(
            f"{names[0]} and {names[1]} have no question in common.",
            help="Compare two runs of the same question set.",
        )
    return Comparison(
        first=names[0],
        second=names[1],
        compared=len(shared),
        only_first=len(one) - len(shared),
        only_second=len(two) - len(shared),
        scores=_scores([one[key] for key in shared], [two[key] for key in shared]),
        flips=tuple(_flips([(one[key], two[key]) for key in shared])),
        changes=tuple(_changes(first, second)),
    )


def _scores(one: Sequence[Mapping[str, Any]], two: Sequence[Mapping[str, Any]]) -> dict[str, Change]:
    found: dict[str, Change] = {}
    for name in dict.fromkeys(name for row in one for name in row["scores"]):
        pairs = [
            (before, after)
            for first, second in zip(one, two, strict=True)
            if (before := first["scores"].get(name)) is not None and (after := second["scores"].get(name)) is not None
        ]
        before, after = [before for before, _ in pairs], [after for _, after in pairs]
        difference = paired_difference(after, before)
        if difference is not None:
            found[name] = Change(fmean(before), fmean(after), difference)
    return found


def _flips(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[Flip]:
    """Those that got worse first."""
    flips = [
        Flip(one["id"], one["question"], one["stage"], two["stage"], better=two["stage"] in _WELL)
        for one, two in pairs
        if (one["stage"] in _WELL) != (two["stage"] in _WELL)
    ]
    return sorted(flips, key=lambda flip: flip.better)


def _changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = []
    for block in ("settings", "models", "index", "machine", "versions"):
        one, two = first.get(block) or {}, second.get(block) or {}
        found += [
            (f"{block}.{name}", str(one.get(name)), str(two.get(name)))
            for name in sorted({*one, *two})
            if one.get(name) != two.get(name)
        ]
    if first.get("commit") != second.get("commit"):
        found.insert(0, ("commit", str(first.get("commit")), str(second.get("commit"))))
    return found
