"""One question put to the chatbot: what it finds, reads and says, beside what a search by keywords alone would say."""

import dataclasses
import time
from collections.abc import Sequence

from eval.keywords import keyword_outcome, ranking_of
from eval.outcomes import GoldEvidence, Outcome, Place, file_name, locate
from eval.questions import EvidenceQuote, Question
from index.errors import InputError
from index.types import Article, Sentence
from rag.chatbot import Chatbot
from rag.citations import cite
from rag.types import Citation

RANKING_DEPTH = 50
"""Passages ranked for the retrieval metrics; an answer uses the first few of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A question and what came of it.

    `keyword` is the outcome of the baseline without vectors and model (`eval/keywords.py`). `nearest` is the sentence
    that Byline's own search put first, for the baseline that never refuses.
    """

    outcome: Outcome
    keyword: Outcome
    nearest: Citation | None = None


class Asker:
    """Puts questions to one chatbot. Questions name articles by file name, so it knows them all by that."""

    def __init__(self, chatbot: Chatbot) -> None:
        self._chatbot = chatbot
        self._articles: dict[str, Article] = {}
        for article in chatbot.articles():
            name = file_name(article.path)
            if name in self._articles:
                raise InputError(
                    f"Two articles of the index are called {name}, so judgements cannot name them apart.",
                    help="Rename one of the files and index it again.",
                )
            self._articles[name] = article

    def check(self, questions: Sequence[Question]) -> tuple[str, ...]:
        """What is wrong with the articles and quotes that questions name, a line each. Such evidence is not scored."""
        problems = []
        for question in questions:
            for item in question.evidence or ():
                if item.article not in self._articles:
                    problems.append(f"{question.id}: the article {item.article} is not in the index")
                elif item.quote is not None and not locate(item.quote, self._articles[item.article].text):
                    problems.append(f"{question.id}: {item.article} does not contain “{item.quote}”")
            problems += [
                f"{question.id}: the article {name} is not in the index"
                for name in question.articles or ()
                if name not in self._articles
            ]
        return tuple(problems)

    def ask(self, question: Question) -> Row:
        """Ask it, whatever its task."""
        scope = self._scope(question)
        gold, unfound = self._gold(question)
        started = time.perf_counter()
        hits = self._chatbot.search(question.question, history=question.history, articles=scope, passages=RANKING_DEPTH)
        searched = time.perf_counter() - started
        meant = self._chatbot.searched_as(question.question, history=question.history)
        evidence = self._chatbot.choose(meant, hits[: self._chatbot.settings.passages_per_question])
        outcome = Outcome(
            question=question,
            gold=gold,
            ranking=ranking_of(hits),
            chosen=tuple(_sentence_place(item.article, item.sentence) for item in evidence.sentences),
            evidence_tokens=sum(self._chatbot.generator.count_tokens(i.sentence.text) for i in evidence.sentences),
            search_s=searched,
            unfound=unfound,
        )
        best = max(evidence.sentences, key=lambda item: item.score, default=None)
        if question.task == "answer":
            answer = self._chatbot.answer(question.question, history=question.history, articles=scope)
            outcome = dataclasses.replace(
                outcome,
                answer=answer,
                tokens_in=answer.usage.tokens_read,
                tokens_out=answer.usage.tokens_written,
            )
        elif question.task == "support":
            outcome = dataclasses.replace(outcome, support_score=self._chatbot.support(question.question, evidence))
        return Row(outcome, keyword_outcome(outcome, self._chatbot, scope), cite(best) if best else None)

    def _scope(self, question: Question) -> tuple[str, ...] | None:
        if question.articles is None:
            return None
        return tuple(self._articles[name].id for name in question.articles if name in self._articles)

    def _gold(self, question: Question) -> tuple[tuple[GoldEvidence, ...] | None, tuple[str, ...]]:
        if not question.evidence:
            return (None if question.evidence is None else ()), ()
        groups: dict[object, list[GoldEvidence]] = {}
        unfound = []
        for place, item in enumerate(question.evidence):
            found = self._gold_of(item)
            if found is None:
                unfound.append(item.quote or item.article)
            else:
                groups.setdefault(place if item.group is None else item.group, []).append(found)
        if unfound:
            return None, tuple(unfound)
        return tuple(
            GoldEvidence(tuple(place for one in alternatives for place in one.places), alternatives[0].whole_article)
            for alternatives in groups.values()
        ), ()

    def _gold_of(self, item: EvidenceQuote) -> GoldEvidence | None:
        article = self._articles.get(item.article)
        if article is None:
            return None
        if item.quote is None:
            return GoldEvidence((Place(item.article, 0, len(article.text)),), whole_article=True)
        spans = locate(item.quote, article.text)
        return GoldEvidence(tuple(Place(item.article, *span) for span in spans)) if spans else None


def _sentence_place(article: Article, sentence: Sentence) -> Place:
    return Place(file_name(article.path), sentence.start, sentence.end)
