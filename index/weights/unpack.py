"""From one GGUF file to a folder that `transformers` loads in seconds: bf16 safetensors, tokenizer, configs.

Run as `python -m index.weights.unpack SOURCE FOLDER`; prints "done total" lines. Knows nothing about where the file
came from. Only the `qwen2` architecture is covered, since every tensor of it maps to one parameter without a
permutation; others are refused rather than converted wrongly.

The tensors are unpacked piece by piece with the `gguf` library's own functions and written as they come, so the
peak of memory stays far below the size of the model. The result is bit for bit what `transformers` makes of the same
file (a test holds that); for the 0.5B model it took 1.5 GB at its peak instead of 3.0.
"""

import errno
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import ConversionError
from index.weights.convert import NO_SPACE_EXIT, REFUSED_EXIT

if TYPE_CHECKING:
    from gguf import GGUFReader

_END_OF_TURN = "<|im_end|>"
_ANSWER_TOKENS = 256
_VALUES_AT_A_TIME = 4_000_000


def _convert(source: Path, folder: Path, report: Callable[[int, int], None]) -> None:
    from gguf import GGUFReader

    folder.mkdir(parents=True)
    report(0, 100)
    try:
        reader = GGUFReader(source)
    except (ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        raise ConversionError(f"{source.name} is not a readable GGUF file ({error})") from error
    report(10, 100)
    config = _config(reader)
    end_of_turn, padding = _save_tokenizer(source, folder, max_length=config.max_position_embeddings)
    report(35, 100)
    _save_configs(config, folder, end_of_turn=end_of_turn, padding=padding)
    _save_weights(reader, config, folder / "model.safetensors", lambda part: report(40 + int(60 * part), 100))


def _field(reader: "GGUFReader", key: str) -> Any:
    field = reader.get_field(key)
    if field is None:
        raise ConversionError(f"the GGUF file has no field {key!r}")
    return field.contents()


def _config(reader: "GGUFReader") -> Any:
    architecture = _field(reader, "general.architecture")
    if architecture != "qwen2":
        raise ConversionError(f"the GGUF file holds a model of architecture {architecture!r}; expected 'qwen2'")
    from transformers import Qwen2Config

    return Qwen2Config(
        architectures=["Qwen2ForCausalLM"],
        vocab_size=len(reader.fields["tokenizer.ggml.tokens"].data),
        hidden_size=_field(reader, "qwen2.embedding_length"),
        intermediate_size=_field(reader, "qwen2.feed_forward_length"),
        num_hidden_layers=_field(reader, "qwen2.block_count"),
        num_attention_heads=_field(reader, "qwen2.attention.head_count"),
        num_key_value_heads=_field(reader, "qwen2.attention.head_count_kv"),
        max_position_embeddings=_field(reader, "qwen2.context_length"),
        rms_norm_eps=_field(reader, "qwen2.attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": _field(reader, "qwen2.rope.freq_base")},
        bos_token_id=_field(reader, "tokenizer.ggml.bos_token_id"),
        eos_token_id=_field(reader, "tokenizer.ggml.eos_token_id"),
        pad_token_id=_field(reader, "tokenizer.ggml.padding_token_id"),
        # Where the file keeps its own output matrix, the input matrix is a coarser rounding and must not replace it.
        tie_word_embeddings=all(tensor.name != "output.weight" for tensor in reader.tensors),
        dtype="bfloat16",
    )


def _save_tokenizer(source: Path, folder: Path, *, max_length: int) -> tuple[int, int]:
    from tokenizers.normalizers import NFC
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
    # A GGUF does not say that the published tokenizer composes accents (NFC) before it splits.
    tokenizer.backend_tokenizer.normalizer = NFC()
    tokenizer.model_max_length = max_length
    end_of_turn = tokenizer.convert_tokens_to_ids(_END_OF_TURN)
    if end_of_turn is None or end_of_turn == tokenizer.unk_token_id:
        raise ConversionError(f"the tokenizer of the GGUF file does not know {_END_OF_TURN}")
    if not tokenizer.chat_template:
        raise ConversionError("the GGUF file has no chat template")
    if tokenizer.pad_token_id is None:
        raise ConversionError("the tokenizer of the GGUF file has no padding token")
    tokenizer.save_pretrained(folder)
    return int(end_of_turn), int(tokenizer.pad_token_id)


def _save_configs(config: Any, folder: Path, *, end_of_turn: int, padding: int) -> None:
    from transformers import GenerationConfig

    config.save_pretrained(folder)
    # The padding token is Qwen's end of text as well, so generation stops at either.
    GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=sorted({end_of_turn, padding}, reverse=True),
        pad_token_id=padding,
        do_sample=False,
        max_new_tokens=_ANSWER_TOKENS,
    ).save_pretrained(folder)


