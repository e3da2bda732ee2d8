"""The hard facts of a text (numbers, names, quoted phrases) in a form in which they can be compared.

Covers digits with magnitudes and units, small number words, dates, capitalised names and quoted phrases of English
text. Does not convert currencies or units, and does not resolve pronouns.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from index.dates import DATE, to_iso
from index.layout import visible
from rag.units import unit_at

_MAGNITUDES = {
    "thousand": 10**3, "k": 10**3,
    "million": 10**6, "millions": 10**6, "m": 10**6, "mn": 10**6,
    "billion": 10**9, "billions": 10**9, "bn": 10**9, "b": 10**9,
    "trillion": 10**12, "tn": 10**12,
}  # fmt: skip
_NUMBER_WORDS = dict(
    zip(
        (
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen twenty"
        ).split(),
        range(21),
        strict=True,
    )
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
_WORD = re.compile(r"[^\W_]+(?:[’'.&-]+[^\W_]+)*")
_QUOTED = re.compile(r"[“\"]([^“”\"]{2,300})[”\"]")
_POSSESSIVE = re.compile(r"[’']s?$")
# "Pakistani", "Malaysian", "Peruvians". No more: "Martina" is not "Martin".
_ENDINGS = ("i", "n", "an", "ian", "s", "ns", "ans")
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
    """Every number of the text, in order; number words up to twenty count, "one" alone does not (it is a pronoun)."""
    found = []
    for match in _NUMBER.finditer(text):
        if match.start() and (text[match.start() - 1].isalpha() or text[match.start() - 1] == "."):
            continue  # "Q3", "B2B": part of a name
        value = Decimal(match["digits"].replace(",", "").rstrip("."))
        value *= _MAGNITUDES.get((match["magnitude"] or "").lower(), 1)
        units = unit_at(text, match.start(), match.end())
        found.append((match.start(), Number(value, bool(match["percent"]), match[0].strip(" ,"), units)))
    for match in _WORD.finditer(text):
        number = _NUMBER_WORDS.get(match[0].lower())
        if number is not None and number != 1:
            units = unit_at(text, match.start(), match.end())
            found.append((match.start(), Number(Decimal(number), False, match[0], units)))
    return tuple(number for _, number in sorted(found, key=lambda item: item[0]))


def names(text: str, *, known: Iterable[str] = ()) -> tuple[str, ...]:
    """Capitalised words, lower-cased and without possessive, in order.

    A sentence's first word counts only if another capitalised word follows it or it stands in `known` (lower-cased
    words that are capitalised elsewhere); otherwise nothing tells it from an ordinary word.
    """
    known = set(known)
    found = []
    opening = True
    words = list(_WORD.finditer(text))
    for place, match in enumerate(words):
        word = _POSSESSIVE.sub("", match[0])
        if word[:1].isupper() and any(letter.isalpha() for letter in word):
            follower = words[place + 1] if place + 1 < len(words) else None
            before_name = (
                follower is not None and follower[0][:1].isupper() and text[match.end() : follower.start()] == " "
            )
            lowered = _month(word.lower())
            if not opening or (word.lower() not in _OPENERS and (before_name or lowered in known)):
                found.append(lowered)
        opening = bool(re.match(r"[”\"’')\]]*[.!?…:]", text[match.end() : match.end() + 3]))
    return tuple(found)


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
    plans") are no claim and need not stand there.
    """
    # Models write straight apostrophes where articles have typographic ones.
    claim, *sources = (visible(text).replace("’", "'") for text in (claim, *sources))
    given = [number for source in sources for number in (*numbers(source), *numbers(_APART.sub(_joined, source)))]
    words = {_month(part) for source in sources for part in _parts(source)}
    folded = _folded(" ".join(sources))
    capitalised = {name for source in sources for name in names(source)}
    counted = {word for word in _parts(asked) if word in _NUMBER_WORDS}
    missing = [
        number.shown
        for number in numbers(claim)
        if number.shown.lower() not in counted and not any(map(number.same_as, given))
    ]
    stated = {iso for source in sources for _, iso in dates(source)}
    if stated:
        missing += [
            shown
            for shown, iso in dates(claim)
            if iso not in stated and not any(_says_day(text, iso) for text in sources)
        ]
    words |= {_MONTHS[int(iso[5:7]) - 1][:3] for iso in stated}
    initials = {_initials(source) for source in sources}
    for name in names(claim, known=capitalised):
        if not all(_stands(part, words, initials) for part in map(_month, _parts(name))) and not any(
            _is_first_name(name, claim, words, text) for text in articles
        ):
            missing.append(name)
    missing += [quote for quote in quotes(claim) if quote not in folded]
    return tuple(dict.fromkeys(missing))


def _stands(name: str, words: Collection[str], initials: Iterable[str]) -> bool:
    """Whether the name is among the words: itself, as the adjective of a country or the reverse, or as initials."""
    if name in words or any(f"{name}{ending}" in words for ending in _ENDINGS):
        return True
    if any(name.endswith(ending) and name.removesuffix(ending) in words for ending in _ENDINGS):
        return True
    return 3 <= len(name) <= 5 and any(name in letters for letters in initials)


def _is_first_name(name: str, claim: str, words: Collection[str], article: str) -> bool:
    """Whether the claim says "Jack Ma" where the sources say "Ma", and the article knows no other Ma."""
    for last in re.findall(rf"\b{re.escape(name)}\s+([A-Z][\w'-]+)", claim, re.IGNORECASE):
        family = _POSSESSIVE.sub("", last)
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


def _initials(text: str) -> str:
    """The first letters of all words, joined: "initial public offering" is in it as "ipo"."""
    return "".join(word[0] for word in re.findall(r"[^\W\d_]+", text.lower()))


def _parts(text: str) -> list[str]:
    """Lower-cased words, also the pieces of compounds: "U.S.-listed" gives u.s, listed and u.s.-listed."""
    found = []
    for match in _WORD.finditer(text.lower()):
        word = _POSSESSIVE.sub("", match[0])
        found.append(word)
        found += [piece for piece in re.split(r"[’'.&-]+", word) if piece and piece != word]
    return found


def _month(word: str) -> str:
    """Months by their first three letters, so that "Oct." and "October" are one."""
    bare = word.rstrip(".")
    if bare == "sept" or bare in _MONTHS or bare in {month[:3] for month in _MONTHS}:
        return bare[:3]
    return bare


def _folded(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").replace("‘", "'").split())
