"""Are the numbers right, however they are written? "$476bn" is "almost $476 billion" and "476,000 million".

Signs are not compared: filings write a loss as (1,577). Currencies and units other than per cent are not compared
either.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from eval.outcomes import Outcome
from rag.facts import Number, numbers

_TOLERANCE = Decimal("0.01")
_FACTORS = (10**3, 10**6, 10**9)
_MAGNITUDE_WORD = re.compile(r"hundred|thousand|million|billion|trillion", re.IGNORECASE)
_MONEY = re.compile(r"[$€£¥]\s?(\d[\d,.]*)")
_YEAR = re.compile(r"1\d{3}|20\d\d")
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class _Amount:
    """A number. `exact`: it may be a year, which no tolerance fits; `open`: its magnitude may have been left out."""

    value: Decimal
    percent: bool
    exact: bool
    open: bool

    def matches(self, said: "_Amount") -> bool:
        if self.percent != said.percent:
            return False
        if self.exact or said.exact:
            return self.value == said.value
        pairs = [(self.value, said.value)]
        if self.open:
            pairs += [(self.value * factor, said.value) for factor in _FACTORS]
        if said.open:
            pairs += [(self.value, said.value * factor) for factor in _FACTORS]
        return any(abs(gold - other) <= _TOLERANCE * gold for gold, other in pairs)


def number_match(outcome: Outcome) -> float | None:
    """1 if the reply has the right numbers, else 0: of each part of the answer that has numbers, all those of some
    accepted spelling (`numbers_match`).

    None if no part has a number, there is no right answer, or the question is judged unanswerable.
    """
    reply, answers = outcome.reply, outcome.question.answers
    if reply is None or not answers or outcome.question.answerable is False:
        return None
    found = [[numbers_match(reply, spelling) for spelling in part] for part in answers]
    judged = [any(part) for part in found if any(match is not None for match in part)]
    return float(all(judged)) if judged else None


def numbers_match(text: str, spelling: str) -> bool | None:
    """Whether every number of `spelling` occurs in `text`, up to 1 %. None if it has none.

    Per cent matches per cent alone. A number without a magnitude word may stand for thousands, millions or billions, as
    in a table "in millions", if it has two significant digits: 10 is no $10 billion. What may be a year (four digits,
    no currency) must be the very same.
    """
    wanted = _amounts(spelling)
    if not wanted:
        return None
    said = _amounts(text)
    return all(any(map(amount.matches, said)) for amount in wanted)


def has_amount(text: str) -> bool:
    """Whether it has a number that cannot be a year."""
    return not all(amount.exact for amount in _amounts(text))


def _amounts(text: str) -> list[_Amount]:
    money = {match[1].rstrip(".,") for match in _MONEY.finditer(text)}
    return [_amount(number, money) for number in numbers(text)]


def _amount(number: Number, money: set[str]) -> _Amount:
    digits = _DIGITS.match(number.shown)
    if digits is None:
        has_magnitude = _MAGNITUDE_WORD.search(number.shown) is not None
    else:
        has_magnitude = Decimal(digits[0].replace(",", "")) != number.value
    return _Amount(
        value=number.value,
        percent=number.percent,
        exact=_YEAR.fullmatch(number.shown) is not None and number.shown not in money,
        open=not has_magnitude and not number.percent and _significant_digits(number.value) > 1,
    )


def _significant_digits(value: Decimal) -> int:
    return len(value.normalize().as_tuple().digits)
