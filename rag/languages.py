"""Which language a short text is in, from its script and its small words: enough to notice, not to translate.

Knows the scripts of a dozen languages and the small words of seven that share Latin letters; None where it cannot tell.
"""

import re
import unicodedata
from collections import Counter

from rag.evidence import Evidence

_SCRIPTS = {
    "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "CJK": "Chinese", "CYRILLIC": "Russian",
    "ARABIC": "Arabic", "HEBREW": "Hebrew", "GREEK": "Greek", "DEVANAGARI": "Hindi", "THAI": "Thai",
    "BENGALI": "Bengali", "TAMIL": "Tamil",
}  # fmt: skip
_SMALL_WORDS = {
    "English": (
        "the of and to in is was are were that for it with as on be by at from what who when where why how "
        "which did does "
        "do has have had much many an this their its will would can could about"
    ),
    "French": (
        "le la les des du de en et est sont était a été que qui quoi quel quelle quels quelles combien quand où "
        "pourquoi comment "
        "dans pour par sur avec une un ce cette il elle ont aux au d l qu s ses son sa"
    ),
    "German": (
        "der die das den dem des und ist sind war waren wurde wie was wer wann wo warum welche welcher welches "
        "viel viele "
        "ein eine einer einen im in für von mit auf bei zu hat haben nicht sich wieviel"
    ),
    "Spanish": (
        "el la los las de del y es son fue fueron qué que quién quien cuánto cuántos cuándo cuando dónde cómo "
        "por para con "
        "una un en su sus ha han cuál cuáles se al"
    ),
    "Italian": (
        "il lo la gli le di del della dei e è sono era che chi cosa quando dove perché come quanto quanti "
        "quale per con una "
        "un in nel nella ha hanno si da al alla"
    ),
    "Portuguese": (
        "o a os as de do da dos das e é são foi foram que quem quanto quantos quando onde por como qual para "
        "com uma um em "
        "no na seu sua tem se ao"
    ),
    "Dutch": (
        "de het een en is zijn was waren wie wat wanneer waar waarom hoe welke veel hoeveel in op van voor met "
        "door bij naar "
        "heeft hebben niet dat die te aan"
    ),
}
_SETS = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")
_READ = 2_000
_FEWEST = 2
_OTHER_SCRIPT = 0.3


def language_of(text: str) -> str | None:
    """The language of `text` in English ("French"); None if neither script nor small words tell."""
    words = _WORD.findall(text[:_READ].lower())
    letters = "".join(words)
    scripts = Counter(script for letter in letters if not letter.isascii() and (script := _script(letter)))
    others = sum(scripts.values())
    # Names of companies stay in Latin letters.
    if others and others >= _OTHER_SCRIPT * len(letters):
        # Japanese has Chinese characters too, but Chinese has no kana.
        return "Japanese" if scripts["Japanese"] else scripts.most_common(1)[0][0]
    counts = {language: sum(word in small for word in words) for language, small in _SETS.items()}
    best, second = sorted(counts, key=lambda language: -counts[language])[:2]
    if counts[best] <= counts[second]:
        return None
    return best if counts[best] >= _FEWEST or words[0] in _SETS[best] else None


def foreign_language(question: str, evidence: Evidence) -> str | None:
    """The language of the evidence if the question is surely in another one and no article of the evidence is in that;
    None if nothing need be said about it."""
    asked = language_of(question)
    if asked is None:
        return None
    texts: dict[str, str] = {}
    for item in evidence.sentences:
        texts[item.article.id] = f"{texts.get(item.article.id, '')} {item.sentence.text}"
    stated = [language for text in texts.values() if (language := language_of(text))]
    return None if asked in stated else next(iter(stated), None)


def language_notes(question: str, language: str | None) -> tuple[str, ...]:
    """For the reader, if the answer is in the language of the articles and the question is not."""
    if language is None:
        return ()
    return (f"The question is in {language_of(question)}; answers are given in {language}, as the articles are",)


def _script(letter: str) -> str | None:
    return _SCRIPTS.get(unicodedata.name(letter, "").split(" ")[0])
