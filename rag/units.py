"""What a number counts: the currency or the unit that is written beside it."""

import re

_MARKS = {
    "dollar": r"US ?\$|\$|USD",
    "hong kong dollar": r"HK ?\$|HKD",
    "australian dollar": r"AU?\$|AUD",
    "canadian dollar": r"CA?\$|CAD",
    "singapore dollar": r"S\$|SGD",
    "euro": r"€|EUR",
    "pound sterling": r"£|GBP",
    "yuan": r"¥|RMB|CNY",
    "yen": r"¥|JPY",
    "rupee": r"₹|INR|Rs\.?",
    "won": r"₩|KRW",
    "franc": r"CHF",
    "rouble": r"₽|RUB",
    "ringgit": r"MYR|RM",
}
_CURRENCIES = {
    "dollar": r"(?:US |U\.S\. )?dollars?",
    "hong kong dollar": r"Hong Kong dollars?",
    "australian dollar": r"Australian dollars?",
    "canadian dollar": r"Canadian dollars?",
    "singapore dollar": r"Singapore dollars?",
    "euro": r"euros?",
    "pound sterling": r"pounds?(?: sterling)?",
    "yuan": r"yuan|renminbi",
    "yen": r"yen",
    "rupee": r"rupees?",
    "franc": r"(?:Swiss )?francs?",
    "rouble": r"rou?bles?",
    "ringgit": r"ringgits?",
}
_MEASURES = {
    "second": r"seconds",
    "minute": r"minutes?",
    "hour": r"hours?",
    "day": r"days?",
    "week": r"weeks?",
    "month": r"months?",
    "year": r"years?",
    "decade": r"decades?",
    "kilometre": r"km|kilomet(?:re|er)s?",
    "metre": r"met(?:re|er)s?",
    "mile": r"miles?",
    "foot": r"feet|foot|ft",
    "kilogram": r"kg|kilos?|kilogram(?:me)?s?",
    "pound": r"pounds?|lbs?",
    "tonne": r"tonnes?|tons?",
    "litre": r"lit(?:re|er)s?",
    "gallon": r"gallons?",
    "barrel": r"barrels?",
    "hectare": r"hectares?",
    "acre": r"acres?",
}
# A mark is looked for as it is written ("he won 5" is no currency), a word in any case.
_BEFORE = {name: re.compile(rf"(?<![A-Za-z$])(?:{marks})\s?$") for name, marks in _MARKS.items()}
_BEHIND = [
    *((name, re.compile(rf"\s?(?:{marks})(?!\w)")) for name, marks in _MARKS.items()),
    *(
        (name, re.compile(rf"[\s-]?(?:{words})(?!\w)", re.IGNORECASE))
        for name, words in (*_CURRENCIES.items(), *_MEASURES.items())
    ),
]
_NEAR = 20
"""Characters before and behind a number that may name its unit."""


def unit_at(text: str, start: int, end: int) -> frozenset[str]:
    """The units that the number at `text[start:end]` may be of: from the symbol before it, else the word behind it.

    Empty if none is written. "¥" is yuan or yen, "pounds" money or weight.
    """
    before, behind = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
    found = frozenset(name for name, pattern in _BEFORE.items() if pattern.search(before))
    return found or frozenset(name for name, pattern in _BEHIND if pattern.match(behind))
