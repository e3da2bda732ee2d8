"""What an adapter is trained with (rag/adapter.py): its prompts, and the model, computed so that its neurons learn.

Used by `scripts/train_judging.py`, `scripts/train_checking.py` and `scripts/train_writing.py`. An adapter changes
nothing before the question, so keys and values of all that are computed once, and only the question, its task and the
reply are learnt from.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer

from index.paths import Home
from rag.adapter import Adapter, load_adapter
from rag.decoder_weights import fused_weights, read_config, shape_of
from rag.kept_prompts import KeptPrompts
from rag.key_values import KeyValues
from rag.networks import load_network
from rag.types import Message

KIND = torch.bfloat16
Example = TypeVar("Example")


class Prompted(Protocol):
    """What is kept of all that stands before the question, and the tokens from there on."""

    @property
    def before(self) -> KeyValues:
        """Not adapted."""
        ...

    @property
    def asked(self) -> list[int]:
        """Read with the adapter."""
        ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """A prompt (see `Prompted`) and whether Yes is the right reply to it."""

    before: KeyValues
    asked: list[int]
    states: bool
    suite: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A prompt (see `Prompted`) and the tokens of the reply to it, the one that ends it too."""

    before: KeyValues
    asked: list[int]
    reply: list[int]
    suite: str


class Learner:
    """The model in bfloat16, computed so that the adapter's neurons can be trained."""

    def __init__(self, folder: Path, *, neurons: int, start: Path | None = None) -> None:
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
        if start is not None:
            known = load_adapter(start)
            self.inward, self.outward = torch.nn.Parameter(known.inward), torch.nn.Parameter(known.outward)
        speeds = shape.rotary_base ** (-torch.arange(0, shape.head_size, 2).float() / shape.head_size)
        angles = torch.outer(torch.arange(8192).float(), speeds).repeat(1, 2)
        self._cosines, self._sines = angles.cos().to(KIND), angles.sin().to(KIND)

    def adapter(self) -> Adapter:
        """The neurons as they are now."""
        return Adapter(self.inward.detach().clone(), self.outward.detach().clone())

    def log_odds(self, batch: Sequence[Prompted], yes: Sequence[int], no: Sequence[int]) -> Tensor:
        """log P(Yes) - log P(No) for each, float32; yes and no are the tokens that begin such replies."""
        last = self._hidden([(prompt.before, prompt.asked, 1) for prompt in batch]).float()
        one, other = ((last @ self._head[list(ids)].float().T).logsumexp(1) for ids in (yes, no))
        return one - other

    def losses(self, batch: Sequence[Reply]) -> Tensor:
        """The negative log-probability of each token of the replies, one reply after the other, float32."""
        rows = self._hidden([(one.before, one.asked + one.reply[:-1], len(one.reply)) for one in batch])
        logits = functional.linear(rows, self._head.to(KIND)).float()
        written = torch.tensor([token for one in batch for token in one.reply])
        return functional.cross_entropy(logits, written, reduction="none")

    def loss(self, batch: Sequence[Reply]) -> Tensor:
        """What is lost of the replies. A token counts the less the longer its reply, by the root of the length: by its
        length alone a slip in a long reply would be nothing, and without it phrases would."""
        weights = torch.cat([torch.full([len(one.reply)], len(one.reply) ** -0.5) for one in batch])
        return (weights * self.losses(batch)).sum() / weights.sum()

    def _hidden(self, prompts: Sequence[tuple[KeyValues, list[int], int]]) -> Tensor:
        """What the model makes of the last tokens of each prompt, as many as its third part says, shape (n, hidden)."""
        shape = self.shape
        ends = torch.tensor([len(asked) for _, asked, _ in prompts]).cumsum(0).tolist()
        spans = [slice(end - len(asked), end) for end, (_, asked, _) in zip(ends, prompts, strict=True)]
        wanted = torch.cat([torch.arange(end - count, end) for end, (_, _, count) in zip(ends, prompts, strict=True)])
        rows = functional.embedding(torch.tensor([id for _, asked, _ in prompts for id in asked]), self._embedding)
        places = torch.cat([torch.arange(len(asked)) + len(before) for before, asked, _ in prompts])
        cosines, sines = self._cosines[places][:, None], self._sines[places][:, None]
        turned = shape.heads + shape.key_heads
        for place, layer in enumerate(self._layers):
            normed = self._normed(rows, layer["attention_norm"])
            parts = functional.linear(normed, layer["query_key_value.weight"], layer["query_key_value.bias"])
            parts = parts.view(len(rows), turned + shape.key_heads, shape.head_size)
            first, second = parts[:, :turned].chunk(2, dim=-1)
            rotated = parts[:, :turned] * cosines + torch.cat([-second, first], dim=-1) * sines
            seen = torch.cat(
                [
                    self._seen(rotated[span], parts[span, turned:], before.of(place, len(before)))
                    for span, (before, _, _) in zip(spans, prompts, strict=True)
                ]
            )
            if place == shape.layers - 1:
                rows, seen = rows[wanted], seen[wanted]
            rows = rows + functional.linear(seen, layer["output.weight"])
            normed = self._normed(rows, layer["mlp_norm"])
            gate, up = functional.linear(normed, layer["gate_up.weight"]).chunk(2, dim=-1)
            excited = functional.silu(functional.linear(normed, self.inward[place].to(KIND)))
            added = functional.linear(excited, self.outward[place].to(KIND))
            rows = rows + functional.linear(functional.silu(gate) * up, layer["down.weight"]) + added
        return self._normed(rows, self._norm)

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
    """Reads prompts up to what is adapted, and knows the tokens of the rest."""

    def __init__(self, folder: Path) -> None:
        self._network = load_network(folder, precision="auto", int8_file=folder / "int8.safetensors")
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._kept = KeptPrompts()
        self._before: dict[str, KeyValues] = {}

    def read(self, messages: Sequence[Message]) -> tuple[KeyValues, list[int]]:
        """What is kept of all that stands before the adapted part, and the tokens from there on. What stands before
        the questions about the same excerpts is read once."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        place = text.rindex(messages[-1].adapted)
        before = text[:place]
        if before not in self._before:
            ids = self.tokens(before)
            prompt = self._kept.prompt(ids, self._network.empty)
            prompt.read(self._network, ids[len(prompt.ids) :], wanted=1)
            self._before[before] = prompt.copy(len(ids)).memory
        return self._before[before], self.tokens(text[place:])

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text."""
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]

    def reply(self, text: str) -> list[int]:
        """The tokens of a reply, the one that ends it too."""
        return [*self.tokens(text), self._tokenizer.eos_token_id]

    def spellings(self, word: str) -> list[int]:
        """The single tokens that begin a reply with this word."""
        found = [self.tokens(spelling) for spelling in (word, word.lower(), word.upper(), f" {word}")]
        return sorted({tokens[0] for tokens in found if len(tokens) == 1})


