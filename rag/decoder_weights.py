"""From a folder with a model of the Llama family to a `Decoder`, in any precision."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from index.precisions import has_bfloat16_instructions, has_int8_instructions
from index.products import Product, float_product
from rag.decoder import Decoder, Layer, Shape
from rag.int8_products import int8_product
from rag.weight_files import int8_weights, names_in, tensor_in

_PROMPT = 512  # tokens; reading prompts takes most of the operations
_FAMILY = ("qwen2", "llama", "mistral")
_MATRICES = {
    "query_key_value": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "output": ("self_attn.o_proj",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}
_NORMS = {"attention_norm": "input_layernorm", "mlp_norm": "post_attention_layernorm"}


def load_decoder(folder: Path, *, precision: str, int8_file: Path) -> Decoder | None:
    """The model in `folder` as a `Decoder`, or None if it is of another family.

    int8 weights are kept in `int8_file`: quantising takes seconds, and afterwards that file alone is read. Raises
    OSError, ValueError, RuntimeError and ResourceError.
    """
    config = read_config(folder)
    shape = shape_of(config)
    if shape is None:
        return None
    if precision == "int8":
        return _int8_decoder(folder, config, shape, int8_weights(int8_file, lambda: fused_weights(folder, shape)))
    kind = torch.float32 if precision == "float32" else torch.bfloat16
    tensors = fused_weights(folder, shape)

    def product(name: str) -> Product:
        bias = tensors.get(f"{name}.bias")
        return float_product(
            tensors[f"{name}.weight"]().to(kind), None if bias is None else bias().to(kind, copy=True), rows=_PROMPT
        )

    head = tensors["head.weight"]()
    return _assembled(
        folder, config, shape, lambda name: tensors[name](), product, lambda ids: head[list(ids)].float(), kind
    )


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of the model in `folder`. Raises OSError or ValueError."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def shape_of(config: dict[str, Any]) -> Shape | None:
    """The sizes; None if there is anything in the model that `Decoder` does not compute."""
    rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
    sliding = config.get("use_sliding_window", config.get("sliding_window") is not None)
    if (
        config.get("model_type") not in _FAMILY
        or sliding
        or config.get("hidden_act") != "silu"
        or config.get("mlp_bias")
        or rotary.get("rope_type", "default") != "default"
        or rotary.get("partial_rotary_factor", 1) != 1
    ):
        return None
    heads = config["num_attention_heads"]
    return Shape(
        layers=config["num_hidden_layers"],
        heads=heads,
        key_heads=config.get("num_key_value_heads") or heads,
        head_size=config.get("head_dim") or config["hidden_size"] // heads,
        epsilon=config["rms_norm_eps"],
        rotary_base=rotary.get("rope_theta") or config.get("rope_theta") or 10_000.0,
    )


def fused_weights(folder: Path, shape: Shape) -> dict[str, Callable[[], Tensor]]:
    """How to read every weight, in its own precision, under our names; matrices that read the same rows are joined."""
    paths: dict[str, Path] = {}
    for path in sorted(folder.glob("*.safetensors")):
        paths |= {name: path for name in names_in(path) if name.startswith(("model.", "lm_head."))}
    if "model.embed_tokens.weight" not in paths:
        raise ValueError(f"there is no file with the model's weights in {folder}")

    def read(*names: str) -> Callable[[], Tensor]:
        def joined() -> Tensor:
            found = [tensor_in(paths[name], name) for name in names]
            return found[0] if len(found) == 1 else torch.cat(found)

        return joined

    embedding = "model.embed_tokens.weight"
    tensors = {"embedding": read(embedding), "norm": read("model.norm.weight")}
    tensors["head.weight"] = read("lm_head.weight" if "lm_head.weight" in paths else embedding)
    for layer in range(shape.layers):
        prefix = f"model.layers.{layer}"
        for ours, theirs in _NORMS.items():
            tensors[f"{layer}.{ours}"] = read(f"{prefix}.{theirs}.weight")
        for ours, parts in _MATRICES.items():
            for kind in ("weight", "bias"):
                published = [f"{prefix}.{part}.{kind}" for part in parts]
                if published[0] in paths:
                    tensors[f"{layer}.{ours}.{kind}"] = read(*published)
    return tensors


def _int8_decoder(folder: Path, config: dict[str, Any], shape: Shape, stored: Path) -> Decoder:
    names = names_in(stored)
    decoder = _int8_class()
    kind = torch.bfloat16 if has_bfloat16_instructions() and decoder is Decoder else torch.float32

    def product(name: str) -> Product:
        weight, scales = tensor_in(stored, f"{name}.weight"), tensor_in(stored, f"{name}.scales").clone()
        bias = tensor_in(stored, f"{name}.bias").to(kind, copy=True) if f"{name}.bias" in names else None
        if name == "head" and not has_int8_instructions():
            # FBGEMM's sums are too coarse to choose between words.
            head = float_product((weight.float() * scales[:, None]).to(torch.bfloat16), bias, rows=1)
            return lambda rows: head(rows.to(torch.bfloat16))
        if name == "head":
            coarse = int8_product(weight, scales, bias)
            return lambda rows: coarse(rows.float())  # or many words would have the same chance
        # What goes down again from the wide middle of a layer has few values that are far above all others.
        return int8_product(weight, scales, bias, exact=name.endswith(".down"))

    head, scales = tensor_in(stored, "head.weight"), tensor_in(stored, "head.scales")

    def head_rows(ids: Sequence[int]) -> Tensor:
        return head[list(ids)].float() * scales[list(ids), None]

    return _assembled(folder, config, shape, lambda name: tensor_in(stored, name), product, head_rows, kind, decoder)


def _int8_class() -> type[Decoder]:
    """The decoder for int8 weights that is the fastest here."""
    if not (has_int8_instructions() and has_bfloat16_instructions()):
        return Decoder
    try:
        from rag.int8_decoder import Int8Decoder
    except (ImportError, RuntimeError):  # no numba for this Python, other threads, or nowhere to keep machine code
        return Decoder
    return Int8Decoder


def _assembled(
    folder: Path,
    config: dict[str, Any],
    shape: Shape,
    tensor: Callable[[str], Tensor],
    product: Callable[[str], Product],
    head_rows: Callable[[Sequence[int]], Tensor],
    kind: torch.dtype,
    decoder: type[Decoder] = Decoder,
) -> Decoder:
    names = [*(f"{layer}.{matrix}" for layer in range(shape.layers) for matrix in _MATRICES), "head"]
    # Laying out weights takes most of the time, uses one core and lets go of the interpreter's lock.
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        products = dict(zip(names, threads.map(product, names), strict=True))
    layers = [
        Layer(
            attention_norm=tensor(f"{layer}.attention_norm").to(kind, copy=True),
            query_key_value=products[f"{layer}.query_key_value"],
            output=products[f"{layer}.output"],
            mlp_norm=tensor(f"{layer}.mlp_norm").to(kind, copy=True),
            gate_up=products[f"{layer}.gate_up"],
            down=products[f"{layer}.down"],
        )
        for layer in range(shape.layers)
    ]
    return decoder(
        shape,
        embedding=tensor("embedding"),
        layers=layers,
        norm=tensor("norm").to(kind, copy=True),
        output=products["head"],
        output_rows=head_rows,
        ends=_ends(folder, config),
    )


def _ends(folder: Path, config: dict[str, Any]) -> frozenset[int]:
    file = folder / "generation_config.json"
    said = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    ends = said.get("eos_token_id", config.get("eos_token_id"))
    return frozenset(ends if isinstance(ends, list) else () if ends is None else [ends])
