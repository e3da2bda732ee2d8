"""From a question to the passages found: what is searched for, among which articles, and in which order they stand."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from index.filters import Filters, count_articles, known_sources, may_lie_in, newest_date
from index.library import Library
from index.search import DEFAULT_MIX, Mix, SavedIndex
from index.types import Hit, ScoreParts
from rag.clauses import clauses_of
from rag.copies import collapse_copies
from rag.preference import prefer
from rag.saying import counted
from rag.types import Message, Searched
from rag.wanted import Said, Wanted, infer

_DEEPER = 2
"""Where the order depends on dates, so many times as many passages are found: one from below may move up."""

_DEEPEST = 8
"""So many times as many passages are searched at most where copies take the places of others."""

_MIXED_DEPTH = 4
"""Where several texts are searched, so many times as many passages are found for each: their scores are mixed."""

_TURNS_JOINED = 2
_LONGEST_JOINED = 2_000
"""Characters of the questions before that are joined: programs may send anything as history."""

LAST_TURN_WEIGHT = 0.6
"""What the last question alone counts, beside those before it joined to it (docs/lab-notes.md). The better of
the two scores, which was tried first, lets the topic before drag its passages along."""


CLAUSE_WEIGHT = 0.5
"""What the best of its clauses counts for a long question, beside the whole."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is searched: `questions`, the question itself first. `filters` are the caller's, `wanted` is what the
    question says about what they leave open. `matching` of the articles pass both; None if nothing limits them.
    `clauses` of a long question are searched beside it."""

    questions: tuple[str, ...]
    filters: Filters
    wanted: Wanted
    matching: int | None = None
    clauses: tuple[str, ...] = ()

    @property
    def limits(self) -> Filters:
        """The caller's filters, and the inferred ones for what those leave open (`Wanted.beside`)."""
        inferred = self.wanted.filters
        return dataclasses.replace(
            self.filters,
            sources=self.filters.sources or inferred.sources,
            since=self.filters.since or inferred.since,
            until=self.filters.until or inferred.until,
            undated=self.filters.undated or inferred.undated,
        )

    def status(self, articles: int) -> str:
        """For a person: "Searching 2 of 4 articles. Only articles by CNBC, as the question says …"."""
        within = "" if self.matching is None else f"{self.matching:,} of "
        return f"Searching {within}{counted(articles, 'article')}" + "".join(f". {said}" for said in self.wanted.said)

    def searched(self, hits: Sequence[Hit]) -> Searched:
        """As a part of the answer. That a time was preferred is noted only if something of that time was found."""

        def counts(said: Said) -> bool:
            period = said.period
            return said.about != "period" or any(
                period and hit.article.date and may_lie_in(hit.article.date, period.since, period.until) for hit in hits
            )

        return Searched(
            questions=self.questions,
            filters=self.filters,
            inferred=self.wanted.filters,
            periods=self.wanted.periods,
            latest=self.wanted.latest,
            notes=tuple(str(said) for said in self.wanted.said if counts(said)),
        )


def questions_of(question: str, history: Sequence[Message]) -> tuple[str, ...]:
    """The texts to search for: the question, and in a conversation the same joined to the two before it, of which the
    first often names what the others are about.
    """
    asked_before = " ".join([turn.content for turn in history if turn.role == "user"][-_TURNS_JOINED:])
    return (question, f"{asked_before[-_LONGEST_JOINED:]} {question}") if asked_before else (question,)


def plan_search(
    index: SavedIndex, question: str, *, history: Sequence[Message] = (), filters: Filters, today: date
) -> Plan:
    """What to search for `question`. In a conversation it is searched alone and joined to those before it."""
    questions = questions_of(question, history)

    def planned(library: Library) -> Plan:
        wanted = infer(
            question,
            sources=known_sources(library),
            today=today,
            newest=lambda: newest_date(library, filters, until=today),
        ).beside(filters)
        plan = Plan(questions, filters, wanted, clauses=clauses_of(question))
        if not plan.limits.limits:
            return plan
        return dataclasses.replace(plan, matching=count_articles(library, plan.limits))

    return index.read(planned)


