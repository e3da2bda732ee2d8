"""From the passages that search found to the few whole sentences that the model reads."""

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.sentences import is_repeat
from index.types import Article, Hit, Sentence
from rag.asked_kinds import compares, kind_test
from rag.copies import find_copies
from rag.explanation import Reason
from rag.instructions import readable
from rag.types import Copy
from rag.words import search_stems

if TYPE_CHECKING:
    from rag.excerpts import WholeArticle

# A sentence that opens so leans on the one before it.
_LEANING = re.compile(
    r"^[\"“'‘(]*(he|she|it|its|his|her|they|their|this|these|that|those|such|the (company|firm|group|move|deal|fund)"
    r"|but|and|also|so|hence|however|at the time|at the same time|days later)\b",
    re.IGNORECASE,
)
_BEST_WITH_NEIGHBOURS = 2
_NEIGHBOUR_COST = 0.15
"""A neighbour may cost this share of the budget: a long one would take the place of two that fit the question."""

_ARTICLES_COMPARED = 3
_WORTH_COMPARING = 0.5
"""Where a question compares, the best sentences of so many articles come first, unless they fit this much worse than
the best of all."""

PASSAGE_WEIGHT = 0.5
WORDS_WEIGHT = 0.6
KIND_WEIGHT = 0.1
"""What a sentence's passage, its own telling words, and a figure, time or name where one is asked for add to its
similarity (docs/lab-notes.md)."""


_ENOUGH = 160
"""Tokens after which only sentences are read that fit nearly as well as the best: each costs time, and few of the
others hold what is asked (docs/lab-notes.md)."""
_WORTH_READING = 0.8
"""What a sentence's score must be of the best one's then."""


@dataclass(frozen=True, slots=True)
class EvidenceParts:
    """What a sentence's score is the sum of, the tokens it costs, and why it was taken."""

    similarity: float
    passage: float
    words: float
    kind: float = 0.0
    tokens: int = 0
    reason: Reason = "score"

    @property
    def score(self) -> float:
        """The sum."""
        return self.similarity + self.passage + self.words + self.kind


