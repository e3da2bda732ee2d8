"""The articles' own sentences as the answer: where quotes are asked for, and where a draft cannot be signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.citations import SignedSentence, sign_phrase
from rag.evidence import Evidence, EvidenceSentence

_FITTING_BEST = 2
_MOST_JUDGED = 3
"""So many sentences are judged where a draft cannot be signed: each costs a pass of the model."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence of the articles that states the answer, the log-odds that it does, and the answer read in it alone."""

    item: EvidenceSentence
    log_odds: float
    reading: str


def quoted(standing: Sequence[SignedSentence]) -> tuple[SignedSentence, ...]:
    """What these sentences cite, word for word, in the place of what they say."""
    cited = dict.fromkeys(item for sentence in standing for item in sentence.cited)
    return tuple(SignedSentence(f"“{item.sentence.text.strip()}”", (item,), 1.0, ()) for item in cited)


def quoted_instead(signed: Sequence[SignedSentence], evidence: Evidence) -> tuple[SignedSentence, ...]:
    """A quote in the place of a draft of which nothing stands: of what its best supported sentence rests on, or else of
    all that was read, what fits the question best. Whether it answers the question is for the second look to say."""
    items = _rested_on(signed) or evidence.sentences
    return quote_of(max(items, key=lambda item: item.score))


def quote_of(item: EvidenceSentence) -> tuple[SignedSentence, ...]:
    """This sentence, word for word."""
    return quoted([SignedSentence("", (item,), 1.0, ())])


def told_instead(
    signed: Sequence[SignedSentence],
    evidence: Evidence,
    question: str,
    *,
    judge: Callable[[Sequence[Evidence]], Sequence[float]],
    read: Callable[[Evidence], str | None],
    support: float,
) -> Told | None:
    """The sentence that answers in the place of a draft that cannot be signed; None if none does.

    A right draft falls if it repeats what the question says and no sentence does ("… at the 95th Academy Awards
    Ceremony"). Of what the draft rests on and what fits the question best, the sentence is taken that the model judges
    best by itself. It must judge it likelier than not to state the answer, and what it reads there must stand there
    and say more than the question: so much is not asked of a draft, whose every word is checked (docs/lab-notes.md).
    A draft that only gives the question back tells that there is nothing to find.
    `judge` gives the log-odds for each evidence alone, none if there is no time; `read` an answer, None likewise.
    """
    if any(sentence.repeats for sentence in signed):
        return None
    best = sorted(evidence.sentences, key=lambda item: -item.score)[:_FITTING_BEST]
    items = list(dict.fromkeys([*_rested_on(signed), *best]))[:_MOST_JUDGED]
    log_odds = judge([Evidence((item,)) for item in items])
    if not log_odds or max(log_odds) <= 0:
        return None
    place = max(range(len(items)), key=log_odds.__getitem__)
    alone = Evidence((items[place],))
    reading = read(alone)
    if reading is None or not sign_phrase(reading, alone, question=question).stands(support):
        return None
    return Told(items[place], log_odds[place], reading)


def _rested_on(signed: Sequence[SignedSentence]) -> tuple[EvidenceSentence, ...]:
    """What the best supported sentence of the draft rests on."""
    best = max(signed, key=lambda sentence: sentence.support, default=None)
    return best.cited if best is not None else ()
