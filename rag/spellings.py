"""One name in different spellings: "U.S." and "United States", "Q3" and "third quarter".

Pure; English. Case is kept where it tells something: "US" is a country, "us" is not.
"""

import re
import unicodedata
from collections.abc import Sequence

WORD = re.compile(r"[^\W_]+(?:[’'.&-]+[^\W_]+)*")
POSSESSIVE = re.compile(r"[’']s?$")
# "Pakistani", "Malaysian", "Peruvians". No more: "Martina" is not "Martin".
_ENDINGS = ("i", "n", "an", "ian", "s", "ns", "ans")
_MONTHS = ("january february march april may june july august september october november december").split()
_ABBREVIATED = {
    "us": "united states",
    "usa": "united states",
    "uk": "united kingdom",
    "eu": "european union",
    "un": "united nations",
}
_QUARTERS = {"q1": "first", "q2": "second", "q3": "third", "q4": "fourth"}
_LONG_ENOUGH = 4
"""Letters from which a name is known by its letters alone, however they are joined."""
_ACCENT = re.compile("[\u0300-\u036f]")


class Spelled:
    """The words of some texts, to be asked for names in whatever spelling."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._text = " ".join(texts)
        lowered = self._text.lower().replace("-", " ")
        self._folded = " ".join(lowered.split())
        self.words = {month_or_word(part) for text in texts for part in parts(text)}
        self._initials = ["".join(word[0] for word in re.findall(r"[^\W\d_]+", text.lower())) for text in texts]
        letters = re.findall(r"[^\W_]+", lowered)
        self._joined = {"".join(letters[place : place + count]) for count in (2, 3) for place in range(len(letters))}

    def has(self, name: str) -> bool:
        """Whether the name, in small letters, is among the words: itself, as the adjective of a country or the
        reverse, as initials, abbreviated, or joined otherwise."""
        if name in self.words or any(f"{name}{ending}" in self.words for ending in _ENDINGS):
            return True
        if any(name.endswith(ending) and name.removesuffix(ending) in self.words for ending in _ENDINGS):
            return True
        bare = re.sub(r"[\W_]", "", name)
        if len(bare) >= _LONG_ENOUGH and (bare in self._joined or bare in self.words):
            return True
        if bare in _ABBREVIATED and (_ABBREVIATED[bare] in self._folded or self._abbreviates(bare)):
            return True
        if name in _QUARTERS and f"{_QUARTERS[name]} quarter" in self._folded:
            return True
        return 3 <= len(name) <= 5 and any(name in letters for letters in self._initials)

    def abbreviated(self, claim: str) -> str:
        """The claim with names in full as the texts abbreviate them: the whole name, not any word of it."""
        for short, full in _ABBREVIATED.items():
            if self._abbreviates(short):
                claim = re.sub(rf"\b{full}\b", short.upper(), claim, flags=re.IGNORECASE)
        return claim

    def _abbreviates(self, short: str) -> bool:
        dotted = r"\.?".join(short.upper())
        return re.search(rf"\b{dotted}\b", self._text) is not None


def without_accents(text: str) -> str:
    """The text with plain letters: "Shōtoku" as "Shotoku"."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))


def parts(text: str) -> list[str]:
    """Lower-cased words, also the pieces of compounds: "U.S.-listed" gives u.s, listed and u.s.-listed."""
    found = []
    for match in WORD.finditer(text.lower()):
        word = POSSESSIVE.sub("", match[0])
        found.append(word)
        found += [piece for piece in re.split(r"[’'.&-]+", word) if piece and piece != word]
    return found


def month_or_word(word: str) -> str:
    """Months by their first three letters, so that "Oct." and "October" are one; other words as they are."""
    bare = word.rstrip(".")
    if bare == "sept" or bare in _MONTHS or bare in {month[:3] for month in _MONTHS}:
        return bare[:3]
    return bare
