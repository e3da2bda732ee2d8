"""Tiny models of several families, and how far what is computed is from what it should be."""

from pathlib import Path

import pytest
import torch
from transformers import GemmaConfig, GemmaForCausalLM, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from rag.networks import load_network

SIZES = {
    "vocab_size": 50, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "eos_token_id": [7, 9], "bos_token_id": 1, "pad_token_id": 0, "initializer_range": 0.2,
}  # fmt: skip
MODELS = {
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=False)),
    "qwen2 tied": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=True)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, head_dim=16, rope_theta=500.0)),
    "gemma": lambda: GemmaForCausalLM(GemmaConfig(**SIZES, head_dim=8)),
}
ONE_LAYER = {
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES | {"num_hidden_layers": 1})),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES | {"num_hidden_layers": 1}, rope_theta=500.0)),
}
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]
NEXT = [5, 3, 5]
needs_int8 = pytest.mark.skipif(
    "fbgemm" not in torch.backends.quantized.supported_engines, reason="int8 is for x86 processors with AVX2 only"
)


def load(folder: Path, precision: str):
    return load_network(folder, precision=precision, int8_file=folder.parent / "int8" / "weights.safetensors")


def loss(found: torch.Tensor, true: torch.Tensor) -> float:
    return float((found - true).norm() / true.norm())
