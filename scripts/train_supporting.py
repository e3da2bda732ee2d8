"""Train the adapter that checks claims (rag/adapter.py): whether excerpts state everything in a sentence.

    python scripts/train_supporting.py --data FOLDER --written WRITTEN.jsonl --out ADAPTER.safetensors

FOLDER holds the folders of the sets. Nothing is learnt from QAGS, which is what it is tested on. Goes on from the
adapter that judges excerpts. What the model writes of news and of answers is kept in WRITTEN.jsonl, so that a second
run need not write it again. Takes an hour and a half on two cores with bfloat16 instructions.
"""

import argparse
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from adapter_claims import Claim, Write, abstract_claims, in_small_letters, report_claims, told_claims
from adapter_drafts import recording
from adapter_judging import learn_to_judge
from adapter_learning import add_learning, passed
from adapter_pairs import SETS, as_article, by_overlap

from eval.suites import load_suite
from rag.evidence import Evidence
from rag.generators import TransformersGenerator
from rag.opening import ADAPTERS
from rag.types import Message

ABSTRACTS = 620
TOLD = {"squad2": 320, "xquad": 130, "realtimeqa": 220}
"""Claims of each set to learn from."""
REPORTS = 110
"""News reports of which the model writes; about nine claims each."""
SMALL = 0.4
"""The share of articles in small letters, as QAGS has them: nothing is to hang on capitals."""
TESTED = 120
"""Claims of each part of QAGS."""
LONGEST = 60
"""Tokens that the model writes."""


def main() -> None:
    """Have claims written, read the prompts, learn from them, and write the adapter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--written", type=Path, required=True, help="where what the model writes is kept")
    add_learning(parser)
    parser.set_defaults(start=ADAPTERS["default"]["judging"])
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    started = time.monotonic()
    learnt, tested = claims_to_learn(options), claims_to_test(options)
    states = sum(claim.states for claim in learnt) / len(learnt)
    print(f"{len(learnt)} claims, {states:.2f} of them supported, written after {passed(started)}", flush=True)
    learn_to_judge(
        options,
        *([(claim.messages, claim.states, claim.suite) for claim in claims] for claims in (learnt, tested)),
        started=started,
    )


def claims_to_learn(options: argparse.Namespace) -> list[Claim]:
    """Of every kind so many, a share of the articles in small letters."""
    model = TransformersGenerator(
        options.model, name="default", int8_file=options.model / "int8.safetensors", adapters=ADAPTERS["default"]
    )

    def reply(messages: Sequence[Message]) -> str:
        return "".join(model.generate(messages, max_tokens=LONGEST))

    write: Write = recording(options.written, reply)
    chance = random.Random(f"{options.seed} claims")
    claims = abstract_claims(options.data / "scifact", seed=options.seed)[:ABSTRACTS]
    for name, most in TOLD.items():
        claims += told_claims(name, options.data / SETS[name][0], write, most=most, seed=options.seed)
        print(f"{len(claims)} claims with those of {name}", flush=True)
    suite = load_suite("realtimeqa", options.data / "realtimeqa_2022")
    reports = sorted({as_article(given) for given in suite.articles}, key=lambda article: article.id)
    chance.shuffle(reports)
    written_of = 0
    for report in reports:
        made = report_claims(report, write, chance)
        claims += made
        written_of += bool(made)
        if written_of == REPORTS:
            break
    small = {article: chance.random() < SMALL for article in sorted({_article_of(claim) for claim in claims})}
    return [in_small_letters(claim) if small[_article_of(claim)] else claim for claim in claims]


def claims_to_test(options: argparse.Namespace) -> list[Claim]:
    """Of each part of QAGS so many claims, beside the sentences of the article that have most of their words."""
    suite = load_suite("qags", options.data / "qags")
    articles = {given.file: as_article(given) for given in suite.articles}
    claims: list[Claim] = []
    for part in ("xsum", "cnndm"):
        questions = [question for question in suite.questions if question.part == part]
        for question in random.Random(5).sample(questions, min(TESTED, len(questions))):
            ranked = by_overlap(question.question, [articles[file] for file in question.articles or ()])
            chosen = sorted(ranked[:9], key=lambda item: item.sentence.start)
            claims.append(Claim(part, question.question, Evidence(tuple(chosen)), bool(question.answerable)))
    return claims


def _article_of(claim: Claim) -> str:
    return claim.evidence.sentences[0].article.id if claim.evidence.sentences else ""


if __name__ == "__main__":
    main()
