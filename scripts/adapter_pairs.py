"""Pairs of a question and sentences that state its answer or do not, from question sets: what an adapter learns from.

Used by `scripts/train_judging.py`. Each set gives its own judgements: quotes that answer, questions without an answer.
"""

import dataclasses
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapter_turns import as_people_ask

from eval.questions import EvidenceQuote, Question
from eval.suites import Suite, SuiteArticle, load_suite
from eval.suites.squad2 import evidence_for, squad_paragraphs
from index.sentences import split_sentences
from index.types import Article
from rag.evidence import Evidence, EvidenceSentence, overlaps
from rag.prompt import answerable_messages
from rag.types import Message

SETS = {
    "squad2": ("squad2_cs224n", 0.58),
    "timeqa": ("timeqa_human", 0.17),
    "xquad": ("xquad_en", 0.11),
    "clapnq": ("clapnq", 0.08),
    "realtimeqa": ("realtimeqa_2022", 0.06),
}
"""Folder and share of each set. Other sets of news are left out: they show whether what was learnt carries over."""
FEW = (0, 0, 0, 1, 2)
"""Sentences beside those that a finished answer would cite."""
MANY = (4, 6, 9)
"""Sentences as many as are read before anything is written."""
WHOLE = 9
"""Sentences of a text that is mostly read as a whole, so that all questions about it share what is read."""
_TELLS = 0.25
"""The share of a news question's telling words that a sentence with the answer's words has at least, to state it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt that asks whether its excerpts state the answer, and whether they do. `group` names what it was drawn
    from, of which all goes to training or nothing."""

    suite: str
    messages: tuple[Message, ...]
    states: bool
    group: str


def draw_pairs(name: str, folder: Path, *, seed: int) -> list[Pair]:
    """All pairs of a suite, in random order."""
    chance = random.Random(f"{seed} {name}")
    suite = load_suite(name, folder)
    articles = {article.file: as_article(article) for article in suite.articles}
    tempting = tempting_quotes(folder) if name == "squad2" else {}
    questions = linked(suite) if name == "realtimeqa" else suite.questions
    asked = [
        question
        for question in questions
        if question.answerable is not None and question.part in ("", "given", "gold") and not question.history
    ]
    pages: dict[str, list[Question]] = {}
    for question in asked:
        pages.setdefault(page_of(question, suite), []).append(question)
    pairs = [
        Pair(name, answerable_messages(words, Evidence(tuple(chosen)), history=history), states, page)
        for page, own in pages.items()
        for question in own
        for chosen, states in _drawn(question, articles, tempting, chance)
        if chosen
        for words, history in (as_people_ask(question, own, chance),)
    ]
    chance.shuffle(pairs)
    return pairs


def pages_apart(drawn: Iterable[Sequence[Pair]]) -> frozenset[str]:
    """A fourth of the pages of each set, from which nothing is learnt. Some pages are in two sets."""
    return frozenset(page for pairs in drawn for page in sorted({pair.group for pair in pairs})[::4])


def linked(suite: Suite) -> Iterator[Question]:
    """News questions with the articles that their quiz links to, which hold the answer. Those with a pool of found
    articles are left out: they show whether what was learnt carries over. So are answers that stand everywhere."""
    pools = {question.id.split(":")[0] for question in suite.questions if question.part == "pool"}
    for question in suite.questions:
        told = question.evidence and all(len(one) > 3 for part in question.answers or () for one in part)
        if question.part == "gold" and told and question.id.split(":")[0] not in pools:
            own = tuple(quote.article for quote in question.evidence or ())
            yield dataclasses.replace(question, answerable=True, articles=own)


def _drawn(
    question: Question,
    articles: dict[str, Article],
    tempting: Mapping[str, Sequence[EvidenceQuote]],
    chance: random.Random,
) -> Iterator[tuple[list[EvidenceSentence], bool]]:
    ranked = ranked_for(question, articles)
    if not question.answerable:
        # The nearest miss: a sentence that somebody could take for the answer, else the one with most of the words.
        near = [item for group in stating(tempting.get(question.id, ()), question, ranked) for item in group]
        near = (near or ranked)[:1]
        yield _mixed(near, [item for item in ranked if item not in near], chance), False
        if chance.random() < 0.6:
            yield many(near, ranked, chance), False
        return
    groups = gold_groups(question, ranked)
    if not groups:
        return
    gold = list(dict.fromkeys(chance.choice(group) for group in groups))
    others = [item for item in ranked if item not in gold]
    yield _mixed(gold, others, chance), True
    if chance.random() < 0.6:
        yield many(gold, ranked, chance), True
    # What stands beside it, or a part of it alone, is a near miss too.
    silent = [item for item in others if not any(item in group for group in groups) and not says(question, item)]
    if len(gold) > 1:
        yield _mixed(gold[1:], [item for item in silent if item not in gold], chance), False
    elif len(silent) > 1 and chance.random() < (1 if question.part == "gold" else 0.4):
        yield _mixed(silent[:1], silent[1:], chance), False
        if question.part == "gold" and chance.random() < 0.6:
            yield many(silent[:1], silent, chance), False


