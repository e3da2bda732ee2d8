"""The contract of a generator, over the offline one, the real models, a server and llama.cpp (stand-ins of both)."""

import dataclasses
import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from served_material import MODEL, FakeXllamacpp, Manners, served

from index.errors import ModelError
from index.paths import Home
from index.precisions import best_precision
from index.progress import silent
from index.sentences import split_sentences
from index.types import Article
from index.weights import ensure_model
from rag.completions import Completions
from rag.evidence import Evidence, EvidenceSentence
from rag.excerpts import whole_article
from rag.fakes import CopyingGenerator
from rag.generators import Generator, TransformersGenerator
from rag.llama_cpp import LlamaCppGenerator
from rag.prompt import answer_messages, answerable_messages, whole_messages
from rag.prompt_lookup import draft
from rag.remote import RemoteGenerator
from rag.types import Message

EXCERPTS = (
    "Excerpts:\n\nFrom Publisher and date unknown\n"
    "The harbour of Porto Claro reopened on Monday. Repairs cost 12 million euros. Boats had waited for six weeks."
)
ASK = "Answer in one short sentence, from the excerpts alone."
GATE = "Do the excerpts state the answer to the question? Reply Yes or No."


def prompt(question: str, task: str) -> tuple[Message, ...]:
    system = Message("system", "You answer questions from excerpts of news articles.")
    return system, Message("user", f"{EXCERPTS}\n\nQuestion: {question}\n\n{task}")


def real(name: str) -> TransformersGenerator:
    model = ensure_model(name, role="generator", home=Home.from_environment(), progress=silent)
    return TransformersGenerator(model.path, name=name, int8_file=model.path / "int8.safetensors")


def at_a_server(stack: ExitStack, manners: Manners) -> RemoteGenerator:
    url = stack.enter_context(served(manners)).url
    return stack.enter_context(closing(RemoteGenerator(Completions(url, MODEL), name=MODEL)))


def in_llama_cpp(stack: ExitStack, folder: Path) -> LlamaCppGenerator:
    """Over a package that is put in the place of xllamacpp."""
    package = stack.enter_context(closing(FakeXllamacpp()))
    package.__spec__ = ModuleSpec("xllamacpp", None)
    patch = stack.enter_context(pytest.MonkeyPatch.context())
    patch.setitem(sys.modules, "xllamacpp", package)
    (folder / "copying.gguf").write_bytes(b"GGUF")
    return stack.enter_context(closing(LlamaCppGenerator(folder / "copying.gguf", name=MODEL, threads=1)))


@pytest.fixture(
    scope="module",
    params=[
        "copying",
        "server",
        "server without log-probabilities",
        "server without counts",
        "llama.cpp",
        pytest.param("small", marks=pytest.mark.model),
        pytest.param("default", marks=pytest.mark.model),
    ],
)
def generator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generator]:
    with ExitStack() as stack:
        if request.param == "copying":
            yield CopyingGenerator()
        elif request.param == "llama.cpp":
            yield in_llama_cpp(stack, tmp_path_factory.mktemp("gguf"))
        elif request.param.startswith("server"):
            manners = Manners(log_probabilities="log" not in request.param, counts="counts" not in request.param)
            yield at_a_server(stack, manners)
        else:
            yield real(request.param)


def said(generator: Generator, question: str, **options: int) -> str:
    return "".join(generator.generate(prompt(question, ASK), max_tokens=options.get("max_tokens", 40)))


def test_it_reads_the_excerpts(generator):
    assert "12 million" in said(generator, "How much did the repairs cost?")


def test_the_same_messages_give_the_same_text(generator):
    first = said(generator, "How much did the repairs cost?")
    said(generator, "How long had boats waited?")
    assert said(generator, "How much did the repairs cost?") == first