def _save_weights(reader: "GGUFReader", config: Any, path: Path, report: Callable[[float], None]) -> None:
    """Write every parameter as bf16 in the safetensors layout: 8 bytes of length, JSON header, then the data."""
    sources = _tensor_of_each_parameter(reader, config)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in sources.items():
        shape = [int(size) for size in reversed(tensor.shape)]
        header[name] = {
            "dtype": "BF16",
            "shape": shape,
            "data_offsets": [offset, offset + 2 * math.prod(shape)],
        }
        offset += 2 * math.prod(shape)
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    written = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as workers, open(path, "wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for tensor in sources.values():
            for piece in workers.map(_as_bf16, *zip(*_pieces(tensor), strict=True)):
                written += file.write(piece)
                report(written / offset)
    if written != offset:
        raise ConversionError(f"the tensors gave {written} bytes; expected {offset}")


def _pieces(tensor: Any) -> Iterator[tuple[Any, Any]]:
    """Runs of whole rows, since the blocks of a quantised tensor never cross a row."""
    rows = tensor.data if tensor.data.ndim > 1 else tensor.data[None]
    step = max(1, _VALUES_AT_A_TIME // max(1, int(tensor.shape[0])))
    for start in range(0, rows.shape[0], step):
        yield rows[start : start + step], tensor.tensor_type


def _as_bf16(blocks: Any, kind: Any) -> bytes:
    import numpy
    import torch
    from gguf import dequantize

    values = torch.from_numpy(numpy.array(dequantize(blocks, kind), dtype=numpy.float32))
    return values.to(torch.bfloat16).view(torch.int16).numpy().tobytes()


def _parameters(config: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of all parameters, in the order of `Qwen2ForCausalLM`, whose import would cost seconds."""
    hidden, inner, vocabulary = config.hidden_size, config.intermediate_size, config.vocab_size
    narrow = hidden // config.num_attention_heads * config.num_key_value_heads
    yield "model.embed_tokens.weight", (vocabulary, hidden)
    for layer in range(config.num_hidden_layers):
        block = f"model.layers.{layer}"
        for name, width in (("q", hidden), ("k", narrow), ("v", narrow)):
            yield f"{block}.self_attn.{name}_proj.weight", (width, hidden)
            yield f"{block}.self_attn.{name}_proj.bias", (width,)
        yield f"{block}.self_attn.o_proj.weight", (hidden, hidden)
        yield f"{block}.mlp.gate_proj.weight", (inner, hidden)
        yield f"{block}.mlp.up_proj.weight", (inner, hidden)
        yield f"{block}.mlp.down_proj.weight", (hidden, inner)
        yield f"{block}.input_layernorm.weight", (hidden,)
        yield f"{block}.post_attention_layernorm.weight", (hidden,)
    yield "model.norm.weight", (hidden,)
    if not config.tie_word_embeddings:
        yield "lm_head.weight", (vocabulary, hidden)


def _tensor_of_each_parameter(reader: "GGUFReader", config: Any) -> dict[str, Any]:
    """Which tensor of the file fills which parameter. Every parameter and every tensor has exactly one partner."""
    from gguf import MODEL_ARCH, get_tensor_name_map

    names = get_tensor_name_map(MODEL_ARCH.QWEN2, config.num_hidden_layers)
    left = {tensor.name: tensor for tensor in reader.tensors}
    sources = {}
    for parameter, shape in _parameters(config):
        tensor = left.pop(names.get_name(parameter, try_suffixes=(".weight", ".bias")), None)
        if tensor is None:
            raise ConversionError(f"the GGUF file has no tensor for {parameter}")
        if tuple(int(size) for size in reversed(tensor.shape)) != shape:
            raise ConversionError(f"{tensor.name} has shape {tuple(tensor.shape)[::-1]}; expected {shape}")
        sources[parameter] = tensor
    if left:
        raise ConversionError(f"the GGUF file has tensors without a place in the model: {', '.join(sorted(left))}")
    return sources


def _main(source: str, folder: str) -> int:
    def report(done: int, total: int) -> None:
        print(done, total, flush=True)

    try:
        _convert(Path(source), Path(folder), report)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return NO_SPACE_EXIT
        raise
    except ConversionError as error:
        print(error.message, file=sys.stderr)
        return REFUSED_EXIT
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
