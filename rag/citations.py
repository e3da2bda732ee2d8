"""Attribution after generation: each sentence of a draft is given the evidence that states it, or it goes.

Markers that the model wrote are ignored. A sentence stands if its numbers, names and quoted phrases occur in the
cited sentences (or in what is known about their articles), if they do not say the opposite, and if enough of its words
occur there.
"""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.sentences import segment
from index.types import Span
from rag.claims import context, is_named, known, lacking_facts
from rag.clauses import clauses_of
from rag.contradictions import Contradiction, contradictions
from rag.evidence import Evidence, EvidenceSentence, overlaps
from rag.facts import missing_facts
from rag.repetition import only_repeats
from rag.types import Citation
from rag.words import VERDICTS, content_stems

_MOST_CITATIONS = 3
_WORTH_CITING = 0.2
_MOST_OF_CLAUSES = 4
_LEAST_OF_CLAUSE = 0.25
"""The share of a clause's telling words that a sentence must hold to be cited for it."""

_HARD_FACT_WEIGHT = 2.0
_LIST_MARK = re.compile(r"(?:[-*•–]|\d{1,2}[.)])\s+(?=\S)")
# What ties a sentence to the one before it.
_TIE = re.compile(
    r"(?:(?:however|nevertheless|nonetheless|moreover|furthermore|additionally|in addition|also|besides|therefore|thus"
    r"|hence|consequently|as a result|meanwhile|conversely|in contrast|by contrast|on the other hand|similarly|likewise"
    r"|instead|and)\s*,|but\b,?)\s+(?=\w)",
    re.IGNORECASE,
)
_MARKER = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")


@dataclass(frozen=True, slots=True)
class SignedSentence:
    """A sentence of a draft with the evidence found for it.

    `support` is the share (0 to 1) of its content words, rare ones and hard facts weighing more, that the cited
    sentences contain, or that the question brought and anything read contains; `missing` are its numbers, names and
    quoted phrases that stand nowhere in them; `contradicted` says where they state the opposite. `repeats`: it only
    gives the question back.
    """

    text: str
    cited: tuple[EvidenceSentence, ...]
    support: float
    missing: tuple[str, ...]
    contradicted: tuple[Contradiction, ...] = ()
    repeats: bool = False

    def stands(self, minimum: float) -> bool:
        """Whether it may be shown: something is cited, nothing hard is missing or contradicted, it says more than the
        question, and support reaches `minimum`."""
        held = bool(self.cited) and not self.missing and not self.contradicted
        return held and not self.repeats and self.support >= minimum


def sign(draft: str, evidence: Evidence, *, question: str = "") -> tuple[SignedSentence, ...]:
    """Every sentence of `draft`, in order, with the smallest set of evidence sentences that covers it."""
    weights = _weights(evidence)
    text = _MARKER.sub("", draft) if not _MARKER.search(_all_text(evidence)) else draft
    return tuple(_sign_one(part.strip(), evidence, weights, question) for part in segment(text) if part.strip())


def sign_phrase(phrase: str, evidence: Evidence, *, question: str) -> SignedSentence:
    """A phrase that answers `question`, with the one sentence that holds it and fits the question best.

    A phrase says nothing by itself, and "Yes" has no words to look for: among sentences that cover the phrase equally,
    that with more of the question's words is cited. A long question rests on several facts: there the sentence that
    fits each of its clauses best is cited as well.
    """
    weights = _weights(evidence)
    phrase = phrase.strip()
    wanted = content_stems(phrase) - VERDICTS
    asked = content_stems(question)
    total = math.fsum(weights.get(word, _unseen(weights)) * _hardness(word) for word in wanted)

    def worth(place: int) -> tuple[int, float, float]:
        words = content_stems(evidence.sentences[place].sentence.text)
        held = math.fsum(weights[word] * _hardness(word) for word in wanted & words)
        fit = math.fsum(weights[word] for word in asked & words)
        return -len(_missing(phrase, evidence, [place])), round(held, 6), round(fit, 6)

    if not evidence.sentences or not phrase:
        return SignedSentence(phrase, (), 0.0, missing_facts(phrase, []))
    best = max(range(len(evidence.sentences)), key=lambda place: (worth(place), -place))
    support = worth(best)[1] / total if total else 1.0
    return SignedSentence(
        phrase,
        (evidence.sentences[best], *_of_clauses(question, evidence, evidence.sentences[best])),
        support,
        _missing(phrase, evidence, [best]),
        repeats=only_repeats(phrase, question),
    )


