"""Train the adapter of a model (rag/adapter.py): to say Yes where excerpts state the answer to a question, else No.

    python scripts/train_judging.py --data FOLDER --out ADAPTER.safetensors

FOLDER holds the folders of the sets. An adapter changes nothing before the question, so keys and values of all that are
computed once, and only the question and its task are learnt from. Prints, while it learns, how well it judges pages
that it never saw. Takes an hour on two cores with bfloat16 instructions, and nearly all of 24 GB of memory.
"""

import argparse
import time

import torch
from adapter_judging import learn_to_judge
from adapter_learning import add_learning
from adapter_pairs import SETS, Pair, draw_pairs, pages_apart


def main() -> None:
    """Draw pairs, read them, learn from them, and write the adapter."""
    options = parsed()
    torch.manual_seed(options.seed)
    started = time.monotonic()
    learnt, held_out = ([(pair.messages, pair.states, pair.suite) for pair in pairs] for pairs in chosen_pairs(options))
    learn_to_judge(options, learnt, held_out, started=started)


def parsed() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5_200, help="to learn from, of all sets together")
    parser.add_argument("--held-out", type=int, default=240, help="to test on, of pages that nothing is learnt from")
    add_learning(parser)
    return parser.parse_args()


def chosen_pairs(options: argparse.Namespace) -> tuple[list[Pair], list[Pair]]:
    """Pairs to learn from, and of other pages, a fourth of all, pairs to test on; of each set its share."""
    drawn = {name: draw_pairs(name, options.data / folder, seed=options.seed) for name, (folder, _) in SETS.items()}
    apart = pages_apart(drawn.values())
    learnt: list[Pair] = []
    held_out: list[Pair] = []
    for name, (_, share) in SETS.items():
        learnt += [pair for pair in drawn[name] if pair.group not in apart][: round(share * options.pairs)]
        held_out += [pair for pair in drawn[name] if pair.group in apart][: round(share * options.held_out)]
    return learnt, held_out


if __name__ == "__main__":
    main()
