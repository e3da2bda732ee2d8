"""An adapter's neurons: what they add, to which tokens, and what is kept of it."""

import dataclasses

import pytest
import torch
from network_material import MODELS, NEXT, PROMPT, load, loss, needs_int8
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM

from index.errors import ModelError
from index.paths import Home
from index.progress import silent
from index.sentences import split_sentences
from index.types import Article
from index.weights import ensure_model
from rag.adapter import Adapter, load_adapter, save_adapter
from rag.evidence import Evidence, EvidenceSentence
from rag.generators import TransformersGenerator
from rag.opening import open_generator
from rag.prompt import answerable_messages, supported_messages
from rag.settings import Settings
from rag.types import Message


@pytest.fixture
def adapter() -> Adapter:
    made = torch.Generator().manual_seed(3)
    return Adapter(torch.randn(3, 5, 32, generator=made), 0.4 * torch.randn(3, 32, 5, generator=made))


@pytest.fixture(params=["qwen2", "llama"])
def folder(request, tmp_path):
    torch.manual_seed(5)
    MODELS[request.param]().save_pretrained(tmp_path / request.param)
    return tmp_path / request.param


class Beside(nn.Module):
    """The middle of a layer of `transformers`, with neurons of the adapter beside it for tokens from `start` on."""

    def __init__(self, middle: nn.Module, inward: torch.Tensor, outward: torch.Tensor, start: int) -> None:
        super().__init__()
        self.middle, self.inward, self.outward, self.start = middle, inward, outward, start

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        after = self.middle(rows)
        excited = functional.silu(rows[:, self.start :] @ self.inward.T)
        return torch.cat([after[:, : self.start], after[:, self.start :] + excited @ self.outward.T], 1)


def reference(folder, ids, adapter, adapted):
    """The logits after the last of these tokens."""
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    for place, layer in enumerate(model.model.layers):
        layer.mlp = Beside(layer.mlp, adapter.inward[place], adapter.outward[place], len(ids) - adapted)
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0, -1:]


@pytest.mark.parametrize(
    ("precision", "least"), [("float32", 1e-5), ("bfloat16", 0.05), pytest.param("int8", 0.15, marks=needs_int8)]
)
@pytest.mark.parametrize("kept", [0, 5, len(PROMPT)])
def test_adapted_tokens_are_read_with_the_neurons_beside_each_layer(folder, adapter, precision, least, kept):
    network = load(folder, precision)
    memory = network.empty()
    if kept:
        network.read(PROMPT[:kept], memory, wanted=1)
    found = network.read(PROMPT[kept:] + NEXT, memory, wanted=1, adapter=adapter, adapted=len(NEXT))
    true = reference(folder, PROMPT + NEXT, adapter, len(NEXT))
    assert loss(network.logits(found), true) < least
    plain = network.read(PROMPT + NEXT, network.empty(), wanted=1)
    assert loss(network.logits(plain), true) > 3 * least
    # What stands before is as ever.
    memory.crop(len(PROMPT))
    assert loss(network.logits(network.read(NEXT, memory, wanted=1)), network.logits(plain)) < least


def test_an_adapter_is_kept_in_a_byte_for_each_number(tmp_path, adapter):
    file = tmp_path / "adapters" / "one.safetensors"
    save_adapter(adapter, file)
    found = load_adapter(file)
    for ours, theirs in ((found.inward, adapter.inward), (found.outward, adapter.outward)):
        steps = theirs.abs().amax(-1, keepdim=True) / 127
        assert ((ours - theirs).abs() <= 0.501 * steps).all()
    assert file.stat().st_size < 2 * adapter.inward.numel() + 4 * (3 * 5 + 3 * 32) + 1_000


@pytest.mark.parametrize("content", [b"", b"no adapter"])
def test_a_broken_adapter_is_an_error_that_says_so(tmp_path, folder, content):
    file = tmp_path / "broken.safetensors"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.safetensors holds no adapter"):
        load_adapter(file)


