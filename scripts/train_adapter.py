"""Train the adapter of a model (rag/adapter.py): to say Yes where excerpts state the answer to a question, else No.

    python scripts/train_adapter.py --data FOLDER --out ADAPTER.safetensors

FOLDER holds the folders of the sets. An adapter changes nothing before the question, so keys and values of all that are
computed once, and only the question and its task are learnt from. Prints, while it learns, how well it judges pages
that it never saw. Takes an hour on two cores with bfloat16 instructions, and nearly all of 24 GB of memory.
"""

import argparse
import gc
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from adapter_pairs import Pair, draw_pairs
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer

from index.computing import rest
from index.paths import Home
from rag.adapter import Adapter, save_adapter
from rag.decoder_weights import fused_weights, read_config, shape_of
from rag.kept_prompts import KeptPrompts
from rag.key_values import KeyValues
from rag.networks import load_network

SETS = {
    "squad2": ("squad2_cs224n", 0.58),
    "timeqa": ("timeqa_human", 0.17),
    "xquad": ("xquad_en", 0.11),
    "clapnq": ("clapnq", 0.08),
    "realtimeqa": ("realtimeqa_2022", 0.06),
}
"""Folder and share of each set. Other sets of news are left out: they show whether what was learnt carries over."""
KIND = torch.bfloat16


@dataclass(frozen=True, slots=True)
class Example:
    """What is kept of all that stands before the question, the tokens from there on, and the right judgement."""

    before: KeyValues
    asked: list[int]
    states: bool
    suite: str


