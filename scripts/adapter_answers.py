"""Questions with the replies that a model should write, from question sets: what an adapter that writes learns from.

Used by `scripts/train_writing.py`. The sets tell phrases; whole sentences are made of half of them by the model itself,
which says rightly what it is told (`in_a_sentence`), and thrown away where they say more than the text. What is learnt
of sentences is not used: they became too short (docs/lab-notes.md).
"""

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapter_pairs import as_article, gold_groups, linked, many, page_of, plain, ranked_for
from adapter_turns import as_people_ask

from eval.questions import Question
from eval.suites import load_suite
from index.types import Article
from rag.evidence import Evidence, EvidenceSentence
from rag.prompt import SAY, answer_messages, asks_whether
from rag.types import Message

LONGEST = 60
"""Words of a reply."""
SENTENCES = {"squad2": 0.5, "xquad": 0.5, "realtimeqa": 0.5, "timeqa": 0.0, "clapnq": 1.0}
"""The share of each set's questions that are answered in whole sentences. Those about a time name a period that the
text does not, and sentences would repeat it."""
_SHORT = "You write short answers to questions."
_SMALL_WORDS = frozenset(
    "a an and as at by for from in is it its no of on or so that the their they to was yes".split()
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt that asks for an answer, and the answer. `group` names what it was drawn from, of which all goes to
    training or nothing. With `told`, `reply` is a phrase yet, and what these messages bring is the sentence."""

    suite: str
    messages: tuple[Message, ...]
    reply: str
    group: str
    told: tuple[Message, ...] = ()


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


def in_a_sentence(lesson: Lesson, write: Callable[[Sequence[Message]], str]) -> Lesson | None:
    """The same with a whole sentence as its reply; None if none that may be learnt from was written."""
    if not lesson.told:
        return lesson
    sentence = write(lesson.told).strip()
    if not _may_be_said(sentence, lesson.reply, lesson.told[-1].content.removesuffix(SAY)):
        return None
    return dataclasses.replace(lesson, reply=sentence, told=())


def _drawn(
    name: str,
    page: str,
    question: Question,
    own: Sequence[Question],
    articles: dict[str, Article],
    chance: random.Random,
) -> Iterator[Lesson]:
    found = ranked_for(question, articles)
    groups = gold_groups(question, found)
    if not groups or asks_whether(question.question):
        return
    gold = list(dict.fromkeys(chance.choice(sentences) for sentences in groups))
    evidence = Evidence(tuple(many(gold, found, chance)))
    words, history = as_people_ask(question, own, chance)
    style = "sentence" if chance.random() < SENTENCES[name] else "phrase"
    reply = _reply(question)
    if reply == "NA" or len(reply.split()) > LONGEST:
        return
    told = _told(question, gold, reply) if style == "sentence" and name != "clapnq" else ()
    *before, last = answer_messages(words, evidence, history=history, style=style)
    adapted = last.content[last.content.rindex("Question: ") :]
    yield Lesson(name, (*before, dataclasses.replace(last, adapted=adapted)), reply, page, told)


def _reply(question: Question) -> str:
    """The spelling of the answer that most accept, the shortest of several."""
    (accepted, *_) = question.answers or ((),)
    counts = {one: sum(plain(one) == plain(other) for other in accepted) for one in accepted}
    return " ".join(min(accepted, key=lambda one: (-counts[one], len(one))).split()).strip(" ,;")


def _told(question: Question, gold: Sequence[EvidenceSentence], reply: str) -> tuple[Message, ...]:
    said = " ".join(item.sentence.text for item in gold)
    asked = f"Sentence: {said}\n\nQuestion: {question.question}\n\nAnswer: {reply}\n\n{SAY}"
    return Message("system", _SHORT), Message("user", asked)


def _may_be_said(sentence: str, reply: str, given: str) -> bool:
    """Whether it is one sentence with this reply in it whose every word stands in what was given, and every number in
    the text."""
    text = given.partition("\n\nQuestion:")[0]
    within, told = plain(given), set(plain(text).split())
    words = plain(sentence).split()
    strange = [word for word in words if word[:4] not in within and word not in _SMALL_WORDS]
    figures = [word for word in words if any(map(str.isdigit, word))]
    return (
        sentence.endswith((".", '."', ".”"))
        and "\n" not in sentence
        and f" {plain(reply)} " in f" {plain(sentence)} "
        and len(words) > len(plain(reply).split()) + 1
        and not strange
        and told.issuperset(figures)
    )