@dataclass(frozen=True, slots=True)
class EvidenceSentence:
    """A sentence that the model may rest on, with its article and how well it fits the question (higher is better).

    `also_in` are other articles that hold it too, nearly word for word.
    """

    sentence: Sentence
    article: Article
    score: float
    parts: EvidenceParts | None = None
    also_in: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the model reads: sentences grouped by article, the best article and the best run of sentences first.

    `read_whole` are those of the articles that the model has read ahead (`rag/read_ahead.py`).
    """

    sentences: tuple[EvidenceSentence, ...]
    read_whole: tuple["WholeArticle", ...] = ()

    def passage_used(self, article_id: str, start: int, end: int) -> bool:
        """Whether any sentence of the evidence lies in that span."""
        return any(
            item.sentence.article_id == article_id and start <= item.sentence.start < end for item in self.sentences
        )


def choose_evidence(question: str, hits: Sequence[Hit], *, tokens: int, count_tokens: Callable[[str], int]) -> Evidence:
    """The best sentences of `hits` within a budget of `tokens`.

    Sentences are ranked by their own similarity to the question, by the share of its telling words that they hold
    (names are where similarity of meaning fails), by their passage's score, and by whether they hold the kind of thing
    that is asked for. The best ones bring their neighbours unless these are long (the name often stands one sentence
    before or after the fact), and one that opens with a pronoun brings the sentence before it. Sentences that say the
    same as a chosen one are passed over, and so are, once enough is chosen, those that fit much worse than the best;
    those that speak to the model (`rag/instructions.py`) are never chosen.
    Where the question compares, the best of each article come first.
    """
    candidates = found_sentences(question, hits)
    ranked = sorted(candidates, key=lambda item: -item.score)
    leaders = _best_of_articles(ranked) if compares(question) else []
    chosen: dict[tuple[str, int], EvidenceSentence] = {}
    costs: dict[tuple[str, int], int] = {}
    spent = 0

    def cost_of(item: EvidenceSentence) -> int:
        key = _key(item)
        if key not in costs:
            costs[key] = count_tokens(item.sentence.text) + 1
        return costs[key]

    def take(item: EvidenceSentence, reason: Reason) -> bool:
        """Whether it is in the evidence now."""
        nonlocal spent
        key = _key(item)
        if key in chosen:
            return True
        if any(is_repeat(item.sentence.text, other.sentence.text) for other in chosen.values()):
            return False
        cost = cost_of(item)
        if chosen and spent + cost > tokens:
            return False
        parts = item.parts and dataclasses.replace(item.parts, tokens=cost, reason=reason)
        chosen[key] = dataclasses.replace(item, parts=parts)
        spent += cost
        return True

    position = {_key(item): place for place, item in enumerate(candidates)}
    for leader in leaders:
        take(leader, "article")
    for rank, item in enumerate(ranked):
        if spent >= _ENOUGH and item.score < _WORTH_READING * ranked[0].score:
            break
        if not take(item, "score"):
            continue
        best = rank < _BEST_WITH_NEIGHBOURS
        if best or _LEANING.match(item.sentence.text):
            for neighbour in _neighbours(candidates, position[_key(item)], both=best):
                if not best or cost_of(neighbour) <= _NEIGHBOUR_COST * tokens:
                    take(neighbour, "neighbour" if best else "leaning")
    found = [dataclasses.replace(item, also_in=find_copies(item.sentence, hits)) for item in chosen.values()]
    return Evidence(tuple(_best_first(found, position)))


def found_sentences(question: str, hits: Sequence[Hit]) -> list[EvidenceSentence]:
    """Every sentence of the hits, and of their copies, that the model may read, once, in reading order within each
    article."""
    found: dict[tuple[str, int], EvidenceSentence] = {}
    every = [one for hit in hits for one in (hit, *hit.copies)]
    shares = overlaps(question, [sentence.text for hit in every for sentence in hit.passage.sentences])
    asked_for = kind_test(question)
    for hit in every:
        allowed = readable(hit.passage.sentences, hit.article.text)
        for sentence, similarity, may_be_read in zip(hit.passage.sentences, hit.sentence_scores, allowed, strict=True):
            if not may_be_read:
                continue
            parts = EvidenceParts(
                similarity,
                PASSAGE_WEIGHT * hit.score,
                WORDS_WEIGHT * shares[sentence.text],
                KIND_WEIGHT if asked_for(sentence.text) else 0.0,
            )
            known = found.get((sentence.article_id, sentence.start))
            if known is None or known.score < parts.score:
                found[sentence.article_id, sentence.start] = EvidenceSentence(sentence, hit.article, parts.score, parts)
    return [found[key] for key in sorted(found)]


def _best_of_articles(ranked: Sequence[EvidenceSentence]) -> list[EvidenceSentence]:
    """The best sentence of each of the articles that are worth comparing, best first."""
    best: dict[str, EvidenceSentence] = {}
    for item in ranked:
        best.setdefault(item.article.id, item)
    leaders = list(best.values())[:_ARTICLES_COMPARED]
    return [item for item in leaders if item.score >= leaders[0].score - _WORTH_COMPARING]


def overlaps(question: str, sentences: Sequence[str]) -> dict[str, float]:
    """For each sentence, the share (0 to 1) of the question's words that it holds, rare ones weighing more."""
    words = {sentence: search_stems(sentence) for sentence in sentences}
    counts = Counter(stem for stems in words.values() for stem in stems)
    weights = {stem: math.log(1 + len(words) / (0.5 + counts[stem])) for stem in search_stems(question)}
    total = math.fsum(weights.values()) or 1.0
    return {
        sentence: math.fsum(weight for stem, weight in weights.items() if stem in stems) / total
        for sentence, stems in words.items()
    }


def _neighbours(candidates: Sequence[EvidenceSentence], place: int, *, both: bool) -> Iterable[EvidenceSentence]:
    here = candidates[place]
    for other in (place - 1, place + 1) if both else (place - 1,):
        if 0 <= other < len(candidates) and candidates[other].article.id == here.article.id:
            yield candidates[other]


def _best_first(chosen: Iterable[EvidenceSentence], position: Mapping[tuple[str, int], int]) -> list[EvidenceSentence]:
    """Grouped by article, the best article first; within one, runs of adjoining sentences, the best run first.

    A small model leans on what it reads first (docs/lab-notes.md), so reading order is kept within a run only.
    """
    runs: list[list[EvidenceSentence]] = []
    for item in sorted(chosen, key=_key):
        before = runs[-1][-1] if runs else None
        adjoins = before is not None and position[_key(item)] == position[_key(before)] + 1
        if before is not None and before.article.id == item.article.id and adjoins:
            runs[-1].append(item)
        else:
            runs.append([item])
    best = [max(item.score for item in run) for run in runs]
    best_of_article: dict[str, float] = {}
    for run, score in zip(runs, best, strict=True):
        best_of_article[run[0].article.id] = max(score, best_of_article.get(run[0].article.id, score))
    order = sorted(
        range(len(runs)),
        key=lambda place: (-best_of_article[runs[place][0].article.id], runs[place][0].article.id, -best[place]),
    )
    return [item for place in order for item in runs[place]]


def _key(item: EvidenceSentence) -> tuple[str, int]:
    return item.article.id, item.sentence.start
