"""Our way of computing a BERT, against that of `sentence-transformers`."""

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizerFast

from index import encoder
from index.encoder import encoder_of

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


def loaded(folder, *, pooling="mean", normalize=True):
    transformer = Transformer(str(folder), max_seq_length=8)
    steps = [transformer, Pooling(transformer.get_embedding_dimension(), pooling_mode=pooling)]
    return SentenceTransformer(modules=[*steps, *([Normalize()] if normalize else [])], device="cpu").eval()


def test_words_and_means_are_those_of_sentence_transformers(folder):
    model = loaded(folder)
    ours = encoder_of(model)
    true = model.encode(TEXTS, output_value="token_embeddings", convert_to_numpy=False)
    for found, expected in zip(ours.words(TEXTS), true, strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, atol=1e-5)
    assert np.allclose(ours.means(TEXTS).numpy(), model.encode(TEXTS, normalize_embeddings=True), atol=1e-5)


def test_batches_change_nothing_and_no_texts_are_no_vectors(folder, monkeypatch):
    ours = encoder_of(loaded(folder))
    whole = ours.means(TEXTS)
    monkeypatch.setattr(encoder, "_TOKENS_AT_ONCE", 9)
    assert torch.allclose(ours.means(TEXTS), whole, atol=1e-6)
    assert ours.words([]) == []
    assert ours.means([]).shape == (0, 24)


def test_in_bfloat16_the_vectors_stay_near(folder):
    model = loaded(folder)
    true = model.encode(TEXTS, normalize_embeddings=True)
    model[0].bfloat16()
    found = encoder_of(model).means(TEXTS)
    assert found.dtype == torch.float32
    assert (found.numpy() * true).sum(axis=1).min() > 0.999


def test_what_is_too_long_is_cut(folder):
    long = " ".join(WORDS)
    ours = encoder_of(loaded(folder))
    assert ours.words([long])[0].shape == (8, 24)
    assert torch.equal(ours.words([long])[0], ours.words([" ".join(WORDS[:6]) + " euros euros"])[0])


def test_models_that_do_anything_else_are_left_alone(folder):
    assert encoder_of(loaded(folder, pooling="cls")) is None
    assert encoder_of(loaded(folder, normalize=False)) is None
    model = loaded(folder)
    model[0].auto_model.config.hidden_act = "relu"
    assert encoder_of(model) is None
    model[0].auto_model.config.hidden_act = "gelu"
    assert encoder_of(model) is not None
    model.prompts, model.default_prompt_name = {"query": "query: "}, "query"
    assert encoder_of(model) is None