def test_tokens_are_counted_in_the_middle_of_a_reply(generator):
    count = generator.count_tokens("The harbour reopened")
    pieces = generator.generate(prompt("How much did the repairs cost?", ASK), max_tokens=40)
    next(pieces)
    assert generator.count_tokens("The harbour reopened") == count >= 3
    pieces.close()


def test_max_tokens_ends_the_reply(generator):
    long = said(generator, "How much did the repairs cost?")
    short = said(generator, "How much did the repairs cost?", max_tokens=3)
    assert long.startswith(short)
    assert 0 < len(short) < len(long)


def test_log_odds_are_higher_where_the_answer_is_stated(generator):
    stated = generator.log_odds(prompt("How much did the repairs cost?", GATE))
    absent = generator.log_odds(prompt("Which volcano destroyed Pompeii?", GATE))
    # The 0.5B model hardly knows; more is not promised of it.
    assert stated > absent + (0 if generator.name == "small" else 1)


def test_a_closed_reply_leaves_the_model_free_and_unchanged(generator):
    expected = said(generator, "How much did the repairs cost?")
    pieces = generator.generate(prompt("How long had boats waited?", ASK), max_tokens=40)
    assert len(list(itertools.islice(pieces, 2))) == 2
    pieces.close()
    assert said(generator, "How much did the repairs cost?") == expected


def test_what_was_done_is_counted(generator):
    before = generator.usage()
    generator.log_odds(prompt("How much did the repairs cost?", GATE))
    judged = generator.usage().since(before)
    assert judged.passes == 1
    assert judged.tokens_read >= 1
    written = "".join(said(generator, "How much did the repairs cost?"))
    answered = generator.usage().since(before)
    assert answered.passes == 2
    assert 3 <= answered.tokens_written - judged.tokens_written <= len(written)


def test_tokens_are_counted_without_a_template(generator):
    assert generator.count_tokens("") == 0
    assert 2 <= generator.count_tokens("two words") <= 4
    assert generator.count_tokens("two words " * 10) >= 10 * generator.count_tokens("two words")


@pytest.mark.model
@pytest.mark.parametrize("precision", sorted({"bfloat16", best_precision()}))
def test_the_kept_cache_changes_no_log_odds(precision):
    model = ensure_model("small", role="generator", home=Home.from_environment(), progress=silent)
    fresh, used = (
        TransformersGenerator(model.path, name="small", precision=precision, int8_file=model.path / "int8.safetensors")
        for _ in range(2)
    )
    question = prompt("How much did the repairs cost?", GATE)
    used.log_odds(prompt("How long had boats waited?", ASK))
    assert list(used.generate(prompt("How much did the repairs cost?", ASK), max_tokens=5))
    # bfloat16 sums in another order when a prompt is read in two pieces; 0.15 is far below what decides anything.
    assert used.log_odds(question) == pytest.approx(fresh.log_odds(question), abs=0.15)


READ = Article(
    "harbour",
    "harbour.txt",
    "/harbour.txt",
    "The harbour of Porto Claro reopened on Monday. The mayor, Rita Sol, cut a ribbon. Repairs cost 12 million euros. "
    "Boats had waited for six weeks. Fishers complained about the noise.",
)


