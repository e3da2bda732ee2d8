"""From one GGUF file to a folder that `transformers` loads in seconds: bf16 safetensors, tokenizer, configs.

Knows nothing about where the file came from. Only the `qwen2` architecture is covered, since every tensor of it maps
to one parameter without a permutation; others are refused rather than converted wrongly.

The tensors are unpacked piece by piece with the `gguf` library's own functions and written as they come, so the peak of
memory stays far below the size of the model. The result is bit for bit what `transformers` makes of the same file (a test
holds that), in half its time and a third of its memory.
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

from index.errors import ConversionError, ResourceError
from index.progress import Progress
from index.weights.children import start_child, stop_child

if TYPE_CHECKING:
    from gguf import GGUFReader

CONVERTER_VERSION = 1
"""Raised when stored models must be made anew."""

_END_OF_TURN = "<|im_end|>"
_ANSWER_TOKENS = 256
_VALUES_AT_A_TIME = 4_000_000
_NO_SPACE_EXIT = 28
_REFUSED_EXIT = 29


def convert_gguf(source: Path, folder: Path, *, what: str, progress: Progress) -> None:
    """Convert the GGUF file `source` into the new folder `folder`, in a process of its own.

    The process gives its memory back when it ends, and a crash in it is an error here.
    Raises ConversionError, and ResourceError if the disk is full or memory runs out; `folder` is then half-made.
    """
    log = folder.with_name(folder.name + ".log")
    child = start_child(
        "index.weights.convert",
        [str(source.absolute()), str(folder.absolute())],
        output=log,
        folder=Path(__file__).resolve().parents[2],
        environment={
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_VERBOSITY": "error",
            "TOKENIZERS_PARALLELISM": "false",
        },
        read_lines=True,
    )
    try:
        assert child.stdout is not None
        for line in child.stdout:
            done, _, total = line.partition(" ")
            if done.isdigit() and total.strip().isdigit():
                progress(what, int(done), int(total))
        code = child.wait()
    finally:
        stop_child(child)
    if code == 0:
        log.unlink(missing_ok=True)
        return
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    last_line = lines[-1] if lines else f"exit code {code}"
    if code == _NO_SPACE_EXIT:
        raise ResourceError(
            f"The disk filled up during {what}.", help="Free some space, or set BYLINE_HOME to a larger disk."
        )
    if code < 0 or last_line.startswith(("MemoryError", "numpy._core._exceptions._ArrayMemoryError")):
        raise ResourceError(
            f"The process that was {what} was ended by the system (exit code {code}); memory may have run out.",
            help="Close other programs and run the same command again, or choose the model with BYLINE_MODEL=small.",
        )
    reason = last_line if code == _REFUSED_EXIT else f"the converter failed with: {last_line}"
    raise ConversionError(f"{what[:1].upper()}{what[1:]} did not work: {reason}")


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


def _tensor_of_each_parameter(reader: "GGUFReader", config: Any) -> dict[str, Any]:
    """Which tensor of the file fills which parameter. Every parameter and every tensor has exactly one partner."""
    import torch
    from gguf import MODEL_ARCH, get_tensor_name_map
    from transformers import Qwen2ForCausalLM

    with torch.device("meta"):
        parameters = {name: tuple(value.shape) for name, value in Qwen2ForCausalLM(config).state_dict().items()}
    if config.tie_word_embeddings:
        parameters.pop("lm_head.weight", None)
    names = get_tensor_name_map(MODEL_ARCH.QWEN2, config.num_hidden_layers)
    left = {tensor.name: tensor for tensor in reader.tensors}
    sources = {}
    for parameter, shape in parameters.items():
        tensor = left.pop(names.get_name(parameter, try_suffixes=(".weight", ".bias")), None)
        if tensor is None:
            raise ConversionError(f"the GGUF file has no tensor for {parameter}")
        if tuple(reversed([int(size) for size in tensor.shape])) != shape:
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
            return _NO_SPACE_EXIT
        raise
    except ConversionError as error:
        print(error.message, file=sys.stderr)
        return _REFUSED_EXIT
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
