"""The hard facts of a text (numbers, names, quoted phrases) in a form in which they can be compared.

Covers digits with magnitudes and units, numbers in words, dates, capitalised names and quoted phrases of English
text. Does not convert currencies or units, and does not resolve pronouns.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from index.dates import DATE, to_iso
from index.layout import visible
from rag.ordinals import counts_up_to
from rag.spellings import POSSESSIVE, WORD, Spelled, month_or_word, parts, without_accents
from rag.units import unit_at

_MAGNITUDES = {
    "thousand": 10**3, "k": 10**3,
    "million": 10**6, "millions": 10**6, "m": 10**6, "mn": 10**6,
    "billion": 10**9, "billions": 10**9, "bn": 10**9, "b": 10**9,
    "trillion": 10**12, "tn": 10**12,
}  # fmt: skip
_ONES = dict(zip("zero one two three four five six seven eight nine".split(), range(10), strict=True))
_TEENS = dict(
    zip(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        range(10, 20),
        strict=True,
    )
)
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_NUMBER_WORDS = _ONES | _TEENS | _TENS
_HYPHENS = "\u2010\u2011-"
_BELOW_HUNDRED = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[\s{_HYPHENS}](?:{'|'.join(_ONES)}))?|{'|'.join(_TEENS)}|{'|'.join(_ONES)})"
)
# "twenty-four", "two hundred and five", "a million", "forty-two thousand", "ten percent"; no part of a longer word.
_IN_WORDS = re.compile(
    rf"(?<![\w{_HYPHENS}])(?:(?P<hundreds>an?|{_BELOW_HUNDRED})[\s{_HYPHENS}]hundred"
    rf"(?:\s+(?:and\s+)?(?P<rest>{_BELOW_HUNDRED}))?|(?P<small>{_BELOW_HUNDRED})"
    r"|(?P<article>an?)(?=\s(?:thousand|million|billion|trillion)))"
    r"(?:\s(?P<magnitude>thousand|million|billion|trillion))?(?:\s(?P<percent>per\s?cent|percent))?"
    rf"(?!\w|[{_HYPHENS}]\w)",
    re.IGNORECASE,
)
_MONTHS = ("january february march april may june july august september october november december").split()
_NUMBER = re.compile(
    r"(?P<digits>\d[\d,]*(?:\.\d+)?)(?:st|nd|rd|th)?"
    r"(?:\s?(?P<magnitude>thousand|millions?|billions?|trillion|bn|mn|tn|[kmb])\b)?"
    r"(?:\s?(?P<percent>%|per\s?cent\b|percent\b))?",
    re.IGNORECASE,
)
# "3, 000" stands in texts whose words were set apart by a program.
_APART = re.compile(r"(?<![\d,.])(\d{1,3})((?:,\s\d{3})+)(?![\d,])")
_QUOTED = re.compile(r"[“\"]([^“”\"]{2,300})[”\"]")
# Capitalised at the start of an English sentence without being a name.
_OPENERS = frozenset(
    (
        "a about according after all also although an and any approximately around as at based because before "
        "both but by despite during each every for from he her his how however i if in is it its last many "
        "more most nearly no none not of on once one only other over overall she similarly since so some such "
        "than that the their them then there these they this those through thus to today under until up was "
        "we were what when where which while who why with within yes you additionally meanwhile furthermore "
        "moreover therefore finally first second third"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its magnitude multiplied out: "$476bn" and "almost $476 billion" are both 476,000,000,000.

    `units` are what it may count, as far as that is written beside it: {"dollar"}, {"yuan", "yen"} for "¥", {"year"}.
    """

    value: Decimal
    percent: bool
    shown: str
    units: frozenset[str] = frozenset()

    def same_as(self, other: "Number") -> bool:
        """Equal in value, both or neither a percentage, and not of different units; an unwritten unit may be any."""
        if self.value != other.value or self.percent != other.percent:
            return False
        return not self.units or not other.units or bool(self.units & other.units)


def numbers(text: str) -> tuple[Number, ...]:
    """Every number of the text, in order, in digits or words; "one" alone does not count (it is a pronoun)."""
    found = []
    for match in _NUMBER.finditer(text):
        if match.start() and (text[match.start() - 1].isalpha() or text[match.start() - 1] == "."):
            continue  # "Q3", "B2B": part of a name
        value = Decimal(match["digits"].replace(",", "").rstrip("."))
        value *= _MAGNITUDES.get((match["magnitude"] or "").lower(), 1)
        units = unit_at(text, match.start(), match.end())
        found.append((match.start(), Number(value, bool(match["percent"]), match[0].strip(" ,"), units)))
    for match in _IN_WORDS.finditer(text):
        if match[0].lower() != "one":
            units = unit_at(text, match.start(), match.end())
            found.append((match.start(), Number(_in_digits(match), bool(match["percent"]), match[0], units)))
    return tuple(number for _, number in sorted(found, key=lambda item: item[0]))


def _in_digits(match: re.Match[str]) -> Decimal:
    """What the words of an `_IN_WORDS` match say."""

    def below_hundred(words: str | None) -> int:
        return sum(_NUMBER_WORDS.get(word, 1) for word in re.findall(r"[a-z]+", (words or "").lower()))

    value = below_hundred(match["small"] or match["article"])
    if match["hundreds"]:
        value = 100 * below_hundred(match["hundreds"]) + below_hundred(match["rest"])
    return Decimal(value * _MAGNITUDES.get((match["magnitude"] or "").lower(), 1))