class Learner:
    """The model in bfloat16, computed so that the adapter's neurons can be trained."""

    def __init__(self, folder: Path, *, neurons: int) -> None:
        shape = shape_of(read_config(folder))
        assert shape is not None
        self.shape = shape
        tensors = fused_weights(folder, shape)
        self._embedding, self._norm = (tensors[name]().to(KIND) for name in ("embedding", "norm"))
        self._head = tensors["head.weight"]()
        names = ("attention_norm", "query_key_value.weight", "query_key_value.bias", "output.weight", "mlp_norm")
        self._layers = [
            {name: tensors[f"{layer}.{name}"]().to(KIND) for name in (*names, "gate_up.weight", "down.weight")}
            for layer in range(shape.layers)
        ]
        hidden = self._embedding.shape[1]
        # Nothing is added at the beginning: the adapter starts as the model that it is added to.
        self.inward = torch.nn.Parameter(torch.randn(shape.layers, neurons, hidden) / hidden**0.5)
        self.outward = torch.nn.Parameter(torch.zeros(shape.layers, hidden, neurons))
        speeds = shape.rotary_base ** (-torch.arange(0, shape.head_size, 2).float() / shape.head_size)
        angles = torch.outer(torch.arange(8192).float(), speeds).repeat(1, 2)
        self._cosines, self._sines = angles.cos().to(KIND), angles.sin().to(KIND)

    def adapter(self) -> Adapter:
        """The neurons as they are now."""
        return Adapter(self.inward.detach().clone(), self.outward.detach().clone())

    def log_odds(self, batch: Sequence[Example], yes: Sequence[int], no: Sequence[int]) -> Tensor:
        """log P(Yes) - log P(No) for each, float32; yes and no are the tokens that begin such replies."""
        shape = self.shape
        ends = torch.tensor([len(example.asked) for example in batch]).cumsum(0)
        rows = functional.embedding(torch.tensor([id for example in batch for id in example.asked]), self._embedding)
        places = torch.cat([torch.arange(len(example.asked)) + len(example.before) for example in batch])
        cosines, sines = self._cosines[places][:, None], self._sines[places][:, None]
        turned = shape.heads + shape.key_heads
        for place, layer in enumerate(self._layers):
            normed = self._normed(rows, layer["attention_norm"])
            parts = functional.linear(normed, layer["query_key_value.weight"], layer["query_key_value.bias"])
            parts = parts.view(len(rows), turned + shape.key_heads, shape.head_size)
            first, second = parts[:, :turned].chunk(2, dim=-1)
            rotated = parts[:, :turned] * cosines + torch.cat([-second, first], dim=-1) * sines
            spans = [
                (example, slice(end - len(example.asked), end))
                for example, end in zip(batch, ends.tolist(), strict=True)
            ]
            seen = torch.cat(
                [
                    self._seen(rotated[span], parts[span, turned:], example.before.of(place, len(example.before)))
                    for example, span in spans
                ]
            )
            if place == shape.layers - 1:
                rows, seen = rows[ends - 1], seen[ends - 1]
            rows = rows + functional.linear(seen, layer["output.weight"])
            normed = self._normed(rows, layer["mlp_norm"])
            gate, up = functional.linear(normed, layer["gate_up.weight"]).chunk(2, dim=-1)
            excited = functional.silu(functional.linear(normed, self.inward[place].to(KIND)))
            added = functional.linear(excited, self.outward[place].to(KIND))
            rows = rows + functional.linear(functional.silu(gate) * up, layer["down.weight"]) + added
        last = self._normed(rows, self._norm).float()
        one, other = ((last @ self._head[list(ids)].float().T).logsumexp(1) for ids in (yes, no))
        return one - other

    def _seen(self, rotated: Tensor, values: Tensor, kept: tuple[Tensor, Tensor]) -> Tensor:
        queries, keys = rotated[:, : self.shape.heads], rotated[:, self.shape.heads :]
        keys, values = (torch.cat([old, new.transpose(0, 1)], 1) for old, new in zip(kept, (keys, values), strict=True))
        sees = torch.ones(len(queries), keys.shape[1], dtype=torch.bool).tril_(keys.shape[1] - len(queries))
        seen = functional.scaled_dot_product_attention(
            queries.transpose(0, 1)[None], keys[None], values[None], attn_mask=sees, enable_gqa=True
        )
        return seen[0].transpose(0, 1).reshape(len(queries), -1)

    def _normed(self, rows: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(rows, weight.shape, weight, self.shape.epsilon)


class Reader:
    """Makes examples of pairs: reads what stands before the question, and tokens."""

    def __init__(self, folder: Path) -> None:
        self._network = load_network(folder, precision="auto", int8_file=folder / "int8.safetensors")
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._kept = KeptPrompts()
        self._before: dict[str, KeyValues] = {}

    def read(self, pair: Pair) -> Example:
        """The example of this pair; what stands before the questions about the same excerpts is read once."""
        turns = [{"role": message.role, "content": message.content} for message in pair.messages]
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        place = text.rindex(pair.messages[-1].adapted)
        before = text[:place]
        if before not in self._before:
            ids = self.tokens(before)
            prompt = self._kept.prompt(ids, self._network.empty)
            prompt.read(self._network, ids[len(prompt.ids) :], wanted=1)
            self._before[before] = prompt.copy(len(ids)).memory
        return Example(self._before[before], self.tokens(text[place:]), pair.states, pair.suite)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text."""
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]

    def spellings(self, word: str) -> list[int]:
        """The single tokens that begin a reply with this word."""
        found = [self.tokens(spelling) for spelling in (word, word.lower(), word.upper(), f" {word}")]
        return sorted({tokens[0] for tokens in found if len(tokens) == 1})


def main() -> None:
    """Draw pairs, read them, learn from them, and write the adapter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the question sets")
    parser.add_argument("--out", type=Path, required=True, help="where to write the adapter")
    parser.add_argument("--model", type=Path, default=Home.from_environment().models / "default")
    parser.add_argument("--pairs", type=int, default=5_200, help="to learn from, of all sets together")
    parser.add_argument("--held-out", type=int, default=240, help="to test on, of pages that nothing is learnt from")
    parser.add_argument("--neurons", type=int, default=16, help="of each layer")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8, help="pairs a step")
    parser.add_argument("--rate", type=float, default=1e-3, help="the largest step of Adam")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    started = time.monotonic()
    learnt, held_out = chosen_pairs(options)
    reader = Reader(options.model)
    yes, no = reader.spellings("Yes"), reader.spellings("No")
    examples, tests = ([reader.read(pair) for pair in pairs] for pairs in (learnt, held_out))
    print(f"{len(examples)} pairs to learn from and {len(tests)} to test on, read after {passed(started)}", flush=True)
    del reader
    gc.collect()
    rest()  # what follows computes in this thread
    learner = Learner(options.model, neurons=options.neurons)
    print(f"before: {tested(learner, tests, yes, no)}", flush=True)
    neurons = [learner.inward, learner.outward]
    optimizer = torch.optim.AdamW(neurons, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01)
    steps_a_round = len(examples) // options.batch
    steps = options.rounds * steps_a_round
    losses: list[float] = []
    for step in range(steps):
        if step % steps_a_round == 0:
            random.Random(step).shuffle(examples)
        start = step % steps_a_round * options.batch
        batch = examples[start : start + options.batch]
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 20) * max(0.03, 1 - step / steps)
        right = torch.tensor([float(example.states) for example in batch])
        loss = functional.binary_cross_entropy_with_logits(learner.log_odds(batch, yes, no), right)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(neurons, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 25 == 0:
            print(f"step {step + 1} of {steps}: loss {sum(losses[-25:]) / 25:.3f}, {passed(started)}", flush=True)
        if (step + 1) % 250 == 0 or step + 1 == steps:
            save_adapter(learner.adapter(), options.out)
            print(f"after {step + 1}: {tested(learner, tests, yes, no)}", flush=True)


def chosen_pairs(options: argparse.Namespace) -> tuple[list[Pair], list[Pair]]:
    """Pairs to learn from, and of other pages, a fourth of all, pairs to test on; of each set its share."""
    drawn = {name: draw_pairs(name, options.data / folder, seed=options.seed) for name, (folder, _) in SETS.items()}
    # Some pages are in two sets.
    apart = {page for pairs in drawn.values() for page in sorted({pair.group for pair in pairs})[::4]}
    learnt: list[Pair] = []
    held_out: list[Pair] = []
    for name, (_, share) in SETS.items():
        learnt += [pair for pair in drawn[name] if pair.group not in apart][: round(share * options.pairs)]
        held_out += [pair for pair in drawn[name] if pair.group in apart][: round(share * options.held_out)]
    return learnt, held_out


@torch.no_grad()
def tested(learner: Learner, tests: Sequence[Example], yes: Sequence[int], no: Sequence[int]) -> str:
    """The area under the curve of each set, which is 0.5 for a coin, and the loss over all."""
    odds = torch.cat([learner.log_odds(tests[start : start + 8], yes, no) for start in range(0, len(tests), 8)])
    right = torch.tensor([float(test.states) for test in tests])
    told = [f"loss {functional.binary_cross_entropy_with_logits(odds, right):.3f}"]
    for suite in dict.fromkeys(test.suite for test in tests):
        of = [place for place, test in enumerate(tests) if test.suite == suite]
        told.append(f"{suite} {roc_auc_score(right[of].tolist(), odds[of].tolist()):.3f} (n {len(of)})")
    return ", ".join(told)


def passed(started: float) -> str:
    """How long ago that was."""
    return f"{(time.monotonic() - started) / 60:.0f} min"


if __name__ == "__main__":
    main()
