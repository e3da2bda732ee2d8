"""Questions with the replies that a model should write, from question sets: what an adapter that writes learns from.

Used by `scripts/train_writing.py`. The sets tell phrases. Whole sentences are what the model itself writes when it sees
nothing but the sentences that state the answer, and are thrown away where they do not hold it or say more than the text
(`in_sentences`): so it learns to pass over what stands beside them, and keeps its way of writing.
"""

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapter_pairs import as_article, by_overlap, linked, many, page_of, plain, stating, telling
from adapter_turns import as_people_ask

from eval.questions import Question
from eval.suites import load_suite
from index.types import Article
from rag.evidence import Evidence, EvidenceSentence
from rag.prompt import answer_messages, asks_whether
from rag.types import Message

LONGEST = 60
"""Words of a reply."""
SENTENCES = {"squad2": 0.7, "xquad": 0.7, "realtimeqa": 0.7, "timeqa": 0.0, "clapnq": 1.0}
"""The share of each set's questions that are answered in whole sentences. Those about a time name a period that the
text does not, and sentences would repeat it."""
BESIDE = (0, 0, 3, 5)
"""Sentences from other paragraphs of the page that are read with those of its own, as search finds some."""
_SMALL_WORDS = frozenset(
    "a an and as at by for from in is it its no of on or so that the their they to was yes".split()
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt that asks for an answer, and the answer. `group` names what it was drawn from, of which all goes to
    training or nothing. With `narrow`, `reply` is a phrase yet, and what these messages bring is the reply."""

    suite: str
    messages: tuple[Message, ...]
    reply: str
    group: str
    narrow: tuple[Message, ...] = ()


def draw_lessons(name: str, folder: Path, *, seed: int) -> list[Lesson]:
    """One for each question that has an answer, in random order."""
    chance = random.Random(f"{seed} {name} answers")
    suite = load_suite(name, folder)
    articles = {given.file: as_article(given) for given in suite.articles}
    pages: dict[str, list[Question]] = {}
    for question in linked(suite) if name == "realtimeqa" else suite.questions:
        if question.answerable and question.answers and question.part in ("", "given", "gold"):
            pages.setdefault(page_of(question, suite), []).append(question)
    lessons = [
        lesson
        for page, own in pages.items()
        for question in own
        for lesson in _drawn(name, page, question, own, articles, chance)
    ]
    chance.shuffle(lessons)
    return lessons


def in_sentences(lesson: Lesson, write: Callable[[Sequence[Message]], str]) -> Lesson | None:
    """The same with whole sentences as its reply; None if none that may be learnt from were written."""
    if not lesson.narrow:
        return lesson
    written = " ".join(write(lesson.narrow).split())
    if not _may_be_said(written, lesson.reply, lesson.narrow[-1].content):
        return None
    return dataclasses.replace(lesson, reply=written, narrow=())


def _drawn(
    name: str,
    page: str,
    question: Question,
    own: Sequence[Question],
    articles: dict[str, Article],
    chance: random.Random,
) -> Iterator[Lesson]:
    files = question.articles or tuple(dict.fromkeys(quote.article for quote in question.evidence or ()))
    found = by_overlap(question.question, [articles[file] for file in files])
    groups = (telling if question.part == "gold" else stating)(question.evidence or (), question, found)
    if not groups or asks_whether(question.question):
        return
    gold = list(dict.fromkeys(chance.choice(sentences) for sentences in groups))
    elsewhere = {file for other in own for file in other.articles} - set(files)
    beside = by_overlap(question.question, [articles[file] for file in sorted(elsewhere)])
    shown = many(gold, found, chance) + beside[: chance.choice(BESIDE)]
    words, history = as_people_ask(question, own, chance)
    style = "sentence" if chance.random() < SENTENCES[name] else "phrase"
    reply = _reply(question)
    if reply == "NA" or len(reply.split()) > LONGEST:
        return
    narrow = style == "sentence" and name != "clapnq"
    yield Lesson(
        name,
        _asked(words, _by_article(shown, chance), style, history),
        reply,
        page,
        _asked(question.question, gold, style) if narrow else (),
    )


def _asked(
    question: str, shown: Sequence[EvidenceSentence], style: str, history: Sequence[Message] = ()
) -> tuple[Message, ...]:
    *before, last = answer_messages(question, Evidence(tuple(shown)), history=history, style=style)
    return *before, dataclasses.replace(last, adapted=last.content[last.content.rindex("Question: ") :])


def _by_article(shown: Sequence[EvidenceSentence], chance: random.Random) -> list[EvidenceSentence]:
    """One article after the other, in any order."""
    articles = sorted({item.article.id for item in shown})
    chance.shuffle(articles)
    return [item for id in articles for item in shown if item.article.id == id]


def _reply(question: Question) -> str:
    """The spelling of the answer that most accept, the shortest of several."""
    (accepted, *_) = question.answers or ((),)
    counts = {one: sum(plain(one) == plain(other) for other in accepted) for one in accepted}
    return " ".join(min(accepted, key=lambda one: (-counts[one], len(one))).split()).strip(" ,;")


def _may_be_said(written: str, reply: str, prompt: str) -> bool:
    """Whether these are whole sentences with this reply in them whose every word stands in the prompt, and every number
    in the excerpts."""
    excerpts = plain(prompt.partition("\n\nQuestion:")[0])
    within, told = plain(prompt), set(excerpts.split())
    words = plain(written).split()
    strange = [word for word in words if word[:4] not in within and word not in _SMALL_WORDS]
    figures = [word for word in words if any(map(str.isdigit, word))]
    return (
        written.endswith((".", '."', ".”"))
        and len(plain(reply).split()) + 1 < len(words) <= LONGEST
        and f" {plain(reply)} " in f" {' '.join(words)} "
        and not strange
        and told.issuperset(figures)
    )
