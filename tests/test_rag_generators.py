"""The contract of a generator, over the offline one and the real models."""

import itertools
from pathlib import Path

import pytest

from index.errors import ModelError
from index.paths import Home
from index.progress import silent
from index.weights import ensure_model
from rag.fakes import CopyingGenerator
from rag.generators import Generator, TransformersGenerator, draft
from rag.precisions import best_precision
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


@pytest.fixture(
    scope="module",
    params=[
        "copying",
        pytest.param("small", marks=pytest.mark.model),
        pytest.param("default", marks=pytest.mark.model),
    ],
)
def generator(request: pytest.FixtureRequest) -> Generator:
    return CopyingGenerator() if request.param == "copying" else real(request.param)


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


def test_a_folder_without_a_model_is_a_clear_error(tmp_path: Path):
    empty = TransformersGenerator(tmp_path, name="nothing")
    with pytest.raises(ModelError, match="The tokenizer of the model nothing") as caught:
        empty.count_tokens("text")
    assert caught.value.help == "byline models verify"


@pytest.mark.parametrize(
    ("tokens", "prompt_length", "expected"),
    [
        ([1, 2, 3, 4, 5, 6, 9, 2, 3], 7, [4, 5, 6, 9]),  # what follows "2 3" in the prompt, to its end
        ([1, 2, 3, 4, 7, 2, 3, 5, 9, 1, 2, 3], 9, [4, 7, 2, 3, 5, 9]),  # "1 2 3" beats the shorter "2 3"
        ([7, 2, 3, 4, 8, 2, 3, 5, 9, 2, 3], 9, [4, 8, 2, 3, 5, 9]),  # of equals the first
        ([1, 2, 3, 9, 8], 4, []),  # nothing in the prompt ends so
        ([1, 2, 3, 4, 3], 4, [4]),  # one token is a match too
        ([5, 1, 8, 5, 2, 7, 5, 2, 9, 5], 9, [2, 7, 5, 2, 9]),  # two of three go on with 2; of 7 and 9 the first
        ([*range(30), 0, 1], 30, list(range(2, 12))),  # no more than ten
        ([5], 1, []),
    ],
)
def test_drafts_are_copied_from_where_the_prompt_went_on(tokens, prompt_length, expected):
    assert draft(tokens, prompt_length) == expected


@pytest.mark.model
def test_drafts_change_no_word_and_save_passes():
    """A wrong draft must leave nothing behind: neither in the reply nor in the cache."""
    model = ensure_model("small", role="generator", home=Home.from_environment(), progress=silent)
    quick, plain = (TransformersGenerator(model.path, name="small", precision="float32") for _ in range(2))
    passes = []
    forward = quick._forward
    quick._forward = lambda ids, **options: passes.append(len(ids)) or forward(ids, **options)  # type: ignore[method-assign]
    plain._continue = lambda token, drafted: plain._likeliest(plain._forward([token], wanted=1))  # type: ignore[method-assign]
    for question in ("How much did the repairs cost?", "How long had boats waited?", "What did the harbour do?"):
        assert said(quick, question) == said(plain, question)
    assert len(passes) < quick.usage().tokens_written
    assert quick.log_odds(prompt("How much did the repairs cost?", GATE)) == pytest.approx(
        plain.log_odds(prompt("How much did the repairs cost?", GATE)), abs=1e-3
    )
