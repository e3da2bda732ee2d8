"""Our way of computing a BERT, against that of `sentence-transformers`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizerFast

from index import SentenceTransformerEmbedder, encoder
from index.encoder import load_encoder

ROOT = Path(__file__).resolve().parents[1]
WORDS = "the harbour of porto claro reopened on monday repairs cost twelve million euros".split()
TEXTS = [
    "the harbour",
    "repairs cost twelve million euros",
    "",
    "porto claro reopened on monday of the harbour",
    "the euros",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(2)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]), encoding="utf-8")
    BertTokenizerFast(str(vocabulary)).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS) + 5, hidden_size=24, num_hidden_layers=3, num_attention_heads=4, intermediate_size=40,
        max_position_embeddings=12, initializer_range=0.3,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return built(folder)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    return save(model, tmp_path_factory.mktemp("saved"))


def built(folder, *, pooling="mean", normalize=True):
    transformer = Transformer(str(folder), max_seq_length=8)
    steps = [transformer, Pooling(transformer.get_embedding_dimension(), pooling_mode=pooling)]
    return SentenceTransformer(modules=[*steps, *([Normalize()] if normalize else [])], device="cpu").eval()


def save(model, folder):
    """The model as `sentence-transformers` writes it, with the length that older versions of it wrote as well."""
    model.save(str(folder))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 8}', encoding="utf-8")
    return folder


def changed(saved, tmp_path, file, **values):
    """A copy of a saved model with other values in one of its files."""
    copy = shutil.copytree(saved, tmp_path / f"{file}-{'-'.join(values)}")
    path = copy / file
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(found | values), encoding="utf-8")
    return copy


def test_words_and_means_are_those_of_sentence_transformers(model, saved):
    ours = load_encoder(saved, kind=torch.float32)
    true = model.encode(TEXTS, output_value="token_embeddings", convert_to_numpy=False)
    for found, expected in zip(ours.words(TEXTS), true, strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, atol=1e-5)
    assert np.allclose(ours.means(TEXTS).numpy(), model.encode(TEXTS, normalize_embeddings=True), atol=1e-5)
    assert ours.dimension == 24


def test_batches_change_nothing_and_no_texts_are_no_vectors(saved, monkeypatch):
    ours = load_encoder(saved, kind=torch.float32)
    whole = ours.means(TEXTS)
    monkeypatch.setattr(encoder, "_TOKENS_AT_ONCE", 9)
    assert torch.allclose(ours.means(TEXTS), whole, atol=1e-6)
    assert ours.words([]) == []
    assert ours.means([]).shape == (0, 24)


def test_in_bfloat16_the_vectors_stay_near(model, saved):
    true = model.encode(TEXTS, normalize_embeddings=True)
    found = load_encoder(saved, kind=torch.bfloat16).means(TEXTS)
    assert found.dtype == torch.float32
    assert (found.numpy() * true).sum(axis=1).min() > 0.999


def test_what_is_too_long_is_cut(saved):
    long = " ".join(WORDS)
    ours = load_encoder(saved, kind=torch.float32)
    assert ours.words([long])[0].shape == (8, 24)
    assert torch.equal(ours.words([long])[0], ours.words([" ".join(WORDS[:6]) + " euros euros"])[0])


def test_models_that_are_put_together_in_another_way_are_left_alone(folder, tmp_path):
    for number, parts in enumerate([{"pooling": "cls"}, {"pooling": "max"}, {"normalize": False}]):
        assert load_encoder(save(built(folder, **parts), tmp_path / str(number)), kind=torch.float32) is None


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"model_type": "roberta"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("config.json", {"is_decoder": True}),
        ("sentence_bert_config.json", {"max_seq_length": None}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}),
    ],
)
def test_models_that_do_anything_else_are_left_alone(saved, tmp_path, file, values):
    assert load_encoder(changed(saved, tmp_path, file, unknown=1), kind=torch.float32) is not None
    assert load_encoder(changed(saved, tmp_path, file, **values), kind=torch.float32) is None


def test_the_flags_of_older_files_say_how_words_are_pooled(saved, tmp_path):
    older = {"word_embedding_dimension": 24, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    for number, (more, known) in enumerate([({}, True), ({"pooling_mode_max_tokens": True}, False)]):
        copy = shutil.copytree(saved, tmp_path / str(number))
        (copy / "1_Pooling" / "config.json").write_text(json.dumps(older | more), encoding="utf-8")
        assert (load_encoder(copy, kind=torch.float32) is not None) == known


def test_a_model_whose_sizes_are_not_written_down_is_left_to_sentence_transformers(saved, tmp_path):
    copy = shutil.copytree(saved, tmp_path / "copy")
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    del config["layer_norm_eps"]
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert load_encoder(copy, kind=torch.float32) is None


def test_a_folder_without_weights_is_left_to_sentence_transformers(saved, tmp_path):
    copy = shutil.copytree(saved, tmp_path / "copy")
    (copy / "model.safetensors").unlink()
    assert load_encoder(copy, kind=torch.float32) is None
    assert load_encoder(tmp_path, kind=torch.float32) is None


def test_the_embedder_leaves_those_to_sentence_transformers(folder, tmp_path):
    model = built(folder, pooling="cls")
    other = SentenceTransformerEmbedder(save(model, tmp_path), name="cls", fingerprint="x", precision="float32")
    expected = model.encode(TEXTS, normalize_embeddings=True)
    assert np.allclose(other.embed_passages(TEXTS), expected, atol=1e-5)
    assert np.allclose(other.embed_question(TEXTS[0]), expected[0], atol=1e-5)
    (words,) = other.embed_words(["the harbour"])
    assert (words.shape, other.dimension) == ((2, 24), 24)


@pytest.mark.model
def test_the_real_embedder_needs_no_import_of_sentence_transformers(embedder_folder):
    code = """
import sys
from pathlib import Path
from index import SentenceTransformerEmbedder
embedder = SentenceTransformerEmbedder(Path(sys.argv[1]), name="minilm", fingerprint="x")
print(embedder.embed_question("Who is Dan Ives?").shape, embedder.dimension, "sentence_transformers" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, embedder_folder], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["(384,)", "384", "False"]