def search_passages(index: SavedIndex, plan: Plan, *, passages: int, mix: Mix = DEFAULT_MIX) -> tuple[Hit, ...]:
    """The passages nearest to the question, best first; in a conversation, to a mix of it and of the joined one.

    Copies of one report take one place; where there are some, more is searched to fill the others.
    """
    wanted = passages
    while True:
        ranked = _ranked(index, plan, passages=wanted, mix=mix)
        kept = collapse_copies(ranked)
        if len(kept) >= passages or len(ranked) < wanted or wanted >= _DEEPEST * passages:
            return tuple(dataclasses.replace(hit, rank=rank) for rank, hit in enumerate(kept[:passages], start=1))
        wanted *= 2


def _ranked(index: SavedIndex, plan: Plan, *, passages: int, mix: Mix) -> tuple[Hit, ...]:
    """The same, each copy in a place of its own."""
    depth = passages * _DEEPER if plan.wanted.moves else passages
    if len(plan.questions) > 1 or plan.clauses:
        depth *= _MIXED_DEPTH

    def search(question: str) -> tuple[Hit, ...]:
        return index.search(question, passages=depth, filters=plan.limits, mix=mix)

    found = search(plan.questions[0])
    if len(plan.questions) > 1:
        found = _mixed(found, search(plan.questions[1]))
    if plan.clauses:
        found = _with_clauses(found, [search(clause) for clause in plan.clauses])
    return prefer(found, plan.wanted)[:passages]


def _mixed(alone: Sequence[Hit], joined: Sequence[Hit]) -> tuple[Hit, ...]:
    """The passages of both with mixed scores, best first. What one search did not find counts as its last there."""
    hits = {hit.passage.id: hit for hit in (*joined, *alone)}
    of_alone, of_joined = ({hit.passage.id: hit for hit in found} for found in (alone, joined))

    def mixed(number: int) -> Hit:
        one, other = of_alone.get(number), of_joined.get(number)
        score = LAST_TURN_WEIGHT * (one or alone[-1]).score + (1 - LAST_TURN_WEIGHT) * (other or joined[-1]).score
        sentences = (one or other or hits[number]).sentence_scores
        if one is not None and other is not None:
            pairs = zip(one.sentence_scores, other.sentence_scores, strict=True)
            sentences = tuple(LAST_TURN_WEIGHT * first + (1 - LAST_TURN_WEIGHT) * second for first, second in pairs)
        parts = _mixed_parts(one.parts, other.parts) if one and other else hits[number].parts
        return dataclasses.replace(hits[number], score=score, sentence_scores=sentences, parts=parts)

    return tuple(sorted(map(mixed, hits), key=lambda hit: (-hit.score, hit.passage.id)))


def _with_clauses(whole: Sequence[Hit], found: Sequence[Sequence[Hit]]) -> tuple[Hit, ...]:
    """The passages of all searches, best first, by the score for the whole question and the best for a clause.

    What one search did not find counts as its last there. Scores stay on the scale of one search.
    """
    found = [hits for hits in found if hits]
    if not whole or not found:
        return tuple(whole)
    scores = [{hit.passage.id: hit.score for hit in hits} for hits in (whole, *found)]
    last = [hits[-1].score for hits in (whole, *found)]

    def mixed(hit: Hit) -> Hit:
        of_whole, *of_clauses = (known.get(hit.passage.id, least) for known, least in zip(scores, last, strict=True))
        return dataclasses.replace(hit, score=(of_whole + CLAUSE_WEIGHT * max(of_clauses)) / (1 + CLAUSE_WEIGHT))

    hits = {hit.passage.id: hit for hits in (*found, whole) for hit in hits}
    return tuple(sorted(map(mixed, hits.values()), key=lambda hit: (-hit.score, hit.passage.id)))


def _mixed_parts(alone: ScoreParts, joined: ScoreParts) -> ScoreParts:
    def mixed(one: float | None, other: float | None) -> float | None:
        return None if one is None or other is None else LAST_TURN_WEIGHT * one + (1 - LAST_TURN_WEIGHT) * other

    return ScoreParts(
        mixed(alone.passage, joined.passage),
        mixed(alone.sentence, joined.sentence),
        mixed(alone.passage_words, joined.passage_words),
        mixed(alone.article_words, joined.article_words),
        words_late=mixed(alone.words_late, joined.words_late),
    )