def _of_clauses(question: str, evidence: Evidence, cited: EvidenceSentence) -> tuple[EvidenceSentence, ...]:
    """What fits the clauses of a long question best, besides the sentence that is cited anyway."""
    found: dict[EvidenceSentence, None] = {}
    for clause in clauses_of(question):
        shares = overlaps(clause, [item.sentence.text for item in evidence.sentences])
        best = max(evidence.sentences, key=lambda item: shares[item.sentence.text])
        if shares[best.sentence.text] >= _LEAST_OF_CLAUSE:
            found[best] = None
    found.pop(cited, None)
    return tuple(found)[:_MOST_OF_CLAUSES]


def compose(sentences: Sequence[SignedSentence]) -> tuple[str, tuple[Citation, ...]]:
    """The answer's text and its citations; the same evidence sentence keeps its number throughout."""
    text = ""
    numbers: dict[tuple[str, int], int] = {}
    citations = []
    for sentence in sentences:
        start = len(text) + bool(text)
        between = "\n" if _LIST_MARK.match(sentence.text) else " "
        text = f"{text}{between}{sentence.text}" if text else sentence.text
        for item in sentence.cited:
            number = numbers.setdefault((item.article.id, item.sentence.start), len(numbers) + 1)
            citations.append(cite(item, number=number, answer=Span(start, len(text)), support=sentence.support))
    return text, tuple(citations)


def cite(item: EvidenceSentence, *, number: int = 1, answer: Span | None = None, support: float = 1.0) -> Citation:
    """A citation of this sentence by the span `answer` of a reply; by default, by a reply that is the sentence."""
    start, end = answer or (0, len(item.sentence.text))
    return Citation(
        number=number,
        answer_start=start,
        answer_end=end,
        article_id=item.article.id,
        title=item.article.title,
        source=item.article.source,
        date=item.article.date,
        url=item.article.url,
        path=item.article.path,
        start=item.sentence.start,
        end=item.sentence.end,
        quote=item.sentence.text,
        support=round(support, 4),
        also_in=item.also_in,
        page=item.article.page_at(item.sentence.start),
    )


def without_list_mark(text: str) -> str:
    """The item of a list without what marks or numbers it: "2." counts nothing."""
    mark = _LIST_MARK.match(text)
    return text[mark.end() :] if mark else text


def without_empty_leads(sentences: Sequence[SignedSentence]) -> tuple[SignedSentence, ...]:
    """The same without sentences that announce a list ("… the following areas:") of which nothing is left."""
    return tuple(
        sentence
        for place, sentence in enumerate(sentences)
        if not sentence.text.endswith(":")
        or (place + 1 < len(sentences) and _LIST_MARK.match(sentences[place + 1].text))
    )


def without_loose_ties(
    standing: Sequence[SignedSentence], drafted: Sequence[SignedSentence]
) -> tuple[SignedSentence, ...]:
    """The same without the "However," of sentences whose sentence before, of those `drafted`, does not stand."""
    kept = {id(item) for item in standing}
    before = {id(item): earlier for earlier, item in zip((None, *drafted), drafted, strict=False)}
    return tuple(
        item if id(before.get(id(item))) in kept else dataclasses.replace(item, text=_untied(item.text))
        for item in standing
    )


def _untied(text: str) -> str:
    tie = _TIE.match(text)
    if tie is None:
        return text
    rest = text[tie.end() :]
    # "eBay" begins a sentence as it is.
    return rest if rest[1:2].isupper() else rest[0].upper() + rest[1:]


