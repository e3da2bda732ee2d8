"""What Byline is compared with: the naive baseline, and llama.cpp. Each to be run in a process of its own.

Both load their model, answer one question to warm up, then measure until the questions or the time run out.
"""

import importlib
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from bench_figures import Plain
from bench_systems import WARM_UP, Job, prompts_of

from eval.questions import Question
from index.computing import computed, rest
from index.paths import Home
from index.search import SavedIndex
from index.weights import ensure_model
from rag.opening import open_chatbot, open_index
from rag.types import Message

NAIVE_PASSAGES = 5
NAIVE_PASSAGE_TOKENS = 200

_NAIVE_SYSTEM = "You are a helpful assistant. Answer the question from the passages."


def measure_naive(job: Job) -> tuple[Plain, ...]:
    """What one writes first: search, five passages of 200 tokens, `generate` in bfloat16, the reply as it comes."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    home = Home.from_environment()
    folder = ensure_model(job.settings.model, role="generator", home=home).path
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, local_files_only=True)
    replies = []
    with open_index(job.settings, home=home) as index:
        for question in (Question("", WARM_UP), *job.in_time(job.answerable)):
            clock = _Clock()
            text = tokenizer.apply_chat_template(
                naive_messages(question.question, _passages(index, question.question, tokenizer)),
                tokenize=False,
                add_generation_prompt=True,
            )
            inputs = tokenizer(text, return_tensors="pt", add_special_tokens=False)
            # In the thread that the search computes in: beside it, it would take a third longer.
            most = job.settings.answer_tokens
            computed(model.generate)(**inputs, do_sample=False, max_new_tokens=most, streamer=clock)
            whole_s = time.perf_counter() - clock.began
            replies.append(Plain(question.id, clock.first_token_s, whole_s, inputs["input_ids"].shape[1]))
    return tuple(replies[1:])


def naive_messages(question: str, passages: Sequence[str]) -> list[dict[str, str]]:
    """The naive prompt: all passages, then the question."""
    numbered = "\n\n".join(f"Passage {number}: {text}" for number, text in enumerate(passages, start=1))
    content = f"{numbered}\n\nQuestion: {question}"
    return [{"role": "system", "content": _NAIVE_SYSTEM}, {"role": "user", "content": content}]


def no_llama(gguf: Path | None) -> str:
    """Why llama.cpp cannot be measured; empty if it can."""
    if find_spec("xllamacpp") is None:
        return "xllamacpp is not installed"
    return "" if gguf is not None else "--gguf names no weights for it"


def measure_llama(job: Job, gguf: Path) -> tuple[Plain, ...]:
    """llama.cpp on the prompts that our generator reads, greedily, without a kept prompt."""
    xllamacpp: Any = importlib.import_module("xllamacpp")
    # Beside it, the generator only counts tokens: its weights are not loaded.
    chatbot = open_chatbot(job.settings, home=Home.from_environment())
    with chatbot.index:
        prompts = prompts_of(chatbot, job.answerable)
    rest()
    settings = xllamacpp.CommonParams()
    settings.model.path = str(gguf)
    settings.n_ctx = 4096
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = torch.get_num_threads()
    server = xllamacpp.Server(settings)

    def reply_s(messages: Sequence[Message]) -> float:
        began = time.perf_counter()
        server.handle_chat_completions(
            {
                "messages": [{"role": message.role, "content": message.content} for message in messages],
                "max_tokens": job.settings.answer_tokens,
                "temperature": 0,
                "cache_prompt": False,
            }
        )
        return time.perf_counter() - began

    reply_s((Message("user", WARM_UP),))
    return tuple(Plain(item.id, None, reply_s(prompts[item.id])) for item in job.in_time(job.answerable))


class _Clock:
    """A streamer for `generate` that notes when the first token comes. The first thing it is given is the prompt."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.first_token_s: float | None = None
        self._prompt_came = False

    def put(self, _: object) -> None:
        if self._prompt_came and self.first_token_s is None:
            self.first_token_s = time.perf_counter() - self.began
        self._prompt_came = True

    def end(self) -> None:
        pass


def _passages(index: SavedIndex, question: str, tokenizer: Any) -> list[str]:
    """Windows of the articles that begin where the found passages do, or end with the article."""

    def window(text: str, start: int) -> str:
        after = tokenizer(text[start:], add_special_tokens=False)["input_ids"][:NAIVE_PASSAGE_TOKENS]
        if len(after) < NAIVE_PASSAGE_TOKENS:
            after = tokenizer(text, add_special_tokens=False)["input_ids"][-NAIVE_PASSAGE_TOKENS:]
        return str(tokenizer.decode(after))

    hits = index.search(question, passages=NAIVE_PASSAGES)
    return [window(hit.article.text, hit.passage.start) for hit in hits]
