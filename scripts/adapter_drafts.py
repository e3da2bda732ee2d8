"""Answers that the model itself writes to questions of question sets, right and wrong ones: what an adapter that checks
them learns from.

Used by `scripts/train_checking.py`. Whether a draft is right is known from the answers that the sets accept.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapter_pairs import as_article, gold_groups, linked, many, page_of, ranked_for, stating, tempting_quotes
from adapter_turns import as_people_ask

from eval.metrics.answers import token_f1
from eval.metrics.right import is_right
from eval.outcomes import Outcome
from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from index.types import Article
from rag.evidence import Evidence
from rag.prompt import answer_messages, asks_whether, right_messages
from rag.types import Answer, Message, Timings

PHRASES = 0.4
"""The share of questions that are answered with a phrase."""
RIGHT, WRONG = 0.65, 0.3
"""The token F1 of phrases from which one is right, and below which it is wrong; between them nobody can tell."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is put to the model with what it reads; `group` names what it was drawn from."""

    suite: str
    question: Question
    words: str
    history: tuple[Message, ...]
    evidence: Evidence
    style: str
    group: str

    def messages(self) -> tuple[Message, ...]:
        """What has the model write a draft."""
        return answer_messages(self.words, self.evidence, history=self.history, style=self.style)


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt that asks whether a draft is right, and whether it is."""

    suite: str
    messages: tuple[Message, ...]
    right: bool
    group: str


def draw_asked(name: str, folder: Path, *, seed: int) -> list[Asked]:
    """Questions with and without an answer, in random order, but those about one page together."""
    chance = random.Random(f"{seed} {name} drafts")
    suite = load_suite(name, folder)
    articles = {given.file: as_article(given) for given in suite.articles}
    tempting = tempting_quotes(folder) if name == "squad2" else {}
    pages: dict[str, list[Question]] = {}
    for question in linked(suite) if name == "realtimeqa" else suite.questions:
        judged = question.answerable is False or (question.answerable and question.answers)
        if judged and question.part in ("", "given", "gold") and not question.history:
            pages.setdefault(page_of(question, suite), []).append(question)
    order = sorted(pages)
    chance.shuffle(order)
    return [
        asked
        for page in order
        for question in pages[page]
        for asked in _drawn(name, page, question, pages[page], articles, tempting.get(question.id, ()), chance)
    ]


def _drawn(
    name: str,
    page: str,
    question: Question,
    own: Sequence[Question],
    articles: dict[str, Article],
    tempting: Sequence[EvidenceQuote],
    chance: random.Random,
) -> Iterator[Asked]:
    ranked = ranked_for(question, articles)
    if asks_whether(question.question) or not ranked:
        return
    if question.answerable:
        groups = gold_groups(question, ranked)
        core = list(dict.fromkeys(chance.choice(sentences) for sentences in groups))
        if not core:
            return
    else:
        near = [item for group in stating(tempting, question, ranked) for item in group]
        core = (near or ranked)[:1]
    evidence = Evidence(tuple(many(core, ranked, chance)))
    words, history = as_people_ask(question, own, chance)
    style = "phrase" if name != "clapnq" and chance.random() < PHRASES else "sentence"
    yield Asked(name, question, words, tuple(history), evidence, style, page)


def with_draft(asked: Asked, draft: str) -> Draft | None:
    """The same with a draft; None where nobody can tell whether that is right."""
    right = judged(asked, draft)
    if right is None or not draft.strip():
        return None
    messages = right_messages(asked.words, asked.evidence, draft, history=asked.history)
    return Draft(asked.suite, messages, right, asked.group)


def judged(asked: Asked, draft: str) -> bool | None:
    """Whether a draft states what the set accepts; None if nobody can tell."""
    said = Answer(asked.words, draft, False, 1.0, None, (), (), Timings(0.0, None, 0.0), "", "")
    outcome = Outcome(asked.question, None, (), answer=said)
    if not asked.question.answerable or asked.style == "sentence":
        return is_right(outcome)
    shared = token_f1(outcome) or 0.0
    return True if shared >= RIGHT else False if shared < WRONG else None


def recorded(asked: Sequence[Asked], file: Path, write: Callable[[Sequence[Message]], str]) -> list[str]:
    """A draft for each, in order. Those written before are read from the file, the others are added to it."""
    writing = recording(file, write)
    return [writing(one.messages()) for one in asked]


def recording(file: Path, write: Callable[[Sequence[Message]], str]) -> Callable[[Sequence[Message]], str]:
    """The same writing, but what was written before is read from the file, and all else is added to it."""
    known: dict[str, str] = {}
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            known[row["prompt"]] = row["draft"]

    def writing(messages: Sequence[Message]) -> str:
        prompt = messages[-1].content
        if prompt not in known:
            known[prompt] = write(messages)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"prompt": prompt, "draft": known[prompt]}, ensure_ascii=False) + "\n")
        return known[prompt]

    return writing
