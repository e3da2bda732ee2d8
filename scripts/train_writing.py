"""Train the adapter of a model that writes (rag/adapter.py): answers of question sets, as phrases and in sentences.

    python scripts/train_writing.py --data FOLDER --out ADAPTER.safetensors

FOLDER holds the folders of the sets; the pages that scripts/train_judging.py holds out are held out here, too. Prints,
while it learns, how likely the replies to questions about other pages are. Takes 40 minutes on two cores with bfloat16
instructions (10 of them for sentences that the model itself makes of phrases), and 15 GB of memory.
"""

import argparse
import gc
import time
from collections.abc import Sequence

import torch
from adapter_answers import Lesson, draw_lessons, in_a_sentence
from adapter_learning import Learner, Reader, Reply, add_learning, learn, passed
from adapter_pairs import SETS, draw_pairs, pages_apart

from index.computing import rest
from rag.adapter import save_adapter
from rag.generators import TransformersGenerator
from rag.types import Message

MOST = {"squad2": 1_100, "timeqa": 320, "xquad": 420, "clapnq": 120, "realtimeqa": 160}
"""Questions of each set to learn from."""
TESTED = 24
"""Questions of each set to test on."""


def main() -> None:
    """Draw questions, have sentences written, read the prompts, learn from them, and write the adapter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the questions to learn from")
    add_learning(parser)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    started = time.monotonic()
    learnt, held_out = chosen_lessons(options)
    learnt, held_out = written(options, [learnt, held_out])
    print(f"sentences written after {passed(started)}", flush=True)
    reader = Reader(options.model)
    examples, tests = (
        [Reply(*reader.read(lesson.messages), reader.reply(lesson.reply), lesson.suite) for lesson in lessons]
        for lessons in (learnt, held_out)
    )
    print(f"{len(examples)} to learn from and {len(tests)} to test on, read after {passed(started)}", flush=True)
    del reader
    gc.collect()
    rest()  # what follows computes in this thread
    learner = Learner(options.model, neurons=options.neurons, start=options.start)
    print(f"before: {tested(learner, tests)}", flush=True)

    def at_times(step: int) -> None:
        save_adapter(learner.adapter(), options.out)
        print(f"after {step}: {tested(learner, tests)}", flush=True)

    learn(
        learner,
        examples,
        learner.loss,
        rounds=options.rounds,
        batch=options.batch,
        rate=options.rate,
        at_times=at_times,
    )


def chosen_lessons(options: argparse.Namespace) -> tuple[list[Lesson], list[Lesson]]:
    """Questions to learn from, and of other pages, a fourth of all, questions to test on."""
    apart = pages_apart(draw_pairs(name, options.data / folder, seed=1) for name, (folder, _) in SETS.items())
    learnt: list[Lesson] = []
    held_out: list[Lesson] = []
    for name, (folder, _) in SETS.items():
        drawn = draw_lessons(name, options.data / folder, seed=options.seed)
        learnt += [lesson for lesson in drawn if lesson.group not in apart][: round(MOST[name] * options.share)]
        held_out += [lesson for lesson in drawn if lesson.group in apart][:TESTED]
    return learnt, held_out


def written(options: argparse.Namespace, drawn: Sequence[Sequence[Lesson]]) -> list[list[Lesson]]:
    """The same with sentences where there are to be any."""
    model = TransformersGenerator(options.model, name="default")

    def write(messages: Sequence[Message]) -> str:
        return "".join(model.generate(messages, max_tokens=80))

    made = [[made for lesson in lessons if (made := in_a_sentence(lesson, write)) is not None] for lessons in drawn]
    print("\n".join(f"{lesson.suite}: {lesson.reply}" for lesson in made[1]), flush=True)
    return made


@torch.no_grad()
def tested(learner: Learner, tests: Sequence[Reply]) -> str:
    """The mean negative log-probability of a token of the replies, of each set."""
    told = []
    for suite in dict.fromkeys(test.suite for test in tests):
        of = [test for test in tests if test.suite == suite]
        losses = torch.cat([learner.losses(of[start : start + 8]) for start in range(0, len(of), 8)])
        told.append(f"{suite} {losses.mean():.3f} (n {len(of)})")
    return ", ".join(told)


if __name__ == "__main__":
    main()