def tempting_quotes(folder: Path) -> dict[str, tuple[EvidenceQuote, ...]]:
    """For each impossible question of SQuAD the sentences of its plausible answers."""
    return {
        f"{record.text('id')}:given": evidence_for(record, paragraph, "plausible_answers") or ()
        for paragraph in squad_paragraphs(folder, "*.json", impossible=True)
        for record in paragraph.questions
        if record.has("plausible_answers")
    }


def stating(
    quotes: Iterable[EvidenceQuote], question: Question, ranked: Sequence[EvidenceSentence]
) -> list[list[EvidenceSentence]]:
    """For each part of the evidence the sentences that state it; of a longer quote, those with an accepted answer."""
    groups: dict[str, list[EvidenceSentence]] = {}
    for place, quote in enumerate(quotes):
        wanted = plain(quote.quote or "")
        inside = [
            item
            for item in ranked
            if item.article.path == quote.article
            and wanted
            and ((text := plain(item.sentence.text)) in wanted or wanted in text)
        ]
        with_answer = [item for item in inside if says(question, item)]
        groups.setdefault(quote.group or str(place), []).extend(with_answer or inside[:1])
    return [group for group in groups.values() if group]


def telling(
    quotes: Iterable[EvidenceQuote], question: Question, ranked: Sequence[EvidenceSentence]
) -> list[list[EvidenceSentence]]:
    """Where whole articles are named: the sentence with an accepted answer that has most of the question's words."""
    files = {quote.article for quote in quotes}
    with_answer = [item for item in ranked if item.article.path in files and says(question, item)]
    return [[item] for item in with_answer[:1] if item.score > _TELLS]


def says(question: Question, item: EvidenceSentence) -> bool:
    """Whether an accepted answer stands in this sentence."""
    text = f" {plain(item.sentence.text)} "
    return any(f" {said} " in text for part in question.answers or () for one in part if (said := plain(one)))


def _mixed(
    core: Sequence[EvidenceSentence], others: Sequence[EvidenceSentence], chance: random.Random
) -> list[EvidenceSentence]:
    """The core with few others, in the order of the articles or the best first."""
    chosen = [*core, *others[: chance.choice(FEW)]]
    return _in_order(chosen) if chance.random() < 0.5 else chosen


def many(
    core: Sequence[EvidenceSentence], ranked: Sequence[EvidenceSentence], chance: random.Random
) -> list[EvidenceSentence]:
    """As many as are read before anything is written, the core among them."""
    if len(ranked) <= WHOLE and chance.random() < 0.7:
        return _in_order(ranked)
    others = [item for item in ranked if item not in core]
    return _in_order([*core, *others[: chance.choice(MANY)]])


def _in_order(chosen: Iterable[EvidenceSentence]) -> list[EvidenceSentence]:
    return sorted(chosen, key=lambda item: (item.article.id, item.sentence.start))


def ranked_for(question: Question, articles: Mapping[str, Article]) -> list[EvidenceSentence]:
    """All sentences of the articles that a question is asked of, those with most of its words first."""
    files = question.articles or tuple(dict.fromkeys(quote.article for quote in question.evidence or ()))
    return by_overlap(question.question, [articles[file] for file in files])


def gold_groups(question: Question, ranked: Sequence[EvidenceSentence]) -> list[list[EvidenceSentence]]:
    """The sentences that state each part of the answer, as far as the set tells them."""
    return (telling if question.part == "gold" else stating)(question.evidence or (), question, ranked)


def by_overlap(question: str, articles: Sequence[Article]) -> list[EvidenceSentence]:
    """All sentences of these articles, those with most of the question's words first."""
    pairs = [(article, sentence) for article in articles for sentence in split_sentences(article)]
    shares = overlaps(question, [sentence.text for _, sentence in pairs]) if pairs else {}
    items = [EvidenceSentence(sentence, article, shares[sentence.text]) for article, sentence in pairs]
    return sorted(items, key=lambda item: -item.score)


def as_article(given: SuiteArticle) -> Article:
    """An article of a set as the index would have it."""
    return Article(
        given.name, given.file, given.file, given.text, title=given.title, source=given.source, date=given.date
    )


def page_of(question: Question, suite: Suite) -> str:
    """The page that a question is about: neighbouring paragraphs of it say much the same."""
    files = question.articles or tuple(quote.article for quote in question.evidence or ())
    titles = {article.file: article.title for article in suite.articles}
    return (titles.get(files[0]) or files[0]) if files else question.id


def plain(text: str) -> str:
    """The words alone, in small letters."""
    return re.sub(r"\W+", " ", text).strip().lower()
