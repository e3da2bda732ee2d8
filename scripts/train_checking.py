"""Train the adapter that checks drafts (rag/adapter.py): whether what the model itself wrote is what the texts answer.

    python scripts/train_checking.py --data FOLDER --drafts DRAFTS.jsonl --out ADAPTER.safetensors

FOLDER holds the folders of the sets; the pages that scripts/train_judging.py holds out are held out here, too. Goes on
from the adapter that judges excerpts. Drafts are written first, and kept in DRAFTS.jsonl, so that a second run need not
write them again. Takes an hour and a half on two cores with bfloat16 instructions (50 minutes of them for drafts), and
15 GB of memory.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from adapter_drafts import Asked, Draft, draw_asked, recorded, with_draft
from adapter_judging import learn_to_judge
from adapter_learning import add_learning, passed
from adapter_pairs import SETS, draw_pairs, pages_apart

from rag.generators import TransformersGenerator
from rag.opening import ADAPTERS
from rag.types import Message

MOST = {"squad2": 1_500, "timeqa": 330, "xquad": 260, "clapnq": 226, "realtimeqa": 127}
"""Questions of each set to learn from."""
TESTED = {"squad2": 110, "timeqa": 45, "xquad": 40, "clapnq": 60, "realtimeqa": 19}
"""Questions of each set to test on."""
LONGEST = 100
"""Tokens of a draft."""


def main() -> None:
    """Draw questions, have drafts written, read the prompts, learn from them, and write the adapter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drafts", type=Path, required=True, help="where drafts are kept")
    add_learning(parser)
    parser.set_defaults(start=ADAPTERS["default"]["judging"])
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    started = time.monotonic()
    learnt, held_out = (written(options, asked) for asked in chosen_questions(options))
    right = sum(draft.right for draft in learnt) / len(learnt)
    print(f"{len(learnt)} drafts, {right:.2f} of them right, written after {passed(started)}", flush=True)
    learnt_from, tested_on = (
        [(draft.messages, draft.right, draft.suite) for draft in drafts] for drafts in (learnt, held_out)
    )
    learn_to_judge(options, learnt_from, tested_on, started=started)


def chosen_questions(options: argparse.Namespace) -> tuple[list[Asked], list[Asked]]:
    """Questions to learn from, and of other pages, a fourth of all, questions to test on."""
    apart = pages_apart(draw_pairs(name, options.data / folder, seed=1) for name, (folder, _) in SETS.items())
    learnt: list[Asked] = []
    held_out: list[Asked] = []
    for name, (folder, _) in SETS.items():
        drawn = draw_asked(name, options.data / folder, seed=options.seed)
        learnt += [asked for asked in drawn if asked.group not in apart][: MOST[name]]
        held_out += [asked for asked in drawn if asked.group in apart][: TESTED[name]]
    return learnt, held_out


def written(options: argparse.Namespace, asked: Sequence[Asked]) -> list[Draft]:
    """Each question with what the model writes to it, where that can be judged."""
    model = TransformersGenerator(
        options.model, name="default", int8_file=options.model / "int8.safetensors", adapters=ADAPTERS["default"]
    )

    def write(messages: Sequence[Message]) -> str:
        return "".join(model.generate(messages, max_tokens=LONGEST))

    drafts = recorded(asked, options.drafts, write)
    made = [with_draft(one, draft) for one, draft in zip(asked, drafts, strict=True)]
    return [draft for draft in made if draft is not None]


if __name__ == "__main__":
    main()
