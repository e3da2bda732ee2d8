"""Figures side by side where articles disagree or speak of different times: each quoted, dated and cited.

A question such as "What is Alibaba worth?" has as many answers as there are reports. The model writes one of them; here
the others are looked for in what was found, and all are quoted in its place, the newest first.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from index.dates import DATE, to_iso
from index.sentences import split_sentences
from index.types import Article, Span
from rag.citations import SignedSentence, cite
from rag.evidence import Evidence, EvidenceSentence
from rag.facts import numbers
from rag.periods import spoken
from rag.types import Citation
from rag.words import search_stems

MOST_JUDGED = 4
"""Sentences that the model is asked about; each costs a short pass."""
_VOICES = 2
"""Sentences of one article that may be asked about: its best may be about a share's price."""
_MOST_QUOTED = 4
# A question that names one of these asks for one figure, not for all that were ever reported.
_PINNED = re.compile(
    r"\b(19|20)\d\d\b|\b(peak|record|high(est)?|low(est)?|first|last|before|after|when|since|during|until|initial(ly)?"
    r"|original(ly)?|previous(ly)?|how (much|many) (more|less|fewer))\b",
    re.IGNORECASE,
)
# "How much" and "how many" ask for a figure; they are not what it is about.
_HOW_MUCH = search_stems("much many")
_YEAR = range(1500, 2101)
_DATE_OR_YEAR = re.compile(rf"{DATE}|\b((?:19|20)\d\d)\b")
# Times that are told from the one named before: days or weeks away from it, not years.
_COUNTED = re.compile(
    r"\W*(?:(?:just |only )?(?:\w+ )?(?:hours|days|weeks) (?:later|earlier|after)|at the time|then)\b", re.I
)
_LOOKED_BACK = 400
"""Characters: two or three sentences."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount and what it may be an amount of: "%", its units (`rag/units.py`), or the stem of the noun behind it."""

    value: Decimal
    of: frozenset[str]


def figures(text: str) -> tuple[Figure, ...]:
    """The amounts of the text, in order. Years and bare numbers are none."""
    found = []
    start = 0
    for number in numbers(text):
        start = text.find(number.shown, start) + len(number.shown)
        if number.percent:
            of = frozenset(("%",))
        elif number.units:
            of = number.units
        elif number.value in _YEAR and number.shown.rstrip(",").isdigit():
            continue
        else:
            behind = re.match(r"[\s-]*([^\W\d_]+)", text[start:])
            of = search_stems(behind[1]) if behind else frozenset()
        if of:
            found.append(Figure(number.value, of))
    return tuple(found)


def rivals(
    question: str, standing: Sequence[SignedSentence], sentences: Sequence[EvidenceSentence]
) -> tuple[EvidenceSentence, ...]:
    """Those `sentences` of other articles that may answer with another figure of the same kind: the best of each
    article, then the second best of each, at most `MOST_JUDGED`.

    None if the question pins a time or a superlative, or if the answer gives no figure, or several of one kind.
    """
    said = [figure for sentence in standing for figure in figures(sentence.text)]
    said = [figure for figure in said if figure not in figures(question)]
    if _PINNED.search(question) or len(said) != 1:
        return ()
    (main,) = said
    cited = {item.article.id for sentence in standing for item in sentence.cited}
    asked = search_stems(question) - _HOW_MUCH
    voices: dict[str, list[EvidenceSentence]] = {}
    for item in sorted(sentences, key=lambda item: -item.score):
        amounts = [figure.value for figure in figures(item.sentence.text) if figure.of & main.of]
        differs = bool(amounts) and main.value not in amounts
        # At least half of what is asked about, or the figure is about something else.
        about = 2 * len(asked & search_stems(item.sentence.text)) >= len(asked)
        if item.article.id not in cited and differs and about:
            voices.setdefault(item.article.id, []).append(item)
    in_turn = [voice[turn] for turn in range(_VOICES) for voice in voices.values() if turn < len(voice)]
    return tuple(in_turn[:MOST_JUDGED])


def side_by_side(
    standing: Sequence[SignedSentence], others: Sequence[EvidenceSentence]
) -> tuple[str, tuple[Citation, ...]]:
    """An answer that quotes what the standing sentences cite and `others`, newest first, and its citations."""
    # A cited sentence without a figure says what the one beside it is about; quoted among figures it would mislead.
    cited = [item for sentence in standing for item in sentence.cited if figures(item.sentence.text)]
    items = list(dict.fromkeys([*cited, *others]))[:_MOST_QUOTED]
    # Without a date last; a stable order among equals.
    items.sort(key=lambda item: dated(item) or "", reverse=True)
    text = "The articles give different figures: "
    citations: list[Citation] = []
    for item in items:
        quote = item.sentence.text.strip().rstrip(".")
        part = f"“{quote}” ({_told_by(item)})"
        span = Span(len(text), len(text) + len(part))
        text += part + ("." if item is items[-1] else "; ")
        # A time that another sentence names is signed by that one.
        for signer in (item, *_counted_from(item)):
            citations.append(cite(signer, number=len(citations) + 1, answer=span))
    return text, tuple(citations)


def confirmed(
    candidates: Sequence[EvidenceSentence], judge: Callable[[Evidence], float], *, least: float
) -> tuple[EvidenceSentence, ...]:
    """Those of which the model says, each read alone, that they state the answer: log-odds of at least `least`.

    One an article; what an article says after one that holds is not judged.
    """
    stated: dict[str, EvidenceSentence] = {}
    for item in candidates:
        if item.article.id not in stated and judge(Evidence((item,))) >= least:
            stated[item.article.id] = item
    return tuple(stated.values())


def dated(item: EvidenceSentence) -> str | None:
    """The time a sentence speaks of, as ISO 8601: the last date it names; if it opens by counting from another time
    ("Days later, …"), the last one named shortly before it; else the date of its article."""
    before = _counted_from(item)
    return _last_date((before[0] if before else item).sentence.text) or item.article.date


def _last_date(text: str) -> str | None:
    dates = [to_iso(found[0]) if found[1] is None else found[1] for found in _DATE_OR_YEAR.finditer(text)]
    return next((date for date in reversed(dates) if date), None)


def _counted_from(item: EvidenceSentence) -> tuple[EvidenceSentence, ...]:
    """The sentence that names the time which this one counts from; empty if it names a time itself or counts none."""
    if _last_date(item.sentence.text) or not _COUNTED.match(item.sentence.text):
        return ()
    start = item.sentence.start
    before = [one for one in split_sentences(item.article) if start - _LOOKED_BACK <= one.start < start]
    return tuple(EvidenceSentence(one, item.article, 0.0) for one in reversed(before) if _last_date(one.text))[:1]


def _told_by(item: EvidenceSentence) -> str:
    article: Article = item.article
    date = dated(item)
    about = "about " if _counted_from(item) else ""
    told = article.source or article.title or "source unknown"
    return f"{told}, {about + spoken(date) if date else 'date unknown'}"