def names(text: str, *, known: Iterable[str] = ()) -> tuple[str, ...]:
    """Capitalised words, lower-cased and without possessive, in order; of "Hangzhou-based" the name alone.

    A sentence's first word counts only if another capitalised word follows it or it stands in `known` (lower-cased
    words that are capitalised elsewhere); otherwise nothing tells it from an ordinary word.
    """
    known = set(known)
    found = []
    opening = True
    words = list(WORD.finditer(text))
    for place, match in enumerate(words):
        word = POSSESSIVE.sub("", match[0])
        if word[:1].isupper() and any(letter.isalpha() for letter in word):
            follower = words[place + 1] if place + 1 < len(words) else None
            before_name = (
                follower is not None and follower[0][:1].isupper() and text[match.end() : follower.start()] == " "
            )
            lowered = month_or_word(_without_lower_tail(word).lower())
            if not opening or (word.lower() not in _OPENERS and (before_name or lowered in known)):
                found.append(lowered)
        opening = bool(re.match(r"[”\"’')\]]*[.!?…:]", text[match.end() : match.end() + 3]))
    return tuple(found)


def as_written(fact: str, text: str) -> str:
    """A fact as `text` writes it, which `missing_facts` gives in small letters and months by their beginning."""
    tries = (re.search(rf"(?<!\w){re.escape(fact)}{end}", text, re.IGNORECASE) for end in (r"(?!\w)", r"\w*"))
    return next((found[0] for found in tries if found), fact)


def _without_lower_tail(word: str) -> str:
    pieces = word.split("-")
    while len(pieces) > 1 and pieces[-1].islower():
        pieces.pop()
    return "-".join(pieces)


def quotes(text: str) -> tuple[str, ...]:
    """Phrases in double quotation marks, with white space and case folded."""
    return tuple(_folded(match[1]).strip(" .,;:!?") for match in _QUOTED.finditer(text))


def dates(text: str) -> tuple[tuple[str, str], ...]:
    """Every date of the text with a day, as it stands and as "2018-07-19"."""
    found = ((match.group(), to_iso(match.group())) for match in re.finditer(DATE, text))
    return tuple((shown, iso) for shown, iso in found if iso and len(iso) == 10)


def missing_facts(
    claim: str, sources: Sequence[str], *, asked: str = "", articles: Sequence[str] = ()
) -> tuple[str, ...]:
    """The numbers, names and quoted phrases of `claim` that none of `sources` contains. Empty: all are there.

    A name may stand there in another form: "Pakistan" in "Pakistani", "IPO" as "initial public offering", and "Jack Ma"
    as "Ma" if the whole texts `articles` call no other person that. Number words of the question `asked` ("the two
    plans") and phrases that it puts in quotation marks are no claim and need not stand there.
    """
    # Models write straight apostrophes where articles have typographic ones.
    claim, *sources = (without_accents(visible(text)).replace("’", "'") for text in (claim, *sources))
    asked = without_accents(asked)
    given = [number for source in sources for number in (*numbers(source), *numbers(_APART.sub(_joined, source)))]
    spelled = Spelled(sources)
    folded = _folded(" ".join(sources))
    capitalised = {name for source in sources for name in names(source)}
    counted = {word for word in parts(asked) if word in _NUMBER_WORDS}
    counted |= {number.shown.lower() for number in numbers(asked) if number.shown[0].isalpha()}
    missing = [
        number.shown
        for number in numbers(claim)
        if number.shown.lower() not in counted
        and not any(map(number.same_as, given))
        and not _counted_up(number, claim, sources)
    ]
    stated = {iso for source in sources for _, iso in dates(source)}
    if stated:
        missing += [
            shown
            for shown, iso in dates(claim)
            if iso not in stated and not any(_says_day(text, iso) for text in sources)
        ]
    spelled.words |= {_MONTHS[int(iso[5:7]) - 1][:3] for iso in stated}
    for name in names(spelled.abbreviated(claim), known=capitalised):
        whole = spelled.has(name) or all(map(spelled.has, map(month_or_word, parts(name))))
        if not whole and not any(_is_first_name(name, claim, spelled.words, text) for text in articles):
            missing.append(name)
    repeated = _folded(asked)
    missing += [quote for quote in quotes(claim) if quote not in folded and quote not in repeated]
    return tuple(dict.fromkeys(missing))


def _counted_up(number: Number, claim: str, sources: Sequence[str]) -> bool:
    """Whether a source counts up to this number of the claim ("three lawyers"): "the third lawyer"."""
    if number.percent or number.value != int(number.value):
        return False
    behind = (claim[found.end() :] for found in re.finditer(rf"(?<!\w){re.escape(number.shown)}(?!\w)", claim))
    return any(counts_up_to(int(number.value), text, sources) for text in behind)


def _is_first_name(name: str, claim: str, words: Collection[str], article: str) -> bool:
    """Whether the claim says "Jack Ma" where the sources say "Ma", and the article knows no other Ma."""
    for last in re.findall(rf"\b{re.escape(name)}\s+([A-Z][\w'-]+)", claim, re.IGNORECASE):
        family = POSSESSIVE.sub("", last)
        called = set(re.findall(rf"\b([A-Z]\w+)\s+{re.escape(family)}\b", article))
        if family.lower() in words and {first.lower() for first in called} - _OPENERS == {name}:
            return True
    return False


def _says_day(text: str, iso: str) -> bool:
    """Whether the text has the day and month of the date: "Oct. 5", "5th of October"."""
    month, day = _MONTHS[int(iso[5:7]) - 1][:3], int(iso[8:10])
    nth = rf"{day}(?:st|nd|rd|th)?"
    pattern = rf"\b{month}[a-z]*\.?\s+{nth}(?!\w)|(?<!\d){nth}\s+(?:of\s+)?{month}"
    return re.search(pattern, text, re.IGNORECASE) is not None


def _joined(match: re.Match[str]) -> str:
    return match[1] + re.sub(r",\s", "", match[2])


def _folded(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").replace("‘", "'").split())
