"""Which articles hold a phrase, exactly: every one that does, and no other.

The word index proposes articles, the text itself decides. A mention stands outside boilerplate or in the title, on
word boundaries; case, the kind of apostrophe or hyphen, and one line break between two words do not matter.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

from index.layout import UNSPACED
from index.types import Span

if TYPE_CHECKING:
    from index.library import Library

_AT_ONCE = 200  # texts in memory
_APOSTROPHES = "['’‘ʼ＇]"
_HYPHENS = "[-‐‑]"
_GAP = r"(?:[^\S\n]+\n?[^\S\n]*|\n[^\S\n]*)"
# A letter that would make the phrase a part of a longer word; beside Chinese or Thai there are no words to be part of.
_JOINED = rf"(?:[^\W_{UNSPACED.pattern[1:-1]}]|[\u0300-\u036f])"


class Mention(NamedTuple):
    """An article that holds the phrase, and where its text does so first; None if only its title does."""

    article_id: str
    span: Span | None


def find_mentions(library: "Library", phrase: str, *, among: Collection[str] | None = None) -> list[Mention]:
    """The articles (of those with the ids `among`) whose text or title holds `phrase`, in no particular order."""
    pattern = phrase_pattern(phrase)
    if pattern is None:
        return []
    titles = library.select("SELECT number, title FROM articles WHERE title IS NOT NULL")
    titled = {number for number, title in titles if pattern.search(title)}
    candidates = titled.union(_candidates(library, unicodedata.normalize("NFC", phrase)))
    if among is not None:
        ids = json.dumps(list(among))
        rows = library.select("SELECT number FROM articles WHERE id IN (SELECT value FROM json_each(?))", [ids])
        candidates &= {number for (number,) in rows}
    found = []
    for number, identity, text in _texts(library, sorted(candidates)):
        span = _first_outside_boilerplate(library, number, pattern, text)
        if span is not None or number in titled:
            found.append(Mention(identity, span))
    return found


def begins_a_word(library: "Library", word: str) -> bool:
    """Whether a word of some article begins with `word`, as "Pakistani" does with "Pakistan"."""
    if not word.isalpha():
        return False
    query = "SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT 1"
    return bool(library.select(query, [f'"{unicodedata.normalize("NFC", word)}" *']))


def phrase_pattern(phrase: str) -> re.Pattern[str] | None:
    """What finds the phrase in a text; None if no text can hold it: it is empty, or no text at all."""
    words = unicodedata.normalize("NFC", phrase).split()
    if not words or "\x00" in phrase or any("\ud800" <= letter <= "\udfff" for letter in phrase):
        return None
    # Some texts have accents as characters of their own.
    apart = [unicodedata.normalize("NFD", word) for word in words]
    spellings = dict.fromkeys(_GAP.join(map(_word_pattern, spelling)) for spelling in (words, apart))
    before, after = _before(words[0][0]), _after(words[-1][-1])
    return re.compile(f"{before}(?:{'|'.join(spellings)}){after}", re.IGNORECASE)


def _word_pattern(word: str) -> str:
    pattern = re.escape(word).replace(r"\-", "-")
    return re.sub(_HYPHENS, _HYPHENS, re.sub(_APOSTROPHES, _APOSTROPHES, pattern))


def _before(letter: str) -> str:
    """What may not stand before the phrase: "476" is no part of "1,476"."""
    if UNSPACED.match(letter) or not letter.isalnum():
        return ""
    return rf"(?<!{_JOINED})(?<!\d[.,])" if letter.isdigit() else rf"(?<!{_JOINED})"


def _after(letter: str) -> str:
    """What may not stand after the phrase."""
    if UNSPACED.match(letter) or not letter.isalnum():
        return ""
    return rf"(?!{_JOINED}|[.,]\d)" if letter.isdigit() else rf"(?!{_JOINED})"


def _candidates(library: "Library", phrase: str) -> set[int]:
    """The numbers of the articles that may hold the phrase in their text: all that do, and others."""
    runs = re.findall(f"(?:{UNSPACED.pattern})+", phrase)
    words = [word for word in phrase.split() if any(letter.isalnum() for letter in word)]
    if not runs and not words:
        return {number for (number,) in library.select("SELECT number FROM articles")}
    # The word index takes a whole run of Chinese for one word, with what Latin words stand in it. Chinese has no case,
    # so SQLite can look for it; of Latin words, SQLite knows the case of plain ones only.
    needle = max(runs, key=len) if runs else max(re.findall("[0-9A-Za-z]*", phrase), key=len).lower()
    spellings = [needle, unicodedata.normalize("NFD", needle)]
    query = (
        "SELECT article FROM unspaced JOIN articles ON number = article WHERE instr(lower(text), ?) OR instr(text, ?)"
    )
    found = {number for (number,) in library.select(query, spellings)}
    if not runs:
        # Word by word, for a phrase may begin in one passage and end in the next.
        one = "SELECT p.article FROM passage_words w JOIN passages p ON p.id = w.rowid WHERE passage_words MATCH ?"
        quoted = ['"' + word.replace('"', '""') + '"' for word in words]
        found.update(number for (number,) in library.select(" INTERSECT ".join([one] * len(quoted)), quoted))
    return found


def _texts(library: "Library", numbers: list[int]) -> Iterator[tuple[int, str, str]]:
    """Number, id and text of these articles, a few at a time."""
    query = "SELECT number, id, text FROM articles WHERE number IN (SELECT value FROM json_each(?))"
    for start in range(0, len(numbers), _AT_ONCE):
        yield from library.select(query, [json.dumps(numbers[start : start + _AT_ONCE])])


def _first_outside_boilerplate(library: "Library", number: int, pattern: re.Pattern[str], text: str) -> Span | None:
    """The first place of the pattern that no boilerplate touches."""
    boilerplate: list[tuple[int, int]] | None = None
    for match in pattern.finditer(text):
        if boilerplate is None:
            rows = library.select('SELECT start, "end" FROM boilerplate WHERE article = ?', [number])
            boilerplate = [(start, end) for start, end in rows]
        if not any(start < match.end() and match.start() < end for start, end in boilerplate):
            return Span(match.start(), match.end())
    return None