def _sign_one(shown: str, evidence: Evidence, weights: Mapping[str, float], question: str) -> SignedSentence:
    claim = without_list_mark(shown)
    wanted = content_stems(claim)
    total = math.fsum(weights.get(word, _unseen(weights)) * _hardness(word) for word in wanted) or 1.0
    words = [content_stems(item.sentence.text) for item in evidence.sentences]
    asked = content_stems(question)

    def gain(place: int, covered: set[str]) -> float:
        """What this sentence adds. Once something is cited, words of the question call for nothing more."""
        new = (wanted & words[place]) - covered - (asked if covered else set())
        return math.fsum(weights[word] * _hardness(word) for word in new) / total

    def cover(cited: list[int], *, asked_too: bool) -> tuple[EvidenceSentence, ...]:
        """`cited` with what else is worth citing; facts that the question names are looked for only if `asked_too`."""
        covered = {word for place in cited for word in wanted & words[place]}
        lacking = _lacking(claim, evidence, cited, question, asked_too=asked_too)
        while len(cited) < _MOST_CITATIONS and len(cited) < len(words):
            best = max(
                (place for place in range(len(words)) if place not in cited),
                # Among equals, a sentence beside one already cited, then the one that fits the question better.
                key=lambda place: (
                    round(gain(place, covered), 6),
                    any(_adjoin(evidence, place, other) for other in cited),
                    evidence.sentences[place].score,
                ),
            )
            gained = gain(best, covered)
            fewer = _lacking(claim, evidence, [*cited, best], question, asked_too=asked_too)
            if gained == 0 or (cited and gained < _WORTH_CITING and len(fewer) >= len(lacking)):
                break
            cited.append(best)
            covered |= wanted & words[best]
            lacking = fewer
        return tuple(evidence.sentences[place] for place in sorted(cited))

    cited: list[int] = []
    # What the answer repeats of the question is first looked for near what states its answer, then anywhere.
    chosen = cover(cited, asked_too=False)
    chosen = (*chosen, *context(claim, question, chosen))
    if cited and lacking_facts(claim, chosen, question):
        chosen = cover(cited, asked_too=True)
        chosen = (*chosen, *context(claim, question, chosen))
    missing = lacking_facts(claim, chosen, question) if cited else missing_facts(claim, [], asked=question)
    covered = wanted & {word for item in chosen for word in content_stems(item.sentence.text)}
    covered |= wanted & {word for item in chosen for word in content_stems(known(item.article))}
    if covered:
        covered |= wanted & asked & set().union(*words)
    support = math.fsum(weights.get(word, _unseen(weights)) * _hardness(word) for word in covered) / total
    return SignedSentence(
        shown,
        chosen,
        support,
        missing,
        contradictions(claim, [item.sentence.text for item in chosen]),
        repeats=only_repeats(claim, question),
    )


def _missing(claim: str, evidence: Evidence, cited: Sequence[int], question: str = "") -> tuple[str, ...]:
    return lacking_facts(claim, [evidence.sentences[place] for place in cited], question)


def _lacking(
    claim: str, evidence: Evidence, cited: Sequence[int], question: str, *, asked_too: bool
) -> tuple[str, ...]:
    """What is missing from these sentences; unless `asked_too`, only what the question does not name either."""
    missing = _missing(claim, evidence, cited, question)
    return missing if asked_too else tuple(fact for fact in missing if not is_named(fact, question))


def _adjoin(evidence: Evidence, one: int, other: int) -> bool:
    return abs(one - other) == 1 and evidence.sentences[one].article.id == evidence.sentences[other].article.id


def _weights(evidence: Evidence) -> dict[str, float]:
    """How much each stem tells: rarer among the evidence sentences, more (inverse document frequency)."""
    sentences = [content_stems(item.sentence.text) for item in evidence.sentences]
    counts: dict[str, int] = {}
    for words in sentences:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    return {word: math.log(1 + (len(sentences) + 1) / (count + 0.5)) for word, count in counts.items()}


def _unseen(weights: Mapping[str, float]) -> float:
    """A word that stands nowhere in the evidence weighs as much as an average one."""
    return math.fsum(weights.values()) / len(weights) if weights else 1.0


def _hardness(word: str) -> float:
    return _HARD_FACT_WEIGHT if word[0].isdigit() else 1.0


def _all_text(evidence: Evidence) -> str:
    return " ".join(item.sentence.text for item in evidence.sentences)
