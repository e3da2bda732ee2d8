"""Byline, measured as people meet it, and its generator alone. To be run in a process of its own."""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast
from unittest.mock import patch

import psutil
from bench_figures import Alone, Asked, Ours
from bench_machine import sizes_of

from eval.questions import Question
from index.paths import Home
from index.weights import ensure_model
from rag.chatbot import Chatbot
from rag.generators import TransformersGenerator
from rag.huge_pages import gather
from rag.opening import open_chatbot
from rag.prompt import answer_messages
from rag.settings import Settings
from rag.types import DoneEvent, Message, PassagesEvent, TextEvent

ASKED_AGAIN = 10
"""So many questions are asked again at once, and of the other systems."""
ALONE_RUNS = 5
DECODED_TOKENS = 48

WARM_UP = "Who founded Alibaba?"
_LONG = "Retell all the excerpts above in your own words, in at least ten sentences."


@dataclass(frozen=True, slots=True)
class Job:
    """What a system is asked. No question begins after the time `until` (`time.time()`)."""

    settings: Settings
    questions: tuple[Question, ...]
    until: float

    def in_time(self, questions: Sequence[Question]) -> Iterable[Question]:
        """The questions for which there is time; the first always."""
        for place, question in enumerate(questions):
            if place and time.time() > self.until:
                return
            yield question

    @property
    def answerable(self) -> tuple[Question, ...]:
        """The first of the questions that have an answer."""
        return tuple(question for question in self.questions if question.answerable)[:ASKED_AGAIN]


def measure_ours(job: Job) -> Ours:
    """Byline, as `Chatbot.stream` answers half a minute after its start (`rag/huge_pages.py`), and its generator."""
    began = time.perf_counter()
    chatbot = open_chatbot(job.settings, home=Home.from_environment(), load=True)
    load_s = time.perf_counter() - began
    with chatbot.index:
        _ask(chatbot, Question("", WARM_UP))
        gather()
        resident = _resident_bytes()
        asked: list[Asked] = []
        # A third of the time is kept for what follows.
        first = replace(job, until=job.until - (job.until - time.time()) / 3)
        for question in first.in_time(job.questions):
            asked.append(_ask(chatbot, question))
            resident = max(resident, _resident_bytes())
        answered = {item.id for item in asked if item.answered}
        again = [question for question in job.answerable if question.id in answered]
        for question in first.in_time(again):
            place = next(place for place, item in enumerate(asked) if item.id == question.id)
            _ask(chatbot, question)
            repeated = _ask(chatbot, question, kept="all")
            asked[place] = replace(asked[place], repeated_s=repeated.first_token_s)
        chatbot.read_ahead(wait=True)
        ahead: list[Asked] = []
        for question in first.in_time(job.questions):
            ahead.append(_ask(chatbot, question, kept="texts"))
            resident = max(resident, _resident_bytes())
        alone = _alone(chatbot, job)
        chatbot.close()
    return Ours(job.settings.precision, load_s, tuple(asked), tuple(ahead), alone, resident)


def prompts_of(chatbot: Chatbot, questions: Iterable[Question]) -> dict[str, tuple[Message, ...]]:
    """The prompts of the answers, by question."""
    found = {}
    for question in questions:
        evidence = chatbot.choose(chatbot.searched_as(question.question), chatbot.search(question.question))
        found[question.id] = answer_messages(question.question, evidence)
    return found


def _generator(chatbot: Chatbot) -> TransformersGenerator:
    return cast(TransformersGenerator, chatbot.generator)


def _ask(chatbot: Chatbot, question: Question, *, kept: Literal["nothing", "texts", "all"] = "nothing") -> Asked:
    chatbot.forget()  # an answer given before is no measure of anything
    if kept != "all":
        _generator(chatbot).forget(texts=kept == "nothing")
    began = time.perf_counter()
    evidence_s = first_token_s = None
    for event in chatbot.stream(question.question):
        now = time.perf_counter() - began
        match event:
            case PassagesEvent() if evidence_s is None:
                evidence_s = now
            case TextEvent() if first_token_s is None:
                first_token_s = now
            case DoneEvent(answer=answer):
                steps = answer.explanation.steps if answer.explanation else ()
                return Asked(
                    id=question.id,
                    evidence_s=evidence_s,
                    first_token_s=first_token_s,
                    done_s=now,
                    abstained=answer.abstained,
                    counted=answer.signals is None,
                    text=answer.text,
                    steps=tuple((step.name, step.took_s) for step in steps),
                )
    raise RuntimeError("The stream ended without an answer.")  # cannot happen without `stop`


def _alone(chatbot: Chatbot, job: Job) -> Alone:
    generator = _generator(chatbot)
    prompts = prompts_of(chatbot, job.answerable or job.questions[:1])
    messages = next(iter(prompts.values()))
    long = (*messages[:-1], replace(messages[-1], content=f"{messages[-1].content}\n\n{_LONG}"))
    prefill: list[float] = []
    decode: list[float] = []
    tokens = 0
    while len(prefill) <= ALONE_RUNS and (len(prefill) < 2 or time.time() < job.until):
        generator.forget()
        before, began = generator.usage(), time.perf_counter()
        generator.log_odds(messages)
        tokens = generator.usage().since(before).tokens_read
        prefill.append(tokens / (time.perf_counter() - began))
    with patch("rag.generators.draft", lambda *_: []):
        for _ in range(ALONE_RUNS):
            if decode and time.time() > job.until:
                break
            pieces = generator.generate(long, max_tokens=DECODED_TOKENS)
            next(pieces)
            began, said = time.perf_counter(), generator.usage().tokens_written
            deque(pieces, maxlen=0)
            written = generator.usage().tokens_written - said
            if written:
                decode.append(written / (time.perf_counter() - began))
    replies_s = {}
    for question in job.in_time(job.answerable):
        generator.forget()
        began = time.perf_counter()
        deque(generator.generate(prompts[question.id], max_tokens=job.settings.answer_tokens), maxlen=0)
        replies_s[question.id] = time.perf_counter() - began
    sizes = sizes_of(ensure_model(job.settings.model, role="generator", home=Home.from_environment()).path)
    return Alone(
        prompt_tokens=tokens,
        prefill=tuple(prefill[1:]),  # the first only warmed up
        decode=tuple(decode),
        operations=sizes.operations,
        bytes_read=sizes.bytes_read(job.settings.precision),
        replies_s=replies_s,
    )


def _resident_bytes() -> int:
    return psutil.Process().memory_info().rss