def test_the_question_and_its_task_are_read_with_it_and_nothing_else():
    history = [Message("user", "Question: Who?"), Message("assistant", "Jack Ma.")]
    system, asked = answerable_messages("Where <|im_end|> is it?", Evidence(()), history=history)
    assert system.adapted == ""
    assert asked.content.endswith("\n\n" + asked.adapted)
    assert asked.adapted == (
        "Question: Where < |im_end| > is it?\n\nDo the excerpts state the answer to the question? Reply Yes or No."
    )
    assert supported_messages("It is here.", Evidence(()))[1].adapted == (
        "Sentence: It is here.\n\nDo the excerpts state everything in this sentence? Reply Yes or No."
    )
    assert supported_messages("It is here.", Evidence(()), adapted=False)[1].adapted == ""


class Words:
    """A tokenizer whose tokens are the words, 50 of them."""

    eos_token_id = 7

    def __call__(self, text, **_):
        return {"input_ids": [10 + sum(map(ord, word)) % 40 for word in text.split()]}

    def decode(self, ids, **_):
        return " ".join(map(str, ids))

    def apply_chat_template(self, turns, **_):
        return "".join(f"{turn['role']}: {turn['content']}\n" for turn in turns) + "assistant:"


@pytest.fixture
def generator(tmp_path, adapter, monkeypatch):
    torch.manual_seed(5)
    MODELS["qwen2"]().save_pretrained(tmp_path / "model")
    save_adapter(adapter, tmp_path / "adapter.safetensors")

    def made(**adapters):
        one = TransformersGenerator(tmp_path / "model", name="tiny", precision="float32", **adapters)
        one._tokenizer._loaded = Words()
        return one

    return made


PLAIN = (Message("user", "Excerpts: a b c d e\n\nQuestion: who is it?"),)
ADAPTED = (Message("user", PLAIN[0].content, adapted="Question: who is it?", skill="judging"),)


def test_what_it_was_trained_for_is_judged_with_it_and_everything_else_is_not(generator, tmp_path, adapter):
    network = load(tmp_path / "model", "float32")
    ids = Words()(Words().apply_chat_template([{"role": "user", "content": PLAIN[0].content}]))["input_ids"]
    asked = len("Question: who is it? assistant:".split())
    yes, no = (
        sorted({Words()(word)["input_ids"][0] for word in (said, said.lower(), said.upper())}) for said in ("Yes", "No")
    )
    stored = load_adapter(tmp_path / "adapter.safetensors")
    last = network.logits(network.read(ids, network.empty(), wanted=1, adapter=stored, adapted=asked))[0]
    expected = float(last[yes].logsumexp(0) - last[no].logsumexp(0))
    adapting, plain = generator(adapters={"judging": tmp_path / "adapter.safetensors"}), generator()
    assert adapting.log_odds(ADAPTED) == pytest.approx(expected, abs=1e-4)
    assert adapting.log_odds(PLAIN) == pytest.approx(plain.log_odds(PLAIN), abs=1e-4)
    assert adapting.log_odds(ADAPTED) == pytest.approx(expected, abs=1e-4)
    assert abs(expected - plain.log_odds(ADAPTED)) > 0.1
    other = (dataclasses.replace(ADAPTED[0], skill="checking"),)
    assert adapting.log_odds(other) == pytest.approx(plain.log_odds(PLAIN), abs=1e-4)
    assert "".join(adapting.generate(other, max_tokens=4)) == "".join(plain.generate(PLAIN, max_tokens=4))


def test_what_stands_before_the_question_is_read_once(generator, tmp_path):
    adapting = generator(adapters={"judging": tmp_path / "adapter.safetensors"})
    adapting.log_odds(ADAPTED)
    before = adapting.usage()
    adapting.log_odds(ADAPTED)
    assert adapting.usage().since(before).tokens_read == len("Question: who is it? assistant:".split())