@pytest.mark.model
@pytest.mark.parametrize("name", ["small", "default"])
def test_sentences_of_an_article_that_was_read_ahead_are_not_read_again(name):
    generator = real(name)
    whole = whole_article(READ)
    chosen = Evidence(tuple(EvidenceSentence(split_sentences(READ)[place], READ, 1.0) for place in (2, 3, 0)))
    known = dataclasses.replace(chosen, read_whole=(whole,))
    question = "How much did the repairs cost?"

    def judged(evidence: Evidence) -> tuple[float, int]:
        before = generator.usage()
        odds = generator.log_odds(answerable_messages(question, evidence))
        return odds, generator.usage().since(before).tokens_read

    cold, read_cold = judged(known)  # nothing was read ahead yet
    # Sums in another order are rounded to other int8 numbers: 0.09 on average, 0.3 at most (docs/lab-notes.md).
    assert judged(chosen)[0] == pytest.approx(cold, abs=0.35)
    stops = iter([True])
    assert not generator.read_ahead(whole_messages(whole), most_tokens=1_000, stop=lambda: next(stops))
    assert not generator.has_read(whole_messages(whole))
    assert generator.read_ahead(whole_messages(whole), most_tokens=1_000)
    assert generator.has_read(whole_messages(whole))
    hot, read_hot = judged(known)
    assert hot == pytest.approx(cold, abs=1.5)
    excerpts = generator.count_tokens(answerable_messages("", chosen)[-1].content.split("\n\nQuestion")[0])
    assert read_hot <= read_cold - excerpts + 15  # the template before the excerpts is read once more
    assert "12 million" in "".join(generator.generate(answer_messages(question, known), max_tokens=40))
    assert judged(known)[0] == pytest.approx(hot, abs=0.2)
    generator.forget()
    assert judged(known) == (pytest.approx(cold, abs=0.2), read_cold)


def test_a_folder_without_a_model_is_a_clear_error(tmp_path: Path):
    empty = TransformersGenerator(tmp_path, name="nothing")
    with pytest.raises(ModelError, match="The tokenizer of the model nothing") as caught:
        empty.count_tokens("text")
    assert caught.value.help == "byline models verify"


@pytest.mark.parametrize(
    ("tokens", "prompt_length", "expected"),
    [
        ([1, 2, 3, 4, 5, 6, 9, 2, 3], 7, [4, 5, 6, 9]),  # what follows "2 3" in the prompt, to its end
        ([1, 2, 3, 4, 7, 2, 3, 5, 9, 1, 2, 3], 9, [4, 7, 2, 3, 5]),  # "1 2 3" beats the shorter "2 3"
        ([7, 2, 3, 4, 8, 2, 3, 5, 9, 2, 3], 9, [4, 8, 2, 3, 5]),  # of equals the first
        ([1, 2, 3, 9, 8], 4, []),  # nothing in the prompt ends so
        ([1, 2, 3, 4, 3], 4, [4]),  # one token is a match too
        ([5, 1, 8, 5, 2, 7, 5, 2, 9, 5], 9, [2, 7]),  # two of three go on with 2; of 7 and 9 the first
        ([*range(30), 7], 30, [8, 9]),  # the longer the match, the longer the guess
        ([*range(30), 0, 1], 30, [2, 3, 4, 5, 6]),
        ([*range(30), 0, 1, 2, 3, 4], 30, list(range(5, 12))),
        ([5], 1, []),
    ],
)
def test_drafts_are_copied_from_where_the_prompt_went_on(tokens, prompt_length, expected):
    assert draft(tokens, prompt_length) == expected


@pytest.mark.model
def test_drafts_change_no_word_and_save_passes(monkeypatch):
    """A wrong draft must leave nothing behind: neither in the reply nor in the cache."""
    model = ensure_model("small", role="generator", home=Home.from_environment(), progress=silent)
    quick, plain = (TransformersGenerator(model.path, name="small", precision="float32") for _ in range(2))
    passes = []
    forward = quick._forward
    monkeypatch.setattr(quick, "_forward", lambda ids, adapter: passes.append(len(ids)) or forward(ids, adapter))
    monkeypatch.setattr(
        plain, "_continue", lambda token, _, adapter: plain._likeliest(plain._forward([token], adapter))
    )
    for question in ("How much did the repairs cost?", "How long had boats waited?", "What did the harbour do?"):
        assert said(quick, question) == said(plain, question)
    assert len(passes) < quick.usage().tokens_written
    assert quick.log_odds(prompt("How much did the repairs cost?", GATE)) == pytest.approx(
        plain.log_odds(prompt("How much did the repairs cost?", GATE)), abs=1e-3
    )
