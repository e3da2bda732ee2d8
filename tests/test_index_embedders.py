"""The contract of embedders, over the offline one and the real one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import index
from index.embedders import EMBEDDERS, HashingEmbedder, SentenceTransformerEmbedder
from index.errors import ModelError, SettingsError
from index.on_demand import load_entry

TEXTS = [
    "The harbour of Porto Claro reopened on Monday after the storm.",
    "A bakery won the national bread prize with its rye loaf.",
    "Parliament approved a railway line between Linz and Passau.",
]


@pytest.fixture(scope="module", params=["hashing", pytest.param("sentence-transformers", marks=pytest.mark.model)])
def embedder(request):
    if request.param == "hashing":
        return HashingEmbedder()
    folder = request.getfixturevalue("embedder_folder")
    return SentenceTransformerEmbedder(folder, name="minilm", fingerprint="53aa5117")


def test_vectors_are_float32_of_unit_length(embedder):
    vectors = embedder.embed_passages([*TEXTS, "", " \n", "?!"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (6, embedder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert embedder.embed_question(TEXTS[0]).shape == (embedder.dimension,)


def test_no_texts_no_vectors(embedder):
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)


def test_same_text_same_vector_whatever_its_company(embedder):
    together = embedder.embed_passages(TEXTS)
    alone = np.stack([embedder.embed_passages([text])[0] for text in TEXTS])
    off_by = 4e-3 if embedder.precision == "bfloat16" else 1e-5
    np.testing.assert_allclose(together, alone, atol=off_by)
    np.testing.assert_allclose(embedder.embed_question(TEXTS[1]), alone[1], atol=1e-6)


@pytest.mark.parametrize(
    ("question", "nearest"),
    [
        ("When did the harbour reopen after the storm?", 0),
        ("Which bakery won the bread prize?", 1),
        ("Where will the railway line be built?", 2),
    ],
)
def test_the_question_is_nearest_to_its_passage(embedder, question, nearest):
    scores = embedder.embed_passages(TEXTS) @ embedder.embed_question(question)
    assert int(np.argmax(scores)) == nearest


@pytest.mark.model
def test_vectors_of_both_precisions_can_be_compared(embedder_folder):
    exact, quick = (
        SentenceTransformerEmbedder(embedder_folder, name="minilm", fingerprint="53aa5117", precision=precision)
        for precision in ("float32", "bfloat16")
    )
    assert (exact.precision, quick.precision) == ("float32", "bfloat16")
    cosines = (exact.embed_passages(TEXTS) * quick.embed_passages(TEXTS)).sum(axis=1)
    np.testing.assert_allclose(cosines, 1.0, atol=5e-4)
    np.testing.assert_allclose(np.linalg.norm(quick.embed_question(TEXTS[0])), 1.0, atol=1e-6)


def test_strange_text_does_no_harm(embedder):
    vectors = embedder.embed_passages(["\ud800 lone", "مرحبا", "日本語", "\u200b", "a\x07b", "x" * 5000])
    assert np.isfinite(vectors).all()


def test_hashing_vectors_are_the_same_in_every_process():
    code = "from index import HashingEmbedder; print(HashingEmbedder().embed_question('harbour town').tobytes().hex())"
    root = Path(index.__file__).resolve().parent.parent
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert runs == [HashingEmbedder().embed_question("harbour town").tobytes().hex()] * 2


def test_hashing_finds_inflected_and_unknown_words():
    embedder = HashingEmbedder()
    related, unrelated = embedder.embed_passages(["The fishermen complained.", "Sugar prices doubled."])
    question = embedder.embed_question("What did the fisherman complain about?")
    assert float(related @ question) > 0.3 > 0.15 > float(unrelated @ question)


def test_a_missing_model_names_the_command(tmp_path):
    embedder = SentenceTransformerEmbedder(tmp_path / "none", name="minilm", fingerprint="x")
    with pytest.raises(ModelError, match="The embedder minilm is not at") as caught:
        embedder.embed_question("Anything?")
    assert caught.value.help == "`byline models fetch` brings it there."


@pytest.mark.parametrize(
    ("config", "modules"), [("{", "[]"), ("[]", "[]"), ("{}", "[1]"), ("{}", '[{"name": "0"}]'), ("{}", "7")]
)
def test_a_damaged_model_is_our_error(tmp_path, config, modules):
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    (tmp_path / "modules.json").write_text(modules, encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    embedder = SentenceTransformerEmbedder(tmp_path, name="minilm", fingerprint="x")
    with pytest.raises(ModelError, match="cannot be loaded"):
        embedder.embed_question("Anything?")


def test_the_table():
    assert load_entry(EMBEDDERS, "hashing", kind="embedder") is HashingEmbedder
    assert load_entry(EMBEDDERS, "sentence-transformers", kind="embedder") is SentenceTransformerEmbedder
    with pytest.raises(SettingsError, match="no embedder called 'word2vec'; there are: hashing, sentence-transformers"):
        load_entry(EMBEDDERS, "word2vec", kind="embedder")


@pytest.mark.model
def test_no_passage_of_the_seeds_is_longer_than_the_model_reads(embedder_folder, seeds):
    from transformers import AutoTokenizer

    from index.passages import SplitterSettings, split_passages, text_to_embed
    from index.readers import read_article

    tokenizer = AutoTokenizer.from_pretrained(embedder_folder, local_files_only=True)
    for file in sorted(seeds.glob("*.txt")):
        article = read_article(file, shown_as=file.name)
        for passage in split_passages(article, SplitterSettings()):
            assert len(tokenizer(text_to_embed(article, passage))["input_ids"]) <= 256


@pytest.mark.model
def test_vectors_of_words_are_of_unit_length_and_the_same_alone_or_after_the_question(embedder_folder):
    embedder = SentenceTransformerEmbedder(embedder_folder, name="minilm", fingerprint="53aa5117")
    alone, other = embedder.embed_words(["Harbour reopens", "The harbour of Porto Claro reopened on Monday."])
    assert alone.shape == (4, 384)  # harbour re ##open ##s
    np.testing.assert_allclose(np.linalg.norm(other, axis=1), 1.0, atol=1e-5)
    embedder.embed_question("Harbour reopens")
    (asked,) = embedder.embed_words(["Harbour reopens"])
    np.testing.assert_allclose(asked, alone, atol=0.02)  # batches of other lengths round otherwise in bfloat16
    # The same word in a sentence is nearer to itself than to any other word of it.
    assert int((alone[0] @ other.T).argmax()) == 1


def test_the_hashing_embedder_has_no_vectors_of_words():
    assert HashingEmbedder().embed_words(["Harbour"]) is None
