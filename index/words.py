"""Texts into the words that search counts: folded, stemmed, common ones dropped; nothing is lost on any script.

English words are stemmed (Snowball), so that "exceeded" and "exceeding" are one. Writing without spaces between words
(Chinese, Japanese, Korean, Thai, Lao) becomes pairs of neighbouring characters. All other scripts keep their words.
"""

import re
import threading
import unicodedata
from functools import cache, lru_cache
from typing import Any

from index.layout import visible

COMMON = frozenset(
    (
        "a an the of and or to in on for with by at from as is are was were be been being it its this that these those "
        "he she they them his her their i you we our your do does did done has have had not no so but if then than "
        "there here what which who whom whose why how when where will would can could should may might about into over "
        "under out up down off s t"
    ).split()
)
"""Words that say nothing about what a text is about. Not counted, in texts and questions alike."""

_UNSPACED = "\u0e00-\u0eff\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_PIECE = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])[^\W_])+(?:[.,]\d+)*")
_UNSPACED_PIECE = re.compile(rf"[{_UNSPACED}]")
_POSSESSIVE = re.compile(r"['’]s\b")
_stemming = threading.Lock()


def words_of(text: str) -> list[str]:
    """The words of `text` that search counts, in order, repeated as often as they occur."""
    folded = _POSSESSIVE.sub("", unicodedata.normalize("NFKC", visible(text)).casefold())
    found: list[str] = []
    for piece in _PIECE.findall(folded):
        if _UNSPACED_PIECE.match(piece):
            found += [piece[place : place + 2] for place in range(max(1, len(piece) - 1))]
        else:
            word = _bare(piece)
            if word not in COMMON:
                found.append(stem(word))
    return found


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The stem of an English word; words of other languages come back nearly as they are."""
    # The stemmer keeps the word in hand in itself: of two threads, one would get the other's, or an IndexError.
    with _stemming:
        return str(_stemmer().stemWord(word))


@lru_cache(maxsize=200_000)
def _bare(word: str) -> str:
    """Without the marks that people leave out when they type: "café" is "cafe"."""
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word)
    # Only Latin letters are the same without their marks; in other scripts marks tell words apart.
    latin = all(unicodedata.name(letter, "").startswith("LATIN") for letter in decomposed if letter.isalpha())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)) if latin else word


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")
