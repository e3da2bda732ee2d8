"""Learning to say Yes or No: what `scripts/train_judging.py` and `scripts/train_checking.py` share."""

import argparse
import gc
from collections.abc import Callable, Sequence

import torch
from adapter_learning import Judgement, Learner, Reader, learn, passed
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from index.computing import rest
from rag.adapter import save_adapter
from rag.types import Message


def learn_to_judge(
    options: argparse.Namespace,
    learnt: Sequence[tuple[Sequence[Message], bool, str]],
    held_out: Sequence[tuple[Sequence[Message], bool, str]],
    *,
    started: float,
) -> None:
    """Read prompts, learn what to reply to them, and write the adapter. Each comes with whether Yes is right, and the
    set that it is from; `started` is when all began (`time.monotonic()`)."""
    reader = Reader(options.model)
    yes, no = reader.spellings("Yes"), reader.spellings("No")
    examples, tests = (
        [Judgement(*reader.read(messages), states, suite) for messages, states, suite in some]
        for some in (learnt, held_out)
    )
    print(f"{len(examples)} to learn from and {len(tests)} to test on, read after {passed(started)}", flush=True)
    del reader
    gc.collect()
    rest()  # what follows computes in this thread
    learner = Learner(options.model, neurons=options.neurons, start=options.start)
    print(f"before: {told_apart(learner, tests, yes, no)}", flush=True)

    def at_times(step: int) -> None:
        save_adapter(learner.adapter(), options.out)
        print(f"after {step}: {told_apart(learner, tests, yes, no)}", flush=True)

    learn(
        learner,
        examples,
        judging_loss(learner, yes, no),
        rounds=options.rounds,
        batch=options.batch,
        rate=options.rate,
        at_times=at_times,
    )


def judging_loss(learner: Learner, yes: Sequence[int], no: Sequence[int]) -> Callable[[Sequence[Judgement]], Tensor]:
    """What is lost of a batch of judgements: the mean cross-entropy of their log-odds."""

    def loss(batch: Sequence[Judgement]) -> Tensor:
        right = torch.tensor([float(example.states) for example in batch])
        return functional.binary_cross_entropy_with_logits(learner.log_odds(batch, yes, no), right)

    return loss


@torch.no_grad()
def told_apart(learner: Learner, tests: Sequence[Judgement], yes: Sequence[int], no: Sequence[int]) -> str:
    """How well what is right is told from what is not: the area under the curve of each set, which is 0.5 for a coin,
    and the loss over all."""
    odds = torch.cat([learner.log_odds(tests[start : start + 8], yes, no) for start in range(0, len(tests), 8)])
    right = torch.tensor([float(test.states) for test in tests])
    told = [f"loss {functional.binary_cross_entropy_with_logits(odds, right):.3f}"]
    for suite in dict.fromkeys(test.suite for test in tests):
        of = [place for place, test in enumerate(tests) if test.suite == suite]
        told.append(f"{suite} {roc_auc_score(right[of].tolist(), odds[of].tolist()):.3f} (n {len(of)})")
    return ", ".join(told)