def test_a_reply_is_written_with_the_other_one_and_nothing_of_it_is_kept(generator, tmp_path):
    network = load(tmp_path / "model", "float32")
    question = "Question: how old is he?"
    plainly = (Message("user", f"Excerpts: a b c d e\n\n{question}"),)
    adapted = (Message("user", plainly[0].content, adapted=question, skill="writing"),)
    ids = Words()(Words().apply_chat_template([{"role": "user", "content": plainly[0].content}]))["input_ids"]
    asked = len(f"{question} assistant:".split())
    stored = load_adapter(tmp_path / "adapter.safetensors")
    reply = []
    for _ in range(12):
        read = network.read(ids + reply, network.empty(), wanted=1, adapter=stored, adapted=asked + len(reply))
        reply.append(int(network.logits(read)[0].argmax()))
    assert not {7, 9} & set(reply)  # those that end it
    writing, plain = generator(adapters={"writing": tmp_path / "adapter.safetensors"}), generator()
    expected = " ".join(map(str, reply))
    unadapted = "".join(plain.generate(plainly, max_tokens=12))
    assert unadapted != expected
    for _ in range(2):
        assert "".join(writing.generate(adapted, max_tokens=12)) == expected
        assert "".join(writing.generate(plainly, max_tokens=12)) == unadapted
        judged = (dataclasses.replace(adapted[0], skill="judging"),)
        assert writing.log_odds(judged) == pytest.approx(plain.log_odds(plainly), abs=1e-4)
    stopped = writing.generate(adapted, max_tokens=12)
    next(stopped)
    stopped.close()
    before = writing.usage()
    assert "".join(writing.generate(adapted, max_tokens=12)) == expected
    assert writing.usage().since(before).tokens_read == asked


def test_a_generator_whose_adapter_is_broken_says_which_command_helps(generator, tmp_path):
    (tmp_path / "adapter.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"adapter\.safetensors holds no adapter"):
        generator(adapters={"judging": tmp_path / "adapter.safetensors"}).load()
    with pytest.raises(ModelError, match="The adapter of tiny does not load: No such file"):
        generator(adapters={"writing": tmp_path / "missing.safetensors"}).load()


HARBOUR = (
    "The harbour of Porto Claro reopened on Monday. Repairs cost 12 million euros, said Ana Silva, its mayor. The "
    "ferries of Marlin will return in May. Half of them were sold to Greece last year."
)
STATED = (
    "How much did the repairs cost?",
    "Who is the mayor of Porto Claro?",
    "When will the ferries of Marlin return?",
    "To which country were ferries sold?",
)
NEAR_MISSES = (
    "How much did the building of the harbour cost?",
    "Who is the director of Marlin?",
    "In which year was Marlin founded?",
    "How much did Greece pay for the ferries?",
)


@pytest.mark.model
def test_the_default_model_tells_near_misses_better_with_its_adapter():
    """Invented here; whether it helps on questions that nobody here wrote stands in docs/lab-notes.md."""
    home = Home.from_environment()
    model = ensure_model("default", role="generator", home=home, progress=silent)
    article = Article("harbour", "harbour.txt", "harbour.txt", HARBOUR)
    evidence = Evidence(tuple(EvidenceSentence(sentence, article, 0.5) for sentence in split_sentences(article)))

    def told(generator) -> tuple[list[float], list[float]]:
        """The log-odds of the stated and of the near misses."""
        stated, missed = (
            [generator.log_odds(answerable_messages(question, evidence)) for question in questions]
            for questions in (STATED, NEAR_MISSES)
        )
        return stated, missed

    def apart(stated, missed) -> float:
        """How far the least sure of the stated is above the surest near miss, as a share of the whole range."""
        return (min(stated) - max(missed)) / (max(stated) - min(missed))

    stated, missed = told(open_generator(Settings(), model, home=home))
    # All but one are judged rightly, and surely so.
    assert min(stated) > 1
    assert max(missed[1:]) < -1
    # "How much did the building of the harbour cost?" is taken for the repairs, as it is without: less far above.
    plain = told(TransformersGenerator(model.path, name="default", int8_file=model.path / "int8.safetensors"))
    assert apart(stated, missed) > apart(*plain) + 0.1
    assert min(plain[0]) < 1
    assert max(plain[1][1:]) > -1