def learn(
    learner: Learner,
    examples: Sequence[Example],
    loss_of: Callable[[Sequence[Example]], Tensor],
    *,
    rounds: int,
    batch: int,
    rate: float,
    at_times: Callable[[int], None],
) -> None:
    """Teach the neurons by what is lost of each batch. `at_times` is called with the number of steps after every 250
    of them and after the last."""
    examples = list(examples)
    started = time.monotonic()
    neurons = [learner.inward, learner.outward]
    optimizer = torch.optim.AdamW(neurons, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    steps_a_round = len(examples) // batch
    steps = rounds * steps_a_round
    losses: list[float] = []
    for step in range(steps):
        if step % steps_a_round == 0:
            random.Random(step).shuffle(examples)
        start = step % steps_a_round * batch
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 20) * max(0.03, 1 - step / steps)
        loss = loss_of(examples[start : start + batch])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(neurons, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 25 == 0:
            print(f"step {step + 1} of {steps}: loss {sum(losses[-25:]) / 25:.3f}, {passed(started)}", flush=True)
        if (step + 1) % 250 == 0 or step + 1 == steps:
            at_times(step + 1)


def add_learning(parser: argparse.ArgumentParser) -> None:
    """Add what both scripts ask for."""
    parser.add_argument("--data", type=Path, required=True, help="the folder of the question sets")
    parser.add_argument("--out", type=Path, required=True, help="where to write the adapter")
    parser.add_argument("--model", type=Path, default=Home.from_environment().models / "default")
    parser.add_argument("--start", type=Path, help="an adapter to go on from")
    parser.add_argument("--neurons", type=int, default=16, help="of each layer")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8, help="prompts a step")
    parser.add_argument("--rate", type=float, default=1e-3, help="the largest step of Adam")
    parser.add_argument("--seed", type=int, default=1)


def passed(started: float) -> str:
    """How long ago that was."""
    return f"{(time.monotonic() - started) / 60:.0f} min"
